"""Attacks with genuine files: mixed from two states, rolled back, frozen; and with the stolen online key.

The online key (``stick-maker``) signs snapshot and timestamp only. Whoever steals it can say which lists go together,
and nothing else.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

from techtool.bundles.publish.workspace import Workspace
from tests.unit.attacks.registry import Spoil, add, attack
from tests.unit.attacks.scene import BOARD, ONLINE, SEEN, Json, Scene, meta_of, signed_file
from tests.unit.bundles.office import ACME_SIGNS, Forger


def _name(scene: Scene, role: str, *, older: bool) -> str:
    forger = Forger(scene.older if older else scene.stick)
    return "timestamp.json" if role == "timestamp" else forger.newest(role).name


def older_over_newer(role: str) -> Spoil:
    """The older file under the newer one's name."""

    def spoil(scene: Scene) -> None:
        source = scene.older / "TECHTOOL/metadata" / _name(scene, role, older=True)
        (scene.metadata / _name(scene, role, older=False)).write_bytes(source.read_bytes())

    return spoil


def newer_over_older(role: str) -> Spoil:
    """The newer file under the older one's name, on the older stick."""

    def spoil(scene: Scene) -> None:
        data = scene.role_file(role).read_bytes()
        scene.replace_stick(scene.older)
        (scene.metadata / _name(scene, role, older=True)).write_bytes(data)

    return spoil


for _role, _says in (("timestamp", "missing"), ("snapshot", "altered"), ("vendor-acme", "altered")):
    add(f"mix and match: older {_role}, the rest newer", older_over_newer(_role), _says)
    add(f"mix and match: newer {_role}, the rest older", newer_over_older(_role), _says)


@attack("mix and match: files of both sticks, newer timestamp last", "it is missing", exits=13)
def _both(scene: Scene) -> None:
    """The older stick with the newer metadata, whose files are not there."""
    newer = scene.folder / "newer"
    shutil.copytree(scene.metadata, newer)
    scene.replace_stick(scene.older)
    shutil.copytree(newer, scene.metadata, dirs_exist_ok=True)


@attack("rollback: a withdrawn release comes back on an older stick", "com.acme.kernel 7.0", exits=14, laptops=(SEEN,))
def _older(scene: Scene) -> None:
    scene.replace_stick(scene.older)


@attack("rollback, online key: a new snapshot over the older list", "older than", laptops=(SEEN,))
def _list_back(scene: Scene) -> None:
    scene.replace_stick(scene.older)
    for version in (7, 8):
        scene.forger.restamp(version=version)


@attack("rollback, online key: the older snapshot under a new timestamp", "older than", laptops=(SEEN,))
def _snapshot_back(scene: Scene) -> None:
    scene.replace_stick(scene.older)
    snapshot = scene.role_file("snapshot")
    stamp = scene.forger
    stamp.restamp(version=9)
    data = snapshot.read_bytes()

    def point_back(signed: Json) -> None:
        signed["meta"]["snapshot.json"] = meta_of(data, int(snapshot.name.split(".")[0]))

    scene.resign_online("timestamp", point_back)


@attack("rollback, online key: a list of a lower version than the newest", "older than", laptops=(SEEN,))
def _only_one_list_back(scene: Scene) -> None:
    """Everything else goes forward."""
    older = (scene.older / "TECHTOOL/metadata" / _name(scene, "vendor-acme", older=True)).read_bytes()
    scene.role_file("vendor-acme").unlink()
    shutil.copytree(scene.older / "TECHTOOL/targets", scene.root / "targets", dirs_exist_ok=True)
    (scene.metadata / _name(scene, "vendor-acme", older=True)).write_bytes(older)
    scene.forger.restamp()


@attack("rollback, online key: the older top list", "older than", laptops=(SEEN,))
def _top_back(scene: Scene) -> None:
    """A publisher's key was replaced since: the thief brings the list back that still names it."""
    older = scene.role_file("targets")
    content = older.read_bytes()
    scene.forger.change_list("targets", lambda _top: None, BOARD)
    scene.open(SEEN)
    scene.role_file("targets").unlink()
    older.write_bytes(content)
    for version in (20, 21):
        scene.forger.restamp(version=version)


@attack("inconsistent, online key: the snapshot states another version than the list has", "older than")
def _version_lie(scene: Scene) -> None:
    path = scene.role_file("vendor-acme")
    version = int(path.name.split(".")[0])
    path.rename(scene.metadata / f"{version + 1}.vendor-acme.json")
    scene.forger.restamp()


