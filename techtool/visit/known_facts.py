"""The office's facts about makers that count on this laptop: those that the office signed which enrolled it.

A file in the home is judged each time it is read, so that nothing is believed because it lies there; a signature
lies beside it by the digest of what it signs, so that replacing a file is one rename.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from techtool.catalogue.facts import OfficeFacts, load_facts
from techtool.paths import Paths
from techtool.reports.enrolled import read_enrolled
from techtool.reports.facts_seal import SUFFIX, judge_facts, read_signature


def known_facts(paths: Paths) -> OfficeFacts:
    """What counts, and what of the home cannot be used and why; raises nothing: no visit waits for facts."""

    def believe(path: Path, content: bytes) -> str:
        return judge_facts(path, content, read_signature(kept_signature(paths, content)), read_enrolled(paths))

    return load_facts(paths.facts, believe)


def kept_signature(paths: Paths, content: bytes) -> Path:
    """Where the signature over a file of the home lies."""
    return paths.facts / f"{hashlib.sha256(content).hexdigest()}{SUFFIX}"
