"""Recalling a release: the office's word alone, without vendor or lab, so that it is out within the hour.

It reaches a laptop with any newer stick or refresh file, and until the use-by date of its sticks at the latest: after
that they install nothing. It also names what terminals run already, so that a visit can warn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from techtool.bundles.medium import is_portable, place_of
from techtool.bundles.profile import MAX_RECALLS, RECALL, RECALLS
from techtool.bundles.publish.contents import files_of, find_release, recalls, releases, unread_languages
from techtool.bundles.publish.roles import file_entry
from techtool.bundles.recalls import decode_recall, encode_recall, recall_of, recall_path
from techtool.clock import Clock
from techtool.domain.codec import CodecError
from techtool.domain.recall import Recall, RecalledPackage
from techtool.domain.release import Provides, ReleaseKind, Urgency
from techtool.errors import PublisherError
from techtool.i18n import LANGUAGES, Phrase, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RecallOrder:
    """What the office says of a release; what is known of the release itself is read from its description."""

    id: str
    version: str
    reason: Mapping[str, str]
    """Per language, at least one."""
    urgency: Urgency | None = None
    """None: as it was, or high for a new recall."""
    replacement: str = ""
    """``ID@VERSION``"""
    packages: tuple[RecalledPackage, ...] = field(default=())
    """With the rest: by hand, for a release that is not in the folder."""
    provides: tuple[Provides, ...] = ()
    kind: ReleaseKind | None = None
    shown_version: str = ""


@dataclass(frozen=True, slots=True)
class RecallStaged:
    """What a recall became."""

    recall: Recall
    changed: bool
    """False: it was recalled in these very words already."""
    notes: tuple[Phrase, ...] = ()


def recall_release(workspace: Workspace, order: RecallOrder, clock: Clock) -> RecallStaged:
    """Stage the recall of a release, or other words for it; raises :class:`PublisherError`."""
    there = _entries(workspace)
    path = _path_of(there, order.id, order.version)
    former = there.get(path)
    gone = {recall.key for recall in there.values()} | {f"{order.id}@{order.version}"}
    if order.replacement in gone:
        raise PublisherError(problem=phrase("the replacement {release} is recalled itself", release=order.replacement))
    kept, notes = _kept(order, former, gone)
    recall = _recall(workspace, kept, former, clock)
    if recall == former:
        return RecallStaged(recall, changed=False)
    data = _encoded(recall)
    if former is None and len(there) >= MAX_RECALLS:
        raise PublisherError(problem=phrase("it recalls more than {count} releases", count=MAX_RECALLS))
    digest = hashlib.sha256(data).hexdigest()
    place = workspace.folder / place_of(path, digest)
    workspace.disk.make_folder(place.parent)
    workspace.disk.write_file(place, data)
    entries = dict(files_of(workspace, RECALL))
    entries[path] = file_entry(path, len(data), digest)
    workspace.replace_list(RECALL, entries, clock.now())
    return RecallStaged(recall, changed=True, notes=(*notes, *_notes(workspace, recall)))


def lift(workspace: Workspace, release_id: str, version: str, clock: Clock) -> Recall:
    """Take a recall back, and give what it said; raises :class:`PublisherError`."""
    there = _entries(workspace)
    path = _path_of(there, release_id, version)
    if path not in there:
        raise PublisherError(problem=phrase("{release} is not recalled", release=f"{release_id}@{version}"))
    entries = dict(files_of(workspace, RECALL))
    del entries[path]
    workspace.replace_list(RECALL, entries, clock.now())
    return there[path]


def _entries(workspace: Workspace) -> dict[str, Recall]:
    if RECALL not in workspace.lists:
        text = phrase("the bundle has no keys for recalls; “bundle recall FOLDER --make-role” adds them")
        raise PublisherError(problem=text)
    return recalls(workspace)


def _path_of(there: Mapping[str, Recall], release_id: str, version: str) -> str:
    """Where the recall of that release is or goes; two releases whose names come out alike still get one each."""
    key = f"{release_id}@{version}"
    for path, recall in there.items():
        if recall.key == key:
            return path
    path = recall_path(release_id, version)
    if path.casefold() in {taken.casefold() for taken in there} or not _fits(path):
        return f"{RECALLS}/{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    return path


def _fits(path: str) -> bool:
    return is_portable(path) and is_portable(place_of(path, "0" * 64))


def _kept(order: RecallOrder, former: Recall | None, gone: Collection[str]) -> tuple[RecallOrder, list[Phrase]]:
    """The order with what the former recall said besides, and what to tell about that.

    Somebody who adds a language does not mean to take the others back. A replacement that is recalled itself by now is
    not kept.
    """
    if former is None:
        return order, []
    notes = []
    languages = [language for language in former.reason if language not in order.reason]
    if languages:
        notes.append(phrase("The former reason is kept in: {languages}", languages=", ".join(languages)))
    replacement = order.replacement
    if not replacement and former.replacement in gone:
        text = phrase(
            "The former replacement {release} is recalled itself and is left out.", release=former.replacement
        )
        notes.append(text)
    elif not replacement and former.replacement:
        replacement = former.replacement
        notes.append(phrase("The former replacement is kept: {release}", release=replacement))
    return replace(order, reason={**former.reason, **order.reason}, replacement=replacement), notes


def _recall(workspace: Workspace, order: RecallOrder, former: Recall | None, clock: Clock) -> Recall:
    """The facts of the release as its description states them, under what was typed."""
    release = find_release(workspace, order.id, order.version)
    today = clock.now().date()
    urgency = order.urgency or (former.urgency if former is not None else Urgency.HIGH)
    if release is not None:
        recall = recall_of(release, urgency=urgency, date=today, reason=order.reason, replacement=order.replacement)
    elif order.packages or order.shown_version or former is not None:
        recall = replace(
            former or Recall(order.id, order.version, urgency, today, {}),
            urgency=urgency,
            reason=dict(order.reason),
            replacement=order.replacement,
        )
    else:
        text = phrase(
            "{release} never was in this folder: say how a terminal shows it, with --package ID:CODE for apps, or with "
            "--kind firmware --shown-version VERSION --model VENDOR/MODEL",
            release=f"{order.id}@{order.version}",
        )
        raise PublisherError(problem=text)
    return replace(
        recall,
        date=former.date if former is not None else today,
        packages=order.packages or recall.packages,
        provides=order.provides or recall.provides,
        kind=order.kind or recall.kind,
        shown_version=order.shown_version or recall.shown_version,
    )


def _encoded(recall: Recall) -> bytes:
    """The file, when a laptop will read it."""
    data = encode_recall(recall)
    try:
        decode_recall(data)
    except CodecError as error:
        raise PublisherError(problem=phrase("the recall is not right: {problem}", problem=str(error))) from error
    return data


def _notes(workspace: Workspace, recall: Recall) -> list[Phrase]:
    notes = unread_languages(recall.reason)
    lacking = [language for language in LANGUAGES if not recall.reason.get(language)]
    if lacking:
        notes.append(phrase("There is no reason in: {languages}", languages=", ".join(lacking)))
    if not recall.packages and not (recall.shown_version and recall.provides):
        notes.append(phrase("A terminal that runs it already cannot be recognised by it."))
    listed = {shown.release.key for shown in releases(workspace)}
    if recall.replacement and recall.replacement not in listed:
        notes.append(phrase("The replacement {release} is not in this bundle.", release=recall.replacement))
    if recall.key in listed:
        text = phrase("It is still listed by its publisher. When vendor and lab can sign: “bundle withdraw”.")
        notes.append(text)
    return notes
