"""The link to one Redfish service: pinned TLS, a session, resources. It has no shell and no files, and invents none.

Sources: DMTF DSP0266 (protocol), DSP0268 (schemas). No payment terminal is known to expose this interface; techtool was
tried against a simulator of its own and published Redfish tools, and not verified on hardware.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Final

from techtool.domain.codec import encode_json
from techtool.domain.sensitive import redact
from techtool.domain.terminal import Address
from techtool.errors import (
    CommandRefused,
    LinkError,
    LinkLost,
    LinkTimeout,
    LoginNeeded,
    LoginRefused,
    TechtoolError,
    WrongProtocol,
)
from techtool.i18n import Phrase, phrase, raw
from techtool.links.base import Capability
from techtool.links.redfish.http import Answer, Http
from techtool.links.redfish.logins import Login, read_login
from techtool.links.redfish.payload import UpdateFile
from techtool.links.redfish.pins import Pins, Presented, certificate_at, check, context_for, fingerprint_of, typed_fits
from techtool.links.redfish.values import ROOT, Body, link_of, list_of, part_of, path_of, text_of
from techtool.links.redfish.watch import Watcher
from techtool.links.without_shell import WithoutShell
from techtool.paths import DISK, Disk, Paths
from techtool.settings import RedfishSettings

MEMBERS_LIMIT: Final = 200
"""Of one collection: a gateway has a handful of components, a rack of servers is none."""
LIST_S: Final = 180.0
"""For a collection with all its members."""
_PAGES_LIMIT: Final = 20
_TOKEN_LIMIT: Final = 4096
_CLOSE_S: Final = 5.0
_SHOWN: Final = 300


class RedfishLink(WithoutShell):
    """See :class:`techtool.links.base.Link`; what is not HTTP raises ``NotCapable``."""

    def __init__(self, address: Address, settings: RedfishSettings, paths: Paths, *, disk: Disk = DISK) -> None:
        self._address = address
        self._settings = settings
        self._pins = Pins(paths, disk)
        self._login: Login | None = None
        self._http: Http | None = None
        self._session = ""
        self._signed_in = False
        self._presented: Presented | None = None
        self._watcher: Watcher | None = None
        self.root: Body = {}
        """The service root, once it is open."""

    @property
    def address(self) -> Address:
        """Where it leads."""
        return self._address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Of a shell's kind there are none; what the update service can do is read from it."""
        return frozenset({Capability.REBOOT}) if self._http is not None else frozenset()

    @property
    def hosts(self) -> tuple[str, str]:
        """This laptop's address as the device can reach it, and the device's; empty before :meth:`open`."""
        return (self._presented.own_host, self._presented.peer_host) if self._presented is not None else ("", "")

    # -- opening and closing

    def sign_in(self, login: Login) -> None:
        """Use this login from the next :meth:`open` on; it is kept in memory only."""
        self._login = login

    def compare(self, typed: str) -> bool:
        """Trust the certificate that was shown last, if what a person typed from the label is its fingerprint."""
        if self._presented is None or not typed_fits(typed, fingerprint_of(self._presented.der)):
            return False
        self._pins.keep(self._address, self._presented.der)
        return True

    def watch(self, watcher: Watcher) -> None:
        """Tell everything that is asked from now on."""
        self._watcher = watcher

    async def open(self) -> None:
        """Connect; nothing is sent before the certificate is the compared one.

        Raises ``CertificateUnknown``, ``CertificateChanged``, ``LoginNeeded``, ``LoginRefused`` besides.
        """
        try:
            await self._connect()
        except TechtoolError as error:
            if self._watcher is not None:
                self._watcher.not_opened(error)
            raise
        if self._watcher is not None:
            self._watcher.opened(self.capabilities)

    async def _connect(self) -> None:
        await self.close()
        self._presented = await certificate_at(self._address)
        pin = check(self._address, self._pins.find(self._address), self._presented.der)
        self._http = Http(self._address, context_for(pin))
        try:
            self.root = (await self._heard("GET", ROOT, self._http.request("GET", ROOT))).body
            if not text_of(self.root, "RedfishVersion"):
                raise self._wrong(phrase("it is no Redfish service"))
            await self._begin_session()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the session on the device as far as it still answers, and let go."""
        http, self._http, session, self._session = self._http, None, self._session, ""
        self._signed_in = False
        if http is None:
            return
        if session:
            with contextlib.suppress(TechtoolError):
                await http.request("DELETE", session, timeout_s=_CLOSE_S)
        await http.close()

    async def _begin_session(self) -> None:
        """Sign in where the service has sessions (DSP0266 §13.3.4); one without lets everybody in, or nobody."""
        sessions = link_of(self.root, "Links", "Sessions")
        if not sessions:
            return
        login = self._login or self._from_file()
        if login is None:
            raise LoginNeeded(address=str(self._address))
        http = self._open
        http.unsign()
        http.hide(login.password)
        answer = await http.request("POST", sessions, json={"UserName": login.user, "Password": login.password})
        if answer.status in (400, 401, 403):
            raise LoginRefused(address=str(self._address), detail=f"HTTP {answer.status}")
        token = answer.headers.get("x-auth-token", "")
        if not answer.ok or not 0 < len(token) <= _TOKEN_LIMIT or not token.isascii() or not token.isprintable():
            raise self._wrong(phrase("it answered the login with {status}", status=answer.status))
        http.sign(token)
        self._signed_in = True
        self._session = self.local(answer.headers.get("location", "")) or path_of(answer.body.get("@odata.id"))

    def _from_file(self) -> Login | None:
        name = self._settings.login_file
        return read_login(Path(name).expanduser(), self._address) if name else None

    # -- resources

    async def get(self, path: str) -> Body:
        """One resource; raises ``CommandRefused`` where the device does not give it."""
        answer = await self.ask("GET", path)
        if not answer.ok:
            raise self.refused(f"GET {path}", answer)
        return answer.body

    async def find(self, path: str) -> Body:
        """One resource, or an empty one where the device has none there."""
        answer = await self.ask("GET", path)
        if answer.status in (404, 405, 501):
            return {}
        if not answer.ok:
            raise self.refused(f"GET {path}", answer)
        return answer.body

    async def ask(self, method: str, path: str, json: object | None = None) -> Answer:
        """Any answer; a session that ran out is begun anew, once."""
        answer = await self._heard(method, path, self._open.request(method, path, json=json))
        if answer.status == 401 and self._signed_in:
            self._session, self._signed_in = "", False
            await self._begin_session()
            answer = await self._heard(method, path, self._open.request(method, path, json=json))
        return answer

    async def _heard(self, method: str, path: str, asking: Awaitable[Answer]) -> Answer:
        """An answer that whoever watches has heard as well."""
        try:
            answer = await asking
        except LinkError as error:
            if self._watcher is not None:
                self._watcher.failed(method, path, error)
            raise
        if self._watcher is not None:
            self._watcher.answered(method, path, answer)
        return answer

    async def members(self, path: str) -> tuple[Body, ...]:
        """Every member of a collection, each once; raises ``WrongProtocol`` for one without an end.

        ``LinkTimeout`` for one that takes :data:`LIST_S`: each of its answers may come in time, and all of them never.
        """
        try:
            async with asyncio.timeout(LIST_S):
                return await self._all_members(path)
        except TimeoutError:
            raise LinkTimeout(address=str(self._address), seconds=round(LIST_S)) from None

    async def _all_members(self, path: str) -> tuple[Body, ...]:
        found: list[Body] = []
        seen: set[str] = set()
        pages: set[str] = set()
        while path:
            if path in pages or len(pages) >= _PAGES_LIMIT:
                raise self._wrong(phrase("its lists go round in circles"))
            pages.add(path)
            page = await self.find(path)
            for member in list_of(page, "Members"):
                link = path_of(member.get("@odata.id") if isinstance(member, Mapping) else None)
                if not link:
                    raise self._wrong(phrase("it names a place that is not its own"))
                if link in seen:
                    continue
                seen.add(link)
                if len(seen) > MEMBERS_LIMIT:
                    raise self._wrong(phrase("its lists have more than {limit} entries", limit=MEMBERS_LIMIT))
                body = await self.find(link)
                if body:
                    found.append(body)
            follow = page.get("Members@odata.nextLink")
            path = path_of(follow)
            if follow and not path:
                raise self._wrong(phrase("it names a place that is not its own"))
        return tuple(found)

    async def push_update(self, path: str, parameters: Mapping[str, object], file: UpdateFile) -> Answer:
        """Stream a file into the update service; the answer is whatever the device says."""
        await self.round_trip()
        answer = await self._heard("POST", path, self._open.push(path, encode_json(parameters), file))
        file.answered()
        return answer

    async def round_trip(self) -> None:
        """The smallest question there is: measures the link, and shows a session that ran out."""
        answer = await self.ask("GET", ROOT)
        if not answer.ok:
            raise self.refused(f"GET {ROOT}", answer)

    async def system_log(self, *, timeout_s: float = 20.0, limit_bytes: int = 2 << 20) -> bytes:
        """See :class:`techtool.links.base.LogLink`."""
        from techtool.links.redfish.log import read_log

        try:
            async with asyncio.timeout(timeout_s):
                return await read_log(self, limit_bytes)
        except TimeoutError:
            raise LinkTimeout(address=str(self._address), seconds=round(timeout_s)) from None

    def refused(self, command: str, answer: Answer) -> CommandRefused:
        """The device's “no” with its own words."""
        said = said_by(answer.body) or f"HTTP {answer.status}"
        return CommandRefused(address=str(self._address), command=command[:_SHOWN], answer=raw(said))

    def local(self, header: str) -> str:
        """The path of a ``Location`` header, which may be a whole URL of this very device; empty for another one."""
        origin = f"https://{self._address.target}"
        return path_of(header.removeprefix(origin))

    @property
    def _open(self) -> Http:
        if self._http is None:
            raise LinkLost(address=str(self._address))
        return self._http

    def _wrong(self, problem: Phrase) -> WrongProtocol:
        return WrongProtocol(address=str(self._address), problem=problem)


def said_by(body: Body) -> str:
    """The device's own words in an error answer or a task (DSP0266 §8.6), short, without card data."""
    texts: list[str] = []
    for source in (list_of(body, "Messages"), list_of(part_of(body, "error"), "@Message.ExtendedInfo")):
        said = [message for message in source[:5] if isinstance(message, Mapping)]
        texts += [text_of(message, "Message") or text_of(message, "MessageId") for message in said]
    texts.append(text_of(body, "error", "message"))
    first = list(dict.fromkeys(" ".join(text.split()) for text in texts if text))
    plain = "".join(c if c.isprintable() else "�" for c in "; ".join(first[:3]))
    return redact(plain)[:_SHOWN]
