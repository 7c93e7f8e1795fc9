"""Copies a file of the publisher's to where it belongs, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from techtool.paths import Disk


def copy_as(disk: Disk, chunks: Iterable[bytes], target: Path, sha256: str) -> bool:
    """Write it as ``.part``, sync it, and give it its name when its digest is ``sha256``; else False, and it is gone.

    What ``chunks`` raises goes through; raises ``DiskFull``, ``DiskError``.
    """
    disk.make_folder(target.parent)
    part = target.with_name(f"{target.name}.part")
    disk.unlink(part)
    fd = disk.create(part)
    digest = hashlib.sha256()
    try:
        for chunk in chunks:
            digest.update(chunk)
            disk.write(fd, chunk, part)
        disk.fsync(fd, part)
    finally:
        os.close(fd)
    if digest.hexdigest() != sha256:
        disk.unlink(part)
        return False
    disk.replace(part, target)
    return True
