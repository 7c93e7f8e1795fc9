"""The state a terminal must be in whatever a release says of it, and the floors by default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from techtool.domain.release import Compare
from techtool.domain.rules import Case, Force, Verdict
from techtool.domain.terminal import BatchState, TamperState
from techtool.domain.verdicts import need_amount, size_text, told, untold
from techtool.i18n import Phrase, phrase

BATTERY_FLOOR_PERCENT: Final = 30
"""On battery alone (field practice; no standard says it). A kind of release may need more, never less."""
BATTERY_FLOOR_POWERED_PERCENT: Final = 15
"""With the adapter connected (field practice)."""
STORAGE_MARGIN_PERCENT: Final = 110
"""Free storage, as a share of what the release needs (field practice)."""

ASK_BATCH: Final = "check.batch"
ASK_TAMPER: Final = "inspect.tamper"
ASK_POWER: Final = "check.external-power"


def state(case: Case) -> Iterator[Verdict]:
    """Whether it is the terminal it says it is, and unharmed."""
    yield _serial(case)
    yield _tamper(case)


def floors(case: Case) -> Iterator[Verdict]:
    """Battery and storage no release may go below, where they are known; no loss of takings."""
    yield _battery_floor(case)
    yield _storage_floor(case)
    if case.release.erases_data:
        yield batch_settled(case, "erases-data")


def batch_settled(case: Case, what: str) -> Verdict:
    """No takings wait in the terminal; the terminal's own word counts before the technician's."""
    remedy = phrase("Settle the batch on the terminal, then check again.")
    terminal = case.terminal
    if terminal.batch is BatchState.OPEN:
        return told(what, False, phrase("The batch is open: takings wait in the terminal."), remedy)
    if terminal.offline_sales or terminal.reversals:
        reason = phrase(
            "{sales} offline sales and {reversals} reversals wait to be sent to the host.",
            sales=terminal.offline_sales or 0,
            reversals=terminal.reversals or 0,
        )
        return told(
            what, False, reason, phrase("Connect the terminal to its host, let it send them, then check again.")
        )
    if terminal.batch is None:
        need = phrase("the batch is settled, no offline sale and no reversal waits")
        return untold(what, ASK_BATCH, need, case.environment, remedy)
    return Verdict(what, True, phrase("The batch is settled."))


def external_power(case: Case, what: str) -> Verdict:
    """The adapter is connected; asked where the terminal does not tell its power supply."""
    battery = case.terminal.battery
    remedy = phrase("Connect the adapter and leave it connected.")
    if battery is None:
        return untold(what, ASK_POWER, phrase("the adapter is connected"), case.environment, remedy)
    if battery.external_power:
        return Verdict(what, True, phrase("The adapter is connected."))
    reason = phrase("The adapter is not connected (battery {percent} %).", percent=battery.percent)
    return told(what, False, reason, remedy)


def _serial(case: Case) -> Verdict:
    identity = case.terminal.identity
    if identity.serial_trusted:
        return Verdict("serial", True, phrase("Serial number {serial}.", serial=identity.serial))
    reason = phrase("The serial number {serial} is a default that many units share.", serial=identity.serial)
    remedy = phrase("Compare the number on the label and say in the report which terminal it is.")
    return told("serial", False, reason, remedy, Force.WARNING)


def _tamper(case: Case) -> Verdict:
    remedy = phrase("Take the terminal out of use and tell the acquirer; do not open it.")
    match case.terminal.tamper:
        case TamperState.NORMAL:
            return Verdict("tamper", True, phrase("The terminal reports no tampering."))
        case TamperState.TAMPERED:
            return told("tamper", False, phrase("The terminal reports that it was tampered with."), remedy)
        case None:
            need = phrase("seals whole and no tamper message on the screen")
            return untold("tamper", ASK_TAMPER, need, case.environment, remedy)


def _battery_floor(case: Case) -> Verdict:
    battery = case.terminal.battery
    if battery is None:
        return Verdict(
            "battery", True, phrase("The terminal tells no battery level; the general minimum is not applied.")
        )
    general = BATTERY_FLOOR_POWERED_PERCENT if battery.external_power else BATTERY_FLOOR_PERCENT
    floor = max(general, case.environment.policy.of(case.release.kind).battery_percent)
    need = need_amount(Compare.GE, f"{floor} %")
    reason = battery_reason(battery.percent, battery.external_power, need)
    return told("battery", battery.percent >= floor, reason, charge_remedy(battery.external_power, f"{floor} %"))


def battery_reason(percent: int, external_power: bool, need: Phrase) -> Phrase:
    """“Battery 22 %, needs 40 % or more (adapter not connected).”"""
    supply = phrase("adapter connected") if external_power else phrase("adapter not connected")
    return phrase("Battery {percent} %, needs {need} ({supply}).", percent=percent, need=need, supply=supply)


def charge_remedy(external_power: bool, amount: str) -> Phrase:
    """What to do about a low battery."""
    if external_power:
        return phrase("Let it charge to {amount}, then check again.", amount=amount)
    return phrase("Connect the adapter and let it charge to {amount}, then check again.", amount=amount)


def storage_reason(free_bytes: int, need: Phrase) -> Phrase:
    """“Free storage 12.0 MB, needs 16.5 MB or more.”"""
    return phrase("Free storage {free}, needs {need}.", free=size_text(free_bytes), need=need)


def storage_remedy() -> Phrase:
    """What to do about a full terminal."""
    return phrase("Have the terminal's logs and unused data cleared as its maker says, then check again.")


def _storage_floor(case: Case) -> Verdict:
    free = case.terminal.free_storage_bytes
    if free is None:
        return Verdict(
            "free-storage", True, phrase("The terminal tells no free storage; the general minimum is not applied.")
        )
    wanted = -(-case.release.size_bytes * STORAGE_MARGIN_PERCENT // 100)
    reason = storage_reason(free, need_amount(Compare.GE, size_text(wanted)))
    return told("free-storage", free >= wanted, reason, storage_remedy())
