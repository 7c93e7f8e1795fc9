"""Which certificate a device may show: the one whose fingerprint a person compared, kept in the home.

Devices sign their certificates themselves and let them expire, so that neither an authority nor a date says anything.
What counts is the fingerprint on the label or the screen. The kept certificate is then the only one that TLS accepts.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.terminal import Address
from techtool.domain.typed import narrow, told_fits
from techtool.errors import BadFile, CertificateChanged, CertificateUnknown, LinkLost, Unreachable, WrongProtocol
from techtool.i18n import phrase
from techtool.paths import DISK, Disk, Paths, disk_error

_NAMED: Final = re.compile(r"^\s*sha-?256(\s+fingerprint)?")
"""What labels, and openssl, print before it."""
_CONNECT_S: Final = 10.0
_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's ``X509_V_FLAG_NO_CHECK_TIME``: a device that lost its clock signs with any date."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One compared certificate."""

    address: str
    fingerprint: str
    """Lower-case hex SHA-256 of the DER."""
    pem: str


@dataclass(frozen=True, slots=True)
class Presented:
    """What a device shows before anything is sent to it."""

    der: bytes
    """Its certificate."""
    own_host: str
    """This laptop's address on the way there."""
    peer_host: str
    """The device's, as a number."""


def fingerprint_of(der: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(der).hexdigest()


def shown(fingerprint: str) -> str:
    """In groups of four, as people compare it."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def typed_fits(typed: str, fingerprint: str) -> bool:
    """Whether what a person typed from a label is the fingerprint, or at least its last sixteen characters."""
    return told_fits(_NAMED.sub("", narrow(typed).lower(), count=1).lstrip("=: "), fingerprint)


class Pins:
    """The compared certificates of this laptop, one file an address."""

    def __init__(self, paths: Paths, disk: Disk = DISK) -> None:
        self._folder = paths.device_certificates
        self._disk = disk

    def find(self, address: Address) -> Pin | None:
        """What was compared for an address; what cannot be read is never passed over: :class:`BadFile`."""
        path = self._path(address)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise disk_error(error, path) from error
        try:
            pin = decode_json(data, Pin)
            same = fingerprint_of(ssl.PEM_cert_to_DER_cert(pin.pem)) == pin.fingerprint
        except (CodecError, ValueError) as error:
            raise BadFile(path=str(path), problem=str(error)) from error
        if not same or pin.address != str(address):
            raise BadFile(path=str(path), problem=phrase("it is not what techtool wrote there"))
        return pin

    def keep(self, address: Address, der: bytes) -> Pin:
        """From now on this certificate, and no other, is what the address may show."""
        pin = Pin(str(address), fingerprint_of(der), ssl.DER_cert_to_PEM_cert(der))
        self._disk.make_folder(self._folder)
        self._disk.write_file(self._path(address), encode_json(pin, indent=1))
        return pin

    def forget(self, address: Address) -> bool:
        """Whether there was one."""
        there = self._path(address).exists()
        self._disk.unlink(self._path(address))
        return there

    def _path(self, address: Address) -> Path:
        return self._folder / f"{hashlib.sha256(str(address).encode()).hexdigest()[:32]}.json"


def check(address: Address, pin: Pin | None, der: bytes) -> Pin:
    """The pin, where the certificate shown is its own; raises ``CertificateUnknown``, ``CertificateChanged``."""
    found = fingerprint_of(der)
    if pin is None:
        raise CertificateUnknown(address=str(address), found=shown(found))
    if pin.fingerprint != found:
        raise CertificateChanged(address=str(address), found=shown(found), expected=shown(pin.fingerprint))
    return pin


async def certificate_at(address: Address) -> Presented:
    """What is shown at an address.

    Nothing is sent but TLS's greeting. Raises ``Unreachable``, ``WrongProtocol``, ``LinkLost``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    name = str(address)
    try:
        async with asyncio.timeout(_CONNECT_S):
            _reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    except ssl.SSLError as error:
        raise WrongProtocol(address=name, problem=phrase("no usable TLS"), detail=str(error)) from error
    except ConnectionResetError as error:
        raise LinkLost(address=name, detail=str(error)) from error
    except (OSError, TimeoutError, UnicodeError) as error:
        raise Unreachable(address=name, detail=str(error)) from error
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        own, peer = (str(writer.get_extra_info(name)[0]) for name in ("sockname", "peername"))
    finally:
        writer.transport.abort()
    if not der:
        raise WrongProtocol(address=name, problem=phrase("it shows no certificate"))
    return Presented(der, own, peer)


def context_for(pin: Pin) -> ssl.SSLContext:
    """TLS that accepts this one certificate and nothing else, whatever name and date it has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=pin.pem)
    context.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME)
    return context