@attack("inconsistent, online key: the timestamp states another version than the snapshot has", "older than")
def _snapshot_version_lie(scene: Scene) -> None:
    scene.forger.restamp()
    path = scene.role_file("snapshot")
    version = int(path.name.split(".")[0]) + 1
    data = path.read_bytes()
    (scene.metadata / f"{version}.snapshot.json").write_bytes(data)
    scene.resign_online("timestamp", lambda signed: signed["meta"].update({"snapshot.json": meta_of(data, version)}))
    # restamp of resign_online made a snapshot of that version; the lie takes its place
    (scene.metadata / f"{version}.snapshot.json").write_bytes(data)


@attack("online key: another snapshot under the number of the one that is known", "was altered", laptops=(SEEN,))
def _same_number(scene: Scene) -> None:
    """python-tuf takes the one it has, for its number is right."""
    path = scene.role_file("snapshot")
    signed = json.loads(path.read_bytes())["signed"]
    signed["x-more"] = "other content"
    data = signed_file(signed, ONLINE)
    path.write_bytes(data)
    stamp = json.loads(scene.role_file("timestamp").read_bytes())["signed"]
    stamp["version"] += 1
    stamp["meta"]["snapshot.json"] = meta_of(data, signed["version"])
    scene.role_file("timestamp").write_bytes(signed_file(stamp, ONLINE))


@attack("online key: a publisher is left out of the snapshot", "inconsistent")
def _dropped(scene: Scene) -> None:
    scene.resign_online("snapshot", lambda signed: signed["meta"].pop("vendor-acme.json"))


@attack("online key: the top list is left out of the snapshot", "inconsistent")
def _top_dropped(scene: Scene) -> None:
    scene.resign_online("snapshot", lambda signed: signed["meta"].pop("targets.json"))


@attack("online key: no date of issue", "does not say when it was made")
def _no_date(scene: Scene) -> None:
    scene.resign_online("timestamp", lambda signed: signed.pop("x-techtool-issued"))


def issued(date: object) -> Spoil:
    return lambda scene: scene.resign_online("timestamp", lambda signed: signed.update({"x-techtool-issued": date}))


_DATES: tuple[object, ...] = (
    "",
    "soon",
    7,
    None,
    [],
    "2026-12-02",
    "2026-13-40T00:00:00Z",
    "2026-12-02T09:00:00+09:00",
)
for _date in _DATES:
    add(
        f"online key: issued {_date!r}",
        issued(_date),
        "does not say when it was made",
    )


@attack("no key: versions fast-forwarded", "signature")
def _fast_forward(scene: Scene) -> None:
    path = scene.role_file("timestamp")
    path.write_bytes(path.read_bytes().replace(b'"version":', b'"version":1', 1))


@attack("no key: a later use-by date", "signature")
def _longer(scene: Scene) -> None:
    path = scene.role_file("timestamp")
    path.write_bytes(path.read_bytes().replace(b"2027-04-01", b"2029-04-01", 1))


@attack("freeze: an old stick after its use-by date", "timestamp was valid until 2027-0", exits=11, learns=True)
def _freeze(scene: Scene) -> None:
    scene.replace_stick(scene.older)
    scene.later(days=121)


@attack("freeze: a laptop whose clock runs years ahead", "was valid until", exits=11, learns=True)
def _ahead(scene: Scene) -> None:
    scene.clock.at = datetime(2030, 4, 1, tzinfo=UTC)


@attack("online key: a date of issue decades ahead", "was valid until", exits=11, learns=True)
def _future(scene: Scene) -> None:
    Forger(scene.stick, at=datetime(2056, 1, 1, tzinfo=UTC)).restamp()


@attack("a stick of another office", "does not know who made")
def _stranger(scene: Scene) -> None:
    other = Workspace.create(scene.folder / "other", ["acme"], scene.clock)
    shutil.rmtree(scene.stick)
    other.write(scene.stick, scene.clock)


@attack("a stick of another office with our first root beside its chain", "signature")
def _our_root(scene: Scene) -> None:
    ours = (scene.metadata / "1.root.json").read_bytes()
    _stranger(scene)
    (scene.metadata / "1.root.json").write_bytes(ours)


@attack("a list of the vendor's own making, not published", "altered")
def _unpublished(scene: Scene) -> None:
    """Signed by vendor and lab, but the office has not put it into a snapshot."""
    path = scene.role_file("vendor-acme")
    tree = json.loads(path.read_bytes())["signed"]
    tree["targets"].popitem()
    path.write_bytes(signed_file(tree, ACME_SIGNS))
