"""A genuine stick that carries a recalled release; and attacks of whoever wants the recall forgotten."""

from __future__ import annotations

from datetime import date

from tuf.api.metadata import DelegatedRole, Targets

from techtool.bundles.publish.roles import publisher_list
from techtool.bundles.recalls import encode_recall, recall_path
from techtool.domain.recall import Recall
from techtool.domain.release import Urgency
from tests.unit.attacks.registry import attack
from tests.unit.attacks.scene import BOARD, SEEN, Json, Scene, signed_file
from tests.unit.bundles.office import public

SECURITY = ("recall-1",)
RECALLED = ("com.acme.pay", "2.0")
"""Of what the newer stick carries."""


def recall(scene: Scene, release: tuple[str, str] = RECALLED, owners: tuple[str, ...] = SECURITY) -> None:
    """The office recalls a release and makes the stick again."""
    delegate(scene)
    entry = Recall(*release, Urgency.CRITICAL, date(2026, 12, 2), {"en": "It loses batches."})
    forger = scene.forger
    listed = publisher_list({}, 1, scene.clock.at)
    forger.put_target(recall_path(*release), encode_recall(entry), listed)
    put_recalls(scene, listed, owners)


def delegate(scene: Scene) -> None:
    """The role of recalls, with a key of the office and one of a lab."""

    def change(top: Targets) -> None:
        assert top.delegations is not None
        assert top.delegations.roles is not None
        for owner in SECURITY:
            key = public(owner)
            key.unrecognized_fields["x-techtool-org"] = "office"
            top.delegations.keys[key.keyid] = key
        keyids = [public(owner).keyid for owner in (*SECURITY, "lab-1")]
        top.delegations.roles["recall"] = DelegatedRole("recall", keyids, 1, True, ["recalls/*"])

    scene.forger.change_list("targets", change, BOARD)


def put_recalls(scene: Scene, listed: Targets, owners: tuple[str, ...] = SECURITY) -> None:
    listed.version = 9
    (scene.metadata / "9.recall.json").write_bytes(signed_file(listed.to_dict(), owners))
    scene.resign_online("snapshot", lambda signed: signed["meta"].update({"recall.json": {"version": 9}}))
    scene.forger.restamp()


@attack("a recalled release on a genuine stick", "It loses batches.", exits=12, learns=True)
def _recalled(scene: Scene) -> None:
    recall(scene)


@attack("no key: the list of recalls is left out", "list of recalls is missing")
def _left_out(scene: Scene) -> None:
    recall(scene)
    (scene.metadata / "9.recall.json").unlink()


@attack("no key: the recall itself is left out", "it is missing", exits=13)
def _entry_left_out(scene: Scene) -> None:
    recall(scene)
    next((scene.root / "targets/recalls").iterdir()).unlink()


@attack("no key: the recall is softened", "not what was signed", exits=13)
def _softened(scene: Scene) -> None:
    recall(scene)
    path = next((scene.root / "targets/recalls").iterdir())
    path.write_bytes(path.read_bytes().replace(b"critical", b"lowwwwww"))


@attack("online key: the recalls are left out of the snapshot", "inconsistent")
def _dropped(scene: Scene) -> None:
    recall(scene)
    scene.resign_online("snapshot", lambda signed: signed["meta"].pop("recall.json"))


@attack("rollback, online key: the older list of recalls", "older than", laptops=(SEEN,))
def _rolled_back(scene: Scene) -> None:
    """The laptop knows the recall; whoever holds the online key wants it forgotten."""
    before = {path: path.read_bytes() for path in scene.metadata.iterdir()}
    recall(scene)
    scene.open(SEEN)
    for path in scene.metadata.iterdir():
        if path not in before:
            path.unlink()
    for path, data in before.items():
        path.write_bytes(data)
    for version in range(20, 28):
        scene.forger.restamp(version=version)


@attack("a recall signed by a lab that the board let sign", "no valid signature by the office")
def _lab(scene: Scene) -> None:
    recall(scene, owners=("lab-1",))


@attack("a recall signed by a vendor", "signature")
def _vendor(scene: Scene) -> None:
    recall(scene, owners=("vendor-beta-1",))


@attack("office key: the role of recalls lists a release", "which is not its own")
def _lists_a_release(scene: Scene) -> None:
    delegate(scene)
    listed = publisher_list({}, 1, scene.clock.at)
    scene.forger.put_target("releases/acme/evil.json", b"{}", listed)
    put_recalls(scene, listed)


@attack("office key: the role of recalls delegates further", "delegates further")
def _delegates(scene: Scene) -> None:
    delegate(scene)
    listed = publisher_list({}, 1, scene.clock.at)
    listed.delegations = None
    tree: Json = {**listed.to_dict(), "delegations": {"keys": {}, "roles": []}}
    tree["version"] = 9
    (scene.metadata / "9.recall.json").write_bytes(signed_file(tree, SECURITY))
    scene.resign_online("snapshot", lambda signed: signed["meta"].update({"recall.json": {"version": 9}}))


@attack("office key: a recall that cannot be read", "cannot be read")
def _unreadable(scene: Scene) -> None:
    delegate(scene)
    listed = publisher_list({}, 1, scene.clock.at)
    scene.forger.put_target("recalls/x-1.json", b"[" * 50_000, listed)
    put_recalls(scene, listed)


@attack("board: the role of recalls may list everything", "may list files that are not its own")
def _wide(scene: Scene) -> None:
    recall(scene)

    def change(top: Targets) -> None:
        assert top.delegations is not None
        assert top.delegations.roles is not None
        top.delegations.roles["recall"].paths = ["recalls/*", "acme/*"]

    scene.forger.change_list("targets", change, BOARD)
