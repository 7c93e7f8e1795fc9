"""A configuration file on the terminal: read whole, written beside its place, read back, renamed, read back again.

Its bytes, which may hold a password, are only ever in this computer's memory and on the terminal itself.
"""

from __future__ import annotations

import hashlib
import io
from shlex import quote
from typing import Final

from techtool.domain.config_file import (
    LARGEST_BYTES,
    ConfigBack,
    ConfigRefused,
    ConfigRule,
    FormerConfig,
    former_bytes,
    keep,
    merge,
)
from techtool.errors import CommandRefused, NotCapable, VerifyFailed
from techtool.i18n import phrase
from techtool.links.base import Link
from techtool.terminals.shell import ask, pulled

NEW: Final = ".techtool-new"
"""Behind the name of a file that has not its place yet."""
_ATTEMPTS: Final = 3


async def fetch(link: Link, path: str) -> bytes:
    """The whole file; raises :class:`ConfigRefused` where it is not there or is too large, ``CommandRefused``."""
    stat = await link.stat(path)
    if stat is None:
        raise ConfigRefused(phrase("{path} is not there, or not to be seen", path=path))
    data = bytearray()
    async with pulled(link, path) as chunks:
        async for chunk in chunks:
            data += chunk
            if len(data) > LARGEST_BYTES:
                raise ConfigRefused(phrase("{path} is too large for a configuration file", path=path))
    return bytes(data)


async def config_digest(link: Link, rule: ConfigRule) -> str:
    """SHA-256 of what a backup would keep of the file now (:mod:`techtool.terminals.snapshot`); empty: not readable."""
    try:
        return hashlib.sha256(former_bytes(keep(rule, await fetch(link, rule.path)))).hexdigest()
    except (ConfigRefused, CommandRefused, NotCapable):
        return ""


async def compare_config(link: Link, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
    """See :meth:`techtool.terminals.base.Terminal.compare_config`."""
    merged = merge(rule, await _current(link, rule), former)
    return ConfigBack(rule.item, rule.path, merged.changed, merged.reenter)


async def write_config(link: Link, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
    """See :meth:`techtool.terminals.base.Terminal.write_config`.

    What the terminal has is read again just before the rename: a sale in between may have counted a counter up.
    """
    fresh = rule.path + NEW
    for _attempt in range(_ATTEMPTS):
        await _forget(link, fresh)
        before = await _current(link, rule)
        merged = merge(rule, before, former)
        back = ConfigBack(rule.item, rule.path, merged.changed, merged.reenter, merged.kept_higher)
        if not merged.changed:
            return back
        await _lay_down(link, rule.path, fresh, merged.content)
        if await _current(link, rule) != before:
            continue
        await ask(link, f"mv -f {quote(fresh)} {quote(rule.path)}")
        await _check_placed(link, rule, merged.content)
        return back
    await _forget(link, fresh)
    raise ConfigRefused(phrase("the terminal keeps changing {path}", path=rule.path))


async def forget_config(link: Link, rule: ConfigRule) -> None:
    """See :meth:`techtool.terminals.base.Terminal.forget_config`."""
    await _forget(link, rule.path + NEW)


async def _check_placed(link: Link, rule: ConfigRule, content: bytes) -> None:
    """From the rename on nothing is a mere refusal: the old file may be gone. Raises :class:`VerifyFailed`."""
    try:
        found = await _current(link, rule)
    except ConfigRefused as refused:
        raise VerifyFailed(package=rule.path, reason=refused.reason) from refused
    if found != content:
        await _forget(link, rule.path + NEW)
        raise VerifyFailed(package=rule.path, reason=phrase("it does not read back as it was sent"))


async def _lay_down(link: Link, path: str, fresh: str, content: bytes) -> None:
    """The new file under another name, proven; raises :class:`ConfigRefused`, and the old one is as it was."""
    stat = await link.stat(path)
    mode = stat.mode & 0o777 if stat else 0o600
    try:
        await link.push(io.BytesIO(content), len(content), fresh, mode=mode)
        arrived = await fetch(link, fresh)
    except (CommandRefused, NotCapable) as error:
        await _forget(link, fresh)
        raise ConfigRefused(error.what_phrase) from error
    if arrived != content:
        await _forget(link, fresh)
        raise ConfigRefused(phrase("what arrived on the terminal is not what was sent"))


async def _current(link: Link, rule: ConfigRule) -> bytes:
    """What the terminal has; that it may not be read is a reason not to write it."""
    try:
        return await fetch(link, rule.path)
    except (CommandRefused, NotCapable) as error:
        raise ConfigRefused(error.what_phrase) from error


async def _forget(link: Link, fresh: str) -> None:
    """Remove what has not its place yet; it holds what the file itself holds, its passwords too."""
    await ask(link, f"rm -f {quote(fresh)}")
