"""The progress of a transfer in confirmed bytes, with an honest time: none when it cannot be known."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from techtool.domain.estimate import STALL_S
from techtool.domain.verdicts import size_text
from techtool.i18n import _
from techtool.tui.theme import AMBER, BLUE, DIM, STRONG, Glyphs
from techtool.tui.views.lines import clock_time
from techtool.tui.views.visit import Transfer
from techtool.tui.widgets.text import glyphs_of


def transfer_text(transfer: Transfer, width: int, glyphs: Glyphs) -> Text:
    """A bar and a line of figures."""
    room = max(10, width - 6)
    full = int(transfer.share * room)
    text = Text.assemble((glyphs.bar * full, BLUE))
    text.append(glyphs.bar_rest * (room - full), style="#2b3743")
    text.append(f" {int(transfer.share * 100):3d}%\n", style=f"bold {STRONG}")
    parts = [f"{size_text(transfer.confirmed_bytes)} / {size_text(transfer.total_bytes)}"]
    if transfer.resumed_bytes:
        parts.append(_("{size} were there").format(size=size_text(transfer.resumed_bytes)))
    if transfer.stalled_s >= STALL_S:
        text.append(parts[0])
        stalled = _("no answer for {seconds} s").format(seconds=int(transfer.stalled_s))
        text.append(f"   {stalled}", style=f"bold {AMBER}")
        return text
    if transfer.bytes_s is not None:
        parts.append(f"{size_text(int(transfer.bytes_s))}/s")
    if transfer.remaining_s is not None and transfer.share < 1:
        parts.append(_("{time} left").format(time=clock_time(transfer.remaining_s)))
    parts.append(_("{time} elapsed").format(time=clock_time(transfer.elapsed_s)))
    text.append("   ".join(parts), style=DIM)
    return text


class TransferBar(Static):
    """Hidden while nothing is transferred."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._transfer: Transfer | None = None

    def show_transfer(self, transfer: Transfer | None) -> None:
        """Show this transfer, or nothing."""
        if transfer != self._transfer:
            self._transfer = transfer
            self.display = transfer is not None
            self.on_resize()

    def on_resize(self) -> None:
        """Draw to the width there is."""
        if self._transfer is not None:
            self.update(transfer_text(self._transfer, self.size.width or 60, glyphs_of(self.app)))
