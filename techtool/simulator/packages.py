"""Android's package manager as far as an installer meets it: sessions, alone or in sets, and what they install."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from techtool.clock import Clock
from techtool.simulator.apk import ApkFile, InstallRefused, read_apk
from techtool.simulator.faults import ArmedFaults, ToldAt
from techtool.simulator.judge import Judge, Staged
from techtool.simulator.model import Model
from techtool.simulator.state import Package, Session, StateStore

STREAM_PIECE = 256 * 1024
_SDK_ANDROID_12: Final = 31


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
        self._judge = Judge(model, faults)
        self._one_at_a_time = asyncio.Lock()
        self.installed_now = False
        """Something was installed since this simulation began."""

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

    def sessions(self) -> list[Session]:
        """Every session that is neither committed nor abandoned, by id."""
        return sorted(self._store.state.sessions.values(), key=lambda session: session.id)

    def create(self, wanted: Session, free_bytes: int) -> int:
        """A new session with the options of ``wanted``; its id."""
        storage = self._faults.faults.storage
        told_now = storage is not None and storage.told_at is ToldAt.CREATE
        if told_now and wanted.size_bytes > free_bytes and not wanted.multi_package:
            raise Refused(
                "android.os.ParcelableException: java.io.IOException: Requested internal only, but not enough space"
            )
        session = replace(wanted, id=self._store.state.next_session)
        self._keep(session)
        return session.id

    def session(self, session_id: int) -> Session:
        """The session; raises :class:`NoSuchSession`."""
        session = self._store.state.sessions.get(str(session_id))
        if session is None:
            raise NoSuchSession(str(session_id))
        return session

    def add_children(self, parent_id: int, child_ids: Sequence[int]) -> None:
        """Put sessions into a multi-package session; raises :class:`NoSuchSession`, :class:`Refused`."""
        parent = self.session(parent_id)
        for child_id in child_ids:
            child = self._store.state.sessions.get(str(child_id))
            if child is None or child.parent not in (0, parent_id) or child.multi_package:
                raise Refused(
                    f"java.lang.IllegalStateException: Unable to add child session {child_id} as it does not exist"
                    " or is in an invalid state."
                )
            if child.parent != parent_id:
                parent = replace(parent, children=(*parent.children, child_id))
                self._keep(parent, replace(child, parent=parent_id))

    def begin_write(self, session_id: int, name: str, size_bytes: int, free_bytes: int) -> SessionWriter:
        """Open a file of a session; raises :class:`NoSuchSession`, :class:`Refused`."""
        if self.session(session_id).multi_package:
            raise Refused(f"java.lang.IllegalStateException: Session {session_id} holds sessions, not files")
        limit = None
        storage = self._faults.faults.storage
        if storage is not None and storage.told_at is ToldAt.WRITE:
            limit = free_bytes
        return SessionWriter(self, self._store, session_id, name, size_bytes, limit)

    def written(self, session_id: int, name: str, size_bytes: int) -> None:
        """A file of a session is complete and durable; raises :class:`NoSuchSession`."""
        session = self.session(session_id)
        self._keep(replace(session, written={**session.written, name: size_bytes}))

    def abandon(self, session_id: int) -> None:
        """Forget a session and its bytes; raises :class:`NoSuchSession`, :class:`Refused`.

        Abandoning a parent takes its children along since Android 12 (``PackageInstallerService.removeActiveSession``).
        Before, they stay, and because they still name a parent they cannot be abandoned either.
        """
        session = self.session(session_id)
        _refuse_child(session, "abandoned")
        self._forget((session_id, *session.children) if self._model.sdk >= _SDK_ANDROID_12 else (session_id,))

    async def commit(self, session_id: int, free_bytes: int) -> None:
        """Install what the session holds and end it; raises :class:`NoSuchSession`, :class:`InstallRefused`.

        A multi-package session: everything in all its children is checked first, then all of it becomes the terminal's
        in one write of its state, or nothing does.
        """
        async with self._one_at_a_time:
            session = self.session(session_id)
            _refuse_child(session, "committed")
            ids = session.children if session.multi_package else (session_id,)
            try:
                staged = [await self._staged(one) for one in ids]
                if not staged:
                    raise InstallRefused("INSTALL_FAILED_VERIFICATION_TIMEOUT", "No child sessions found!")
                self._judge.check(staged, self._store.state.packages, free_bytes)
            except InstallRefused:
                self._forget({session_id, *ids})
                raise
            if self._faults.faults.says_ok_and_lies:
                staged = []
            self._put(staged, ended={session_id, *ids})

    async def _staged(self, session_id: int) -> Staged:
        session = self.session(session_id)
        if len(session.written) != 1:
            raise InstallRefused("INSTALL_FAILED_INVALID_APK", "Exactly one APK is expected in the session")
        file = self._store.session_file(session_id, next(iter(session.written)))
        apk = await asyncio.to_thread(read_apk, file, f"/data/app/vmdl{session.id}.tmp/base.apk")
        return Staged(session, file, apk)

    def _keep(self, *changed: Session) -> None:
        """Make new or changed sessions durable; the next one gets a number that none of them has."""
        state = self._store.state
        sessions = {**state.sessions, **{str(session.id): session for session in changed}}
        following = max(state.next_session, *(session.id + 1 for session in changed))
        self._store.commit(replace(state, sessions=sessions, next_session=following))

    def _forget(self, session_ids: Collection[int]) -> None:
        self._put((), ended=session_ids)

    # --- packages ------------------------------------------------------------------------------------------------

    def _put(self, staged: Sequence[Staged], *, ended: Collection[int]) -> None:
        """Move the files to their places, then make package list and sessions durable: that write is the truth.

        ``ended``: the sessions that are over with it; what is still in them goes.
        """
        self.installed_now = self.installed_now or bool(staged)
        for one in staged:
            self._store.disk.replace(one.file, self._store.apk_file(one.apk.sha256))
        state = self._store.state
        before = state.packages
        packages, next_uid = dict(before), state.next_uid
        for one in staged:
            package = self._package(one.apk, one.session, packages.get(one.apk.facts.id), next_uid)
            next_uid += package.uid == next_uid
            packages[package.id] = package
        gone = [session for session in state.sessions.values() if session.id in ended]
        sessions = {key: session for key, session in state.sessions.items() if session.id not in ended}
        self._store.commit(replace(state, packages=packages, next_uid=next_uid, sessions=sessions))
        for session in gone:
            for name in session.written:
                self._store.disk.unlink(self._store.session_file(session.id, name))
        for one in staged:
            self._drop_file(before.get(one.apk.facts.id))

    def _package(self, apk: ApkFile, session: Session, before: Package | None, next_uid: int) -> Package:
        """The record of a package that is being installed."""
        now_s = int(self._clock.now().timestamp())
        told = self._faults.wrong_version(apk.facts.id)
        return Package(
            id=apk.facts.id,
            version=told.version if told else apk.facts.version,
            version_code=told.version_code if told else apk.facts.version_code,
            path=self._new_path(apk, session),
            uid=before.uid if before else next_uid,
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
            data=before.data if before else "",
        )

    def store_data(self, package_id: str, data: str) -> None:
        """As if the application had stored something in its own folder."""
        state = self._store.state
        package = replace(state.packages[package_id], data=data)
        self._store.commit(replace(state, packages={**state.packages, package_id: package}))

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
        session = Session(id=0)
        file = self._store.session_file(session.id, apk.name)
        self._store.disk.write_file(file, await asyncio.to_thread(apk.read_bytes))
        self._put([Staged(session, file, facts)], ended=())

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


def _refuse_child(session: Session, done: str) -> None:
    """What happens to a child happens to its set: Android's words to whoever tries it with the child alone."""
    if session.parent:
        raise Refused(
            f"java.lang.IllegalStateException: Session {session.id} is a child of multi-package session"
            f" {session.parent} and may not be {done} directly."
        )


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
        self._manager.written(self._session_id, self._name, self.written_bytes)

    def abort(self) -> None:
        """Throw the bytes away; after :meth:`finish` it does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._store.disk.unlink(self._path)
