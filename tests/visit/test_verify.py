"""A sealed visit is what was sealed, to the last byte, or it is found out; stock ssh-keygen agrees."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from techtool.cli.main import run
from techtool.clock import FixedClock
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.domain.visit_state import VisitState
from techtool.errors import Exit, NotFoundError
from techtool.paths import Paths
from techtool.reports.keys import ReportKey, allowed_signers_line, public_path
from techtool.reports.seals import SEAL_NAMESPACE, seal_text
from techtool.reports.signers import Signer, key_of_line
from techtool.store.frames import GENESIS, frame, scan
from techtool.visit.closing import seal_visit
from techtool.visit.log import VisitLog, first_documents, read_visit
from techtool.visit.services import Services
from techtool.visit.verify import Verdict, Verification, verify_file, write_for_ssh_keygen
from techtool.visit.visits import summary_of
from tests.peers.tools import need
from tests.visit.conftest import Shop

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
VISIT = "V20261122-083000-ab12"
KEY = ReportKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
FORGER = ReportKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))


def signer(key: ReportKey = KEY) -> Signer:
    public = key_of_line(key.public_line())
    assert public is not None
    return Signer("wei", public)


def sealed(folder: Path, key: ReportKey | None = KEY, visit: str = VISIT) -> Path:
    """A small visit, sealed as the engine seals."""
    services = replace(Services.real(Paths(folder / "home")), clock=FixedClock(NOW))
    with services.home.lock("test"):
        record = VisitRecord(
            visit, NOW, None, "张伟", "0.1", "zh", "/stick", "幸福超市", "WO-1", (LaneRecord("1", "a", ""),)
        )
        db = services.home.create_visit(visit, first_documents(record))
        log = VisitLog(db, services.clock, visit)
        log.done(log.begin("1", StepKind.IDENTIFY))
        log.finished("1", Outcome.SUCCESS, 0, None)
        seal_visit(services, log, key, Outcome.SUCCESS, 0)
    return services.home.visit_path(visit)


def judged(path: Path, *signers: Signer) -> Verification:
    return verify_file(path, signers or (signer(),), NOW)


def again(path: Path, change: Callable[[list[bytes]], None]) -> None:
    """What a forger can do: change payloads, then make every CRC and chain value anew."""
    payloads = list(scan(path.read_bytes()).payloads)
    change(payloads)
    head, data = GENESIS, b""
    for payload in payloads:
        line, head = frame(head, payload)
        data += line
    path.write_bytes(data)


def resealed(path: Path, change: Callable[[list[bytes]], None], signature: str | None = None, **more: object) -> None:
    """The same, with a seal that fits the new chain; the old signature in it unless another one is given."""
    old = json.loads(scan(path.read_bytes()).payloads[-1])["seal"]["extra"]["signature"]

    def with_seal(payloads: list[bytes]) -> None:
        change(payloads)
        head = GENESIS
        for payload in payloads[:-1]:
            _line, head = frame(head, payload)
        count = len(payloads) - 1
        extra = {
            "signature": old if signature is None else signature,
            "signed_count": count,
            "signed_head": head,
            **more,
        }
        seal = {"seal": {"count": count, "head": head, "extra": dict(sorted(extra.items()))}}
        payloads[-1] = json.dumps(seal, separators=(",", ":")).encode()

    again(path, with_seal)


def untouched(_payloads: list[bytes]) -> None:
    pass


def as_failed(payloads: list[bytes]) -> None:
    place = next(n for n, payload in enumerate(payloads) if b'"outcome":"success"' in payload)
    payloads[place] = payloads[place].replace(b'"outcome":"success"', b'"outcome":"refused"')


def test_what_was_sealed_is_good(tmp_path: Path) -> None:
    found = judged(sealed(tmp_path))
    assert (found.verdict, found.visit, found.principal) == (Verdict.GOOD, VISIT, "wei")
    assert found.key == signer_fingerprint(KEY)
    resealed(sealed(tmp_path / "b"), untouched)
    assert judged(tmp_path / "b" / "home" / "visits" / f"{VISIT}.jnl").verdict is Verdict.GOOD, "the helper is faithful"


def signer_fingerprint(key: ReportKey) -> str:
    from techtool.reports.signers import fingerprint

    return fingerprint(signer(key).key)


@pytest.mark.slow
def test_one_changed_byte_anywhere_is_found(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for changed in (whole[place] ^ 0x01, whole[place] ^ 0x20, 0x00):
            if changed == whole[place]:
                continue
            path.write_bytes(whole[:place] + bytes([changed]) + whole[place + 1 :])
            assert judged(path).verdict is not Verdict.GOOD, (place, changed)
    for place in range(len(whole) + 1):
        path.write_bytes(whole[:place] + b" " + whole[place:])
        assert judged(path).verdict is not Verdict.GOOD, place
        path.write_bytes(whole[:place])
        assert judged(path).verdict is not Verdict.GOOD or place == len(whole), place


def test_a_forger_who_makes_the_chain_anew_is_found_by_the_signature(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    again(path, as_failed)
    assert judged(path).verdict is Verdict.DAMAGED
    path = sealed(tmp_path / "seal too")
    resealed(path, as_failed)
    found = judged(path)
    assert (found.verdict, found.key) == (Verdict.DAMAGED, "")
    assert found.problem is not None


@pytest.mark.parametrize("line", range(6))
def test_leaving_out_an_entry_is_found(tmp_path: Path, line: int) -> None:
    path = sealed(tmp_path)
    assert len(scan(path.read_bytes()).payloads) == 7

    def leave_out(payloads: list[bytes]) -> None:
        del payloads[line]

    resealed(path, leave_out)
    assert judged(path).verdict is not Verdict.GOOD


def test_another_key_is_told_with_its_fingerprint(tmp_path: Path) -> None:
    path = sealed(tmp_path, FORGER)
    found = judged(path)
    assert (found.verdict, found.principal, found.key) == (Verdict.UNKNOWN_SIGNER, "", signer_fingerprint(FORGER))
    assert judged(path, signer(FORGER)).verdict is Verdict.GOOD


def test_nobody_stands_for_an_unsigned_seal(tmp_path: Path) -> None:
    assert judged(sealed(tmp_path, None)).verdict is Verdict.UNSIGNED
    path = sealed(tmp_path / "b")
    resealed(path, as_failed, signature="")
    assert judged(path).verdict is Verdict.UNSIGNED


def test_a_signature_for_something_else_does_not_count(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    payloads = scan(path.read_bytes()).payloads
    seal = json.loads(payloads[-1])["seal"]
    right = seal_text(VISIT, seal["count"], seal["head"])
    for signature in (
        KEY.sign(right, "techtool-report"),
        KEY.sign(right, "git"),
        KEY.sign(seal_text("V20261122-083000-ab13", seal["count"], seal["head"]), SEAL_NAMESPACE),
        KEY.sign(seal_text(VISIT, seal["count"] + 1, seal["head"]), SEAL_NAMESPACE),
        KEY.sign(right, SEAL_NAMESPACE) + "\n",
        KEY.sign(right, SEAL_NAMESPACE).replace("\n", "\r\n"),
        "rubbish",
    ):
        resealed(path, untouched, signature=signature)
        assert judged(path).verdict is Verdict.DAMAGED, signature
    resealed(path, untouched, signature=KEY.sign(right, SEAL_NAMESPACE))
    assert judged(path).verdict is Verdict.GOOD


def test_a_seal_says_nothing_more_than_techtool_makes_it_say(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    resealed(path, untouched, note="nothing signs this")
    assert judged(path).verdict is Verdict.DAMAGED
    path = sealed(tmp_path / "b")
    again(path, lambda payloads: payloads.__setitem__(-1, payloads[-1].replace(b'{"seal":', b'{"seal": ')))
    assert judged(path).verdict is Verdict.DAMAGED


def test_the_record_of_another_visit_under_this_name(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    assert verify_file(path, (signer(),), NOW, own=VISIT).verdict is Verdict.GOOD
    assert verify_file(path, (signer(),), NOW, own="V20261122-083000-ab13").verdict is Verdict.DAMAGED


def test_the_index_remembers_which_record_was_closed(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    home = Services.real(Paths(tmp_path / "home")).home
    summary = summary_of(read_visit(home.open_visit(VISIT)))
    assert verify_file(path, (signer(),), NOW, summary, own=VISIT).verdict is Verdict.GOOD
    other = replace(summary, head="0" * 64)
    assert verify_file(path, (signer(),), NOW, other, own=VISIT).verdict is Verdict.DAMAGED
    still_open = replace(other, state=VisitState.OPEN, finished_at=None)
    assert verify_file(path, (signer(),), NOW, still_open, own=VISIT).verdict is Verdict.GOOD


def test_what_is_no_visit_and_what_is_not_there(tmp_path: Path) -> None:
    services = Services.real(Paths(tmp_path / "home"))
    with services.home.lock("test"):
        services.index.rebuild([])
    assert judged(services.paths.index).verdict is Verdict.DAMAGED
    path = tmp_path / "newer.jnl"
    path.write_bytes(frame(GENESIS, b'{"journal":"techtool","schema":9,"kind":"visit","id":"v1"}')[0])
    assert judged(path).verdict is Verdict.NEWER
    with pytest.raises(NotFoundError):
        judged(tmp_path / "none")


# -- the command, and stock OpenSSH -----------------------------------------------------------------------------------


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


def signers_file(shop: Shop, namespaces: tuple[str, ...] = (SEAL_NAMESPACE,)) -> Path:
    public = public_path(shop.world.paths.report_key).read_text()
    path = shop.world.folder / "signers"
    path.write_text("# the office's list\n" + allowed_signers_line(public, "wei", namespaces) + "\n")
    return path


async def test_the_command_judges_visits_and_files(
    at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["visit", "verify"]) == Exit.DONE, "no visit yet"
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
        at_home.changed = {"inspect.SE-02": "fail", "problem.inspect": "later"}
        left_open = (await at_home.run(*simulation.addresses)).visit
    path = at_home.world.paths.visits / f"{visit}.jnl"
    listed = str(signers_file(at_home))
    capsys.readouterr()
    assert run(["visit", "verify", "--json"]) == Exit.DONE
    (record,) = json.loads(capsys.readouterr().out)["records"]
    assert (record["visit"], record["verdict"]) == (visit, "good"), "an open visit is nothing to prove yet"
    assert run(["visit", "verify", visit, "--allowed-signers", listed]) == Exit.DONE
    copy = tmp_path / "copy.jnl"
    copy.write_bytes(path.read_bytes())
    assert run(["visit", "verify", str(copy), "--allowed-signers", listed]) == Exit.DONE
    assert run(["visit", "verify", left_open]) == Exit.DAMAGED_STORE
    assert run(["visit", "verify", "V1"]) == Exit.NOT_FOUND
    reports_only = str(signers_file(at_home, ("techtool-report",)))
    assert run(["visit", "verify", visit, "--allowed-signers", reports_only]) == Exit.DAMAGED_STORE
    path.unlink()
    assert run(["visit", "verify"]) == Exit.DAMAGED_STORE, "a record that is gone"
    public_path(at_home.world.paths.report_key).unlink()
    assert run(["visit", "verify", str(copy)]) == Exit.USAGE


async def test_one_flipped_bit_in_a_real_visit_is_found(at_home: Shop) -> None:
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    path = at_home.world.paths.visits / f"{visit}.jnl"
    whole = path.read_bytes()
    for place in range(0, len(whole), 1999):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 2]) + whole[place + 1 :])
        assert run(["visit", "verify", visit]) == Exit.DAMAGED_STORE, place
    path.write_bytes(whole)
    assert run(["visit", "verify", visit]) == Exit.DONE


@pytest.mark.peers
async def test_ssh_keygen_agrees_about_the_seal(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    keygen = need("ssh-keygen")
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    listed, folder = signers_file(at_home), at_home.world.folder / "for ssh"
    capsys.readouterr()
    extract = ["visit", "verify", visit, "--allowed-signers", str(listed), "--extract", str(folder)]
    assert run(extract) == Exit.DONE
    printed = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("ssh-keygen"))
    done = subprocess.run(["sh", "-c", printed.replace("ssh-keygen", keygen, 1)], capture_output=True, check=False)
    assert done.returncode == 0, done
    assert b"Good" in done.stdout
    text = folder / f"{visit}.seal"
    assert re.fullmatch(rf"{visit} \d+ [0-9a-f]{{64}}\n", text.read_text())

    def accepted(data: bytes, signers: Path, namespace: str = SEAL_NAMESPACE) -> bool:
        command = [keygen, "-Y", "verify", "-f", str(signers), "-I", "wei", "-n", namespace, "-s", f"{text}.sig"]
        return subprocess.run(command, input=data, capture_output=True, check=False).returncode == 0

    good = text.read_bytes()
    assert accepted(good, listed)
    assert not accepted(good.replace(b"\n", b" \n"), listed)
    assert not accepted(good, listed, "techtool-report")
    assert not accepted(good, signers_file(at_home, ("techtool-report",)))


@pytest.mark.peers
def test_ssh_keygen_refuses_what_verify_refuses(tmp_path: Path) -> None:
    """A record whose chain and seal were made anew with the old signature: both say no."""
    keygen = need("ssh-keygen")
    path = sealed(tmp_path)
    (tmp_path / "signers").write_text(allowed_signers_line(KEY.public_line(), "wei", (SEAL_NAMESPACE,)) + "\n")

    def judge(found: Verification) -> bool:
        text, signature = write_for_ssh_keygen(found, tmp_path / "out")
        command = [keygen, "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "wei", "-n", SEAL_NAMESPACE]
        command += ["-s", str(signature)]
        return subprocess.run(command, input=text.read_bytes(), capture_output=True, check=False).returncode == 0

    good = judged(path)
    assert judge(good)
    resealed(path, as_failed)
    payloads = scan(path.read_bytes()).payloads
    assert judged(path).verdict is Verdict.DAMAGED
    assert not judge(replace(good, head=json.loads(payloads[-1])["seal"]["head"]))
