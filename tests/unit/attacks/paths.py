"""Attacks through names: paths that lead outside, that are another's, or that two systems read differently.

All of them are properly signed by a vendor and a lab, or by the release board: somebody careless, tricked, or bought.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tuf.api.metadata import DelegatedRole, Delegations, SuccinctRoles, TargetFile, Targets

from techtool.bundles.profile import paths_of
from tests.unit.attacks.registry import add, attack
from tests.unit.attacks.scene import BOARD, Json, Scene
from tests.unit.bundles.office import ACME, ACME_SIGNS, public

ZEROS = "0" * 64
_NOT_PORTABLE = "not portable"
_NOT_ITS_OWN = "which is not its own"

PATHS = {
    "parent folders": ("acme/../../../etc/passwd", _NOT_PORTABLE),
    "parent folder at the end": ("acme/x/..", _NOT_PORTABLE),
    "this folder": ("acme/./x", _NOT_PORTABLE),
    "parent folders in its own releases": ("releases/acme/../beta/x.json", _NOT_PORTABLE),
    "absolute": ("/etc/passwd", _NOT_PORTABLE),
    "absolute after its own": ("acme//etc/passwd", _NOT_PORTABLE),
    "home": ("acme/~/x", _NOT_PORTABLE),
    "backslash": ("acme/x\\..\\..\\y", _NOT_PORTABLE),
    "network share": ("\\\\server\\share\\x", _NOT_PORTABLE),
    "drive letter": ("acme/C:/x", _NOT_PORTABLE),
    "drive letter first": ("C:/x", _NOT_PORTABLE),
    "alternate stream": ("acme/x/name:stream", _NOT_PORTABLE),
    "NUL character": ("acme/x/a\0b", _NOT_PORTABLE),
    "line break": ("acme/x/a\nb", _NOT_PORTABLE),
    "terminal escape": ("acme/x/\x1b[2J\x1b]0;owned\x07", _NOT_PORTABLE),
    "right to left": ("acme/x/gpj.\u202eexe", _NOT_PORTABLE),
    "dot at the end": ("acme/x/name.", _NOT_PORTABLE),
    "blank at the end": ("acme/x/name ", _NOT_PORTABLE),
    "blank inside": ("acme/x/na me", _NOT_PORTABLE),
    "hidden": ("acme/x/.hidden", _NOT_PORTABLE),
    "Apple twin": ("acme/x/._name", _NOT_PORTABLE),
    "device of Windows": ("acme/x/nul", _NOT_PORTABLE),
    "device of Windows with an ending": ("acme/con/file.bin", _NOT_PORTABLE),
    "device of Windows in capitals": ("acme/LPT1.txt/x", _NOT_PORTABLE),
    "composed letter": ("acme/x/na\u00efve", _NOT_PORTABLE),
    "decomposed letter": ("acme/x/nai\u0308ve", _NOT_PORTABLE),
    "look-alike publisher": ("\u0430cme/x/name", _NOT_PORTABLE),
    "full-width look-alike": ("acme/x/n\uff41me", _NOT_PORTABLE),
    "joiner that is not seen": ("acme/x/na\u200dme", _NOT_PORTABLE),
    "percent escape": ("acme/x/%2e%2e%2fy", _NOT_PORTABLE),
    "star": ("acme/x/*", _NOT_PORTABLE),
    "question mark": ("acme/x/a?b", _NOT_PORTABLE),
    "pipe": ("acme/x/a|b", _NOT_PORTABLE),
    "option": ("acme/x/-rf", _NOT_PORTABLE),
    "nothing": ("", _NOT_PORTABLE),
    "very long": ("acme/x/" + "a" * 300, _NOT_PORTABLE),
    "very deep": ("acme/" * 200 + "x", _NOT_PORTABLE),
    "another vendor's": ("beta/x/name.bin", _NOT_ITS_OWN),
    "another vendor's release": ("releases/beta/name.json", _NOT_ITS_OWN),
    "nobody's": ("other/x/name.bin", _NOT_ITS_OWN),
    "at the top": ("name.bin", _NOT_ITS_OWN),
    "the office's recalls": ("recalls/name.json", _NOT_ITS_OWN),
    "one folder too deep": ("acme/x/y/name.bin", _NOT_ITS_OWN),
    "vendor in capitals": ("ACME/x/name.bin", _NOT_ITS_OWN),
}


def lists(path: str, sha256: str = ZEROS) -> Callable[[Scene], None]:
    """The vendor's list names ``path``."""
    entry = TargetFile(4, {"sha256": sha256}, path)
    return lambda scene: scene.forger.change_list(ACME, lambda t: t.targets.update({path: entry}), ACME_SIGNS)


for _name, (_path, _says) in PATHS.items():
    add(f"a listed path: {_name}", lists(_path), _says)

for _digest in ("", "../../x", ZEROS.upper().replace("0", "A"), "0" * 63, f"../{ZEROS}"):
    add(f"a listed digest: {_digest[:12]!r}", lists("acme/x/name.bin", _digest), "has no SHA-256")


@attack("a listed file without SHA-256", "has no SHA-256")
def _other_digest(scene: Scene) -> None:
    entry = TargetFile(4, {"md5": "0" * 32}, "acme/x/name.bin")
    scene.forger.change_list(ACME, lambda t: t.targets.update({entry.path: entry}), ACME_SIGNS)


