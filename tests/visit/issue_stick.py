"""A stick with a payment application that says what it mends, and how that shows on site."""

from __future__ import annotations

from pathlib import Path

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import SystemClock
from techtool.domain.release import After, Issue, IssueCheck, ReleaseKind
from techtool.simulator.model import APKS

SEEN = Issue(
    "vendor",
    "BUG-1",
    text={"en": "Slip without the merchant number", "zh": "签购单缺少商户号"},
    symptom={"en": "The number is missing under the name.", "zh": "名称下方没有商户号。"},
)
READ = Issue(
    "vendor",
    "BUG-2",
    text={"en": "Clock in the wrong zone", "zh": "时区错误"},
    check=IssueCheck(probe="property:persist.sys.timezone", expect="UTC"),
)
NUMBER = Issue("cve", "CVE-2026-0001")


def make_issue_stick(folder: Path) -> Path:
    """The stick."""
    clock = SystemClock()
    workspace = Workspace.create(folder / "bundle", ("sunmi",), clock)
    draft = Description(
        kind=ReleaseKind.APPLICATION,
        install_duration=30,
        provides=(ProvidesEntry("sunmi", "P2"),),
        issues=(SEEN, READ, NUMBER),
        after=After(checks=("HW-06", "boots"), texts={"boots": {"en": "Starts twice in a row", "zh": "重启两次"}}),
        text={"en": "Mended slips.", "zh": "修复签购单。"},
    )
    workspace.add("sunmi", [APKS / "com.example.sunmi.pay-1.5.0.apk"], draft, clock)
    workspace.sign(clock)
    stick = folder / "stick"
    stick.mkdir()
    workspace.write(stick, clock)
    return stick
