"""Android's package manager as far as an installer meets it: sessions, and the rules by which a package is refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from dataclasses import replace
from pathlib import Path

from techtool.clock import Clock
from techtool.simulator.apk import ApkFile, InstallRefused, read_apk
from techtool.simulator.faults import ArmedFaults, ToldAt
from techtool.simulator.model import Model
from techtool.simulator.state import Package, Session, StateStore

STREAM_PIECE = 256 * 1024


class NoSuchSession(LookupError):
    """A session id that is not, or no longer, known."""


class Refused(ValueError):
    """The package manager's own words, other than a ``Failure [WORD: detail]``."""


class PackageManager:
    """Installed packages and install sessions of one terminal; every change is durable before it is answered."""

    def __init__(self, model: Model, store: StateStore, faults: ArmedFaults, clock: Clock) -> None:
        self._model = model
        self._store = store
        self._faults = faults
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    # --- what is there -------------------------------------------------------------------------------------------

    def all(self) -> list[Package]:
        """Every package, by id."""
        return sorted(self._store.state.packages.values(), key=lambda package: package.id)

    def get(self, package_id: str) -> Package | None:
        """One package."""
        return self._store.state.packages.get(package_id)

    def apk_paths(self) -> dict[str, Path]:
        """Path on the terminal → file here, for every package whose file may be read."""
        packages = self._store.state.packages.values()
        return {p.path: self._store.apk_file(p.apk_sha256) for p in packages if p.apk_sha256}

    def sealed_paths(self) -> frozenset[str]:
        """Paths of the system image that exist and may not be read."""
        return frozenset(p.path for p in self._store.state.packages.values() if not p.apk_sha256)

    def used_bytes(self) -> int:
        """What installed packages and sessions take."""
        state = self._store.state
        return sum(p.size_bytes for p in state.packages.values()) + sum(
            size for session in state.sessions.values() for size in session.written.values()
        )

    # --- sessions ------------------------------------------------------------------------------------------------

    def create(self, wanted: Session, free_bytes: int) -> int:
        """A new session with the options of ``wanted``; its id."""
        storage = self._faults.faults.storage
        if storage is not None and storage.told_at is ToldAt.CREATE and wanted.size_bytes > free_bytes:
            raise Refused(
                "android.os.ParcelableException: java.io.IOException: Requested internal only, but not enough space"
            )
        state = self._store.state
        session = replace(wanted, id=state.next_session)
        sessions = {**state.sessions, str(session.id): session}
        self._store.commit(replace(state, sessions=sessions, next_session=state.next_session + 1))
        return session.id

    def session(self, session_id: int) -> Session:
        """The session; raises :class:`NoSuchSession`."""
        session = self._store.state.sessions.get(str(session_id))
        if session is None:
            raise NoSuchSession(str(session_id))
        return session

    def begin_write(self, session_id: int, name: str, size_bytes: int, free_bytes: int) -> SessionWriter:
        """Open a file of a session; raises :class:`NoSuchSession`."""
        self.session(session_id)
        limit = None
        storage = self._faults.faults.storage
        if storage is not None and storage.told_at is ToldAt.WRITE:
            limit = free_bytes
        return SessionWriter(self, self._store, session_id, name, size_bytes, limit)

    def abandon(self, session_id: int) -> None:
        """Forget a session and its bytes; raises :class:`NoSuchSession`."""
        session = self.session(session_id)
        state = self._store.state
        rest = {key: value for key, value in state.sessions.items() if key != str(session_id)}
        self._store.commit(replace(state, sessions=rest))
        for name in session.written:
            self._store.disk.unlink(self._store.session_file(session_id, name))

    async def commit(self, session_id: int, free_bytes: int) -> None:
        """Install what the session holds and end it; raises :class:`NoSuchSession`, :class:`InstallRefused`."""
        async with self._one_at_a_time:
            session = self.session(session_id)
            try:
                if len(session.written) != 1:
                    raise InstallRefused("INSTALL_FAILED_INVALID_APK", "Exactly one APK is expected in the session")
                file = self._store.session_file(session_id, next(iter(session.written)))
                apk = await asyncio.to_thread(read_apk, file, f"/data/app/vmdl{session.id}.tmp/base.apk")
                self._judge(apk, session, free_bytes)
                if not self._faults.faults.says_ok_and_lies:
                    self._put(apk, file, session)
            finally:
                self.abandon(session_id)

    # --- rules ---------------------------------------------------------------------------------------------------

    def _judge(self, apk: ApkFile, session: Session, free_bytes: int) -> None:
        """Everything Android checks, in an order near its own; raises :class:`InstallRefused`."""
        facts, sdk = apk.facts, self._model.sdk
        if facts.min_sdk > sdk:
            detail = f"Requires newer sdk version #{facts.min_sdk} (current version is #{sdk})"
            raise InstallRefused("INSTALL_FAILED_OLDER_SDK", detail)
        if apk.test_only and not session.test_only:
            raise InstallRefused("INSTALL_FAILED_TEST_ONLY", "installPackageLI")
        refusal = self._faults.refuse_install(facts.id)
        if refusal is not None:
            raise InstallRefused(refusal.word, refusal.detail)
        if apk.size_bytes > free_bytes:
            detail = f"Failed to allocate {apk.size_bytes} because only {free_bytes} allocatable"
            raise InstallRefused("INSTALL_FAILED_INSUFFICIENT_STORAGE", detail)
        if facts.abis and not set(facts.abis) & set(self._model.abis):
            raise InstallRefused("INSTALL_FAILED_NO_MATCHING_ABIS", "Failed to extract native libraries, res=-113")
        installed = self.get(facts.id)
        if installed is not None:
            self._judge_update(apk, installed, session)

    def _judge_update(self, apk: ApkFile, installed: Package, session: Session) -> None:
        facts = apk.facts
        if not session.replace:
            detail = f"Attempt to re-install {facts.id} without first uninstalling."
            raise InstallRefused("INSTALL_FAILED_ALREADY_EXISTS", detail)
        if installed.signer != facts.signer:
            raise InstallRefused(
                "INSTALL_FAILED_UPDATE_INCOMPATIBLE",
                f"Existing package {facts.id} signatures do not match newer version; ignoring!",
            )
        if facts.version_code < installed.version_code and not (session.downgrade and installed.debuggable):
            raise InstallRefused(
                "INSTALL_FAILED_VERSION_DOWNGRADE",
                f"Downgrade detected: Update version code {facts.version_code} is older than"
                f" current {installed.version_code}",
            )

    def _put(self, apk: ApkFile, file: Path, session: Session) -> None:
        """Move the file to its place, then make the new package list durable: that write is the moment of truth."""
        self._store.disk.replace(file, self._store.apk_file(apk.sha256))
        self._record(apk, session)

    def _record(self, apk: ApkFile, session: Session) -> None:
        """Put the package on the list and drop the file of the one it replaces."""
        state = self._store.state
        before = state.packages.get(apk.facts.id)
        now_s = int(self._clock.now().timestamp())
        told = self._faults.wrong_version(apk.facts.id)
        package = Package(
            id=apk.facts.id,
            version=told.version if told else apk.facts.version,
            version_code=told.version_code if told else apk.facts.version_code,
            path=self._new_path(apk, session),
            uid=before.uid if before else state.next_uid,
            apk_sha256=apk.sha256,
            size_bytes=apk.size_bytes,
            signer=apk.facts.signer,
            signature_hash=apk.signature_hash,
            signing_version=apk.signing_version,
            min_sdk=apk.facts.min_sdk,
            target_sdk=apk.target_sdk,
            debuggable=apk.debuggable,
            installer=session.installer,
            first_installed_s=before.first_installed_s if before else now_s,
            last_updated_s=now_s,
        )
        packages = {**state.packages, package.id: package}
        self._store.commit(replace(state, packages=packages, next_uid=state.next_uid + (0 if before else 1)))
        self._drop_file(before)

    def uninstall(self, package_id: str) -> None:
        """Remove a package; raises :class:`Refused` in the package manager's words."""
        package = self.get(package_id)
        if package is None:
            raise Refused("not installed for 0")
        if package.system:
            raise Refused("DELETE_FAILED_INTERNAL_ERROR")
        state = self._store.state
        rest = {key: value for key, value in state.packages.items() if key != package_id}
        self._store.commit(replace(state, packages=rest))
        self._drop_file(package)

    async def preinstall(self, apk: Path) -> None:
        """Put an APK file of this computer into a new terminal as its maker would."""
        facts = await asyncio.to_thread(read_apk, apk)
        self._store.disk.write_file(self._store.apk_file(facts.sha256), await asyncio.to_thread(apk.read_bytes))
        self._record(facts, Session(id=0))

    def _drop_file(self, package: Package | None) -> None:
        """Remove the file of a package that was replaced or removed, unless another still uses it."""
        if package is None or not package.apk_sha256:
            return
        if package.apk_sha256 not in {p.apk_sha256 for p in self._store.state.packages.values()}:
            self._store.disk.unlink(self._store.apk_file(package.apk_sha256))

    def _new_path(self, apk: ApkFile, session: Session) -> str:
        """A fresh folder for each install, as Android makes them."""
        digest = hashlib.sha256(f"{apk.sha256} {session.id}".encode()).digest()
        first, second = (base64.urlsafe_b64encode(digest[i : i + 16]).decode() for i in (0, 16))
        folder = f"/data/app/{apk.facts.id}-{second}"
        if self._model.sdk >= 30:
            folder = f"/data/app/~~{first}/{apk.facts.id}-{second}"
        return f"{folder}/base.apk"


