"""What lies behind the visits in the scenes: backups, history, due terminals, trust. Frozen, like everything there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from techtool.bundles.roots import RootFacts
from techtool.catalogue.approvals import Approvals
from techtool.catalogue.contacts import Contact
from techtool.catalogue.facts import FactsFile, IssuedFacts, OfficeFacts
from techtool.domain.due import Cadence, Due, Life, Waiting
from techtool.domain.history import TerminalEntry, VersionSeen
from techtool.domain.outcome import Outcome
from techtool.domain.release import Urgency
from techtool.domain.terminal import Evidence
from techtool.domain.visit_state import VisitState
from techtool.i18n import language
from techtool.reports.enrolled import Enrolled
from techtool.reports.maker_facts import FactRow, rows_of
from techtool.reports.support import Opened
from techtool.tui.back_doors import HouseBackDoors, Remembered, TrustState
from techtool.tui.office_doors import FactsState, OfficeState
from techtool.visit.kept_backups import KeptBackup, Presence
from techtool.visit.support import Made
from tests.factories import digest_of
from tests.tui.scene_shop import MERCHANT, SERIAL, START, STICK

NOW: Final[datetime] = START


def _backup(number: int, serial: str, days: int, **changes: object) -> KeptBackup:
    at = NOW - timedelta(days=days)
    visit = f"V{at:%Y%m%d}-0915{number:02}-7f3{number}"
    made = KeptBackup(
        visit=visit,
        visit_state=VisitState.SEALED,
        id=f"{visit}-1",
        serial=serial,
        file=f"{visit}-1.tar.age",
        sha256=digest_of(visit),
        size_bytes=182_400_000,
        items=14,
        made_at=at,
        verified=True,
        presence=Presence.HERE,
        key=Presence.HERE,
        key_until=at + timedelta(days=30),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def backups() -> list[KeptBackup]:
    return [
        _backup(1, "T650P00771201", 64, presence=Presence.DELETED, key=Presence.DELETED),
        _backup(2, "P2A0123450012", 41, key=Presence.DELETED),
        _backup(3, SERIAL, 9, verified=False),
        _backup(4, SERIAL, 1),
    ]


def _entry(serial: str, days: int, outcome: Outcome | None, **changes: object) -> TerminalEntry:
    at = NOW - timedelta(days=days, hours=2)
    made = TerminalEntry(
        visit=f"V{at:%Y%m%d-%H%M%S}-51c0",
        lane="1",
        at=at,
        serial=serial,
        vendor="sunmi",
        model="P2",
        vendor_name="SUNMI",
        model_name="P2",
        tid="10002093",
        mid="898110053310093",
        site="SH-88",
        merchant=MERCHANT,
        work_order="WO-2026-1142",
        technician="Li Wei",
        visit_kind="update",
        visit_type="update",
        outcome=outcome,
        exit_code=0,
        firmware="P2_SIM_3.0.20",
        hw_revision="B",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def entries() -> tuple[TerminalEntry, ...]:
    changed = (VersionSeen("com.example.pay", "1.4.0", "1.5.0"), VersionSeen("com.example.emvkernel", "7.0.0", "7.1.0"))
    return (
        _entry(
            "T650P00771201", 203, Outcome.SUCCESS, vendor_name="Verifone", model_name="T650p", merchant="面馆 No. 7"
        ),
        _entry(SERIAL, 190, Outcome.SUCCESS, inspected_at=NOW - timedelta(days=190)),
        _entry("P2A0123450012", 40, Outcome.FAILED_TRANSIENT, merchant="Harbour Books"),
        _entry(
            SERIAL, 1, Outcome.SUCCESS, versions=changed, backup="V20261121-091504-7f34-1", failed_checks=("PR-02",)
        ),
    )


def due() -> tuple[Due, ...]:
    today = NOW.date()
    late, soon = today - timedelta(days=203), today + timedelta(days=12)
    waits = Waiting("com.example.pay@1.5.0", Urgency.HIGH, "1.4.0", today + timedelta(days=3), ("CVE-2026-20411",))
    return (
        Due(
            "T650P00771201",
            "Verifone T650p",
            "面馆 No. 7",
            late,
            180,
            "settings",
            late + timedelta(days=180),
            inspected=late,
            inspection_due=today - timedelta(days=4),
        ),
        Due(
            "P2A0123450012", "SUNMI P2", "Harbour Books", today - timedelta(days=40), 180, "settings", waiting=(waits,)
        ),
        Due(SERIAL, "SUNMI P2", MERCHANT, today - timedelta(days=168), 180, "settings", soon),
    )


def trust_state() -> TrustState:
    root = RootFacts(digest_of("root"), 3, NOW + timedelta(days=400), 3, 2, b"")
    recipients = ("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",)
    return TrustState((root,), recipients, NOW - timedelta(days=9), NOW)


def office_state() -> OfficeState:
    """Two visits of today wait; the rest went home yesterday."""
    line = f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{digest_of('key')[:35]} Li-Wei"
    enrolled = Enrolled(
        "North office", line, "2026-09-01T08:00:00.000Z", digest_of("enrolment"), (), "2026-09-03T01:12:00.000Z"
    )
    return OfficeState(
        url="https://office.example:443/techtool",
        waiting=2,
        sealed=41,
        last=NOW - timedelta(days=1, hours=3),
        stick=NOW - timedelta(days=20),
        enrolled=enrolled,
        key_line=f'Li-Wei namespaces="techtool-report,techtool-seal" {line}',
    )


def facts_state() -> FactsState:
    """One file of the office beside what is built in, with a picture."""
    file = FactsFile(
        1,
        "ACME, estate office",
        (NOW - timedelta(days=2)).date(),
        cadence=(Cadence("sunmi", 90, "ACME contract 7"),),
        life=(Life("sunmi", "P2", "the maker's letter of 2026-03-01", end_of_life=date(2030, 1, 1)),),
        contact=(Contact("sunmi", "ACME's desk for SUNMI", {}, "ACME intranet", phone="+86 10 5555 0199"),),
    )
    facts = OfficeFacts((IssuedFacts(Path("acme.toml"), file, "North office"),))
    shown = FactRow(
        "picture",
        "sunmi P2: 底部，两枚封签" if language() == "zh" else "sunmi P2: the underside, both seals",
        "photographed by ACME's workshop (ACME, estate office, 2026-11-20)",
        Evidence.RECORDED,
        picture=Path("/home/wei/techtool/catalogue/pictures/p2.jpg"),
    )
    return FactsState(facts, (*rows_of(facts, Approvals()), shown), "North office")


class ScenePlaces(HouseBackDoors):
    """Everything is known beforehand."""

    def backups(self) -> list[KeptBackup]:
        return backups()

    def history(self) -> Remembered:
        return Remembered(entries(), ())

    def due(self, stick: Path | None) -> tuple[Due, ...]:
        return due()

    def drives(self) -> tuple[Path, ...]:
        return (Path(STICK),)

    def trust(self) -> TrustState:
        return trust_state()

    def office(self) -> OfficeState:
        return office_state()

    def facts(self) -> FactsState:
        return facts_state()

    def support(self, visit: str, folder: Path) -> Made:
        opened = Opened((), 48_211, digest_of("support"))
        return Made(folder / f"techtool-support-{visit}-{opened.code}.zip", opened, ("sunmi",))
