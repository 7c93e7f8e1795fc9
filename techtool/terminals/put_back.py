"""Going back: a package from a backup over what runs now, and an uninstallation where there is no other way.

``-d`` asks Android to take an older version over a newer one; production builds refuse that with
``INSTALL_FAILED_VERSION_DOWNGRADE`` (AOSP ``PackageManagerServiceUtils.isDowngradePermitted``). An uninstallation is
never done to get around something: only by :meth:`techtool.terminals.base.Terminal.uninstall`, after a person's word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from techtool.errors import InstallFailed
from techtool.links.base import Link
from techtool.terminals.android_text import PACKAGE_ID
from techtool.terminals.base import FormerFile, SessionSink
from techtool.terminals.install_sessions import (
    abandon_session,
    ask_for_session,
    check_streaming,
    commit,
    opened,
    says_success,
    session_in,
    write_file,
)
from techtool.terminals.inventory import read_paths
from techtool.terminals.refusals import install_failed
from techtool.terminals.shell import answer_of

DOWNGRADE: Final = "INSTALL_FAILED_VERSION_DOWNGRADE"
_UNINSTALL_TIMEOUT_S: Final = 120.0
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+\.apk")


async def install_former(
    link: Link, package_id: str, files: Sequence[FormerFile], *, older: bool, session: SessionSink
) -> None:
    """See :meth:`techtool.terminals.base.Terminal.put_back`."""
    check_streaming(link)
    with ExitStack() as open_files:
        sources = [open_files.enter_context(opened(file.path, file.size_bytes)) for file in files]
        total_bytes = sum(file.size_bytes for file in files)
        options = f"-r -d -S {total_bytes}" if older else f"-r -S {total_bytes}"
        manager, answer = await ask_for_session(link, options)
        number = session_in(package_id, answer)
        session(number)
        try:
            for file, source in zip(files, sources, strict=True):
                name = file.name if _FILE_NAME.fullmatch(file.name) else "base.apk"
                await write_file(link, manager, package_id, number, source, file.size_bytes, None, name)
        except InstallFailed:
            await abandon_session(link, number)
            raise
    await commit(link, manager, package_id, number)


async def uninstall_package(link: Link, package_id: str) -> None:
    """See :meth:`techtool.terminals.base.Terminal.uninstall`.

    Whether it is gone is read, not believed: ``pm path`` answers for what is there.
    """
    if not PACKAGE_ID.fullmatch(package_id) or not await read_paths(link, package_id):
        return
    result = await link.run(f"pm uninstall {package_id}", timeout_s=_UNINSTALL_TIMEOUT_S)
    answer = answer_of(result)
    if not says_success(answer) or await read_paths(link, package_id):
        raise install_failed(package_id, answer, committed=False)