class SessionWriter:
    """The bytes of one file on their way into a session."""

    def __init__(
        self, manager: PackageManager, store: StateStore, session_id: int, name: str, size_bytes: int, limit: int | None
    ) -> None:
        self._manager = manager
        self._store = store
        self._session_id = session_id
        self._name = name
        self._expected = size_bytes
        self._limit = limit
        self._path = store.session_file(session_id, name)
        store.disk.unlink(self._path)
        self._fd = store.disk.create(self._path)
        self.written_bytes = 0

    def write(self, data: bytes) -> None:
        """Take some bytes; raises :class:`Refused` when the storage is full."""
        if self._limit is not None and self.written_bytes + len(data) > self._limit:
            raise Refused("write failed: ENOSPC (No space left on device)")
        self._store.disk.write(self._fd, data, self._path)
        self.written_bytes += len(data)

    async def finish(self) -> None:
        """Make the bytes durable and part of the session; raises :class:`Refused` when some are missing."""
        if self._expected >= 0 and self.written_bytes != self._expected:
            raise Refused(f"Expected {self._expected} bytes but got {self.written_bytes}")
        await asyncio.to_thread(self._store.disk.fsync, self._fd, self._path)
        os.close(self._fd)
        self._fd = -1
        session = self._manager.session(self._session_id)
        session = replace(session, written={**session.written, self._name: self.written_bytes})
        state = self._store.state
        self._store.commit(replace(state, sessions={**state.sessions, str(session.id): session}))

    def abort(self) -> None:
        """Throw the bytes away; after :meth:`finish` it does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._store.disk.unlink(self._path)
