"""The update images of the practice gateway: what its maker, who is nobody, would sign and a gateway would check."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_json, encode_json

_MAGIC: Final = b"TECHTOOL-PRACTICE-IMAGE-1\n"
_HEAD_LIMIT: Final = 4096


class ImageRefused(Exception):
    """The gateway does not take it; ``key`` is one of DMTF's Update registry."""

    def __init__(self, key: str, text: str) -> None:
        self.key = key
        self.text = text
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Image:
    """What the head of an image states."""

    component: str
    version: str
    size_bytes: int
    sha256: str
    """Of the content after the head."""


def make_image(component: str, version: str, content: bytes) -> bytes:
    """An image that a practice gateway takes."""
    head = Image(component, version, len(content), hashlib.sha256(content).hexdigest())
    return _MAGIC + encode_json(head) + b"\n" + content


def read_image(path: Path) -> Image:
    """The head of a whole and unharmed image; raises :class:`ImageRefused`."""
    with path.open("rb") as source:
        magic = source.readline(_HEAD_LIMIT)
        head = source.readline(_HEAD_LIMIT)
        try:
            image = decode_json(head, Image)
        except CodecError as error:
            raise ImageRefused("VerificationFailed", "The file is no image for this gateway.") from error
        content = hashlib.file_digest(source, "sha256").hexdigest()
        size_bytes = source.tell() - len(magic) - len(head)
    if magic != _MAGIC or (size_bytes, content) != (image.size_bytes, image.sha256):
        raise ImageRefused("VerificationFailed", "The image is damaged.")
    return image
