"""Installing through a session, and what the terminal's answers mean."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.release import ApkFacts
from techtool.domain.visit import CatmResult
from techtool.errors import CommandRefused, Damaged, InstallFailed, LinkLost, NotCapable
from techtool.links.base import Capability, CommandResult
from techtool.terminals.install import abandon_session, catm_of, install_package, outcome_of
from techtool.terminals.refusals import REFUSALS, refusal_of, word_in
from tests.unit.terminals.fake_link import NOT_FOUND, FakeLink

PAY = ApkFacts("com.acme.pay", "1.4.0", 10400, 22, (), "0" * 64)
DATA = b"PK\x03\x04" + b"payload" * 1000
SIZE = len(DATA)
CREATE = f"cmd package install-create -r -S {SIZE}"
WRITE = f"cmd package install-write -S {SIZE} 77 base.apk -"
COMMIT = "cmd package install-commit 77"
ABANDON = "cmd package install-abandon 77"
THROWN = CommandResult(
    255,
    b"",
    b"\nException occurred while executing 'install-create':\n"
    b"android.os.ParcelableException: java.io.IOException: Requested internal only, but not enough space\n\tat x.y\n",
)


def willing() -> FakeLink:
    link = FakeLink({CREATE: "Success: created install session [77]\n", COMMIT: "Success\n", ABANDON: "Success\n"})
    link.feed_answer = f"Success: streamed {SIZE} bytes\n"
    return link


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    path = tmp_path / "pay.apk"
    path.write_bytes(DATA)
    return path


async def install(link: FakeLink, payload: Path) -> tuple[list[str], list[int]]:
    sessions: list[str] = []
    confirmed: list[int] = []

    def opened(session: str) -> None:
        assert link.fed == []
        sessions.append(session)

    await install_package(link, PAY, payload, SIZE, session=opened, confirmed=confirmed.append)
    return sessions, confirmed


async def failed(link: FakeLink, payload: Path) -> InstallFailed:
    with pytest.raises(InstallFailed) as error:
        await install(link, payload)
    return error.value


async def test_session_written_committed(payload: Path) -> None:
    link = willing()
    assert await install(link, payload) == (["77"], [SIZE])
    assert link.commands == [CREATE, WRITE, COMMIT]
    assert link.fed == [(WRITE, SIZE, hashlib.sha256(DATA).hexdigest())]


async def test_never_abb_never_downgrade_never_uninstall(payload: Path) -> None:
    link = willing()
    await install(link, payload)
    for command in link.commands:
        assert "abb" not in command
        assert " -d" not in command
        assert "uninstall" not in command


async def test_before_android_7_the_program_is_used(payload: Path) -> None:
    link = willing()
    link.answers = {
        CREATE: CommandResult(None, b"/system/bin/sh: cmd: not found\r\n"),
        CREATE.replace("cmd package", "pm"): "Success: created install session [77]\r\n",
        COMMIT.replace("cmd package", "pm"): "Success\r\n",
    }
    await install(link, payload)
    assert link.commands[1:] == [c.replace("cmd package", "pm") for c in (CREATE, WRITE, COMMIT)]


async def test_a_terminal_without_sessions_is_not_capable(payload: Path) -> None:
    with pytest.raises(NotCapable):
        await install(FakeLink(), payload)
    link = willing()
    link.can = frozenset({Capability.SHELL})
    with pytest.raises(NotCapable):
        await install(link, payload)
    assert link.commands == []


@pytest.mark.parametrize("word", [*REFUSALS, "INSTALL_PARSE_FAILED_NOT_APK", "INSTALL_FAILED_SOMETHING_NEW", "-99"])
async def test_every_word_has_outcome_reason_and_remedy(payload: Path, word: str) -> None:
    link = willing()
    link.answers[COMMIT] = CommandResult(1, f"Failure [{word}: Words of {{the}} terminal]\n".encode())
    error = await failed(link, payload)
    assert error.word == word
    assert outcome_of(word) in (Outcome.FAILED_DEVICE_OK, Outcome.FAILED_TRANSIENT)
    assert word in error.what_phrase.text("en")
    assert "com.acme.pay 1.4.0" in error.what_phrase.text("en")
    assert error.action_phrases[0].text("en")
    assert "Words of {the} terminal" in error.detail


@pytest.mark.parametrize(
    ("word", "outcome", "catm"),
    [
        ("INSTALL_FAILED_INSUFFICIENT_STORAGE", Outcome.FAILED_TRANSIENT, CatmResult.OVERFLOW),
        ("INSTALL_FAILED_VERSION_DOWNGRADE", Outcome.FAILED_DEVICE_OK, CatmResult.INVALID),
        ("INSTALL_FAILED_UPDATE_INCOMPATIBLE", Outcome.FAILED_DEVICE_OK, CatmResult.SIGNATURE),
        ("INSTALL_FAILED_USER_RESTRICTED", Outcome.FAILED_TRANSIENT, CatmResult.ACCESS_DENIED),
        ("INSTALL_PARSE_FAILED_UNEXPECTED_EXCEPTION", Outcome.FAILED_DEVICE_OK, CatmResult.FORMAT),
        ("INSTALL_FAILED_SOMETHING_NEW", Outcome.FAILED_DEVICE_OK, CatmResult.INVALID),
        ("", Outcome.INCONSISTENT, CatmResult.CONNECTION),
    ],
)
def test_outcomes(word: str, outcome: Outcome, catm: CatmResult) -> None:
    assert outcome_of(word) is outcome
    assert catm_of(word) is catm


def test_an_unknown_word_is_shown_as_it_is() -> None:
    assert refusal_of("INSTALL_FAILED_SOMETHING_NEW") is refusal_of("ANOTHER")


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("Failure [INSTALL_FAILED_INVALID_APK]", "INSTALL_FAILED_INVALID_APK"),
        ("x\nFailure [INSTALL_FAILED_ABORTED: User rejected\npermissions [a]]\n", "INSTALL_FAILED_ABORTED"),
        ("Failure [INSTALL_FAILED_MISSING_SPLIT: Missing split for a]\ny", "INSTALL_FAILED_MISSING_SPLIT"),
        ("Failure", ""),
        (
            "Error: failed to write; Failed to allocate 5 because only 3 allocatable",
            "INSTALL_FAILED_INSUFFICIENT_STORAGE",
        ),
        ("java.lang.SecurityException: Caller has no access to session 5", "INSTALL_FAILED_SESSION_INVALID"),
        (
            "Exception occurred while executing 'x':\njava.lang.IllegalStateException: no",
            "java.lang.IllegalStateException",
        ),
        ("", ""),
        ("closed", ""),
    ],
)
def test_words_in_answers(answer: str, word: str) -> None:
    assert word_in(answer) == word


async def test_no_room_told_as_an_exception_is_the_same_as_by_its_word(payload: Path) -> None:
    link = willing()
    link.answers[CREATE] = THROWN
    error = await failed(link, payload)
    assert error.word == "INSTALL_FAILED_INSUFFICIENT_STORAGE"
    assert link.commands == [CREATE]


@pytest.mark.parametrize(
    "answer",
    [
        "Error: failed to write; Failed to allocate 5 because only 3 allocatable\n",
        f"Success: streamed {SIZE - 1} bytes\n",
        "",
        CommandRefused(command="exec", answer="No space left on device"),
    ],
)
async def test_a_file_that_does_not_get_through_is_not_committed(payload: Path, answer: str | CommandRefused) -> None:
    link = willing()
    link.feed_answer = answer
    error = await failed(link, payload)
    assert outcome_of(error.word) is not Outcome.INCONSISTENT
    assert link.commands == [CREATE, WRITE, ABANDON]


@pytest.mark.parametrize(
    "answer", ["", "Killed\n", "java.lang.RuntimeException: x\n", CommandResult(None, b"\xff\xfe")]
)
async def test_no_clear_answer_to_the_commit_means_nobody_knows(payload: Path, answer: str | CommandResult) -> None:
    link = willing()
    link.answers[COMMIT] = answer
    error = await failed(link, payload)
    assert error.word == ""
    assert outcome_of(error.word) is Outcome.INCONSISTENT
    assert "not known" in error.state_phrase.text("en")


@pytest.mark.parametrize(
    "answer", ["Successful failure\n", "Failure [Success]\n", "Success\nFailure [X]\n", "No Success\n"]
)
async def test_only_success_is_success(payload: Path, answer: str) -> None:
    link = willing()
    link.answers[COMMIT] = answer
    await failed(link, payload)


async def test_a_lost_link_passes_through_and_nothing_more_is_sent(payload: Path) -> None:
    for command in (CREATE, COMMIT):
        link = willing()
        link.answers[command] = LinkLost(address="x")
        with pytest.raises(LinkLost):
            await install(link, payload)
        assert link.commands[-1] == command
    link = willing()
    link.feed_answer = LinkLost(address="x")
    with pytest.raises(LinkLost):
        await install(link, payload)
    assert link.commands[-1] == WRITE


async def test_a_copy_of_another_length_is_not_sent(payload: Path, tmp_path: Path) -> None:
    payload.write_bytes(DATA[:-1])
    link = willing()
    with pytest.raises(Damaged):
        await install(link, payload)
    with pytest.raises(Damaged):
        await install(link, tmp_path / "gone.apk")
    assert link.commands == []


async def test_a_session_id_is_never_a_command() -> None:
    link = FakeLink({ABANDON: "Success\n"})
    await abandon_session(link, "77")
    await abandon_session(link, "77; reboot")
    await abandon_session(link, "")
    assert link.commands == [ABANDON]


@pytest.mark.parametrize(
    "answer", [CommandResult(255, b"", b"java.lang.SecurityException: Caller has no access to session 77"), "Success\n"]
)
async def test_a_session_that_is_gone_is_fine(answer: str | CommandResult) -> None:
    link = FakeLink({ABANDON: answer})
    await abandon_session(link, "77")
    assert link.commands == [ABANDON]


async def test_abandoning_before_android_7() -> None:
    link = FakeLink({ABANDON: NOT_FOUND, "pm install-abandon 77": "Success\n"})
    await abandon_session(link, "77")
    assert link.commands == [ABANDON, "pm install-abandon 77"]
