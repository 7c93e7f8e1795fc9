"""Several packages in one session; and sessions whose number never reached the laptop."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.release import ApkFacts
from techtool.errors import Damaged, InstallFailed, LinkLost, NotCapable
from techtool.links.base import Capability, CommandResult
from techtool.terminals.base import PackageFile
from techtool.terminals.install import abandon_session, find_sessions, install_together, outcome_of
from tests.unit.terminals.fake_link import NOT_FOUND, Answer, FakeLink

SIZES = (7000, 300)
CREATE = f"cmd package install-create --multi-package -r -S {sum(SIZES)}"
CHILDREN = tuple(f"cmd package install-create -r -S {size}" for size in SIZES)
WRITES = tuple(f"cmd package install-write -S {size} {n} base.apk -" for size, n in zip(SIZES, (78, 79), strict=True))
ADD = "cmd package install-add-session 77 78 79"
COMMIT = "cmd package install-commit 77"
ABANDONED = tuple(f"cmd package install-abandon {number}" for number in (77, 78, 79))
WHOLE = [CREATE, CHILDREN[0], WRITES[0], CHILDREN[1], WRITES[1], ADD, COMMIT]
UNKNOWN_OPTION = CommandResult(
    255,
    b"",
    b"\nException occurred while executing:\njava.lang.IllegalArgumentException: Unknown option --multi-package\n\tat",
)


class SetLink(FakeLink):
    """Answers as Android 11 does; what is fed gets an answer of its own."""

    def __init__(self, changed: dict[str, Answer] | None = None) -> None:
        numbers = zip((CREATE, *CHILDREN), (77, 78, 79), strict=True)
        created = {command: f"Success: created install session [{number}]\n" for command, number in numbers}
        super().__init__({**created, ADD: "Success\n", COMMIT: "Success\n", **dict.fromkeys(ABANDONED, "Success\n")})
        self.fed_answers: dict[str, Answer] = {
            command: f"Success: streamed {size} bytes\n" for command, size in zip(WRITES, SIZES, strict=True)
        }
        for command, answer in (changed or {}).items():
            (self.fed_answers if command in self.fed_answers else self.answers)[command] = answer

    async def feed(self, command, source, size_bytes, **more):  # type: ignore[no-untyped-def]
        self.feed_answer = self.fed_answers[command]
        return await super().feed(command, source, size_bytes, **more)


@pytest.fixture
def files(tmp_path: Path) -> list[PackageFile]:
    found = []
    for name, size in zip(("com.acme.pay", "com.acme.kernel"), SIZES, strict=True):
        path = tmp_path / name
        path.write_bytes(b"x" * size)
        found.append(PackageFile(ApkFacts(name, "1.4.0", 10400, 22, (), "0" * 64), path, size))
    return found


async def install(link: FakeLink, files: list[PackageFile], sdk: int | None = 30) -> bool:
    return await install_together(link, sdk, files, session=lambda _package, _session: None)


async def failed(link: FakeLink, files: list[PackageFile]) -> InstallFailed:
    with pytest.raises(InstallFailed) as error:
        await install(link, files)
    return error.value


async def test_all_in_one_session(files: list[PackageFile]) -> None:
    link, confirmed = SetLink(), list[int]()
    told: list[tuple[str, str, int]] = []
    done = await install_together(
        link, 30, files,
        session=lambda package, session: told.append((package, session, len(link.fed))),
        confirmed=confirmed.append,
    )  # fmt: skip
    assert done
    assert link.commands == WHOLE
    # Each number is told before a byte goes into that session.
    assert told == [("", "77", 0), ("com.acme.pay", "78", 0), ("com.acme.kernel", "79", 1)]
    assert confirmed == [7000, 7300]


@pytest.mark.parametrize("sdk", [19, 28])
async def test_an_older_android_is_not_even_asked(files: list[PackageFile], sdk: int) -> None:
    link = SetLink()
    assert not await install(link, files, sdk)
    assert link.commands == []


@pytest.mark.parametrize("sdk", [None, 30])
async def test_a_terminal_that_does_not_know_the_option(files: list[PackageFile], sdk: int | None) -> None:
    link = SetLink({CREATE: UNKNOWN_OPTION})
    assert not await install(link, files, sdk)
    assert link.commands == [CREATE]


async def test_a_terminal_that_knows_the_option_but_not_the_command(files: list[PackageFile]) -> None:
    link = SetLink({ADD: CommandResult(255, b"Unknown command: install-add-session\n")})
    assert not await install(link, files)
    assert link.commands == [*WHOLE[:6], *ABANDONED]


async def test_without_cmd_the_program_is_used(files: list[PackageFile]) -> None:
    link = SetLink()
    for command, answer in list(link.answers.items()):
        link.answers[command.replace("cmd package", "pm")] = link.answers.pop(command) and answer
    link.fed_answers = {c.replace("cmd package", "pm"): a for c, a in link.fed_answers.items()}
    assert await install(link, files)
    assert link.commands == [CREATE, *(command.replace("cmd package", "pm") for command in WHOLE)]


async def test_another_refusal_of_the_session_is_a_refusal(files: list[PackageFile]) -> None:
    words = b"java.lang.SecurityException: User restriction prevents installing\n"
    link = SetLink({CREATE: CommandResult(255, b"", words)})
    assert (await failed(link, files)).word == "INSTALL_FAILED_USER_RESTRICTED"
    assert link.commands == [CREATE]


@pytest.mark.parametrize(
    ("command", "answer", "word"),
    [
        (CHILDREN[1], "java.io.IOException: Requested internal only, but not enough space", "INSUFFICIENT_STORAGE"),
        (WRITES[0], "Error: failed to write; Failed to allocate 5 because only 3 allocatable", "INSUFFICIENT_STORAGE"),
        (WRITES[1], "Success: streamed 299 bytes\n", "REFUSED"),
        (ADD, "java.lang.IllegalStateException: Unable to add child session 78", "java.lang.IllegalStateException"),
        (COMMIT, "Failure [INSTALL_FAILED_VERSION_DOWNGRADE]", "INSTALL_FAILED_VERSION_DOWNGRADE"),
        (COMMIT, "Failure [0]", "0"),
    ],
)
async def test_what_is_refused_leaves_nothing_behind(
    files: list[PackageFile], command: str, answer: str, word: str
) -> None:
    link = SetLink({command: answer})
    error = await failed(link, files)
    assert error.word.endswith(word)
    assert outcome_of(error.word) in (Outcome.FAILED_DEVICE_OK, Outcome.FAILED_TRANSIENT)
    sent = WHOLE[: WHOLE.index(command) + 1]
    opened = sum("install-create" in one for one in sent) - ("install-create" in command)
    assert link.commands == [*sent, *ABANDONED[:opened]]


async def test_the_package_that_does_not_get_through_is_named_and_all_of_a_refused_set(
    files: list[PackageFile],
) -> None:
    error = await failed(SetLink({WRITES[1]: ""}), files)
    assert "com.acme.kernel 1.4.0" in error.what_phrase.text("en")
    assert "com.acme.pay" not in error.what_phrase.text("en")
    error = await failed(SetLink({COMMIT: "Failure [INSTALL_FAILED_ABORTED]"}), files)
    assert "com.acme.pay 1.4.0, com.acme.kernel 1.4.0" in error.what_phrase.text("en")


async def test_no_clear_answer_to_the_commit_means_nobody_knows_and_nothing_is_dropped(
    files: list[PackageFile],
) -> None:
    link = SetLink({COMMIT: "Killed\n"})
    error = await failed(link, files)
    assert outcome_of(error.word) is Outcome.INCONSISTENT
    assert link.commands == WHOLE


@pytest.mark.parametrize("at", range(len(WHOLE)))
async def test_a_lost_link_passes_through_and_nothing_more_is_sent(files: list[PackageFile], at: int) -> None:
    link = SetLink({WHOLE[at]: LinkLost(address="x")})
    with pytest.raises(LinkLost):
        await install(link, files)
    assert link.commands == WHOLE[: at + 1]


async def test_copies_are_looked_at_before_anything_is_sent(files: list[PackageFile]) -> None:
    files[1].path.write_bytes(b"short")
    link = SetLink()
    with pytest.raises(Damaged):
        await install(link, files)
    assert link.commands == []
    link.can = frozenset({Capability.SHELL})
    with pytest.raises(NotCapable):
        await install(link, files)


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        ("Success\n", True),
        (CommandResult(255, b"", b"java.lang.SecurityException: Caller has no access to session 77\n"), True),
        (
            CommandResult(
                255,
                b"",
                b"java.lang.IllegalStateException: Session 77 is a child of multi-package session 5 and may not be"
                b" abandoned directly.\n",
            ),
            False,
        ),
    ],
)
async def test_whether_the_terminal_lets_go_of_a_session(answer: Answer, gone: bool) -> None:
    assert await abandon_session(FakeLink({ABANDONED[0]: answer}), "77") is gone


# --- sessions whose number never came --------------------------------------------------------------------------------

INSTALLS = "dumpsys package installs"
ANDROID_11 = """Active install sessions:
  Session 101:
    userId=0 mOriginalInstallerUid=2000 mOriginalInstallerPackageName=com.android.shell installerPackageName=null 
    mInstallerUid=2000 createdMillis=1783026412778 updatedMillis=1783026412778 stageDir=/data/app/vmdl101.tmp 
    stageCid=null 
    mode=1 installFlags=0x400012 installLocation=1 sizeBytes=7000 appPackageName=null appIcon=false appLabel=null 
    mClientProgress=0.0 mProgress=0.0 mCommitted=false mSealed=false mDestroyed=false mFds=0 mFinalStatus=0 
    params.isMultiPackage=false params.isStaged=false 

  Session 102:
    userId=0 mOriginalInstallerUid=10123 mOriginalInstallerPackageName=com.acme.store 
    mode=1 installFlags=0x400012 installLocation=1 sizeBytes=7000 appPackageName=null 
    mCommitted=false mSealed=false mDestroyed=false 

  Session 103:
    userId=0 mOriginalInstallerUid=2000 mOriginalInstallerPackageName=com.android.shell 
    mode=1 installFlags=0x400012 installLocation=1 sizeBytes=70001 appPackageName=null 
    mCommitted=false mSealed=false mDestroyed=false 

  Session 104:
    userId=0 mOriginalInstallerUid=2000 mOriginalInstallerPackageName=com.android.shell 
    mode=1 installFlags=0x400012 installLocation=1 sizeBytes=7000 appPackageName=null 
    mCommitted=true mSealed=true mDestroyed=false 

  
