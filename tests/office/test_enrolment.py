"""One signed file sets a laptop up, whole or not at all; a person compares the first time, then only that key may."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from techtool.bundles.publish.workspace import Workspace
from techtool.bundles.roots import pin_root, pinned, root_facts
from techtool.cli.main import run
from techtool.clock import FixedClock, stamp
from techtool.domain.codec import encode_json
from techtool.errors import BadFile, EnrolmentUntrusted, Exit, StoreLocked, TechtoolError
from techtool.office.connection import office_address
from techtool.office.enrolling import accept, changes, finish, judge, pending_path
from techtool.office.enrolment import (
    NAMESPACE,
    Cadence,
    Enrolment,
    Server,
    SignedEnrolment,
    make_enrolment,
    parse_enrolment,
)
from techtool.paths import Disk, Paths
from techtool.reports.enrolled import read_enrolled
from techtool.reports.keys import ReportKey, allowed_signers_line, load_report_key, make_report_key
from techtool.reports.seals import SEAL_NAMESPACE
from techtool.settings import Settings, read_settings, write_settings
from techtool.store.home import Home
from tests.office.laptops import CLOCK, NOW, QUICK
from tests.office.test_tls import Authority
from tests.peers.tools import need
from tests.unit.bundles.office import QUORUM, Office, private_key
from tests.unit.bundles.stops import CutDisk, PowerCut

OFFICE = ReportKey(private_key("office"))
NEW_OFFICE = ReportKey(private_key("office-2"))
NEWEST_OFFICE = ReportKey(private_key("office-3"))
STRANGER = ReportKey(private_key("stranger"))
RECIPIENTS = ("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",)
OTHER_RECIPIENTS = ("age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg",)
PASSPHRASE = "correct horse"


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An office's root.json."""
    return Office.make(tmp_path_factory.mktemp("office"), ("acme",)).workspace.root_data().decode()


