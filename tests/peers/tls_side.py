"""The terminal's end of TLS 1.3 as Android's adbd speaks it, over asyncio streams.

By pyOpenSSL: the standard library's ``ssl`` neither exports keying material nor takes a client's certificate that no
authority signed. Source: AOSP ``packages/modules/adb/tls/tls_connection.cpp``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

CHUNK = 1 << 16
T = TypeVar("T")
Judge = Callable[[rsa.RSAPublicKey], bool]
"""Whether a laptop with that key may come in."""


@cache
def own_certificate() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """What a terminal makes for itself; nobody checks it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Adb")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), begin, begin.replace(2040)
    )
    return key, made.sign(key, hashes.SHA256())


class TlsSide:
    """One connection; the first thing to do with it is :meth:`handshake`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, judge: Judge) -> None:
        key, certificate = own_certificate()
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.use_privatekey(key)
        context.use_certificate(certificate)

        def verify(_connection: SSL.Connection, shown: object, _error: int, _depth: int, _ok: int) -> bool:
            public = shown.to_cryptography().public_key()  # type: ignore[attr-defined]
            return isinstance(public, rsa.RSAPublicKey) and judge(public)

        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)
        self._tls = SSL.Connection(context, None)
        self._tls.set_accept_state()
        self._reader = reader
        self._writer = writer

    def feed(self, early: bytes) -> None:
        """What was read already of what the laptop sent."""
        self._tls.bio_write(early)

    async def handshake(self) -> None:
        """Raises ConnectionError when the laptop hangs up or is not let in."""
        await self._until_done(self._tls.do_handshake)

    def export(self, label: bytes, size: int) -> bytes:
        """Keying material that only the two ends have."""
        return self._tls.export_keying_material(label, size)

    async def read(self) -> bytes:
        """What has come; empty at the end."""
        try:
            return await self._until_done(lambda: self._tls.recv(CHUNK))
        except ConnectionError:
            return b""

    async def read_exactly(self, size: int) -> bytes:
        """So much; raises ConnectionError when less comes."""
        data = b""
        while len(data) < size:
            data += await self._until_done(partial(self._tls.recv, size - len(data)))
        return data

    async def write(self, data: bytes) -> None:
        """Send all of it."""
        if data:
            self._tls.sendall(data)
            await self._flush()

    async def _until_done(self, step: Callable[[], T]) -> T:
        while True:
            try:
                done = step()
            except SSL.WantReadError:
                await self._flush()
                data = await self._reader.read(CHUNK)
                if not data:
                    raise ConnectionResetError("the laptop hung up") from None
                self._tls.bio_write(data)
            except SSL.Error as error:
                await self._flush()  # the alert that says why
                raise ConnectionAbortedError(str(error)) from error
            else:
                await self._flush()
                return done

    async def _flush(self) -> None:
        while True:
            try:
                self._writer.write(self._tls.bio_read(CHUNK))
            except SSL.WantReadError:
                break
        await self._writer.drain()
