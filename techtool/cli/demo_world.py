"""The demo's world: a throwaway home, a stick made here and now from the small APKs in the package, and answers."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from techtool.backups.keys import new_identity
from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.cli.background import RunningTerminals, simulated
from techtool.clock import Clock, SystemClock
from techtool.domain.codec import encode_json
from techtool.domain.release import Compare, ReleaseKind, Requirement, Rollback, Urgency
from techtool.domain.risk_subject import Trading
from techtool.domain.sign_off import SignOffWay
from techtool.domain.terminal import Address
from techtool.i18n import N_, translate
from techtool.paths import DISK, Paths
from techtool.reports.keys import allowed_signers_line, principal_for, public_path
from techtool.reports.seals import SEAL_NAMESPACE
from techtool.reports.sshsig import NAMESPACE
from techtool.settings import read_settings, write_settings
from techtool.simulator.model import APKS
from techtool.simulator.run import specs_for
from techtool.visit.awake import not_kept
from techtool.visit.checks import SKIMMER_CHECK
from techtool.visit.engine import Engine
from techtool.visit.hints import Hints
from techtool.visit.operator import Answers, ScriptedOperator
from techtool.visit.services import Services, VisitRequest
from techtool.visit.setup import make_key, save_person, save_recipients, trust_root
from techtool.visit.steps.sign_off import AUTO

PASSPHRASE: Final = "demo-passphrase"  # noqa: S105 - of a throwaway key
TERMINALS: Final = 3

_MODELS: Final[Mapping[str, str]] = {"sunmi": "P2", "castles": "Saturn1000F2", "verifone": "T650p"}
"""Vendor → model: what the simulator has, by the catalogue's ids."""

_TEXT: Final = {
    "en": "Faster contactless payments; receipts show the merchant number.",
    "zh": "非接支付更快；签购单显示商户号。",
}
_KERNEL_TEXT: Final = {"en": "EMV kernel with the limits of this autumn.", "zh": "含今年秋季限额的 EMV 内核。"}


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """Everything below one folder: ``home``, ``stick``, ``answers.json``, ``office`` (the office's side)."""

    folder: Path

    @property
    def paths(self) -> Paths:
        """The laptop's home."""
        return Paths(self.folder / "home")

    @property
    def stick(self) -> Path:
        """The stick."""
        return self.folder / "stick"

    @property
    def answers(self) -> Path:
        """Request id → answer, the happy path."""
        return self.folder / "answers.json"

    @classmethod
    def make(cls, folder: Path, language: str, clock: Clock | None = None) -> DemoWorld:
        """Make home, stick and answers in an existing folder."""
        world = cls(folder)
        office = folder / "office"
        office.mkdir()
        key = new_identity()
        (office / "office.agekey").write_text(key.secret + "\n", encoding="ascii")
        (office / "recipients.txt").write_text(f"# demo office\n{key.public}\n", encoding="ascii")
        root = make_stick(office / "bundle", world.stick, clock or SystemClock())
        technician = translate(N_("Demo Technician"), language)
        save_person(world.paths, language, technician)
        own = read_settings(world.paths.settings)
        write_settings(world.paths.settings, replace(own, tests=replace(own.tests, stability_s=0)))
        make_key(world.paths, technician, PASSPHRASE)
        trust_root(world.paths, root)
        save_recipients(world.paths, office / "recipients.txt")
        DISK.write_file(world.answers, encode_json(world.happy_answers(language), indent=2))
        return world

    def happy_answers(self, language: str) -> dict[str, str | bool]:
        """What a technician on a good day says."""
        services = Services.real(self.paths)
        return {
            "visit.passphrase": PASSPHRASE,
            "arrive.merchant": translate(N_("Demo Noodle House"), language),
            "arrive.work_order": "WO-DEMO-1",
            "arrive.identity": True,
            "arrive.identity_by": translate(N_("Demo Shopkeeper"), language),
            "arrive.identity_method": "card-and-order",
            f"inspect.{SKIMMER_CHECK}": "pass",
            "confirm.trading": Trading.SECOND.value,
            "confirm.mitigations": True,
            "test.consent": True,
            **{f"test.{test.id}": "pass" for test in services.catalogue.tests},
            "sign_off.way": SignOffWay.TYPED.value,
            "sign_off.name": translate(N_("Demo Shopkeeper"), language),
            "sign_off.role": translate(N_("Owner"), language),
            "sign_off.code": AUTO,
        }

    @contextlib.contextmanager
    def terminals(self) -> Iterator[RunningTerminals]:
        """One simulated terminal of each model, until the block ends."""
        state = self.folder / "terminals"
        with simulated(specs_for(None, TERMINALS), state, boot_s=0.2) as running:
            yield running

    def hints(self, terminals: RunningTerminals) -> Hints:
        """What the screens offer before it is typed."""
        return Hints(addresses=terminals.addresses, stick=str(self.stick), passphrase=PASSPHRASE)

    def visit(self, addresses: tuple[str, ...]) -> tuple[Engine, ScriptedOperator, VisitRequest]:
        """A visit to all of them, with the prepared answers."""
        operator = ScriptedOperator(Answers.read(self.answers))
        request = VisitRequest(tuple(Address.parse(a) for a in addresses), self.stick)
        return Engine(replace(Services.real(self.paths), keep_awake=not_kept), operator), operator, request

    def collect_reports(self) -> None:
        """Put every report beside the world, and the line by which ``ssh-keygen -Y verify`` knows their signer."""
        target = self.folder / "reports"
        target.mkdir(exist_ok=True)
        for path in self.paths.reports.glob("*/*"):
            shutil.copy2(path, target / path.name)
        public = public_path(self.paths.report_key).read_text(encoding="utf-8")
        comment = " ".join(public.split()[2:])
        line = allowed_signers_line(public, principal_for(comment), (NAMESPACE, SEAL_NAMESPACE))
        (self.folder / "allowed_signers").write_text(line + "\n", encoding="utf-8")


def make_stick(bundle: Path, stick: Path, clock: Clock) -> Path:
    """Publish the demo releases of three vendors and write them to ``stick``; returns the root to trust."""
    workspace = Workspace.create(bundle, tuple(_MODELS), clock)
    for vendor, model in _MODELS.items():
        provides = (ProvidesEntry(vendor, model),)
        workspace.add(vendor, [APKS / f"com.example.{vendor}.pay-1.5.0.apk"], _pay(provides, vendor), clock)
    kernel = Description(
        kind=ReleaseKind.KERNEL,
        install_duration=20,
        provides=(ProvidesEntry("sunmi", _MODELS["sunmi"]),),
        requires=(Requirement("battery", percent=30),),
        text=_KERNEL_TEXT,
    )
    workspace.add("sunmi", [APKS / "com.example.emvkernel-7.1.0.apk"], kernel, clock)
    workspace.sign(clock)
    stick.mkdir(parents=True, exist_ok=True)
    workspace.write(stick, clock)
    return stick / "TECHTOOL" / "metadata" / "1.root.json"


def _pay(provides: tuple[ProvidesEntry, ...], vendor: str) -> Description:
    """A payment application; on the Sunmi it needs the new kernel first, so that the plan has two steps."""
    needs = [Requirement("battery", percent=30), Requirement("no-open-batch")]
    if vendor == "sunmi":
        needs.append(Requirement("component", Compare.GE, "7.1.0", id="com.example.emvkernel"))
    return Description(
        kind=ReleaseKind.APPLICATION,
        urgency=Urgency.HIGH,
        install_duration=40,
        provides=provides,
        requires=tuple(needs),
        rollback=Rollback(allowed=False),
        text=_TEXT,
    )
