"""A gateway made of a recording: what it answered then, without a network, a certificate or a login."""

from __future__ import annotations

from collections.abc import Mapping

from techtool.domain.codec import CodecError, decode_json
from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, TechtoolError
from techtool.i18n import phrase
from techtool.links.base import Capability
from techtool.links.record.http import HTTP
from techtool.links.record.replay import ReplayLink
from techtool.links.record.transcript import Recording
from techtool.links.redfish.http import Answer
from techtool.links.redfish.link import RedfishLink
from techtool.links.redfish.payload import UpdateFile
from techtool.links.redfish.values import ROOT
from techtool.paths import Paths
from techtool.settings import RedfishSettings


class ReplayRedfish(RedfishLink):
    """See :class:`techtool.links.redfish.link.RedfishLink`; ``NotCapable`` for everything that changes a device."""

    def __init__(self, address: Address, recording: Recording, paths: Paths) -> None:
        super().__init__(address, RedfishSettings(), paths)
        self._replay = ReplayLink(address, recording)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """None: it takes nothing."""
        return frozenset()

    async def open(self) -> None:
        """From the first answer again."""
        await self._replay.open()
        self.root = (await self.ask("GET", ROOT)).body

    async def close(self) -> None:
        """Nothing is held."""
        await self._replay.close()

    async def ask(self, method: str, path: str, json: object | None = None) -> Answer:  # noqa: ARG002 - not recorded
        """What was answered then; raises ``CommandRefused`` for what was not asked."""
        if method != "GET":
            raise self._takes_nothing()
        entry = self._replay.answer(HTTP, f"{method} {path}")
        if entry.cut:
            raise CommandRefused(
                command=entry.what,
                answer=phrase("the recording keeps nothing of this answer"),
                address=str(self.address),
            )
        try:
            body = decode_json(entry.stdout.encode(), dict[str, object]) if entry.stdout else {}
        except CodecError as error:
            raise self._wrong(phrase("its answer is no JSON object")) from error
        return Answer(entry.exit_code or 0, {}, body)

    async def push_update(self, path: str, parameters: Mapping[str, object], file: UpdateFile) -> Answer:  # noqa: ARG002
        """A recording takes nothing."""
        raise self._takes_nothing()

    def _takes_nothing(self) -> TechtoolError:
        return self._replay.takes_nothing()
