"""Paths, links, delegations and JSON that have no place on a stick; and what other systems leave there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, TargetFile, Targets

from techtool.bundles.profile import paths_of
from techtool.errors import Exit
from tests.unit.bundles.office import ACME, ACME_SIGNS, Forger, Office, public, refused


class TestLayout:
    def test_a_role_lists_anothers_path(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)
        forger.change_list(
            "vendor-beta", lambda t: forger.put_target("acme/x/evil.bin", b"evil", t), ("vendor-beta-1", "lab-1")
        )
        assert "not its own" in str(refused(office, stick))

    @pytest.mark.parametrize(
        "path",
        [
            "acme/../../../etc/passwd",
            "/etc/passwd",
            "acme/x/..",
            "acme//x",
            "acme/con/file.bin",
            "acme/x/nul.bin",
            "acme/x/name.",
            "acme/x/.hidden",
            "acme/x/a\\b",
            "acme/x/a:b",
            "acme/x/naïve",
            "acme/x/" + "a" * 300,
        ],
    )
    def test_paths_that_lead_outside_or_are_not_portable(self, office: Office, stick: Path, path: str) -> None:
        entry = TargetFile(4, {"sha256": "0" * 64}, path)
        Forger(stick).change_list(ACME, lambda t: t.targets.update({path: entry}), ACME_SIGNS)
        assert refused(office, stick).exit_code is Exit.UNTRUSTED

    def test_signed_names_that_differ_in_capitals(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)

        def both(targets: Targets) -> None:
            forger.put_target("acme/x/File.bin", b"one", targets)
            forger.put_target("acme/x/file.bin", b"two", targets)

        forger.change_list(ACME, both, ACME_SIGNS)
        assert "capitals" in str(refused(office, stick))

    def test_names_on_the_stick_that_differ_in_capitals(self, office: Office, stick: Path) -> None:
        (stick / "TECHTOOL/targets/ACME").mkdir()
        assert "capitals" in str(refused(office, stick))

    def test_the_top_role_lists_files(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)
        change = lambda t: forger.put_target("acme/x/evil.bin", b"evil", t)  # noqa: E731
        forger.change_list("targets", change, ("targets-1", "targets-2"))
        assert "top role" in str(refused(office, stick))

    @pytest.mark.parametrize("change", ["name", "paths", "not terminating", "wider"])
    def test_delegations_outside_the_profile(self, office: Office, stick: Path, change: str) -> None:
        def widen(top: Targets) -> None:
            assert top.delegations is not None
            assert top.delegations.roles is not None
            roles = top.delegations.roles
            role = roles.pop("vendor-beta")
            name = "recall" if change == "name" else "vendor-beta"
            paths = {"paths": ["acme/*"], "wider": [*paths_of("beta"), "*"]}.get(change, paths_of("beta"))
            terminating = change != "not terminating"
            roles[name] = DelegatedRole(name, role.keyids, role.threshold, terminating=terminating, paths=paths)

        Forger(stick).change_list("targets", widen, ("targets-1", "targets-2"))
        refused(office, stick)

    def test_a_publisher_delegates_further(self, office: Office, stick: Path) -> None:
        keyid = public("lab-1").keyid
        below = Delegations({keyid: public("lab-1")}, {"sub": DelegatedRole("sub", [keyid], 1, True, ["acme/*"])})
        Forger(stick).change_list(ACME, lambda t: setattr(t, "delegations", below), ACME_SIGNS)
        assert "delegates further" in str(refused(office, stick))

    @pytest.mark.parametrize("target", ["folder", "metadata", "payload", "fifo", "techtool"])
    def test_links_and_pipes(self, office: Office, stick: Path, target: str) -> None:
        root = stick / "TECHTOOL"
        if target == "fifo":
            os.mkfifo(root / "targets/pipe")
        elif target == "folder":
            (root / "targets/acme2").symlink_to(root / "targets/acme")
        elif target == "techtool":
            root.rename(stick / "elsewhere")
            root.symlink_to(stick / "elsewhere")
        else:
            folder = root / ("metadata" if target == "metadata" else "targets/releases/acme")
            victim = sorted(folder.iterdir())[0]
            moved = stick / victim.name
            victim.rename(moved)
            victim.symlink_to(moved)
        assert refused(office, stick).exit_code is Exit.UNTRUSTED

    def test_mac_twins_and_dot_files_are_only_noted(self, office: Office, stick: Path) -> None:
        for path in [p for p in (stick / "TECHTOOL").rglob("*") if p.is_file()]:
            path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7junk")
        (stick / "TECHTOOL/metadata/.DS_Store").write_bytes(b"x")
        (stick / "TECHTOOL/metadata/.link").symlink_to("/etc/passwd")
        opened = office.open(stick)
        assert len(opened.releases) == 3
        assert len(opened.notes) == 1
        assert "hidden files" in opened.notes[0].text("en")

    def test_endless_folders(self, office: Office, stick: Path) -> None:
        deep = stick / "TECHTOOL/targets" / "/".join("abcdefghijkl")
        deep.mkdir(parents=True)
        refused(office, stick)


class TestJson:
    def test_duplicate_key(self, office: Office, stick: Path) -> None:
        path = stick / "TECHTOOL/metadata/timestamp.json"
        path.write_bytes(path.read_bytes().replace(b'{"signatures"', b'{"signatures":[],"signatures"', 1))
        assert "timestamp.json" in str(refused(office, stick))

    def test_duplicate_key_in_a_list(self, office: Office, stick: Path) -> None:
        """The signature is over what a parser makes of it, so every parser must make the same of it."""
        forger = Forger(stick)
        path = forger.newest(ACME)
        path.write_bytes(path.read_bytes().replace(b'"version":2', b'"version":7,"version":2'))
        forger.restamp()
        assert "2.vendor-acme.json" in str(refused(office, stick))

    @pytest.mark.parametrize(
        "data", [b"", b"[" * 100_000, b"\xff\xfe{}", b"NaN", b"{}", b'{"signed": {"version": "9"}}']
    )
    @pytest.mark.parametrize("name", ["timestamp.json", "1.root.json"])
    def test_no_metadata_at_all(self, office: Office, stick: Path, name: str, data: bytes) -> None:
        (stick / "TECHTOOL/metadata" / name).write_bytes(data)
        refused(office, stick)

    def test_endless_metadata(self, office: Office, stick: Path) -> None:
        with (stick / "TECHTOOL/metadata/timestamp.json").open("wb") as file:
            file.truncate(3 << 30)
        refused(office, stick)

    @pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "1.targets.json"])
    def test_missing_metadata(self, office: Office, stick: Path, name: str) -> None:
        (stick / "TECHTOOL/metadata" / name).unlink()
        refused(office, stick)
