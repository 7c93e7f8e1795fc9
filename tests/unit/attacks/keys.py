"""Attacks with some of the keys: too few, the wrong ones, one key that passes for two."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from securesystemslib.signer import Key, SSlibKey
from tuf.api.metadata import DelegatedRole, Targets

from techtool.bundles.profile import paths_of
from tests.unit.attacks.registry import Spoil, add, attack
from tests.unit.attacks.scene import BOARD, Json, Scene, meta_of, signed_file
from tests.unit.bundles.office import ACME, ACME_SIGNS, private_key, public


def signed_by(role: str, owners: Sequence[str]) -> Spoil:
    """The list as it was, in a new version, signed by these."""
    return lambda scene: scene.forger.change_list(role, lambda _targets: None, owners)


def online_by(role: str, owner: str) -> Spoil:
    """The same for snapshot and timestamp."""
    return lambda scene: scene.resign_online(role, lambda _signed: None, (owner,))


_OTHERS: dict[str, tuple[Sequence[str], str]] = {
    "the vendor only": (("vendor-acme-1",), "signature"),
    "one lab key only": (("lab-1",), "signature"),
    "two lab keys, which is TUF's threshold": (("lab-1", "lab-2"), "no valid signature by the vendor"),
    "the vendor and another vendor": (("vendor-acme-1", "vendor-beta-1"), "signature"),
    "the vendor and a stranger": (("vendor-acme-1", "stranger"), "signature"),
    "nobody": ((), "signature"),
    "the online key": (("stick-maker",), "signature"),
    "the release board": (BOARD, "signature"),
    "the people of the root": (("root-1", "root-2", "root-3"), "signature"),
}
for _who, (_owners, _says) in _OTHERS.items():
    add(
        f"a vendor's list signed by {_who}",
        signed_by(ACME, _owners),
        _says,
    )

for _role, _people in (("targets", ("targets-1",)), ("targets", ("root-1", "root-2")), ("targets", ACME_SIGNS)):
    add(
        f"the top list signed by {' and '.join(_people)}",
        signed_by(_role, _people),
        "signature",
    )

for _role in ("snapshot", "timestamp"):
    for _owner in ("targets-1", "vendor-acme-1", "root-1", "stranger"):
        add(
            f"a {_role} signed by {_owner}",
            online_by(_role, _owner),
            "signature",
        )


def with_signatures(scene: Scene, change: Callable[[list[Json]], list[Json]], role: str = ACME) -> None:
    """The newest list with other signatures over the same content."""
    path = scene.role_file(role)
    tree = json.loads(path.read_bytes())
    tree["signatures"] = change(tree["signatures"])
    path.write_text(json.dumps(tree))
    scene.forger.restamp()


@attack("one signature twice", "cannot be read")
def _twice(scene: Scene) -> None:
    scene.forger.change_list(ACME, lambda _targets: None, ("lab-1",))
    with_signatures(scene, lambda signatures: signatures * 2)


@attack("the vendor's key id on the lab's signature", "signature")
def _renamed(scene: Scene) -> None:
    """A key id is a name, not a proof."""
    scene.forger.change_list(ACME, lambda _targets: None, ("lab-1", "lab-2"))
    names = {public("lab-2").keyid: public("vendor-acme-1").keyid}
    with_signatures(scene, lambda found: [{**s, "keyid": names.get(s["keyid"], s["keyid"])} for s in found])


@attack("signatures of two lists exchanged", "signature")
def _exchanged(scene: Scene) -> None:
    other = json.loads(scene.role_file("vendor-beta").read_bytes())["signatures"]
    with_signatures(scene, lambda _signatures: other)


@attack("signatures that are no signatures", "signature")
def _rubbish(scene: Scene) -> None:
    with_signatures(scene, lambda found: [{**s, "sig": "zz" * 64} for s in found])


@attack("empty signatures", "signature")
def _hollow(scene: Scene) -> None:
    with_signatures(scene, lambda found: [{**s, "sig": ""} for s in found])


def one_key_twice(scene: Scene, key: SSlibKey, twin_public: str, sign: Callable[[bytes], bytes]) -> None:
    """The release board was tricked into one key under two names, once as a vendor's and once as a lab's."""
    twin = SSlibKey("ab" * 32, key.keytype, key.scheme, {"public": twin_public}, {"x-techtool-org": "lab"})

    def delegate(top: Targets) -> None:
        role = _acme(top)
        role.keyids[:] = [key.keyid, twin.keyid]
        assert top.delegations is not None
        top.delegations.keys.update({key.keyid: key, twin.keyid: twin})
        used = {keyid for each in (top.delegations.roles or {}).values() for keyid in each.keyids}
        top.delegations.keys = {keyid: k for keyid, k in top.delegations.keys.items() if keyid in used}

    scene.forger.change_list("targets", delegate, BOARD)
    scene.resign(ACME, lambda _signed: None, ())
    path = scene.role_file(ACME)
    tree = json.loads(path.read_bytes())
    from securesystemslib.formats import encode_canonical

    signature = sign(str(encode_canonical(tree["signed"])).encode()).hex()
    tree["signatures"] = [{"keyid": keyid, "sig": signature} for keyid in (key.keyid, twin.keyid)]
    path.write_text(json.dumps(tree))
    scene.forger.restamp()


def _acme(top: Targets) -> DelegatedRole:
    assert top.delegations is not None
    assert top.delegations.roles is not None
    return top.delegations.roles[ACME]


def rewritten(write: Callable[[str], str]) -> Spoil:
    """The vendor's key, the second time written in another way."""
    key = public("vendor-acme-1")
    return lambda scene: one_key_twice(scene, key, write(key.keyval["public"]), private_key("vendor-acme-1").sign)