@pytest.fixture(scope="session")
def other_root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of another office, or of the same one later: it is another file."""
    folder, clock = tmp_path_factory.mktemp("office"), FixedClock(NOW + timedelta(days=1))
    return Workspace.create(folder / "b", ("beta",), clock, quorum=QUORUM, make_key=private_key).root_data().decode()


@pytest.fixture
def said(root: str) -> Enrolment:
    return Enrolment(
        office="Fixture office",
        issued=stamp(NOW),
        roots=(root,),
        recipients=RECIPIENTS,
        allowed_signers=allowed_signers_line(OFFICE.public_line(), "boss") + "\n",
        contacts={"Help desk": "+86 10 1234"},
        cadence=Cadence(90, 30),
        service_company="Service Co",
        server=Server("https://office.example/records"),
    )


def signed(said: Enrolment, key: ReportKey = OFFICE, **how: ReportKey | SignedEnrolment) -> SignedEnrolment:
    return parse_enrolment(make_enrolment(said, key, **how), "enrolment")  # type: ignore[arg-type]


def later(said: Enrolment, days: int = 1, **changed: object) -> Enrolment:
    return replace(said, issued=stamp(NOW + timedelta(days=days)), **changed)  # type: ignore[arg-type]


def enrol(paths: Paths, file: SignedEnrolment, disk: Disk = QUICK) -> None:
    accept(file, Home(paths, disk), CLOCK)


def state(paths: Paths) -> dict[str, object]:
    """Everything that an enrolment decides, read as the rest of techtool reads it."""
    enrolled = read_enrolled(paths)
    return {
        "roots": [one.fingerprint for one in pinned(paths)],
        "recipients": paths.recipients.read_text() if paths.recipients.exists() else None,
        "signers": paths.allowed_signers.read_text() if paths.allowed_signers.exists() else None,
        "settings": read_settings(paths.settings),
        "enrolled": replace(enrolled, at="") if enrolled is not None else None,
        "pending": pending_path(paths).exists(),
    }


def test_it_brings_trust_recipients_and_settings_and_leaves_the_person_alone(tmp_path: Path, said: Enrolment) -> None:
    paths = Paths(tmp_path)
    write_settings(paths.settings, Settings(language="zh", technician="李", staff_no="7", ascii=True))
    enrol(paths, signed(said))
    settings = read_settings(paths.settings)
    assert (settings.language, settings.technician, settings.staff_no, settings.ascii) == ("zh", "李", "7", True)
    assert (settings.cadence.default_days, settings.cadence.inspection_days) == (90, 30)
    assert (settings.contacts, settings.service_company) == ({"Help desk": "+86 10 1234"}, "Service Co")
    assert office_address(paths).url == "https://office.example:443/records"
    assert paths.recipients.read_text() == RECIPIENTS[0] + "\n"
    assert [one.data.decode() for one in pinned(paths)] == list(said.roots)
    assert read_enrolled(paths) is not None


def test_the_first_file_needs_a_person_and_the_next_only_the_key(tmp_path: Path, said: Enrolment) -> None:
    paths = Paths(tmp_path)
    assert judge(signed(said, STRANGER), paths).first, "whose key it is, only a person can tell"
    enrol(paths, signed(said))
    assert judge(signed(said), paths).known
    assert not judge(signed(later(said)), paths).first
    before = state(paths)
    with pytest.raises(EnrolmentUntrusted, match="is not that of Fixture office"):
        enrol(paths, signed(later(said), STRANGER))
    assert state(paths) == before


def test_an_older_file_is_refused(tmp_path: Path, said: Enrolment) -> None:
    paths = Paths(tmp_path)
    enrol(paths, signed(later(said, 5)))
    before = state(paths)
    for days in (4, 5):
        with pytest.raises(EnrolmentUntrusted, match="older than the one that was accepted"):
            enrol(paths, signed(later(said, days, office="Fixture office again")))
    assert state(paths) == before


def test_a_new_key_is_accepted_when_the_old_one_vouches_for_it(tmp_path: Path, said: Enrolment) -> None:
    paths = Paths(tmp_path)
    enrol(paths, signed(said))
    with pytest.raises(EnrolmentUntrusted):
        enrol(paths, signed(later(said), NEW_OFFICE))
    with pytest.raises(EnrolmentUntrusted):
        enrol(paths, signed(later(said), NEW_OFFICE, old_key=STRANGER))
    second = signed(later(said), NEW_OFFICE, old_key=OFFICE)
    assert judge(second, paths).new_key
    enrol(paths, second)
    with pytest.raises(EnrolmentUntrusted):
        enrol(paths, signed(later(said, 2), OFFICE))
    third = signed(later(said, 3), NEWEST_OFFICE, old_key=NEW_OFFICE, previous=second)
    enrol(paths, third)
    far_away = Paths(tmp_path / "far-away")
    enrol(far_away, signed(said))
    enrol(far_away, third)
    assert state(far_away)["enrolled"] == state(paths)["enrolled"]


def test_what_an_earlier_file_brought_and_this_one_lacks_is_taken_back(
    tmp_path: Path, said: Enrolment, root: str, other_root: str
) -> None:
    paths = Paths(tmp_path)
    by_hand = root_facts(other_root.encode(), "root")
    enrol(paths, signed(replace(said, roots=(root, other_root), recipients=(*RECIPIENTS, *OTHER_RECIPIENTS))))
    assert len(pinned(paths)) == 2
    enrol(paths, signed(later(said, 1, recipients=OTHER_RECIPIENTS)))
    assert [one.data.decode() for one in pinned(paths)] == [root]
    assert paths.recipients.read_text() == OTHER_RECIPIENTS[0] + "\n"
    pin_root(paths, by_hand.data)
    enrol(paths, signed(later(said, 2)))
    assert len(pinned(paths)) == 2, "what a person pinned stays"
    enrol(paths, signed(later(said, 3, drop_roots=(by_hand.fingerprint,))))
    assert [one.data.decode() for one in pinned(paths)] == [root]


def test_signers_that_are_not_listed_any_more_are_not_believed_and_that_is_told(
    tmp_path: Path, said: Enrolment
) -> None:
    paths = Paths(tmp_path)
    enrol(paths, signed(said))
    second = signed(later(said, 1, allowed_signers="", recipients=OTHER_RECIPIENTS))
    told = [one.text() for one in changes(second, paths)]
    assert any("no" in one and RECIPIENTS[0] in one for one in told)
    assert "nobody's seals are believed here any more" in told
    enrol(paths, second)
    assert not paths.allowed_signers.exists()


def test_what_another_key_left_to_be_finished_is_not(tmp_path: Path, said: Enrolment) -> None:
    paths = Paths(tmp_path)
    enrol(paths, signed(said))
    before = state(paths)
    planted = signed(later(said, 1, recipients=OTHER_RECIPIENTS), STRANGER)
    pending_path(paths).write_bytes(encode_json({"file": planted.data.decode(), "at": stamp(NOW)}))
    assert not finish(Home(paths, QUICK))
    assert state(paths) == before
    assert [path.name for path in paths.trust.glob("enrolment.pending*")] == ["enrolment.pending.damaged-1"]


WRONG: Mapping[str, Callable[[Enrolment], Enrolment]] = {
    "no-root": lambda e: replace(e, roots=()),
    "no-recipient": lambda e: replace(e, recipients=()),
    "no-office": lambda e: replace(e, office=" "),
    "no-date": lambda e: replace(e, issued="yesterday"),
    "date-without-zone": lambda e: replace(e, issued="2026-12-01T09:00:00"),
    "root-that-is-none": lambda e: replace(e, roots=("{}",)),
    "recipient-that-is-none": lambda e: replace(e, recipients=("age1nobody",)),
    "drops-what-it-brings": lambda e: replace(e, drop_roots=(root_facts(e.roots[0].encode(), "").fingerprint,)),
    "drops-a-path": lambda e: replace(e, drop_roots=("../../keys/report",)),
    "signers-that-are-none": lambda e: replace(e, allowed_signers="everybody"),
    "never-due": lambda e: replace(e, cadence=Cadence(0)),
    "never-inspected": lambda e: replace(e, cadence=Cadence(None, 0)),
    "due-in-a-thousand-years": lambda e: replace(e, cadence=Cadence(365_000)),
    "unprotected": lambda e: replace(e, server=Server("http://office.example/records")),
    "password-in-it": lambda e: replace(e, server=Server("https://a:b@office.example/records")),
    "authority-that-is-none": lambda e: replace(e, server=Server("https://office.example/records", "no PEM")),
    "escape-in-a-contact": lambda e: replace(e, contacts={"Help": "\x1b[2J"}),
    "many-contacts": lambda e: replace(e, contacts={str(n): "1" for n in range(65)}),
    "long-name": lambda e: replace(e, office="x" * 201),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_asks_for_what_may_not_be_is_not_even_made(name: str, said: Enrolment) -> None:
    with pytest.raises(BadFile):
        make_enrolment(WRONG[name](said), OFFICE)


def wire(said: Enrolment, **changed: object) -> bytes:
    text = encode_json(said)
    return encode_json({"schema": 1, "enrolment": text.decode(), "signature": OFFICE.sign(text, NAMESPACE), **changed})


def test_a_word_that_is_not_known_is_refused(said: Enrolment) -> None:
    """So no later office can tell an older techtool to leave out a check, or think it did."""
    for word in ("skip_seal", "plain_backups", "allow_unsigned"):
        text = json.dumps({**json.loads(encode_json(said)), word: True}).encode()
        data = encode_json({"schema": 1, "enrolment": text.decode(), "signature": OFFICE.sign(text, NAMESPACE)})
        with pytest.raises(BadFile, match=word):
            parse_enrolment(data, "enrolment")


def test_what_is_not_signed_as_it_stands_is_refused(said: Enrolment) -> None:
    good = wire(said)
    parse_enrolment(good, "enrolment")
    other = encode_json(replace(said, office="Somebody else"))
    with pytest.raises(EnrolmentUntrusted):
        parse_enrolment(wire(said, enrolment=other.decode()), "enrolment")
    with pytest.raises(EnrolmentUntrusted):
        parse_enrolment(wire(said, signature=OFFICE.sign(encode_json(said), SEAL_NAMESPACE)), "enrolment")


@pytest.mark.parametrize("seed", range(40))
def test_no_byte_can_be_changed_unnoticed(seed: int, said: Enrolment) -> None:
    data = bytearray(wire(said))
    place = (seed * 7919) % len(data)
    data[place] ^= 1 << (seed % 7)
    try:
        found = parse_enrolment(bytes(data), "enrolment")
    except TechtoolError:
        return
    assert found.enrolment == said


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"schema":1}', b"x" * 5_000_000])
def test_rubbish_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(BadFile, match="it is no enrolment file"):
        parse_enrolment(data, "enrolment")


@pytest.mark.slow
def test_a_stop_at_any_moment_leaves_the_old_state_or_the_new_one(
    tmp_path: Path, said: Enrolment, other_root: str
) -> None:
    old = Paths(tmp_path / "old")
    write_settings(old.settings, Settings(language="en", technician="Li"))
    enrol(old, signed(said))
    server = Server("https://elsewhere.example/records", Authority(tmp_path, "ours").file.read_text())
    second = signed(
        later(said, 1, roots=(other_root,), recipients=OTHER_RECIPIENTS, contacts={"New desk": "1"}, server=server)
    )
    new = Paths(tmp_path / "new")
    shutil.copytree(old.home, new.home)
    counting = CutDisk()
    enrol(new, second, counting)
    states = {"old": state(old), "new": state(new)}
    assert states["old"] != states["new"]
    assert counting.effects >= 25
    ended = []
    for at in range(counting.effects):
        paths = Paths(tmp_path / f"try{at}")
        shutil.copytree(old.home, paths.home)
        with pytest.raises(PowerCut):
            enrol(paths, second, CutDisk(at))
        for again in range(2 * counting.effects):
            # What finishes the work may be stopped as well.
            try:
                finish(Home(paths, CutDisk(again)))
                break
            except PowerCut:
                continue
        ended.append(next((name for name, wanted in states.items() if state(paths) == wanted), f"half at {at}"))
    assert ended == sorted(ended, key=("old", "new").index)
    assert {"old", "new"} == set(ended)


def test_the_next_command_finishes_what_was_broken_off(
    tmp_path: Path, said: Enrolment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class OnlyPending(Disk):
        def write_file(self, path: Path, data: bytes) -> None:
            super().write_file(path, data)
            if path.name == "enrolment.pending":
                raise PowerCut

    paths = Paths(tmp_path)
    with pytest.raises(PowerCut):
        enrol(paths, signed(said), OnlyPending())
    assert pinned(paths) == ()
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path))
    assert run(["trust", "list", "--json"]) == Exit.DONE
    told = capsys.readouterr()
    assert len(json.loads(told.out)["roots"]) == 1
    assert "broken off is finished" in told.err
    assert not pending_path(paths).exists()


def test_while_another_techtool_works_nothing_is_changed(tmp_path: Path, said: Enrolment) -> None:
    paths = Paths(tmp_path)
    with Home(paths).lock("visit"):
        with pytest.raises(StoreLocked):
            enrol(paths, signed(said))
        assert not paths.enrolment.exists()
    assert not pending_path(paths).exists()


def test_plain_http_is_for_the_one_address_that_the_office_named(tmp_path: Path, said: Enrolment) -> None:
    paths = Paths(tmp_path)
    url = "http://10.0.0.5:5984/records"
    enrol(paths, signed(replace(said, server=Server(url, plain_http=True))))
    assert office_address(paths).url == url
    with pytest.raises(TechtoolError):
        office_address(paths, "http://10.0.0.6:5984/records")


# --- as people use it ------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path, root: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The office's desk with its key as ssh-keygen makes it, and an empty laptop beside it."""
    keygen = need("ssh-keygen")
    folder = tmp_path / "desk"
    folder.mkdir()
    command = [keygen, "-q", "-t", "ed25519", "-N", PASSPHRASE, "-C", "office", "-f", str(folder / "office.key")]
    subprocess.run(command, check=True)
    (folder / "passphrase").write_text(PASSPHRASE + "\n")
    (folder / "root.json").write_text(root)
    (folder / "recipients.txt").write_text(RECIPIENTS[0] + "\n")
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "laptop"))
    return folder


