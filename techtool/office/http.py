"""One bounded question to the office's server at a time: nothing it answers is believed for its size, type or pace.

An answer that is too long, too slow, of another type, packed, or that sends elsewhere is refused. What a network does
of itself (no answer, a dropped connection, a server that is just starting) is tried again, later each time.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

from techtool import __version__
from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.errors import OfficeCertificate, OfficeDenied, OfficeError, OfficeRefused
from techtool.i18n import Phrase, phrase
from techtool.office.address import OfficeAddress
from techtool.office.login import Login

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

MAX_ANSWER_BYTES: Final = 32_000_000
"""Of one JSON answer: a batch of records comes back with it."""
_MAX_REFUSAL_BYTES: Final = 64_000
_JSON_TYPES: Final = ("application/json", "text/plain")
"""CouchDB calls JSON plain text to whoever does not ask for it by name, and pouchdb-server always does."""
_WORD: Final = re.compile(r"[a-z_]{1,40}")
_FIRST_TRIES: Final = 2
_AGENT: Final = f"techtool/{__version__}"
_AGAIN: Final = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds, and how often it is tried."""

    connect_s: float = 10.0
    silence_s: float = 20.0
    """The longest without a byte."""
    answer_s: float = 60.0
    """From the first byte sent to the last one received, however busy the line is in between."""
    bytes_per_s: int = 20_000
    """What a weak telephone line carries: for what is sent, and for what is known to come, as much time comes on
    top."""
    tries: int = 6
    first_pause_s: float = 0.5
    longest_pause_s: float = 8.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, within its bounds."""

    status: int
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Reason:
    error: str = ""


class _TryAgain(Exception):
    """What a network does of itself."""

    def __init__(self, problem: Phrase, detail: str = "") -> None:
        self.problem = problem
        self.detail = detail
        super().__init__()


class OfficeHttp:
    """A connection to one server; use it as an async context manager."""

    def __init__(
        self,
        address: OfficeAddress,
        login: Login | None = None,
        ca_file: Path | None = None,
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``ca_file``: the only authority believed. ``transport``: in place of the network, for tests."""
        self.address = address
        self._login = login
        self._ca_file = ca_file
        self._patience = patience or Patience()
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._met = False
        """Whether it answered of late: else it is tried twice, because who has no network wants to know soon."""

    async def __aenter__(self) -> Self:
        import httpx

        p = self._patience
        self._client = httpx.AsyncClient(
            base_url=self.address.origin,
            auth=httpx.BasicAuth(self._login.user, self._login.password) if self._login else None,
            # Packed answers are refused, because a small one unpacks to any size.
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": _AGENT},
            timeout=httpx.Timeout(p.silence_s, connect=p.connect_s),
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1),
            verify=self._tls(),
            follow_redirects=False,
            # Proxies and .netrc of the environment are not asked: they would send records or passwords elsewhere.
            trust_env=False,
            transport=self._transport,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _tls(self) -> ssl.SSLContext:
        """The computer's authorities, or one and no other; names and dates are always checked."""
        if self.address.scheme == "http":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; it knows no authority and so believes nobody
        if self._ca_file is None:
            return ssl.create_default_context()
        try:
            return ssl.create_default_context(cafile=str(self._ca_file))
        except (OSError, ssl.SSLError) as error:
            problem = phrase("its certificate authority in {path} cannot be read", path=str(self._ca_file))
            raise OfficeCertificate(host=self.address.host, problem=problem, detail=type(error).__name__) from None

    async def json(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: object = None,
        params: Mapping[str, str] | None = None,
        expected_bytes: int = 0,
    ) -> T:
        """Ask and read the answer as ``kind``; ``path`` is below the database.

        ``expected_bytes``: about how long the answer is; it gets time for that.
        Raises :class:`OfficeError`, :class:`OfficeCertificate`, :class:`OfficeDenied`.
        """
        answer = await self.ask(method, path, body, params, expected_bytes=expected_bytes)
        if answer.status >= 300:
            raise self._refused(answer)
        if answer.content_type not in _JSON_TYPES:
            raise OfficeError(problem=phrase("{host} does not answer as the office's database does", host=self._host))
        try:
            return decode_json(answer.data, kind)
        except CodecError:
            problem = phrase("{host} does not answer as the office's database does", host=self._host)
            raise OfficeError(problem=problem) from None

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
        limit_bytes: int = MAX_ANSWER_BYTES,
        expected_bytes: int = 0,
    ) -> Answer:
        """Ask until there is an answer that another try would not change; any status but 401, 403 and 3xx."""
        content = b"" if body is None else encode_json(body)
        pause_s = self._patience.first_pause_s
        tries = self._patience.tries if self._met else min(self._patience.tries, _FIRST_TRIES)
        for left in range(tries - 1, -1, -1):
            try:
                time_s = self._patience.answer_s + (len(content) + expected_bytes) / self._patience.bytes_per_s
                answer = await self._once(method, path, content, params or {}, limit_bytes, time_s)
                self._met = True
                return answer
            except _TryAgain as failed:
                if not left:
                    self._met = False
                    raise OfficeError(problem=failed.problem, detail=failed.detail) from None
            # Two hundred laptops that lost the same server do not come back at the same moment.
            await self._patience.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311
            pause_s = min(pause_s * 2, self._patience.longest_pause_s)
        raise AssertionError("unreachable")

    @property
    def _host(self) -> str:
        return self.address.host

    async def _once(
        self, method: str, path: str, content: bytes, params: Mapping[str, str], limit_bytes: int, time_s: float
    ) -> Answer:
        import httpx

        try:
            async with asyncio.timeout(time_s):
                answer = await self._exchange(method, path, content, params, limit_bytes)
        except TimeoutError:
            raise _TryAgain(phrase("{host} is too slow", host=self._host)) from None
        except httpx.ConnectTimeout:
            raise _TryAgain(phrase("{host} does not answer", host=self._host)) from None
        except httpx.TimeoutException:
            raise _TryAgain(phrase("{host} is too slow", host=self._host)) from None
        except httpx.ConnectError as error:
            raise self._not_connected(error) from None
        except (httpx.RemoteProtocolError, httpx.DecodingError):
            raise _TryAgain(phrase("{host} does not answer as a server does", host=self._host)) from None
        except httpx.TransportError as error:
            raise _TryAgain(phrase("the connection to {host} broke", host=self._host), type(error).__name__) from None
        if answer.status in _AGAIN:
            raise _TryAgain(phrase("{host} says it cannot now ({status})", host=self._host, status=answer.status))
        if 300 <= answer.status < 400 or answer.status in (401, 403):
            raise self._refused(answer)
        return answer

    async def _exchange(
        self, method: str, path: str, content: bytes, params: Mapping[str, str], limit_bytes: int
    ) -> Answer:
        if self._client is None:
            raise RuntimeError("not entered")
        headers = {"content-type": "application/json"} if content else {}
        request = self._client.build_request(
            method, self.address.path + path, content=content or None, params=params or None, headers=headers
        )
        response = await self._client.send(request, stream=True)
        try:
            limit = limit_bytes if response.status_code < 300 else _MAX_REFUSAL_BYTES
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise OfficeError(
                    problem=phrase("{host} packs its answers although it was told not to", host=self._host)
                )
            found = bytearray()
            if 300 <= response.status_code < 400:
                return Answer(response.status_code, "", b"")
            async for piece in response.aiter_raw():
                found += piece
                if len(found) > limit:
                    raise OfficeError(problem=phrase("the answer of {host} has no end", host=self._host))
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Answer(response.status_code, kind, bytes(found))
        finally:
            await response.aclose()

    def _not_connected(self, error: BaseException) -> Exception:
        cause: BaseException | None = error
        for _depth in range(8):
            if isinstance(cause, ssl.SSLCertVerificationError):
                problem = phrase("its certificate is not to be believed ({reason})", reason=cause.verify_message)
                return OfficeCertificate(host=self._host, problem=problem)
            if isinstance(cause, ssl.SSLError):
                return OfficeCertificate(host=self._host, problem=phrase("it does not speak TLS as it should"))
            cause = cause.__cause__ or cause.__context__ if cause is not None else None
        return _TryAgain(phrase("{host} cannot be reached from here", host=self._host))

    def _refused(self, answer: Answer) -> OfficeError:
        """The server's own words are not quoted: a hostile one would choose them, or send a password back."""
        if 300 <= answer.status < 400:
            return OfficeError(
                problem=phrase("{host} sends this laptop elsewhere; that is not followed", host=self._host)
            )
        if answer.status in (401, 403):
            known = phrase("name and password are missing") if self._login is None else phrase("it refuses them")
            return OfficeDenied(problem=known, detail=str(answer.status))
        word = _word_in(answer.data)
        if answer.status == 404:
            name = self.address.path.rpartition("/")[2]
            return OfficeDenied(problem=phrase("there is no database “{name}” on it", name=name), detail=word)
        problem = phrase("it answers with {status}", status=answer.status)
        if answer.status == 413:
            problem = phrase("a record is larger than it takes")
        return OfficeRefused(visit=self.address.path, problem=problem, detail=word)


def _word_in(data: bytes) -> str:
    """CouchDB's one-word reason, when that is what there is."""
    try:
        word = decode_json(data, _Reason).error
    except CodecError:
        return ""
    return word if _WORD.fullmatch(word) else ""
