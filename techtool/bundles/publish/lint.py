"""The linter before a bundle folder or a stick: its releases, and whether every file that is listed is there.

Everything is read as it lies there and nothing stops at the first thing that is wrong. A folder is judged as it is
being made, staged lists included. What may be published is decided here, too: a publisher's list with errors stays
staged, unless somebody overrides it; recalls, keys and withdrawals never wait for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuf.api.metadata import TargetFile

from techtool.bundles.description import KNOWN_RULES, MAX_BYTES, decode_release
from techtool.bundles.medium import StickFolder, place_of, read_chunks
from techtool.bundles.profile import RELEASES, ROLE_PREFIX
from techtool.bundles.publish.contents import files_of
from techtool.catalogue.reader import load_catalogue
from techtool.domain.codec import CodecError
from techtool.domain.lint import Check, LintFinding, Severity, in_order, lint, lint_one
from techtool.domain.lint_install import Reach
from techtool.domain.lint_shelf import Shelf as Stock
from techtool.domain.release import Release
from techtool.errors import Damaged, PublisherError, Untrusted
from techtool.i18n import Phrase, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.state import Shelf
    from techtool.bundles.publish.workspace import Workspace
    from techtool.bundles.trust import Stick


@dataclass(frozen=True, slots=True)
class LintReport:
    """Everything that was found."""

    findings: tuple[LintFinding, ...]
    releases: int
    """How many were looked at."""

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class _List:
    """One publisher's list with the descriptions that could be read."""

    role: str
    entries: Mapping[str, TargetFile]
    releases: Mapping[str, Release]
    """By the path of the description."""
    unreadable: tuple[LintFinding, ...]

    @property
    def keys(self) -> frozenset[str]:
        """By which a finding names one of its releases or files."""
        return frozenset({*(release.key for release in self.releases.values()), *self.entries})


def lint_folder(workspace: Workspace) -> LintReport:
    """A bundle folder as it is being made; raises :class:`PublisherError` where a list itself cannot be read."""
    folder = StickFolder(workspace.folder)
    lists = _lists(workspace)
    releases = [release for one in lists for release in one.releases.values()]
    files = [finding for one in lists for finding in _files(folder, one, one.entries)]
    return LintReport(in_order([*_lint(releases), *files]), len(releases))


def lint_stick(stick: Stick) -> LintReport:
    """A verified stick: its descriptions are proven already, its payloads are hashed now."""
    folder = StickFolder(stick.root)
    releases = [item.release for item in stick.releases]
    payloads = {
        file.target: TargetFile(file.size_bytes, {"sha256": file.sha256}, file.target)
        for release in releases
        for file in release.files
    }
    files = _payloads(folder, releases, payloads)
    return LintReport(in_order([*_lint(releases), *files]), len(releases))


def findings_on(workspace: Workspace, release: Release) -> tuple[LintFinding, ...]:
    """What there is to say of one release of the folder, beside all the others; its files are not read."""
    releases = [known for one in _lists(workspace) for known in one.releases.values()]
    return lint_one(releases, release.key, _known_models(), KNOWN_RULES, _reach())


def findings_without(workspace: Workspace, key: str) -> tuple[LintFinding, ...]:
    """What there would be to say of the other releases if the one of that ``id@version`` were withdrawn."""
    releases = [known for one in _lists(workspace) for known in one.releases.values()]
    near = _looking_at(releases, key)
    before = {_name_of(finding) for finding in _lint(near)}
    after = _lint(release for release in near if release.key != key)
    return tuple(finding for finding in after if _name_of(finding) not in before)


def _looking_at(releases: Sequence[Release], key: str) -> list[Release]:
    """The releases whose needs look at a place that the one of ``key`` writes, with all that these look at."""
    stock = Stock(releases)
    written = {slot for at, release in enumerate(releases) if release.key == key for slot in stock.written[at]}
    readers = [release.key for at, release in enumerate(releases) if stock.slots_read(at) & written]
    return [releases[at] for at in sorted({at for reader in readers for at in stock.around(reader)})]


def staged_errors(
    workspace: Workspace, staged: Iterable[str], hashed: Collection[str]
) -> dict[str, tuple[LintFinding, ...]]:
    """The errors that keep staged roles from being published, by role; of payloads only those of ``hashed`` are read.

    Lists that bring nothing new are not held back and are not here.
    """
    new = {role: _new_files(workspace, role) for role in staged if role.startswith(ROLE_PREFIX)}
    wanted = {role: files if role in hashed else {} for role, files in new.items() if files}
    return _errors(workspace, wanted)


def publishable(
    workspace: Workspace, shelf: Shelf, *, accept_lint: bool
) -> tuple[tuple[str, ...], PublisherError | None]:
    """The staged roles that may be published now, and the refusal of those that lint holds back.

    Held back is a publisher's list that lists something new and has lint errors; with ``accept_lint`` nothing is.
    """
    ready = shelf.ready()
    errors = {} if accept_lint else staged_errors(workspace, ready, ready)
    if not errors:
        return ready, None
    all_of_them = in_order(finding for of_role in errors.values() for finding in of_role)
    refusal = PublisherError(
        problem=phrase(
            "“bundle lint” shows errors in {roles} ({count}); with --accept-lint it is published all the same. The "
            "first is of {release}: {text}",
            roles=", ".join(errors),
            count=len(all_of_them),
            release=all_of_them[0].release_key,
            text=all_of_them[0].text,
        ),
        state=phrase("Signatures are kept; what is named was not published."),
    )
    return shelf.ready(errors), refusal