Finalized install sessions:
  
Historical install sessions:
  Session 105:
    userId=0 mOriginalInstallerUid=2000 
    mode=1 sizeBytes=7000 
    mCommitted=false mSealed=false mDestroyed=false 

Legacy install sessions:
  {}
"""  # noqa: W291, W293
ANDROID_13 = (
    ANDROID_11.replace("  Session", "  Active Session")
    .replace("  Active Session 103:", "    Active Child Session 103:")
    .replace("sizeBytes=70001", "sizeBytes=300")
)
ANDROID_8 = ANDROID_11.replace("mOriginalInstallerUid", "mInstallerPackageName=null mInstallerUid")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (ANDROID_11, ("101",)),
        (ANDROID_11.replace("\n", "\r\n"), ("101",)),
        (ANDROID_13, ("101", "103")),
        (ANDROID_8, ("101",)),
        ("Active install sessions:\n  \nHistorical install sessions:\n", ()),
        ("Unable to find package: installs\n", None),
        ("", None),
        (NOT_FOUND, None),
    ],
)
async def test_open_sessions_of_ours_are_found(told: Answer, found: tuple[str, ...] | None) -> None:
    assert await find_sessions(FakeLink({INSTALLS: told}), {7000, 300}) == found


async def test_what_android_tells_without_owner_or_size_is_nobodys() -> None:
    nobody = ANDROID_11.replace("InstallerUid=2000", "InstallerUid=1000")
    for told in (nobody, ANDROID_11.replace("sizeBytes=7000", "sizeBytes=-1")):
        assert await find_sessions(FakeLink({INSTALLS: told}), {7000}) == ()
