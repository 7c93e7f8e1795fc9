"""A till gateway that speaks Redfish, from identify to report, over TLS, and with everything that may go wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.cli.connection import read_terminal
from techtool.cli.demo_world import PASSPHRASE
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.terminal import Address, BatchState
from techtool.domain.visit import CatmResult
from techtool.errors import Exit, LinkLost, LoginNeeded
from techtool.events import Asked
from techtool.links.redfish.pins import Pins
from techtool.simulator.faults import AfterReboot, Drop, Faults, InstallRefusal, TaskFault, WrongVersion
from techtool.simulator.model import Model
from techtool.simulator.run import Simulation
from techtool.terminals import redfish_tasks
from techtool.terminals.redfish import RedfishTerminal
from techtool.visit.abandon import abandon
from techtool.visit.operator import ScriptedOperator
from tests.visit.conftest import Shop, fault
from tests.visit.gateways import (
    FIRMWARE,
    LOGIN,
    MODEL,
    PASSWORD,
    PAY,
    SECURE,
    USER,
    begun,
    gateway,
    make_gateway_stick,
    pinned,
    versions,
)
from tests.visit.suite import with_stick

OLD = {FIRMWARE: "3.1.0", PAY: "1.4.2", SECURE: "5.0"}
NEW = {FIRMWARE: "3.2.0", PAY: "1.5.0", SECURE: "5.0"}
WITH_PAY = {**OLD, PAY: "1.5.0"}
ONLY_PAY = (PAY,)


@pytest.fixture(scope="session")
def gateway_stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gateway_stick(tmp_path_factory.mktemp("gateway"))


@pytest.fixture
def till(shop: Shop, gateway_stick: Path) -> Shop:
    with_stick(shop, gateway_stick)
    shop.changed = dict(LOGIN)
    return shop


def model(**rule: object) -> Model:
    assert MODEL.redfish is not None
    return replace(MODEL, redfish=replace(MODEL.redfish, **rule))  # type: ignore[arg-type]


async def visited(
    till: Shop, simulation: Simulation, releases: tuple[str, ...] = ONLY_PAY
) -> tuple[Outcome | None, int]:
    await pinned(till, simulation)
    finished = await till.run(*simulation.addresses, releases=releases)
    return finished.outcome, finished.exit_code


async def test_a_whole_visit(till: Shop) -> None:
    async with till.terminals("gateway") as simulation:
        assert await visited(till, simulation, ()) == (Outcome.SUCCESS, 0)
        assert versions(simulation) == NEW
        assert gateway(simulation).open_sessions == 0
        record = till.lane()
        assert {(one.package.id, one.package.version) for one in record.installed} == {
            (FIRMWARE, "3.2.0"),
            (PAY, "1.5.0"),
        }
        assert {one.sha256_found for one in record.installed} == {""}
        reports = [path.read_text(encoding="utf-8") for path in till.world.paths.reports.glob("*/*.html")]
        assert any("practice gateway" in text and "1.5.0" in text for text in reports)
        assert (await till.run(*simulation.addresses)).outcome is Outcome.NOTHING_TO_DO
        assert begun(simulation) == 2


@pytest.mark.slow
async def test_given_up_after_a_verified_installation(till: Shop) -> None:
    """Components have no versionCode: by the version's text the gateway is another one than before."""
    till.changed["test.TX-01"] = "MISSING"
    async with till.terminals("gateway") as simulation:
        await visited(till, simulation)
        assert versions(simulation) == WITH_PAY
    assert not till.visit().sealed
    assert abandon(till.services, till.visit().id, None).outcome is Outcome.INCONSISTENT


async def test_a_device_that_fetches_the_image_itself(till: Shop) -> None:
    async with till.terminals(model(multipart=False)) as simulation:
        assert await visited(till, simulation) == (Outcome.SUCCESS, 0)
        assert versions(simulation) == WITH_PAY


async def test_a_device_that_keeps_the_image_for_its_restart(till: Shop) -> None:
    """The release asks for no restart; the device does."""
    async with till.terminals(model(apply_times=("OnReset",))) as simulation:
        assert await visited(till, simulation) == (Outcome.SUCCESS, 0)
        assert versions(simulation) == WITH_PAY
        assert gateway(simulation).device.store.state.boot_count == 2