def in_blanks(text: str) -> str:
    return " ".join(text[i : i + 2] for i in range(0, len(text), 2))


_UNDER_TWO_NAMES = "one key signed the role vendor-acme under two names"
add("board: one key under two names", rewritten(str), _UNDER_TWO_NAMES)
add("board: one key under two names, once in capitals", rewritten(str.upper), _UNDER_TWO_NAMES)
add("board: one key under two names, once with blanks", rewritten(in_blanks), _UNDER_TWO_NAMES)


@attack("board: one RSA key under two names, in two kinds of PEM", _UNDER_TWO_NAMES)
def _two_pems(scene: Scene) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = SSlibKey.from_crypto(private.public_key(), scheme="rsassa-pss-sha256")
    key.unrecognized_fields["x-techtool-org"] = "vendor"
    other = private.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    one_key_twice(scene, key, other, lambda data: private.sign(data, salted, hashes.SHA256()))


def delegated(threshold: int) -> Spoil:
    """The release board wants another number of signatures."""

    def change(top: Targets) -> None:
        _acme(top).threshold = threshold

    return lambda scene: scene.forger.change_list("targets", change, BOARD)


def sign_list(scene: Scene, owners: Sequence[str]) -> None:
    scene.forger.change_list(ACME, lambda _targets: None, owners)


@attack("board: one signature is enough, and the lab alone gives it", "no valid signature by the vendor")
def _threshold_one(scene: Scene) -> None:
    delegated(1)(scene)
    sign_list(scene, ("lab-1",))


@attack("board: one signature is enough, and the vendor alone gives it", "no valid signature by the lab")
def _threshold_one_vendor(scene: Scene) -> None:
    delegated(1)(scene)
    sign_list(scene, ("vendor-acme-1",))


add("board: more signatures wanted than there are", delegated(4), "signat")


def with_threshold(threshold: int) -> Spoil:
    return lambda scene: scene.resign("targets", lambda signed: _raw_role(signed, ACME).update(threshold=threshold))


for _threshold in (0, -1):
    add(
        f"board: a threshold of {_threshold}",
        with_threshold(_threshold),
        "cannot be read",
    )


def _raw_role(signed: Json, name: str) -> Json:
    found: Json = next(role for role in signed["delegations"]["roles"] if role["name"] == name)
    return found


@attack("board: a key of a kind that nobody knows", "cannot be read")
def _unknown_key(scene: Scene) -> None:
    def change(signed: Json) -> None:
        signed["delegations"]["keys"][public("vendor-acme-1").keyid].update(keytype="rot13", scheme="rot13")

    scene.resign("targets", change)


@attack("board: a role whose keys are not given", "signature")
def _no_keys(scene: Scene) -> None:
    scene.resign("targets", lambda signed: signed["delegations"]["keys"].clear())


@attack("board: the vendor's key was replaced, and its thief goes on", "signature")
def _revoked(scene: Scene) -> None:
    def revoke(top: Targets) -> None:
        top.revoke_key(public("vendor-acme-1").keyid, ACME)
        top.add_key(public("vendor-acme-2"), ACME)

    scene.forger.change_list("targets", revoke, BOARD)
    sign_list(scene, ACME_SIGNS)


@attack("a vendor calls its own second key a lab's", "signature")
def _self_styled(scene: Scene) -> None:
    """Whose a key is stands in the board's list; what the vendor writes into its own counts for nothing."""
    key = public("vendor-acme-2")
    fields = {"x-techtool-org": "lab", "keys": {key.keyid: key.to_dict()}}
    scene.resign(ACME, lambda signed: signed.update(fields), ("vendor-acme-1", "vendor-acme-2"))


def further(paths: list[str]) -> Callable[[Scene], None]:
    def delegate(signed: Json) -> None:
        key: Key = public("vendor-acme-2")
        role = {"name": "sub", "keyids": [key.keyid], "threshold": 1, "terminating": False, "paths": paths}
        signed["delegations"] = {"keys": {key.keyid: key.to_dict()}, "roles": [role]}

    return lambda scene: scene.resign(ACME, delegate)


add("a publisher delegates some of its paths to keys of its own", further(["acme/*"]), "delegates further")
add("a publisher delegates all its paths to keys of its own", further(paths_of("acme")), "inconsistent")
add("a publisher delegates to nobody", further([]), "delegates further")


@attack("a snapshot of the vendor's making under the genuine timestamp", "altered")
def _own_snapshot(scene: Scene) -> None:
    path = scene.role_file("snapshot")
    signed = json.loads(path.read_bytes())["signed"]
    signed["meta"]["vendor-acme.json"] = meta_of(b"", 9)
    path.write_bytes(signed_file(signed, ("vendor-acme-1",)))
