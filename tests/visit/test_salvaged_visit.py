"""A visit whose journal was damaged: what the commands say, what is saved, and that the work goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address
from techtool.domain.visit_state import VisitState
from techtool.errors import Exit, NoSuchVisit, UsageError, VisitDamaged
from techtool.events import Notice
from techtool.reports.model import build
from techtool.reports.signers import own_signers
from techtool.simulator.faults import InstallRefusal
from techtool.store.frames import frame
from techtool.visit.abandon import abandon
from techtool.visit.services import ResumeRequest
from techtool.visit.verify import Verdict, verify_file
from techtool.visit.visits import list_visits, open_record, unfinished
from tests.visit.conftest import Shop, fault

REFUSED_ONCE = InstallRefusal(word="INSTALL_FAILED_USER_RESTRICTED", times=1)


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


def journal(shop: Shop) -> Path:
    (path,) = shop.world.paths.visits.glob("*.jnl")
    return path


def without_lines(path: Path, drop: Callable[[int, bytes], bool]) -> None:
    """Some lines rot away: their first byte is another one."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(b"?" + line[1:] if drop(n, line) else line for n, line in enumerate(lines)))


def rot(path: Path, at: float) -> bytes:
    """One bit of the line at that part of the file; the file as it is then."""
    count = path.read_bytes().count(b"\n")
    without_lines(path, lambda n, _line: n == int(count * at))
    return path.read_bytes()


def notices(shop: Shop) -> str:
    report = build(shop.visit(), "en")
    return "\n".join(line for notice in report.notices for line in (notice.text, *notice.lines))


async def stopped_visit(shop: Shop, simulation_addresses: tuple[str, ...]) -> str:
    """A visit that was stopped in its install step."""
    shop.changed = {"problem.install": "later"}
    finished = await shop.run(*simulation_addresses)
    assert not finished.sealed
    shop.changed = {}
    return finished.visit


async def test_a_damaged_open_visit_is_no_dead_end(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    async with at_home.terminals(faults=fault(install=REFUSED_ONCE)) as simulation:
        visit = await stopped_visit(at_home, simulation.addresses)
        rotten = rot(journal(at_home), 0.5)

        assert [s.state for s in list_visits(at_home.services)] == [VisitState.DAMAGED]
        assert unfinished(at_home.services) == []
        for request in (ResumeRequest(), ResumeRequest(visit)):
            with pytest.raises(VisitDamaged) as caught:
                await at_home.resume(request)
            assert any(f"doctor --salvage {visit}" in a.text("en") for a in caught.value.action_phrases)
        with pytest.raises(VisitDamaged):
            abandon(at_home.services, visit, None)
        assert journal(at_home).read_bytes() == rotten
        assert run(["visit", "list"]) == Exit.DONE
        assert "doctor" in capsys.readouterr().err
        assert run(["doctor", "--json"]) == Exit.DAMAGED_STORE
        (finding,) = [f for f in json.loads(capsys.readouterr().out)["findings"] if f["problem"]]
        assert (finding["visit"], finding["salvage"], finding["path"]) == (visit, True, str(journal(at_home)))
        assert "proven up to 20" in finding["since"]

        assert run(["doctor", "--salvage", visit]) == Exit.DONE
        aside = journal(at_home).with_name(f"{visit}.jnl.damaged-1")
        assert aside.read_bytes() == rotten
        saved = open_record(at_home.services, visit)
        assert [s.state for s in list_visits(at_home.services)] == [VisitState.OPEN]
        assert saved.lanes[0].gap
        assert "State unknown" in notices(at_home)

        finished = await at_home.resume()
        assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)
    record = at_home.visit()
    (salvage,) = record.salvaged
    assert (salvage.source, salvage.closed, len(salvage.gaps)) == (aside.name, False, 1)
    assert salvage.proven_until is not None
    told = notices(at_home)
    assert "Salvaged" in told
    assert aside.name in told
    assert f"At byte {salvage.gaps[0].offset}" in told
    judged = verify_file(journal(at_home), own_signers(at_home.world.paths), SystemClock().now())
    assert (judged.verdict, judged.salvaged) == (Verdict.GOOD, True)
    assert run(["visit", "verify"]) == Exit.DONE


async def test_closing_a_salvaged_visit_never_calls_its_terminals_untouched(shop: Shop) -> None:
    """Whether a command went out stands in the entries that are missing."""
    async with shop.terminals() as simulation:
        shop.changed = {"inspect.SE-02": "fail", "problem.inspect": "later"}
        finished = await shop.run(*simulation.addresses)
    rot(journal(shop), 0.6)
    assert run_doctor(shop, "--salvage-all") == Exit.DONE
    record = abandon(shop.services, finished.visit, None)
    assert [lane.outcome for lane in record.lanes] == [Outcome.INCONSISTENT]
    assert (record.sealed, record.outcome, len(record.salvaged)) == (True, Outcome.INCONSISTENT, 1)