@pytest.mark.slow
async def test_the_link_is_lost_before_the_restart_that_puts_it_in(till: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device keeps the image: the resumed visit restarts it and does not bring the same once more."""

    async def lost(self: RedfishTerminal, *, timeout_s: float = 0, poll_s: float = 0) -> None:
        raise LinkLost(address="-")

    async with till.terminals(model(apply_times=("OnReset",))) as simulation:
        with monkeypatch.context() as patched:
            patched.setattr(RedfishTerminal, "reboot", lost)
            assert (await visited(till, simulation))[0] is Outcome.INCONSISTENT
        assert versions(simulation) == OLD
        assert (await till.resume()).outcome is Outcome.SUCCESS
        assert versions(simulation) == WITH_PAY
        assert begun(simulation) == 1


async def test_a_device_that_takes_no_update(till: Shop) -> None:
    async with till.terminals(model(multipart=False, simple_update=False)) as simulation:
        assert (await visited(till, simulation))[1] == Exit.NOT_COMPATIBLE
        assert versions(simulation) == OLD
        error = till.lane().error
        assert error is not None
        assert error.code == "TT-307"


async def test_a_sale_before_the_image_that_erases(till: Shop, tmp_path: Path) -> None:
    with_stick(till, make_gateway_stick(tmp_path, pay_erases=True))
    async with till.terminals("gateway") as simulation:
        device = gateway(simulation)
        started = device.updates.started

        def and_a_sale() -> None:
            started()
            device.device.settle(BatchState.OPEN)

        device.updates.started = and_a_sale  # type: ignore[method-assign]
        assert (await visited(till, simulation, ()))[1] == Exit.GATE_CLOSED
        assert versions(simulation) == {**OLD, FIRMWARE: "3.2.0"}


# -- the certificate and the login


async def test_an_unknown_certificate_gets_no_password(till: Shop) -> None:
    async with till.terminals("gateway") as simulation:
        finished = await till.run(*simulation.addresses)
        assert finished.exit_code == Exit.UNTRUSTED
        asked = [e.question.id for e in till.events if isinstance(e, Asked)]
        assert "identify.certificate" in asked
        assert "identify.password" not in asked


async def test_the_fingerprint_on_the_label_is_typed(till: Shop) -> None:
    async with till.terminals("gateway") as simulation:
        await pinned(till, simulation)
        address = Address.parse(simulation.addresses[0])
        pins = Pins(till.world.paths)
        pin = pins.find(address)
        assert pin is not None
        pins.forget(address)
        till.changed["identify.certificate"] = f"SHA256: {pin.fingerprint[-16:].upper()}"
        assert (await till.run(*simulation.addresses, releases=ONLY_PAY)).exit_code == 0
        assert pins.find(address) == pin


@pytest.mark.parametrize("typed", ["0123456789abcdef", "", "ffff"])
async def test_another_fingerprint_is_not_trusted(till: Shop, typed: str) -> None:
    async with till.terminals("gateway") as simulation:
        till.changed["identify.certificate"] = typed
        assert (await till.run(*simulation.addresses)).exit_code == Exit.UNTRUSTED
        assert Pins(till.world.paths).find(Address.parse(simulation.addresses[0])) is None
        assert gateway(simulation).logins == 0


async def test_another_certificate_at_a_known_address(till: Shop) -> None:
    async with till.terminals("gateway") as simulation:
        await pinned(till, simulation)
        simulation.kill(1)
        (gateway(simulation).device.store.folder / "tls.pem").unlink()
        await simulation.revive(1)
        finished = await till.run(*simulation.addresses)
        assert finished.exit_code == Exit.UNTRUSTED
        error = till.lane().error
        assert error is not None
        assert error.code == "TT-341"
        assert {"found", "expected"} <= set(error.what.params)
        assert gateway(simulation).logins == 0


async def test_identify_and_plan_sign_in_with_the_answers_file(till: Shop) -> None:
    async with till.terminals("gateway") as simulation:
        await pinned(till, simulation)
        state = await read_terminal(till.services, simulation.addresses[0], operator=ScriptedOperator(till.answers()))
        assert state.package(PAY) is not None
        with pytest.raises(LoginNeeded):
            await read_terminal(till.services, simulation.addresses[0], operator=ScriptedOperator())


async def test_a_wrong_password_is_tried_once(till: Shop) -> None:
    till.changed["identify.password"] = "wrong"
    async with till.terminals("gateway") as simulation:
        await pinned(till, simulation)
        assert (await till.run(*simulation.addresses)).exit_code == Exit.UNREACHABLE
        assert gateway(simulation).logins == 1


async def test_the_report_keys_passphrase_goes_to_no_device(till: Shop) -> None:
    """The command line's passphrase answers its own question only."""
    till.changed["identify.password"] = "MISSING"
    async with till.terminals(model(password=PASSPHRASE)) as simulation:
        await pinned(till, simulation)
        assert (await till.run(*simulation.addresses)).exit_code != 0
        assert gateway(simulation).open_sessions == 0


@pytest.mark.slow
async def test_a_session_that_runs_out_is_begun_anew(till: Shop) -> None:
    async with till.terminals("gateway") as simulation:
        device = gateway(simulation)
        device.forgets_sessions_after = 12
        assert await visited(till, simulation) == (Outcome.SUCCESS, 0)
        assert device.logins > 2


async def test_its_own_log_goes_to_the_support_desk(till: Shop, tmp_path: Path) -> None:
    """With the login of the answers file, as every other command takes it; and without one it says so."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"identify.user": USER, "identify.password": PASSWORD}))
    async with till.terminals("gateway") as simulation:
        await visited(till, simulation)
        serial, asked = till.lane().serial, ["support", till.visit().id, "--to", str(tmp_path / "desk")]
        asked += ["--log-from", simulation.addresses[0], "--json"]
        assert (await techtool(till, *asked))[0] == LoginNeeded.exit_code
        code, said = await techtool(till, *asked, "--answers", str(answers))
        assert code == 0
        assert gateway(simulation).open_sessions == 0
    with zipfile.ZipFile(json.loads(said)["file"]) as archive:
        assert f"Started as {serial}." in archive.read("logs/terminal-1.log").decode()
        assert not any(PASSWORD.encode() in archive.read(name) for name in archive.namelist())


async def test_a_recording_of_a_gateway(till: Shop, tmp_path: Path) -> None:
    """Identified again without it; nothing of the login, and none of its numbers, is in the file."""
    answers, file = tmp_path / "answers.json", tmp_path / "gateway.jsonl"
    answers.write_text(json.dumps({"identify.user": USER, "identify.password": PASSWORD}))
    async with till.terminals("gateway") as simulation:
        await pinned(till, simulation)
        asked = ["identify", simulation.addresses[0], "--answers", str(answers), "--record", str(file), "--json"]
        code, said = await techtool(till, *asked)
        assert code == 0
        tokens = gateway(simulation).tokens_given
    real = json.loads(said)
    code, said = await techtool(till, "identify", f"replay:{file}", "--json")
    assert code == 0
    again, changed = json.loads(said), {"address", "serial", "tid", "mid"}
    assert {name for name in real if real[name] != again[name]} == changed
    kept = file.read_text()
    for secret in (PASSWORD, *tokens, real["serial"], real["tid"], real["mid"], "127.0.0.1"):
        assert secret
        assert secret not in kept
    planned = await techtool(till, "plan", f"replay:{file}", "--bundle", str(till.world.stick), "--json")
    assert {release["id"] for release in json.loads(planned[1])["releases"]} == {FIRMWARE, PAY}
    code, said = await techtool(till, "recording", "check", str(file), "--json")
    assert (code, json.loads(said)["scheme"]) == (0, "redfish+https")
    code, said = await techtool(till, "recording", "propose", str(file))
    assert code == 0
    assert 'match = { "redfish.system.Manufacturer" = "techtool" }' in said
    assert 'evidence = "simulated"' in said


async def techtool(till: Shop, *arguments: str) -> tuple[int, str]:
    """The command, without a keyboard: its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "techtool", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TECHTOOL_HOME": str(till.world.paths.home), "TECHTOOL_LANG": "en"},
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_nothing_of_the_login_is_kept(till: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """Planted: also where the device repeats the password in what it says of itself, and in a refusal."""
    caplog.set_level(logging.DEBUG)
    user, password = "planted-user-7", "Pl4nted-Secret-9"
    till.changed |= {"identify.user": user, "identify.password": password}
    till.formats = ("html", "json", "csv")
    faults = Faults(
        properties={"SubModel": f"PG {password}"}, install=InstallRefusal("VerificationFailed", f"no: {password}")
    )
    async with till.terminals(model(user=user, password=password), faults=(faults,)) as simulation:
        outcome, _code = await visited(till, simulation)
        assert outcome is Outcome.FAILED_DEVICE_OK
        tokens = gateway(simulation).tokens_given
    assert tokens
    told = ("\n".join(map(repr, till.events)) + caplog.text).encode()
    files = [path.read_bytes() for path in till.world.paths.home.rglob("*") if path.is_file()]
    for secret in (password, user, *tokens):
        assert secret.encode() not in told, secret
        assert not any(secret.encode() in data for data in files), secret
    assert b"PG ***" in b"".join(files), "the device did repeat it"


# -- what goes wrong with the update


async def test_the_push_is_cut_and_tried_again(till: Shop) -> None:
    till.changed["problem.install"] = "retry"
    async with till.terminals("gateway", faults=fault(drop=Drop(at_byte=1_000_000))) as simulation:
        assert await visited(till, simulation) == (Outcome.SUCCESS, 0)
        assert versions(simulation) == WITH_PAY
        assert begun(simulation) == 1


@pytest.mark.slow
async def test_the_push_is_cut_and_resumed_later(till: Shop) -> None:
    async with till.terminals("gateway", faults=fault(drop=Drop(at_byte=1_000_000))) as simulation:
        outcome, code = await visited(till, simulation)
        assert (outcome, code) == (Outcome.INCONSISTENT, Exit.LOST)
        assert versions(simulation) == OLD
        assert (await till.resume()).outcome is Outcome.SUCCESS
        assert versions(simulation) == WITH_PAY


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "outcome", "catm", "now"),
    [
        (TaskFault(fails="VerificationFailed"), Outcome.FAILED_DEVICE_OK, CatmResult.SIGNATURE, OLD),
        (TaskFault(fails="ApplyFailed"), Outcome.FAILED_TRANSIENT, CatmResult.CONNECTION, OLD),
        (WrongVersion("1.4.9", 0), Outcome.INCONSISTENT, None, {**OLD, PAY: "1.4.9"}),
        (True, Outcome.FAILED_DEVICE_OK, None, OLD),
    ],
    ids=["verification", "apply", "wrong-version", "says-ok-and-lies"],
)
async def test_a_completed_task_proves_nothing(
    till: Shop, faults: object, outcome: Outcome, catm: CatmResult | None, now: dict[str, str]
) -> None:
    kinds = {TaskFault: "task", WrongVersion: "wrong_version", bool: "says_ok_and_lies"}
    async with till.terminals("gateway", faults=fault(**{kinds[type(faults)]: faults})) as simulation:
        assert (await visited(till, simulation))[0] is outcome
        assert versions(simulation) == now
    if catm is not None:
        steps = [s for s in till.lane().steps if s.step is StepKind.INSTALL and s.item == PAY]
        assert steps[-1].action_result is catm


