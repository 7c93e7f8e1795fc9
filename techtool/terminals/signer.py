"""Who signed a package that lies on a terminal: the APK is copied here, looked into, and forgotten.

Android tells no certificate digest in words (``dumpsys package`` prints a 32-bit hash code), so the file itself is
asked. Whether the signature is good was for the terminal to judge when it installed it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

from techtool.errors import CommandRefused, NotCapable
from techtool.links.base import Link
from techtool.paths import disk_error
from techtool.terminals.shell import pulled


@dataclass(frozen=True, slots=True)
class CopiedApk:
    """What a copy of an installed APK says."""

    sha256: str
    signer: str | None
    """Lower-case hex SHA-256 of the signing certificate; None where the file names none that can be read."""


async def read_installed_apk(link: Link, path: str) -> CopiedApk | None:
    """Copy an APK from the terminal, hash it and read its signer; None where the terminal does not let it be read.

    The copy is a file without a name (on Windows: one that the system deletes): no stop can leave it behind.
    """
    try:
        with tempfile.TemporaryFile(prefix="techtool-") as copy:
            sha256 = await _copy(link, path, copy)
            return CopiedApk(sha256, await asyncio.to_thread(read_signer, copy))
    except (CommandRefused, NotCapable):
        return None
    except OSError as error:
        raise disk_error(error, tempfile.gettempdir()) from error


async def _copy(link: Link, path: str, copy: IO[bytes]) -> str:
    digest = hashlib.sha256()
    async with pulled(link, path) as chunks:
        async for chunk in chunks:
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


def read_signer(copy: IO[bytes]) -> str | None:
    """SHA-256 of the certificate an APK is signed with: signature scheme v3, else v2, else the JAR signature.

    Of several v3 signers (each for a range of Android versions) the one for the newest counts.
    """
    import pyaxmlparser.core

    logging.getLogger("pyaxmlparser").addHandler(logging.NullHandler())
    logging.getLogger("pyaxmlparser").propagate = False
    try:
        opener: Any = pyaxmlparser.core.APK
        copy.seek(0)
        apk = opener(copy, skip_analysis=True)
        try:
            copy.seek(0)
            # Where the parser keeps the file's bytes; else it would open the file by its name.
            apk._APK__raw = bytearray(copy.read())
            certificates = _certificates(apk)
        finally:
            apk.zip.close()
    except Exception:
        # The parser fails in a dozen ways on a file that is no APK; all of them mean that it names no signer.
        return None
    return hashlib.sha256(certificates[0]).hexdigest() if certificates else None


def _certificates(apk: Any) -> Sequence[bytes]:
    apk.parse_v3_signing_block()
    signers = sorted(apk._v3_signing_data, key=lambda signer: signer.maxSDK)[-1:]
    if not signers:
        apk.parse_v2_signing_block()
        signers = apk._v2_signing_data
    if signers:
        return [bytes(signer.signed_data.certificates[0]) for signer in signers]
    return [bytes(cast(bytes, apk.get_certificate_der(name))) for name in apk.get_signature_names()]