@attack("a description with a digest that nobody knows", "not what was signed", exits=13)
def _unknown_digest(scene: Scene) -> None:
    path = "releases/acme/com.acme.pay-2.0.json"
    scene.forger.change_list(ACME, lambda t: t.targets[path].hashes.update(shake_256="00" * 32), ACME_SIGNS)


@attack("two listed names that differ in capitals", "capitals")
def _capitals(scene: Scene) -> None:
    def both(targets: Targets) -> None:
        scene.forger.put_target("acme/x/File.bin", b"one", targets)
        scene.forger.put_target("acme/x/file.bin", b"two", targets)

    scene.forger.change_list(ACME, both, ACME_SIGNS)


@attack("a description names a file that nobody signed", "names a file that was not signed")
def _unsigned_file(scene: Scene) -> None:
    scene.described(lambda data: data.replace(b"com.acme.pay-2.0.bin", b"com.acme.pay-2.1.bin"))


@attack("a description names another vendor's file", "names a file that was not signed")
def _others_file(scene: Scene) -> None:
    ours = b"acme/com.acme.pay/com.acme.pay-2.0.bin"
    scene.described(lambda data: data.replace(ours, b"beta/org.beta.app/org.beta.app-3.1.bin"))


@attack("a description names a file outside", "names a file that was not signed")
def _outside(scene: Scene) -> None:
    scene.described(lambda data: data.replace(b"acme/com.acme.pay/", b"../../../../etc/"))


@attack("a description gives its file another length", "names a file that was not signed")
def _length(scene: Scene) -> None:
    scene.described(lambda data: data.replace(b'"size": 23', b'"size": 24'))


@attack("one release described twice", "describes com.acme.pay@1.0 twice")
def _release_twice(scene: Scene) -> None:
    scene.described(
        lambda data: data.replace(b'"id": "com.acme.pay"', b'"id": "com.acme.pay"').replace(
            b'"version": "2.0"', b'"version": "1.0"'
        )
    )


def top(change: Callable[[Targets], Any]) -> Callable[[Scene], None]:
    """The release board's list, otherwise."""

    def apply(targets: Targets) -> None:
        change(targets)

    return lambda scene: scene.forger.change_list("targets", apply, BOARD)


def _roles(targets: Targets) -> dict[str, DelegatedRole]:
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    return targets.delegations.roles


def beta(
    name: str = "vendor-beta", *, paths: list[str] | None = None, terminating: bool = True
) -> Callable[[Targets], None]:
    """The role of the publisher beta, delegated otherwise."""

    def change(targets: Targets) -> None:
        roles = _roles(targets)
        old = roles.pop("vendor-beta")
        roles[name] = DelegatedRole(name, old.keyids, old.threshold, terminating, paths or paths_of("beta"))

    return change


def called(name: str) -> Callable[[Scene], None]:
    """A role of whatever name, which python-tuf's own classes would not make."""

    def change(signed: Json) -> None:
        signed["delegations"]["roles"][1]["name"] = name

    return lambda scene: scene.resign("targets", change)


@attack("board: the top list names files itself", "its top role lists files itself")
def _top_lists(scene: Scene) -> None:
    scene.forger.change_list("targets", lambda t: scene.forger.put_target("acme/x/evil.bin", b"evil", t), BOARD)


_MAY_LIST = "may list files that are not its own"
add("board: a publisher may list another's paths", top(beta(paths=["acme/*"])), _MAY_LIST)
add("board: a publisher may list everything", top(beta(paths=[*paths_of("beta"), "*"])), _MAY_LIST)
add("board: a publisher may list the recalls", top(beta(paths=[*paths_of("beta"), "recalls/*"])), _MAY_LIST)
add("board: a publisher whose paths others may list too", top(beta(terminating=False)), _MAY_LIST)
for _name in ("helper", "vendor-", "vendor-BETA", "vendor-../beta", "vendor-b/eta", "vendor-releases", "vendor-con"):
    add(f"board: a role called {_name}", top(beta(_name)), "a role that this techtool does not know")
for _name in ("root", "targets", "snapshot", "timestamp", ""):
    add(
        f"board: a role called {_name!r}",
        called(_name),
        "cannot be read",
    )


@attack("board: paths by the beginning of their digests", "not its own")
def _prefixes(scene: Scene) -> None:
    def change(targets: Targets) -> None:
        roles = _roles(targets)
        old = roles["vendor-beta"]
        roles["vendor-beta"] = DelegatedRole("vendor-beta", old.keyids, 2, True, path_hash_prefixes=["00", "ff"])

    top(change)(scene)


@attack("board: succinct roles", "a kind of delegation that this techtool does not know")
def _succinct(scene: Scene) -> None:
    """A delegation to 2^31 roles in one line."""
    key = public("lab-1")

    def change(targets: Targets) -> None:
        targets.delegations = Delegations({key.keyid: key}, None, SuccinctRoles([key.keyid], 1, 31, "bin"))

    top(change)(scene)


@attack("board: a thousand roles", "a kind of delegation that this techtool does not know")
def _thousands(scene: Scene) -> None:
    def change(signed: Json) -> None:
        model = signed["delegations"]["roles"][0]
        for n in range(1_000):
            signed["delegations"]["roles"].append({**model, "name": f"vendor-v{n}", "paths": paths_of(f"v{n}")})

    scene.resign("targets", change)


@attack("board: one role twice", "cannot be read")
def _role_twice(scene: Scene) -> None:
    scene.resign("targets", lambda signed: signed["delegations"]["roles"].append(signed["delegations"]["roles"][0]))