def make(desk: Path, file: str, *more: str) -> int:
    given = ["--office", "Fixture office", "--key", str(desk / "office.key")]
    given += ["--passphrase-file", str(desk / "passphrase"), "--root", str(desk / "root.json")]
    return run(["office", "enrolment", str(desk / file), *given, "--recipients", str(desk / "recipients.txt"), *more])


@pytest.mark.peers
def test_made_at_the_office_compared_by_telephone_taken_over(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(desk, "li.enrolment", "--url", "https://office.example/records", "--contact", "Desk=1") == Exit.DONE
    fingerprint = capsys.readouterr().out.strip()
    file = str(desk / "li.enrolment")
    assert run(["enrol", file]) == Exit.ANSWER_MISSING, "nobody compared it"
    assert run(["enrol", file, "--fingerprint", "0" * 64]) == Exit.UNTRUSTED
    paths = Paths(tmp_path / "laptop")
    assert not paths.trust.exists()
    assert run(["enrol", file, "--fingerprint", fingerprint.upper()]) == Exit.DONE
    assert len(pinned(paths)) == 1
    assert run(["enrol", file]) == Exit.NOTHING_TO_DO
    told = subprocess.run(
        ["ssh-keygen", "-lf", str(desk / "office.key.pub")], capture_output=True, text=True, check=True
    )
    shutil.rmtree(paths.home)
    assert run(["enrol", file, "--fingerprint", told.stdout.split()[1]]) == Exit.DONE, "as ssh-keygen shows it"


@pytest.mark.peers
def test_stock_ssh_keygen_judges_the_file_the_same_way(desk: Path, tmp_path: Path) -> None:
    assert make(desk, "li.enrolment") == Exit.DONE
    file = json.loads((desk / "li.enrolment").read_bytes())
    (tmp_path / "signature").write_text(file["signature"])
    line = allowed_signers_line((desk / "office.key.pub").read_text().strip(), "office", (NAMESPACE,))
    (tmp_path / "signers").write_text(line + "\n")

    def accepted(text: str) -> bool:
        verify = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "office", "-n", NAMESPACE]
        command = [*verify, "-s", str(tmp_path / "signature")]
        return subprocess.run(command, input=text.encode(), capture_output=True, check=False).returncode == 0

    assert accepted(file["enrolment"])
    assert not accepted(file["enrolment"].replace("Fixture", "Fixtune"))


@pytest.mark.peers
def test_the_line_that_goes_back_lets_ssh_keygen_accept_a_report(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = Paths(tmp_path / "laptop")
    assert run(["enrol", "--key-line"]) == Exit.USAGE
    write_settings(paths.settings, Settings(language="en", technician="Li Wei", staff_no="T 17"))
    make_report_key(paths.report_key, PASSPHRASE, "Li Wei")
    capsys.readouterr()
    assert run(["enrol", "--key-line"]) == Exit.DONE
    line = capsys.readouterr().out
    (tmp_path / "signers").write_text(line)
    key = load_report_key(paths.report_key, PASSPHRASE)
    for namespace in ("techtool-report", SEAL_NAMESPACE):
        (tmp_path / "signature").write_text(key.sign(b"a report", namespace))
        verify = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", line.split()[0], "-n", namespace]
        command = [*verify, "-s", str(tmp_path / "signature")]
        assert subprocess.run(command, input=b"a report", capture_output=True, check=False).returncode == 0
        assert subprocess.run(command, input=b"a rapport", capture_output=True, check=False).returncode != 0
    assert line.split()[0] == "T-17"
