"""What a Redfish service answered, as it stands in a recording: one JSON object an exchange, cleaned name by name.

Only methods, paths, statuses and the bodies of answers are written down. What was sent, every header, and the whole
exchange of signing in are not: nothing of a login is ever there to be cleaned.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from techtool.domain.codec import CodecError, decode_json_untyped, encode_json
from techtool.errors import LinkError, TechtoolError
from techtool.links.base import Capability
from techtool.links.record.masking import Masker
from techtool.links.record.recording_link import OUTPUT_BYTES, Notes
from techtool.links.record.transcript import Entry, refusal_of

if TYPE_CHECKING:
    from techtool.links.redfish.http import Answer

HTTP: Final = "http"
"""The operation's name; ``what`` is ``GET /path``, ``exit_code`` the status, ``stdout`` the body."""
_OF_ONE: Final = frozenset({"uuid", "assettag", "serviceentrypointuuid", "durablename", "hostname", "fqdn"})
"""Names (DSP0268) whose value is one device's alone, besides those that the masker knows."""
_PLACES: Final = frozenset(
    {"location", "contacts", "postaladdress", "placement", "physicallocation", "partlocation", "address"}
    | {"nameservers", "staticnameservers", "payload"}
)
"""Names (DSP0268, Resource.Location) of what says where a device stands and who looks after it, and of what was once
sent to it (Task): never kept."""
_NAMES: Final = ("attributename", "name", "key")
_VALUES: Final = frozenset({"value", "currentvalue", "defaultvalue"})
"""Names of values that are called by what stands beside them or around them: ``{"Name": "Token", "Value": …}``."""


class HttpWatcher:
    """Tells the recorder what a Redfish service answers: see :class:`techtool.links.redfish.watch.Watcher`."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def opened(self, capabilities: frozenset[Capability]) -> None:
        """The link is open."""
        self._notes.opened(capabilities)

    def not_opened(self, error: TechtoolError) -> None:
        """It could not be opened."""
        self._notes.add(Entry("open", refused=refusal_of(error)))

    def answered(self, method: str, path: str, answer: Answer) -> None:
        """One answer."""
        self._notes.add(_exchange(method, path, answer))

    def failed(self, method: str, path: str, error: LinkError) -> None:
        """None came."""
        self._notes.add(Entry(HTTP, f"{method} {path}", refused=refusal_of(error)))


def _exchange(method: str, path: str, answer: Answer) -> Entry:
    """An answer as an entry; a longer body is left out, for half of it is none."""
    text = encode_json(answer.body).decode("utf-8", "replace") if answer.body else ""
    kept = text if len(text) <= OUTPUT_BYTES else ""
    return Entry(HTTP, f"{method} {path}", exit_code=answer.status, stdout=kept, cut=kept != text)


def learn_body(text: str, masker: Masker) -> None:
    """Take in the numbers that stand in fields named so."""
    with contextlib.suppress(RecursionError):
        for name, value in _leaves("", _tree(text), masker):
            masker.learn(value)
            masker.learn_field(name, value)
            if name.casefold() in _OF_ONE:
                masker.know([value])


def clean_body(text: str, masker: Masker) -> str:
    """The body without anything that may not leave a shop; nothing of one that nobody could take apart."""
    try:
        return encode_json(_cleaned("", _tree(text), masker)).decode() if text else ""
    except RecursionError:
        return ""


def _tree(text: str) -> object:
    try:
        return decode_json_untyped(text.encode("utf-8", "replace")) if text else {}
    except (CodecError, RecursionError):
        return {}


def _fields(name: str, body: Mapping[object, object], masker: Masker) -> Iterator[tuple[str, str, object]]:
    """Each key, what its value is really called, and the value; what stands in a secret's box is part of the secret."""
    by_name = {str(key).casefold(): item for key, item in body.items()}
    beside = next((str(by_name[key]) for key in _NAMES if isinstance(by_name.get(key), str)), name)
    for key, item in ((str(key), item) for key, item in body.items()):
        if key.startswith("@odata."):
            yield key, key, item
        elif masker.hides(name):
            yield key, name, item
        else:
            yield key, beside or key if key.casefold() in _VALUES else key, item


def _leaves(name: str, value: object, masker: Masker) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for _key, called, item in _fields(name, value, masker):
            yield from _leaves(called, item, masker)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(name, item, masker)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield name, str(value)


def _cleaned(name: str, value: object, masker: Masker) -> object:
    if isinstance(value, Mapping):
        return {
            masker.clean(key): _cleaned(called, item, masker)
            for key, called, item in _fields(name, value, masker)
            if key.casefold() not in _PLACES
        }
    if isinstance(value, list):
        return [_cleaned(name, item, masker) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    said = str(value)
    clean = masker.clean_field(name, said)
    return value if clean == said else clean
