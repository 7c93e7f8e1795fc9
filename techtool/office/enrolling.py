"""Taking an enrolment file over: judged against the pinned key, then all of it or nothing.

What the file changes lies in several files of the home folder. So it is first kept whole beside them
(``trust/enrolment.pending``), which is the moment that decides; then each file is replaced as one. A stop before that
moment leaves the old state. After it, the next techtool that starts finishes the work before it does anything else
(:func:`finish`), so that nobody ever works with half of it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from techtool.backups.keys import read_recipients
from techtool.bundles.roots import pin_root, pinned, unpin_root
from techtool.clock import Clock, stamp
from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.errors import (
    BadFile,
    EnrolmentUntrusted,
    StoreLocked,
    TrustError,
)
from techtool.i18n import Phrase, phrase
from techtool.office.enrolment import SignedEnrolment, issued_at, parse_enrolment
from techtool.paths import Disk, Paths
from techtool.reports.enrolled import Enrolled, read_enrolled, write_enrolled
from techtool.reports.signers import parse_signers
from techtool.reports.sshsig import KEY_TYPE
from techtool.settings import OfficeSettings, Settings, read_settings, write_settings
from techtool.store.home import Home
from techtool.store.journal import aside_name
from techtool.store.salvage import DAMAGED

CA_NAME = "trust/office-ca.pem"
"""As the settings name it: below the home folder, wherever that is."""


@dataclass(frozen=True, slots=True)
class _Pending:
    file: str
    """The enrolment file, verbatim."""
    at: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a file means for this laptop."""

    first: bool
    """No key is pinned yet: a person has to compare the fingerprint."""
    new_key: bool
    """The pinned key vouches for another one, which takes its place."""
    known: bool
    """It is the file that was accepted last."""


def judge(signed: SignedEnrolment, paths: Paths) -> Judgement:
    """Whether the file may be accepted here; raises :class:`EnrolmentUntrusted`, :class:`StoreDamaged`."""
    enrolled = read_enrolled(paths)
    if enrolled is None:
        return Judgement(first=True, new_key=False, known=False)
    if not signed.descends_from(enrolled.key_blob):
        problem = phrase("its key {key} is not that of {office}", key=signed.shown, office=enrolled.office)
        raise EnrolmentUntrusted(problem=problem)
    before, after = issued_at(enrolled.issued), issued_at(signed.enrolment.issued)
    known = signed.digest == enrolled.digest and signed.key == enrolled.key_blob
    if not known and after <= before:
        problem = phrase("it is from {made}, older than the one that was accepted", made=signed.enrolment.issued)
        raise EnrolmentUntrusted(problem=problem)
    return Judgement(first=False, new_key=signed.key != enrolled.key_blob, known=known)


def accept(signed: SignedEnrolment, home: Home, clock: Clock) -> None:
    """Take it over; whoever calls has let a person compare the fingerprint where :func:`judge` says ``first``.

    Raises :class:`StoreLocked` while another techtool works, :class:`BadSettings`; then the old state stands. After a
    ``DiskError`` it does as well, or the next start finishes.
    """
    with home.lock("enrol"):
        judge(signed, home.paths)
        read_settings(home.paths.settings)
        _refuse_untrusted_rest(home.paths)
        home.ensure_folder(home.paths.trust)
        pending = _Pending(signed.data.decode(), stamp(clock.now()))
        home.disk.write_file(pending_path(home.paths), encode_json(pending))
        _apply(signed, pending.at, home.paths, home.disk)


def finish(home: Home) -> bool:
    """Finish what a stop left half done; whether there was anything. Leaves it to another techtool that is at it."""
    path = pending_path(home.paths)
    if not path.exists():
        return False
    with contextlib.suppress(StoreLocked), home.lock("enrol"):
        try:
            pending = decode_json(path.read_bytes(), _Pending)
            signed = parse_enrolment(pending.file.encode(), str(path))
            judge(signed, home.paths)
        except FileNotFoundError:
            return False
        except (CodecError, BadFile, TrustError):
            # It was written as one and has rotted since, or :func:`accept` never wrote it, for it is not by the pinned
            # key: kept to be looked at, and the office's file is taken again.
            home.disk.replace(path, aside_name(path, DAMAGED))
            return False
        _apply(signed, pending.at, home.paths, home.disk)
        return True
    return False


