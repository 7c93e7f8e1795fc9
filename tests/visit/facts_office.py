"""An office that enrolled a laptop and signs facts for it, by the same key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from techtool.clock import SystemClock, stamp
from techtool.office.enrolling import accept
from techtool.office.enrolment import Enrolment, make_enrolment, parse_enrolment
from techtool.paths import Paths
from techtool.reports.facts_seal import beside, sign_facts
from techtool.reports.keys import ReportKey
from techtool.store.home import Home
from tests.unit.bundles.office import private_key

NAME = "North office"


@dataclass(frozen=True)
class FactsOffice:
    """By name, because each name has a key of its own."""

    name: str = "office"

    @property
    def key(self) -> ReportKey:
        return ReportKey(private_key(self.name))

    def enrol(self, paths: Paths, old: FactsOffice | None = None) -> None:
        """The laptop keeps its root and its recipients."""
        (root,) = (paths.trust / "roots").glob("*.root.json")
        recipients = tuple(line for line in paths.recipients.read_text().split() if line.startswith("age1"))
        said = Enrolment(NAME, stamp(SystemClock().now()), (root.read_text(encoding="utf-8"),), recipients)
        file = make_enrolment(said, self.key, old.key if old is not None else None)
        accept(parse_enrolment(file, "enrolment"), Home(paths), SystemClock())

    def sign(self, file: Path) -> Path:
        beside(file).write_text(sign_facts(file.read_bytes(), self.key), encoding="ascii")
        return file
