"""The facts of a terminal that is worked on by hand, as the steps of a visit ask for them and journal them."""

from __future__ import annotations

from functools import partial

from techtool.domain.components import Part, Relation, parts
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.release import Release, VerifiedRelease
from techtool.domain.terminal import InstalledPackage, TerminalState
from techtool.domain.visit import InstalledFile
from techtool.errors import AnotherTerminal, VerifyFailed
from techtool.i18n import Phrase, bilingual, phrase
from techtool.terminals.medium import TypedTerminal
from techtool.visit.by_hand import Slots, When, guide_of, identify_by_hand, type_versions
from techtool.visit.lane import Lane


async def know_by_hand(lane: Lane) -> None:
    """Have the terminal identified by a person, or, where this visit knows it already, recognised.

    Raises ``MediumUnfit``, ``UnknownModel``, ``GateClosed``; ``AnotherTerminal`` for another serial number.
    """
    if lane.terminal is not None and lane.state is not None:
        lane.typed_anew = not lane.changing
        return
    known = lane.record.before
    ask = partial(lane.ask, StepKind.IDENTIFY)
    if known is None:
        state = await identify_by_hand(ask, lane.address, _releases(lane))
        lane.terminal = TypedTerminal(state)
        return
    await _recognise(lane, known)
    lane.terminal = TypedTerminal(known)
    lane.typed_anew = False


async def read_by_hand(lane: Lane) -> TerminalState:
    """What was typed last, typed anew where something was done since."""
    state = await lane.driver.read_state()
    if lane.typed_anew:
        return state
    guide = guide_of(state)
    when = When.AFTER if lane.changing else When.BEFORE
    step = StepKind.VERIFY if lane.changing else StepKind.IDENTIFY
    slots = Slots.of(_releases(lane), guide)
    state = await type_versions(partial(lane.ask, step), guide, lane.address, state.identity.serial, slots, when)
    lane.terminal = TypedTerminal(state)
    lane.typed_anew = True
    return state


async def _recognise(lane: Lane, known: TerminalState) -> None:
    """A resumed visit accepts no other terminal: its serial number is read from the label once more."""
    expected = known.identity.serial
    question = Question(
        "identify.serial",
        AnswerKind.TEXT,
        phrase("Serial number of the terminal that lies before you now"),
        help=bilingual(guide_of(known).serial_at),
        serial=expected,
    )
    found = (await lane.ask(StepKind.IDENTIFY, question)).strip()
    if found.upper() != expected.upper():
        raise AnotherTerminal(address=str(lane.address), found=found, expected=expected, reason="", remedy="")


def _releases(lane: Lane) -> tuple[Release, ...]:
    return tuple(verified.release for verified in lane.opened.releases) if lane.opened else ()


async def verify_by_hand(lane: Lane) -> None:
    """Have the versions typed again and compare them with the plan; raises :class:`VerifyFailed`.

    What comes of it is a person's word: the outcome is “self-reported”, never “verified”. A version that nobody could
    read is no good end either.
    """
    title = phrase("Read the versions from the terminal's screen")
    async with lane.step(StepKind.VERIFY, title=title) as step:
        after = await read_by_hand(lane)
        lane.state = after
        lane.log.read_again(lane.id, after)
        last = {
            part.slot: (verified, part) for verified in lane.agreed.releases for part in parts(verified.release, after)
        }
        for verified, part in last.values():
            _record(lane, verified, part)
        for verified, part in last.values():
            problem = _difference(part)
            if problem is not None:
                raise VerifyFailed(package=verified.release.key, reason=problem)
        step.result = phrase(
            "{count} versions typed from the screen agree: self-reported, nothing was read by techtool", count=len(last)
        )
    lane.changing = False


def _difference(part: Part) -> Phrase | None:
    if part.relation is Relation.SAME:
        return None
    if not part.found.present:
        return phrase("nobody could read on its screen what it runs now")
    return phrase(
        "its screen shows version {found}, {wanted} was to be installed", found=part.found.version, wanted=part.brings
    )


def _record(lane: Lane, verified: VerifiedRelease, part: Part) -> None:
    """What was typed, beside what was to come; without a digest of the terminal's, for nobody can read one."""
    if part.found.present:
        package = InstalledPackage(verified.release.id, part.found.version, 0)
        lane.log.installed(lane.id, InstalledFile(verified.release.key, package, verified.release.files[0].sha256, ""))