def pending_path(paths: Paths) -> Path:
    """What was accepted and may be half applied."""
    return paths.trust / "enrolment.pending"


def _refuse_untrusted_rest(paths: Paths) -> None:
    """A pinned root that has rotted is told before, not in the middle."""
    pinned(paths)


def _apply(signed: SignedEnrolment, at: str, paths: Paths, disk: Disk) -> None:
    """Each file as one; done twice it is the same."""
    said = signed.enrolment
    before = read_enrolled(paths)
    fingerprints = tuple(root.fingerprint for root in signed.roots)
    for root in signed.roots:
        pin_root(paths, root.data, disk)
    for fingerprint in {*(before.roots if before else ()), *said.drop_roots} - set(fingerprints):
        unpin_root(paths, fingerprint, disk)
    disk.write_file(paths.recipients, "".join(f"{one}\n" for one in said.recipients).encode())
    if said.allowed_signers:
        disk.write_file(paths.allowed_signers, said.allowed_signers.encode())
    elif before is not None:
        disk.unlink(paths.allowed_signers)
    if said.server is not None and said.server.ca:
        disk.write_file(paths.office_ca, said.server.ca.encode())
    write_settings(paths.settings, settings_with(read_settings(paths.settings), signed), disk)
    plain = said.server.url if said.server is not None and said.server.plain_http else ""
    write_enrolled(
        paths,
        Enrolled(said.office, _line(signed.key), said.issued, signed.digest, fingerprints, at, plain),
        disk,
    )
    disk.unlink(pending_path(paths))
    disk.fsync_folder(paths.trust)


def settings_with(settings: Settings, signed: SignedEnrolment) -> Settings:
    """The settings as the office wants them; name, language and looks stay the technician's own."""
    said = signed.enrolment
    cadence = settings.cadence
    if said.cadence.default_days is not None:
        cadence = replace(cadence, default_days=said.cadence.default_days)
    if said.cadence.inspection_days is not None:
        cadence = replace(cadence, inspection_days=said.cadence.inspection_days)
    office = settings.office
    if said.server is not None:
        office = OfficeSettings(said.server.url, CA_NAME if said.server.ca else "")
    return replace(
        settings,
        contacts=said.contacts or settings.contacts,
        cadence=cadence,
        service_company=said.service_company or settings.service_company,
        office=office,
    )


def changes(signed: SignedEnrolment, paths: Paths) -> tuple[Phrase, ...]:
    """What accepting it would mean, for a person to read before."""
    said, before = signed.enrolment, read_enrolled(paths)
    trusted = {root.fingerprint for root in pinned(paths)}
    brought = {root.fingerprint for root in signed.roots}
    dropped = ({*(before.roots if before else ()), *said.drop_roots} - brought) & trusted
    found = [phrase("trusted from now on: root {root}", root=root.shown) for root in signed.roots]
    found += [phrase("trusted no more: root {root}", root=root) for root in sorted(dropped)]
    found += [phrase("can open backups: {recipient}", recipient=one) for one in said.recipients]
    gone = [one for one in _recipients(paths) if one not in said.recipients]
    found += [phrase("cannot open new backups any more: {recipient}", recipient=one) for one in gone]
    if said.allowed_signers:
        count = len(parse_signers(said.allowed_signers, "allowed_signers"))
        found.append(phrase("seals are believed here of {count} keys", count=count))
    elif before is not None and paths.allowed_signers.exists():
        found.append(phrase("nobody's seals are believed here any more"))
    if said.server is not None:
        found.append(phrase("visits go to {url}", url=said.server.url))
        if said.server.plain_http and said.server.url.startswith("http:"):
            found.append(phrase("without protection on the way, as the office says"))
    if said.contacts:
        found.append(phrase("whom to call: {names}", names=", ".join(said.contacts)))
    return tuple(found)


def _recipients(paths: Paths) -> tuple[str, ...]:
    try:
        return read_recipients(paths.recipients)
    except BadFile:
        return ()  # it is replaced as a whole


def _line(key: bytes) -> str:
    import base64

    return f"{KEY_TYPE.decode()} {base64.b64encode(key).decode()}"