def run_doctor(shop: Shop, *arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
        return run(["doctor", *arguments])


@pytest.mark.slow
async def test_a_visit_that_lost_its_first_entry_is_begun_from_what_the_index_knows(shop: Shop) -> None:
    async with shop.terminals(faults=fault(install=REFUSED_ONCE)) as simulation:
        visit = await stopped_visit(shop, simulation.addresses)
        before = shop.visit()
        without_lines(journal(shop), lambda n, _line: n == 1)
        assert run_doctor(shop, "--salvage", visit) == Exit.DONE
        saved = shop.visit()
        assert saved.salvaged[0].made_up == ("visit",)
        assert (saved.started_at, saved.technician, saved.merchant) == (
            before.started_at,
            before.technician,
            before.merchant,
        )
        assert saved.stick == ""
        assert "begun anew" in notices(shop)
        finished = await shop.resume(ResumeRequest(visit, shop.world.stick))
        assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)


@pytest.mark.slow
async def test_a_terminal_that_is_only_spoken_of_needs_its_address(shop: Shop) -> None:
    async with shop.terminals(faults=fault(install=REFUSED_ONCE)) as simulation:
        visit = await stopped_visit(shop, simulation.addresses)
        without_lines(journal(shop), lambda n, line: n > 0 and b'"lanes"' in line)
        assert run_doctor(shop, "--salvage", visit) == Exit.DONE
        assert "lane 1" in shop.visit().salvaged[0].made_up
        with pytest.raises(UsageError, match="--address lost-1="):
            await shop.resume(ResumeRequest(visit, shop.world.stick))
        address = Address.parse(simulation.addresses[0])
        finished = await shop.resume(ResumeRequest(visit, shop.world.stick, {"lost-1": address}))
        assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)


async def test_of_a_file_of_zeros_nothing_is_left_but_that_it_was(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        shop.changed = {"inspect.SE-02": "fail", "problem.inspect": "later"}
        visit = (await shop.run(*simulation.addresses)).visit
    journal(shop).write_bytes(bytes(3000))
    assert run_doctor(shop, "--salvage", visit) == Exit.DONE
    with pytest.raises(UsageError, match="abandon"):
        await shop.resume(ResumeRequest(visit, shop.world.stick))
    record = abandon(shop.services, visit, None)
    assert (record.lanes, record.sealed, record.outcome) == ((), True, Outcome.INCONSISTENT)


async def test_a_damaged_sealed_visit_is_never_passed_off_as_sealed(at_home: Shop) -> None:
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    sealed = at_home.visit()
    rotten = rot(journal(at_home), 0.4)
    assert run(["visit", "verify", visit]) == Exit.DAMAGED_STORE
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert journal(at_home).read_bytes() == rotten
    assert run(["doctor", "--salvage", visit]) == Exit.DONE

    saved = at_home.visit()
    assert not saved.sealed
    assert saved.remains
    salvage = saved.salvaged[0]
    assert salvage.closed
    assert salvage.seal is not None
    assert "BEGIN SSH SIGNATURE" in salvage.seal.signature
    assert salvage.known_head == sealed.head
    assert [s.state for s in list_visits(at_home.services)] == [VisitState.SALVAGED]
    told = notices(at_home)
    assert salvage.seal.head in told
    assert "not for this record" in told
    assert run(["visit", "verify", visit]) == Exit.DAMAGED_STORE
    assert unfinished(at_home.services) == []
    with pytest.raises(NoSuchVisit):
        await at_home.resume(ResumeRequest(visit))
    with pytest.raises(NoSuchVisit):
        abandon(at_home.services, visit, None)
    assert run(["doctor", "--salvage", visit]) == Exit.USAGE, "there is nothing more to save"
    assert run(["doctor"]) == Exit.DONE

    rot(journal(at_home), 0.2)
    assert run(["doctor", "--salvage", visit]) == Exit.DONE
    again = at_home.visit()
    assert [s.source for s in again.salvaged] == [f"{visit}.jnl.damaged-1", f"{visit}.jnl.damaged-2"]
    assert again.remains
    assert journal(at_home).with_name(f"{visit}.jnl.damaged-1").read_bytes() == rotten


@pytest.mark.slow
@pytest.mark.parametrize("lines", [1, 3])
async def test_a_record_whose_end_was_cut_off_is_not_gone_on_with(at_home: Shop, lines: int) -> None:
    """Its chain is whole; only the index remembers that there was more."""
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    path = journal(at_home)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-lines]))
    with pytest.raises(VisitDamaged):
        await at_home.resume(ResumeRequest(visit))
    with pytest.raises(VisitDamaged):
        abandon(at_home.services, visit, None)
    assert run(["visit", "verify", visit]) == Exit.DAMAGED_STORE
    assert run(["doctor", "--rebuild"]) == Exit.DAMAGED_STORE, "a new index must not forget what the old one knew"
    assert [s.state for s in list_visits(at_home.services)] == [VisitState.DAMAGED]
    assert run(["doctor", "--salvage-all"]) == Exit.DONE
    saved = at_home.visit()
    assert saved.remains
    assert saved.salvaged[0].gaps[-1].size_bytes == 0
    assert [s.state for s in list_visits(at_home.services)] == [VisitState.SALVAGED]