@pytest.mark.slow
async def test_a_device_that_restarts_in_the_middle(till: Shop) -> None:
    """It forgets the task; nobody takes that for success or failure: it is read again."""
    async with till.terminals("gateway", faults=fault(task=TaskFault(seconds=0.3, restarts=True))) as simulation:
        outcome, _code = await visited(till, simulation)
        assert outcome is Outcome.FAILED_DEVICE_OK
        assert versions(simulation) == OLD


@pytest.mark.slow
async def test_a_task_that_never_ends(till: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redfish_tasks, "SILENT_S", 0.5)
    async with till.terminals("gateway", faults=fault(task=TaskFault(never_ends=True))) as simulation:
        outcome, code = await visited(till, simulation)
        assert (outcome, code) == (Outcome.INCONSISTENT, Exit.UNREACHABLE)
        assert begun(simulation) == 1
        simulation.kill(1)  # somebody pulls the plug; the device forgets the task
        await simulation.revive(1)
        gateway(simulation).device.faults.faults = Faults()
        assert (await till.resume()).outcome is Outcome.SUCCESS
        assert versions(simulation) == WITH_PAY


@pytest.mark.slow
@pytest.mark.parametrize("serial", ["", "OTHER-0001"], ids=["never-returns", "another-serial"])
async def test_after_the_restart(till: Shop, serial: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = RedfishTerminal.wait_restarted

    async def hurried(
        self: RedfishTerminal, timeout_s: float, poll_s: float, before: str | None, *, was_on: bool = False
    ) -> None:
        await own(self, 2.0, 0.1, before, was_on=was_on)

    monkeypatch.setattr(RedfishTerminal, "wait_restarted", hurried)
    after = AfterReboot(never_returns=not serial, serial=serial)
    async with till.terminals("gateway", faults=fault(after_reboot=after)) as simulation:
        outcome, code = await visited(till, simulation, (FIRMWARE,))
        assert outcome is Outcome.INCONSISTENT
        assert code == (Exit.GATE_CLOSED if serial else Exit.UNREACHABLE)


@pytest.mark.slow
async def test_killed_while_the_task_runs(till: Shop, tmp_path: Path) -> None:
    """kill -9: the gateway goes on by itself; the next process waits for it and sends nothing twice."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps(dict(till.answers().values)))
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    async with till.terminals("gateway", faults=fault(task=TaskFault(seconds=2.5))) as simulation:
        await pinned(till, simulation)
        given = ["--bundle", str(till.world.stick), "--answers", str(answers), "--confirm", "8301"]
        given += ["--passphrase-file", str(tmp_path / "passphrase"), "--json"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "techtool", "visit", "run", simulation.addresses[0], *given),
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "TECHTOOL_HOME": str(till.world.paths.home), "TECHTOOL_LANG": "en"},
        )
        async with asyncio.timeout(60):
            while not any(t.percent > 10 for t in gateway(simulation).updates.tasks.values()):
                assert process.returncode is None
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert versions(simulation) == OLD
        assert begun(simulation) == 1
        finished = await till.resume()
        assert (finished.outcome, finished.exit_code) == (Outcome.SUCCESS, 0)
        assert versions(simulation) == NEW
        assert begun(simulation) == 2, "one for each release"
        assert gateway(simulation).device.store.state.boot_count == 2, "the firmware asked for a restart"