def _errors(workspace: Workspace, new: Mapping[str, Mapping[str, TargetFile]]) -> dict[str, tuple[LintFinding, ...]]:
    """The errors of each list that has new files; of the payloads only those that are given are hashed."""
    if not new:
        return {}
    lists = _lists(workspace)
    folder = StickFolder(workspace.folder)
    found = [*_lint(release for one in lists for release in one.releases.values())]
    found += [finding for one in lists if one.role in new for finding in _files(folder, one, new[one.role])]
    errors = [finding for finding in in_order(found) if finding.severity is Severity.ERROR]
    by_role = {one.role: tuple(f for f in errors if f.concerns(one.keys)) for one in lists if one.role in new}
    return {role: of_role for role, of_role in by_role.items() if of_role}


def _new_files(workspace: Workspace, role: str) -> dict[str, TargetFile]:
    """What the staged list names and the published one does not: withdrawing and signing again bring nothing new."""
    published = files_of(workspace, role, staged=False)
    return {path: entry for path, entry in files_of(workspace, role).items() if published.get(path) != entry}


def _lint(releases: Iterable[Release]) -> tuple[LintFinding, ...]:
    return lint(tuple(releases), _known_models(), KNOWN_RULES, _reach())


def _name_of(finding: LintFinding) -> tuple[str, str, str]:
    return finding.check.value, finding.release_key, finding.text.text("en")


def _known_models() -> frozenset[tuple[str, str]]:
    return frozenset((rule.vendor, rule.model) for rule in load_catalogue().models)


def _reach() -> Reach:
    """What techtool brings to the models of the catalogue."""
    known = load_catalogue()
    roles = {(rule.vendor, rule.model): known.kinds.roles.get(rule.family, frozenset()) for rule in known.models}
    return Reach(roles, known.kinds.policy)


def _lists(workspace: Workspace) -> list[_List]:
    folder = StickFolder(workspace.folder)
    roles = [role for role in workspace.lists if role.startswith(ROLE_PREFIX)]
    return [_read_list(folder, role, files_of(workspace, role)) for role in roles]


def _read_list(folder: StickFolder, role: str, entries: Mapping[str, TargetFile]) -> _List:
    releases: dict[str, Release] = {}
    unreadable: list[LintFinding] = []
    for path, entry in sorted(entries.items()):
        if not path.startswith(f"{RELEASES}/"):
            continue
        problem = _problem(folder, path, entry) if entry.length <= MAX_BYTES else phrase("it is too long")
        if problem is not None:
            unreadable.append(_missing_file(path, path, problem))
            continue
        try:
            releases[path] = decode_release(folder.read(place_of(path, entry.hashes["sha256"]), MAX_BYTES))
        except CodecError as error:
            text = phrase("The description {path} cannot be read: {problem}", path=path, problem=str(error))
            remedy = phrase("Bring the very file back, or withdraw the release and add it again.")
            unreadable.append(LintFinding(Check.BAD_DESCRIPTION, path, text, remedy))
    return _List(role, entries, releases, tuple(unreadable))


def _files(folder: StickFolder, one: _List, wanted: Mapping[str, TargetFile]) -> Iterator[LintFinding]:
    """What is wrong with the files of one list; of its payloads those in ``wanted`` are hashed."""
    yield from one.unreadable
    for release in one.releases.values():
        for file in release.files:
            entry = one.entries.get(file.target)
            if entry is None or (entry.length, entry.hashes.get("sha256")) != (file.size_bytes, file.sha256):
                problem = phrase("the list {role} does not have it with this size and digest", role=one.role)
                yield _missing_file(release.key, file.target, problem)
    payloads = {path: entry for path, entry in wanted.items() if not path.startswith(f"{RELEASES}/")}
    yield from _payloads(folder, one.releases.values(), payloads)


def _payloads(
    folder: StickFolder, releases: Iterable[Release], payloads: Mapping[str, TargetFile]
) -> Iterator[LintFinding]:
    """Hash each payload, and name the releases that lack it."""
    users: dict[str, list[str]] = {}
    for release in releases:
        for file in release.files:
            users.setdefault(file.target, []).append(release.key)
    for path, entry in sorted(payloads.items()):
        problem = _problem(folder, path, entry)
        if problem is not None:
            first, *others = users.get(path, [path])
            yield _missing_file(first, path, problem, tuple(others))


def _missing_file(key: str, path: str, problem: Phrase, others: tuple[str, ...] = ()) -> LintFinding:
    text = phrase("The listed file {path}: {problem}.", path=path, problem=problem)
    remedy = phrase("Bring the very file back, or withdraw the release and add it again.")
    return LintFinding(Check.MISSING_FILE, key, text, remedy, others)


def _problem(folder: StickFolder, path: str, entry: TargetFile) -> Phrase | None:
    """Why the file of a list's entry is not the one that is listed; None when it is."""
    sha256 = entry.hashes.get("sha256", "")
    place = place_of(path, sha256)
    digest, size = hashlib.sha256(), 0
    try:
        with folder.open(place) as file:
            for chunk in read_chunks(file, place, entry.length + 1):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError:
        return phrase("it is missing")
    except (Damaged, Untrusted) as error:
        problem = error.params["problem"]
        return problem if isinstance(problem, Phrase) else phrase("it cannot be read")
    if size < entry.length:
        return phrase("it ends after {size} of {wanted} bytes", size=size, wanted=entry.length)
    if size > entry.length:
        return phrase("it is longer than {wanted} bytes", wanted=entry.length)
    return None if digest.hexdigest() == sha256 else phrase("its content is another one")
