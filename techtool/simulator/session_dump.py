"""``dumpsys package installs``: the open install sessions, as Android's package installer service tells them.

Layout: AOSP ``PackageInstallerService.dump``, ``PackageInstallerSession.dumpLocked`` and ``SessionParams.dump`` of
Android 11, with the headings that Android 12 brought. A real terminal tells much more, and breaks long lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from techtool.simulator.state import Session

_SHELL_UID: Final = 2000
_SDK_ANDROID_12: Final = 31
_END: Final = (
    "Finalized install sessions:",
    "  ",
    "Historical install sessions:",
    "  ",
    "Legacy install sessions:",
    "  {}",
)


def sessions_dump(sessions: Sequence[Session], sdk: int) -> str:
    """All of it. Since Android 12 children stand behind their parent, and those whose parent is gone apart."""
    if sdk < _SDK_ANDROID_12:
        return "\n".join(["Active install sessions:", *_blocks(sessions, ""), "  ", *_END])
    ids = {session.id for session in sessions}
    active: list[str] = []
    for session in sessions:
        if not session.parent:
            active += _blocks([session], "Active ")
            active += _blocks([child for child in sessions if child.parent == session.id], "Active Child ", "    ")
    orphans = [session for session in sessions if session.parent and session.parent not in ids]
    orphaned = ["Orphaned install sessions:", *_blocks(orphans, "Orphaned Child ", "    "), "  "] if orphans else []
    return "\n".join(["Active install sessions:", *active, "  ", *orphaned, *_END])


def _blocks(sessions: Sequence[Session], tag: str, indent: str = "  ") -> list[str]:
    return [f"{indent}{line}" for session in sessions for line in _block(session, tag)]


def _block(session: Session, tag: str) -> list[str]:
    stage = "null" if session.multi_package else f"/data/app/vmdl{session.id}.tmp"
    children = ", ".join(map(str, session.children))
    return [
        f"{tag}Session {session.id}:",
        f"  userId=0 mOriginalInstallerUid={_SHELL_UID} mOriginalInstallerPackageName=com.android.shell ",
        f"  mInstallerUid={_SHELL_UID} stageDir={stage} stageCid=null ",
        f"  mode=1 installFlags=0x400002 installLocation=0 sizeBytes={session.size_bytes} appPackageName=null ",
        "  mClientProgress=0.0 mProgress=0.0 mCommitted=false mSealed=false mRelinquished=false mDestroyed=false ",
        f"  mFinalStatus=0 mFinalMessage=null params.isMultiPackage={str(session.multi_package).lower()} ",
        f"  params.isStaged=false mParentSessionId={session.parent or -1} mChildSessionIds=[{children}] ",
        "",
    ]
