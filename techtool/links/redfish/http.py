"""HTTP to one device, bounded: no redirect, no proxy, no more bytes, headers or seconds than a resource can need."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final, cast

from techtool.domain.codec import CodecError, decode_json
from techtool.domain.terminal import Address
from techtool.errors import LinkError, LinkLost, LinkTimeout, TechtoolError, Unreachable, WrongProtocol
from techtool.i18n import Phrase, phrase, raw
from techtool.links.redfish.logins import without
from techtool.links.redfish.payload import UpdateFile
from techtool.links.redfish.values import Body

if TYPE_CHECKING:
    import httpx

BODY_LIMIT: Final = 2 << 20
"""The largest sensible resource (a long message registry) has a few hundred kilobytes."""
REQUEST_S: Final = 30.0
"""For one request and its whole answer, however slowly its bytes come."""
PUSH_WAIT_S: Final = 120.0
"""For each wait while a file is pushed."""
ANSWER_WAIT_S: Final = 600.0
"""For the answer once all of it is there: some devices check the file before they say anything."""
SLOWEST_BYTES_S: Final = 8192
"""A file that goes slower than this is broken off, however many drops of an answer come meanwhile."""
_ANOTHER: Final = ("self-signed certificate", "self signed certificate", "unable to ", "certificate signature failure")
"""How OpenSSL says that a certificate is not the pinned one; anything else it says of the pinned one itself: its key is
too short, it was made for another purpose."""
_GONE: Final = ("Server disconnected", "peer closed connection")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device answered; ``body`` is empty where there was none."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: Body = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300


class Http:
    """One device's HTTPS port; requests go one after the other or side by side."""

    def __init__(self, address: Address, context: ssl.SSLContext) -> None:
        import httpx

        for name in ("httpx", "httpcore"):
            # What they log of a request holds the token.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.address = str(address)
        self._client = httpx.AsyncClient(
            base_url=f"https://{address.target}",
            verify=context,
            trust_env=False,
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "OData-Version": "4.0"},
            limits=httpx.Limits(max_connections=4, keepalive_expiry=5.0),
        )
        self._secrets: tuple[str, ...] = ()

    def sign(self, token: str) -> None:
        """Send this token with every request."""
        self._client.headers["X-Auth-Token"] = token
        self.hide(token)

    def unsign(self) -> None:
        """The token is no longer good."""
        self._client.headers.pop("X-Auth-Token", None)

    def hide(self, *secrets: str) -> None:
        """Take these out of whatever the device says."""
        self._secrets = tuple(dict.fromkeys((*self._secrets, *(s for s in secrets if s))))

    async def request(
        self, method: str, path: str, *, json: object | None = None, timeout_s: float = REQUEST_S
    ) -> Answer:
        """One request; raises ``LinkLost``, ``LinkTimeout``, ``Unreachable``, ``WrongProtocol``."""
        import httpx

        timeout = httpx.Timeout(timeout_s)
        async with self._told(timeout_s):
            try:
                async with asyncio.timeout(timeout_s):
                    async with self._client.stream(method, path, json=json, timeout=timeout) as response:
                        return await self._read(response)
            except TimeoutError:
                raise LinkTimeout(address=self.address, seconds=round(timeout_s)) from None

    async def push(self, path: str, parameters: bytes, file: UpdateFile) -> Answer:
        """Send a file as ``multipart/form-data`` (DSP0266 §12.6.2), streamed; raises as :meth:`request`."""
        import httpx

        files: dict[str, tuple[str | None, IO[bytes] | bytes, str]] = {
            "UpdateParameters": (None, parameters, "application/json"),
            "UpdateFile": (file.name, cast("IO[bytes]", file), "application/octet-stream"),
        }
        waits = httpx.Timeout(PUSH_WAIT_S, read=ANSWER_WAIT_S)
        sending = self._client.stream("POST", path, files=files, timeout=waits)
        most_s = PUSH_WAIT_S + ANSWER_WAIT_S + file.size_bytes / SLOWEST_BYTES_S
        async with self._told(PUSH_WAIT_S), asyncio.timeout(most_s), sending as response, asyncio.timeout(REQUEST_S):
            return await self._read(response)

    async def close(self) -> None:
        """Let go; never raises."""
        with contextlib.suppress(Exception):
            await self._client.aclose()

    @contextlib.asynccontextmanager
    async def _told(self, timeout_s: float) -> AsyncIterator[None]:
        """Every failure below as one of ours."""
        import httpx

        try:
            yield
        except TechtoolError:
            raise
        except httpx.ConnectError as error:
            raise self._not_connected(error) from error
        except httpx.ConnectTimeout as error:
            raise Unreachable(address=self.address, detail=_said(error)) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise LinkTimeout(address=self.address, seconds=round(timeout_s), detail=_said(error)) from error
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            if str(error).startswith(_GONE):
                raise LinkLost(address=self.address, detail=_said(error)) from error
            raise self.wrong(phrase("its answer is no proper HTTP"), error) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise LinkLost(address=self.address, detail=_said(error)) from error

    def _not_connected(self, error: Exception) -> LinkError:
        _before, refused, why = str(error).partition("certificate verify failed: ")
        if refused and not why.startswith(_ANOTHER):
            reason = raw(why.partition(" (_ssl")[0][:100])
            return self.wrong(phrase("its certificate is not fit for a safe connection ({why})", why=reason), error)
        if refused:
            return self.wrong(phrase("it shows another certificate than a moment ago"), error)
        return Unreachable(address=self.address, detail=_said(error))

    def wrong(self, problem: Phrase, error: Exception | None = None) -> WrongProtocol:
        """The device breaks its protocol."""
        return WrongProtocol(address=self.address, problem=problem, detail=_said(error) if error else "")

    async def _read(self, response: httpx.Response) -> Answer:
        if response.is_redirect or 300 <= response.status_code < 400:
            raise self.wrong(phrase("it sends this laptop to another place, which is not followed"))
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise self.wrong(phrase("it packs its answer although it was asked not to"))
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > BODY_LIMIT:
                raise self.wrong(phrase("its answer is longer than {limit} bytes", limit=BODY_LIMIT))
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, self._decoded(bytes(data), response))

    def _decoded(self, data: bytes, response: httpx.Response) -> Body:
        """The JSON object; a page of text with an error's status is no body, with a success it is an error."""
        if not data.strip():
            return {}
        try:
            tree = without(decode_json(data, dict[str, object]), self._secrets)
        except (CodecError, RecursionError) as error:
            if response.status_code >= 400:
                return {}
            raise self.wrong(phrase("its answer is no JSON object"), error) from error
        return tree if isinstance(tree, dict) else {}


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
