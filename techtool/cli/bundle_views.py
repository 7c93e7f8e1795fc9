"""A stick as JSON and as lines: the same facts, once for scripts and once for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from techtool.clock import stamp
from techtool.domain.recall import Recall
from techtool.domain.release import Release, VerifiedRelease
from techtool.i18n import _, language

if TYPE_CHECKING:
    from techtool.bundles.memory import StickTrust
    from techtool.bundles.refresh import Known
    from techtool.bundles.trust import Stick


def stick_json(stick: Stick) -> dict[str, object]:
    """Path, trust, what ran out, what was withdrawn, what else to know."""
    return {
        "path": str(stick.root.parent),
        "trust": _trust_json(stick.trust),
        "expired": None if stick.expired is None else {k: str(v) for k, v in stick.expired.params.items()},
        "lapsed": {key: str(error.params["until"]) for key, error in stick.lapsed.items()},
        "withdrawn": [{"id": name, "version": version} for name, version in stick.withdrawn],
        "recalled": [recall_json(recall) for recall in stick.recalled.values()],
        "recalls": len(stick.recalls),
        "notes": [note.text() for note in stick.notes],
    }


def recall_json(recall: Recall) -> dict[str, object]:
    """One recall, its reason in every language it has."""
    return {
        "id": recall.id,
        "version": recall.version,
        "urgency": recall.urgency.value,
        "date": recall.date.isoformat(),
        "reason": dict(recall.reason),
        "replacement": recall.replacement or None,
    }


def recall_line(recall: Recall) -> str:
    """One recall for reading."""
    line = _("{release} was recalled on {day} ({urgency}): {reason}").format(
        release=recall.key, day=recall.date.isoformat(), urgency=recall.urgency_phrase, reason=recall.reason_phrase
    )
    if recall.replacement:
        line += " " + _("Install {release} instead.").format(release=recall.replacement)
    return " ".join(line.split())


def known_json(known: Known) -> dict[str, object]:
    """The newest metadata of one office that this laptop knows."""
    return {
        "trust": _trust_json(known.trust),
        "expired": None if known.expired is None else {k: str(v) for k, v in known.expired.params.items()},
        "recalls": [recall_json(recall) for recall in known.recalls],
        "notes": [note.text() for note in known.notes],
    }


def known_lines(known: Known) -> Iterator[str]:
    """The same for reading."""
    yield _dates(known.trust)
    for recall in known.recalls:
        yield f"! {recall_line(recall)}"


def released_json(item: VerifiedRelease) -> dict[str, object]:
    """One release, with who stands for it."""
    release = item.release
    return {
        "id": release.id,
        "version": release.version,
        "version_format": release.version_format,
        "kind": release.kind.value,
        "urgency": release.urgency.value,
        "size": release.size_bytes,
        "publisher": item.trust.publisher,
        "keys": list(item.trust.keys),
        "provides": [
            {"vendor": p.vendor, "model": p.model, "hw_rev": list(p.hw_revisions), "region": list(p.regions)}
            for p in release.provides
        ],
        "requires": [rule.what for rule in release.requires],
        "packages": [
            {"id": apk.id, "version": apk.version, "version_code": apk.version_code, "signer": apk.signer}
            for apk in release.packages
        ],
        "files": [{"target": f.target, "size": f.size_bytes, "sha256": f.sha256} for f in release.files],
        "text": dict(release.text),
    }


def stick_lines(stick: Stick) -> Iterator[str]:
    """The same for reading."""
    yield _("Stick: {path}").format(path=stick.root.parent)
    yield _dates(stick.trust)
    if stick.expired is not None:
        yield f"! {stick.expired.what_phrase.text()}"
    for item in stick.releases:
        yield from _release_lines(item)
    for key, error in stick.lapsed.items():
        yield f"! {key}: {error.what_phrase.text()}"
    for recall in stick.recalled.values():
        yield f"! {recall_line(recall)}"
    for name, version in stick.withdrawn:
        yield _("withdrawn by its publisher: {name} {version}").format(name=name, version=version)
    for note in stick.notes:
        yield f"! {note.text()}"


def _dates(trust: StickTrust) -> str:
    return _("Issued {issued}, {days} days old, use by {use_by}").format(
        issued=f"{trust.issued:%Y-%m-%d}", days=trust.age_days, use_by=f"{trust.use_by:%Y-%m-%d}"
    )


def _trust_json(trust: StickTrust) -> dict[str, object]:
    return {
        "root_version": trust.root_version,
        "root_sha256": trust.root_sha256,
        "pinned_sha256": trust.pinned_sha256,
        "issued": stamp(trust.issued),
        "use_by": stamp(trust.use_by),
        "age_days": trust.age_days,
        "reference_time": stamp(trust.reference_time),
        "system_time": stamp(trust.system_time),
        "from_mirror": trust.from_mirror,
    }


def _release_lines(item: VerifiedRelease) -> Iterator[str]:
    release = item.release
    models = ", ".join(
        f"{p.vendor}/{p.model}" + (":" + ",".join(p.hw_revisions) if p.hw_revisions else "") for p in release.provides
    )
    yield f"{release.id} {release.version}  [{release.kind.value}]  {models}  ({item.trust.publisher})"
    text = _text_of(release)
    if text:
        yield f"    {text}"


def _text_of(release: Release) -> str:
    texts = release.text
    text = texts.get(language()) or texts.get("en") or next(iter(texts.values()), "")
    return " ".join(text.split())
