"""Stability watch: no restart and no crash for some minutes, while the person does the other tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from techtool.domain.plan import StepKind
from techtool.domain.probe import Finding, Pulse, unsteady
from techtool.domain.question import AnswerKind, CheckAnswer, CheckResult, Question
from techtool.errors import LinkLost, LinkTimeout, Unreachable
from techtool.i18n import phrase
from techtool.visit.lane import Lane

WATCH: Final = "APP-07"
_ASKED_FROM_S: Final = 30.0
"""A shorter rest is simply waited for."""


@dataclass(slots=True)
class Watch:
    """Begun right after the installation was verified; a resumed lane begins anew."""

    lane: Lane
    first: Pulse
    begun_s: float

    @classmethod
    async def begin(cls, lane: Lane) -> Watch | None:
        """None where the terminal does not tell even which start it is in: a person watches."""
        first = await lane.driver.pulse()
        return cls(lane, first, lane.services.clock.monotonic_s()) if first is not None else None

    @property
    def left_s(self) -> float:
        """How long it is still to be watched."""
        watched_s = self.lane.services.clock.monotonic_s() - self.begun_s
        return max(0.0, self.lane.services.settings.tests.stability_s - watched_s)

    async def skipped(self) -> CheckAnswer | None:
        """Where there is a while to wait: the person may leave it out, with the reason."""
        if self.left_s < _ASKED_FROM_S:
            return None
        test = self.lane.services.catalogue.test(WATCH)
        question = Question(
            f"{StepKind.TEST.value}.{WATCH}",
            AnswerKind.TEST_RESULT,
            test.title_phrase,
            help=phrase(
                "The terminal is watched for another {seconds} s. “Passed” begins that; “not done” leaves it out, with "
                "the reason.",
                seconds=round(self.left_s),
            ),
            serial=self.lane.known.identity.serial,
            optional=True,
        )
        answer = CheckAnswer.parse(await self.lane.ask(StepKind.TEST, question))
        return None if answer is None or answer.result is CheckResult.PASS else answer

    async def look(self) -> Finding:
        """Look until the time is over or something happens; at least twice in all."""
        lane = self.lane
        packages = {apk.id for verified in lane.agreed.releases for apk in verified.release.packages}
        poll_s = lane.services.catalogue.limits.watch_poll_s
        while True:
            left_s = self.left_s
            if left_s > 0:
                await lane.services.sleep(min(poll_s, left_s))
            now = await self._pulse()
            happened = unsteady(self.first, now, packages) if now is not None else None
            value = f"{round(lane.services.clock.monotonic_s() - self.begun_s)} s"
            if happened is not None:
                return Finding(CheckResult.FAIL, value, happened)
            if self.left_s <= 0:
                crashes = self.first.crashes is not None
                said = None if crashes else phrase("its crash log may not be read; restarts were watched")
                return Finding(CheckResult.PASS, value, said)

    async def _pulse(self) -> Pulse | None:
        """A link that was lost may be a restart: wait for the terminal, then it says which start it is in."""
        try:
            return await self.lane.driver.pulse()
        except (LinkLost, LinkTimeout, Unreachable):
            await self.lane.driver.wait_ready()
            return await self.lane.driver.pulse()