@pytest.mark.slow
async def test_what_follows_the_seal_is_set_aside_and_the_seal_stands(at_home: Shop) -> None:
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    path = journal(at_home)
    whole = path.read_bytes()
    path.write_bytes(whole + b"something else")
    assert run(["visit", "verify", visit]) == Exit.DAMAGED_STORE
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert run(["doctor", "--salvage", visit]) == Exit.DONE
    assert path.read_bytes() == whole
    assert path.with_name(f"{visit}.jnl.damaged-1").read_bytes() == whole + b"something else"
    assert run(["visit", "verify"]) == Exit.DONE


@pytest.mark.slow
async def test_another_sealed_record_in_its_place_is_not_made_the_true_one(at_home: Shop) -> None:
    """Salvage tells the index what it saved; a record that was exchanged must not come in that way."""
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    services = at_home.services
    (summary,) = services.index.visits()
    with services.home.lock("test"):
        services.index.put_visit(replace(summary, head="0" * 64))
    with journal(at_home).open("ab") as file:
        file.write(b"junk")
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert run(["doctor", "--salvage", visit]) == Exit.USAGE
    assert [s.head for s in at_home.services.index.visits()] == ["0" * 64]
    assert run(["doctor", "--rebuild"]) == Exit.DAMAGED_STORE
    assert [s.head for s in at_home.services.index.visits()] == ["0" * 64]


@pytest.mark.slow
async def test_a_salvage_that_was_cut_off_before_the_index_knew(at_home: Shop) -> None:
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    index = at_home.world.paths.index.read_bytes()
    rot(journal(at_home), 0.5)
    assert run(["doctor", "--salvage", visit]) == Exit.DONE
    saved = journal(at_home).read_bytes()
    at_home.world.paths.index.write_bytes(index)
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert run(["doctor", "--salvage", visit]) == Exit.DONE
    assert journal(at_home).read_bytes() == saved, "it is not salvaged twice"
    assert run(["doctor"]) == Exit.DONE


async def test_a_torn_tail_is_told_by_doctor_resume_and_abandon(
    at_home: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    async with at_home.terminals(faults=fault(install=REFUSED_ONCE)) as simulation:
        visit = await stopped_visit(at_home, simulation.addresses)
        path = journal(at_home)
        whole = path.read_bytes()
        torn = frame("0" * 64, b'[["put"')[0][:40]
        path.write_bytes(whole + torn)
        assert run(["doctor"]) == Exit.DONE
        assert "cut off by a stop (40 bytes)" in capsys.readouterr().err
        assert run(["doctor", "--salvage", visit]) == Exit.USAGE
        at_home.events.clear()
        await at_home.resume()
        told = [e.text.text("en") for e in at_home.events if isinstance(e, Notice)]
        assert any(f"{visit}.jnl.torn-1" in text for text in told)
    assert path.with_name(f"{visit}.jnl.torn-1").read_bytes() == torn
    assert run(["doctor"]) == Exit.DONE
    assert f"{visit}.jnl.torn-1" in capsys.readouterr().err


async def test_a_tail_is_noted_though_the_resume_fails(shop: Shop) -> None:
    async with shop.terminals(faults=fault(install=REFUSED_ONCE)) as simulation:
        visit = await stopped_visit(shop, simulation.addresses)
        with journal(shop).open("ab") as file:
            file.write(b"torn")
        shop.changed = {"visit.passphrase": "wrong"}
        with pytest.raises(Exception, match="TT-123"):
            await shop.resume()
    db = shop.services.home.open_visit(visit)
    assert any("torn-1" in json.dumps(notice) for notice in db.table("notices").all())
    assert abandon(shop.services, visit, None).sealed


@pytest.mark.slow
async def test_a_damaged_index_is_made_again_by_the_next_visit_and_told(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        first = (await shop.run(*simulation.addresses)).visit
        index = shop.world.paths.index
        data = bytearray(index.read_bytes())
        data[len(data) // 2] ^= 4
        index.write_bytes(data)
        shop.events.clear()
        second = (await shop.run(*simulation.addresses)).visit
    told = [e.text.text("en") for e in shop.events if isinstance(e, Notice)]
    assert any("index.jnl.damaged-1" in text for text in told)
    assert index.with_name("index.jnl.damaged-1").read_bytes() == bytes(data)
    assert {s.id: s.state for s in shop.services.index.visits()} == {
        first: VisitState.SEALED,
        second: VisitState.SEALED,
    }
