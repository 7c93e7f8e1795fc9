"""Certificates: the computer's authorities or the one of the enrolment, and nobody else's."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from techtool.errors import OfficeCertificate
from techtool.office.address import parse_address
from techtool.office.couch import Database
from techtool.office.http import OfficeHttp
from tests.office.laptops import IMPATIENT
from tests.office.servers import DATABASE, serving

DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Somebody who signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(self.key, name, authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def _sign(
        self, key: ec.EllipticCurvePrivateKey, name: str, *, host: str = "", authority: bool = False, late: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 20 * DAY)
            .not_valid_after(now - 10 * DAY if late else now + 10 * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if host:
            alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
            builder = builder.add_extension(alternative, critical=False)
        if authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def server(self, host: str, *, late: bool = False) -> ssl.SSLContext:
        """What a server with a certificate for ``host`` shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        chain = self.folder / "server.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain.write_bytes(private + self._sign(key, "server", host=host, late=late).public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


@asynccontextmanager
async def database(context: ssl.SSLContext | None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """One that lets everybody in; yields its port and what was asked of it."""
    asked: list[bytes] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.read(4096)
        if head.startswith(b"GET"):
            asked.append(head)
        writer.write(DATABASE)
        await writer.drain()

    async with serving(meet, context) as port:
        yield port, asked


async def check(port: int, ca_file: Path | None) -> None:
    async with OfficeHttp(parse_address(f"https://127.0.0.1:{port}/office"), None, ca_file, IMPATIENT) as http:
        await Database(http).check()


async def test_the_pinned_authority_is_believed(tmp_path: Path) -> None:
    ours = Authority(tmp_path, "ours")
    async with database(ours.server("127.0.0.1")) as (port, asked):
        await check(port, ours.file)
    assert asked


@pytest.mark.parametrize("how", ["unknown", "other-authority", "other-host", "late", "no-tls"])
async def test_everybody_else_is_refused_before_anything_is_said(tmp_path: Path, how: str) -> None:
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    pinned = {"unknown": None, "other-authority": other.file}.get(how, ours.file)
    context = ours.server("127.0.0.9" if how == "other-host" else "127.0.0.1", late=how == "late")
    async with database(None if how == "no-tls" else context) as (port, asked):
        with pytest.raises(OfficeCertificate):
            await check(port, pinned)
    assert asked == []


async def test_an_authority_that_cannot_be_read_is_no_reason_to_believe_everybody(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    async with database(Authority(tmp_path, "ours").server("127.0.0.1")) as (port, asked):
        for file in (tmp_path / "empty.pem", tmp_path / "gone.pem"):
            with pytest.raises(OfficeCertificate):
                await check(port, file)
    assert asked == []
