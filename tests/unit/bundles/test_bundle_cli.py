"""``techtool bundle`` and ``techtool trust`` as people and scripts use them: exit codes, JSON, next steps."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from techtool.bundles.find import Drive
from techtool.bundles.roots import fingerprint
from tests.unit.bundles.line import Line
from tests.unit.bundles.office import Forger, Office, copy_of
from tests.unit.simulator.apk_maker import make_apk


class TestStick:
    def test_inspect(self, shop: Office, stick: Path, cli: Line) -> None:
        assert cli("bundle", "inspect", stick, "--json").code == 0
        assert cli.err == ""
        tree = cli.json
        assert tree["schema"] == 1
        assert tree["expired"] is None
        assert [r["id"] for r in tree["releases"]] == ["com.acme.kernel", "com.acme.pay", "org.beta.app"]
        assert tree["trust"]["root_sha256"] == fingerprint(shop.workspace.root_data())
        assert tree["trust"]["use_by"] == "2027-03-31T09:00:00.000Z"

    def test_inspect_for_people(self, shop: Office, stick: Path, cli: Line) -> None:
        assert cli("bundle", "inspect", stick / "TECHTOOL").code == 0
        assert "com.acme.pay 1.0" in cli.out
        assert "sunmi/P2" in cli.out

    def test_verify(self, shop: Office, stick: Path, cli: Line) -> None:
        assert cli("bundle", "verify", stick, "--json").code == 0
        assert cli.json["ok"] is True
        assert len(cli.json["files"]) == 3
        assert cli("bundle", "verify", stick).code == 0

    def test_untrusted_is_10(self, shop: Office, stick: Path, cli: Line) -> None:
        Forger(stick).change_list("vendor-acme", lambda _t: None, ("lab-1", "lab-2"))
        for command in ("inspect", "verify"):
            assert cli("bundle", command, stick, "--json").code == 10
            assert cli.json["error"]["code"] == "TT-210"
            assert cli.json["error"]["next_actions"]

    def test_expired_is_11_and_can_be_inspected(self, shop: Office, stick: Path, cli: Line) -> None:
        shop.later(days=200)
        assert cli("bundle", "verify", stick, "--json").code == 11
        assert cli("bundle", "inspect", stick, "--json").code == 0
        assert cli.json["expired"]["role"] == "timestamp"
        assert len(cli.json["releases"]) == 3

    def test_damaged_is_13(self, shop: Office, stick: Path, cli: Line) -> None:
        path = next((stick / "TECHTOOL/targets/acme/com.acme.pay").iterdir())
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        assert cli("bundle", "verify", stick, "--json").code == 13
        assert "com.acme.pay" in cli.json["error"]["what"]
        assert "✓ acme/com.acme.kernel" in cli.err
        assert cli("bundle", "inspect", stick).code == 0

    def test_withdrawn_is_14(self, shop: Office, stick: Path, cli: Line) -> None:
        old = copy_of(stick, "old")
        shop.withdraw("com.acme.kernel", "7.0")
        assert cli("bundle", "verify", shop.stick()).code == 0
        assert cli("bundle", "verify", old, "--json").code == 14
        assert "com.acme.kernel 7.0" in cli.json["error"]["what"]

    def test_no_stick_is_3(self, shop: Office, tmp_path: Path, cli: Line) -> None:
        for path in (tmp_path, tmp_path / "none"):
            assert cli("bundle", "verify", path, "--json").code == 3
            assert cli.json["error"]["code"] == "TT-111"

    def test_without_a_pinned_root_is_4(
        self, shop: Office, stick: Path, cli: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "new"))
        assert cli("bundle", "verify", stick, "--json").code == 4
        assert "trust add" in cli.json["error"]["what"]

    def test_two_sticks_are_4_and_both_are_named(
        self, shop: Office, stick: Path, cli: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        twin = copy_of(stick, "twin")
        mounted = [Drive("/dev/x", stick, "exfat", True), Drive("/dev/y", twin, "exfat", True)]
        monkeypatch.setattr("techtool.bundles.find.drives", lambda: mounted)
        assert cli("bundle", "inspect", "--json").code == 4
        assert str(stick) in cli.json["error"]["what"]
        assert str(twin) in cli.json["error"]["what"]
        assert cli("bundle", "find", "--json").code == 0
        assert [s["path"] for s in cli.json["sticks"]] == sorted([str(stick), str(twin)])
        mounted.pop()
        assert cli("bundle", "inspect").code == 0
        mounted.pop()
        assert cli("bundle", "find", "--json").code == 3
        assert cli.json["sticks"] == []


class TestPublisher:
    def test_from_nothing_to_a_trusted_stick(self, tmp_path: Path, cli: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "home"))
        bundle, stick, apk = tmp_path / "bundle", tmp_path / "stick", tmp_path / "pay.apk"
        apk.write_bytes(make_apk("org.example.pay", 7, "1.2"))
        assert cli("bundle", "init", bundle, "--publisher", "acme").code == 0
        shown = cli.out.strip()
        rules = '[{"what": "battery", "percent": 40}]'
        arguments = ("--model", "sunmi/P2:B,C", "--text", "en=New", "--requires", rules, "--install-duration", "90")
        assert cli("bundle", "add", bundle, apk, *arguments).code == 0
        assert cli.out == "org.example.pay@1.2\n"
        assert "code 7" in cli.err
        assert cli("bundle", "sign", bundle).code == 0
        assert cli("bundle", "sign", bundle).code == 2
        assert cli("bundle", "write", bundle, stick).code == 3, "no folder is made for a mistyped stick"
        stick.mkdir()
        assert cli("bundle", "write", bundle, stick).code == 0
        assert "safe to remove" in cli.err
        root = bundle / "metadata/1.root.json"
        assert cli("trust", "add", root, "--fingerprint", shown).code == 0
        assert cli("bundle", "verify", stick, "--json").code == 0
        (release,) = cli.json["releases"]
        assert release["provides"] == [{"vendor": "sunmi", "model": "P2", "hw_rev": ["B", "C"], "region": []}]
        assert release["requires"] == ["battery"]

    def test_a_release_file(self, shop: Office, cli: Line, tmp_path: Path) -> None:
        (tmp_path / "r.toml").write_text(
            'id = "com.acme.os"\nversion = "2"\nversion_format = "dotted"\nkind = "firmware"\n'
            '[[provides]]\nvendor = "acme"\nmodel = "X1"\n[text]\nzh = "新"\n'
        )
        image = shop.payload("os.img", b"x")
        bundle = shop.folder / "bundle"
        assert cli("bundle", "add", bundle, image, "--publisher", "acme", "--release", tmp_path / "r.toml").code == 0
        assert cli.out == "com.acme.os@2\n"

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--model", "P2"),
            ("--model", "sunmi/P2", "--kind", "os"),
            ("--model", "sunmi/P2", "--requires", "[{"),
            ("--model", "sunmi/P2", "--requires", "/nonexistent.json"),
            ("--model", "sunmi/P2", "--text", "hello"),
            ("--model", "sunmi/P2", "--release", "/nonexistent.toml"),
            (),
        ],
    )
    def test_bad_input_is_4_and_changes_nothing(self, shop: Office, cli: Line, arguments: Sequence[str]) -> None:
        apk = shop.payload("pay.apk", make_apk())
        assert cli("bundle", "add", shop.folder / "bundle", apk, "--publisher", "acme", *arguments).code == 4
        assert shop.workspace.staged_roles() == ()
        assert "Traceback" not in cli.err

    def test_several_publishers_must_be_named(self, shop: Office, cli: Line) -> None:
        apk = shop.payload("pay.apk", make_apk())
        assert cli("bundle", "add", shop.folder / "bundle", apk, "--model", "sunmi/P2").code == 4
        assert "acme, beta" in cli.err

    def test_what_is_no_apk_is_4(self, shop: Office, cli: Line) -> None:
        apk = shop.payload("pay.apk", b"hello")
        arguments = ("--publisher", "acme", "--model", "sunmi/P2")
        assert cli("bundle", "add", shop.folder / "bundle", apk, *arguments).code == 4
        assert "TT-106" in cli.err

    def test_no_bundle_folder_is_4(self, shop: Office, cli: Line, tmp_path: Path) -> None:
        for words in (("sign", tmp_path), ("write", tmp_path, tmp_path / "stick")):
            assert cli("bundle", *words).code == 4

    def test_keys_under_a_passphrase(self, cli: Line, tmp_path: Path) -> None:
        secret, wrong = tmp_path / "secret", tmp_path / "wrong"
        secret.write_text("correct horse\n")
        wrong.write_text("battery staple\n")
        bundle = tmp_path / "bundle"
        few = ("--root-keys", "1", "--root-threshold", "1", "--targets-keys", "1", "--targets-threshold", "1")
        assert cli("bundle", "init", bundle, "--publisher", "acme", "--passphrase-file", secret, *few).code == 0
        assert "no passphrase" not in cli.err
        assert cli("bundle", "sign", bundle, "--renew", "--passphrase-file", wrong).code == 6
        assert cli("bundle", "sign", bundle, "--renew").code == 5, "nobody can be asked here"
        assert cli("bundle", "sign", bundle, "--renew", "--passphrase-file", secret).code == 0


class TestTrust:
    def test_add_and_list(self, shop: Office, stick: Path, cli: Line) -> None:
        digest = fingerprint(shop.workspace.root_data())
        for source in (stick / "TECHTOOL/metadata/1.root.json", stick):
            assert cli("trust", "add", source, "--fingerprint", digest.upper()).code == 0
            assert cli.out.strip() == digest
        assert cli("trust", "list", "--json").code == 0
        assert [r["fingerprint"] for r in cli.json["roots"]] == [digest]
        assert cli("trust", "list").code == 0

    def test_another_fingerprint_is_refused(
        self, shop: Office, stick: Path, cli: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "new"))
        assert cli("trust", "add", stick, "--fingerprint", "00" * 32).code == 10
        assert cli("trust", "list", "--json").code == 0
        assert cli.json["roots"] == []

    def test_nobody_to_ask_is_5(self, shop: Office, stick: Path, cli: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        assert cli("trust", "add", stick).code == 5

    @pytest.mark.parametrize(
        ("typed", "code"), [(16, 0), (64, 0), (8, 10), (0, 6), (None, 10)], ids=["end", "whole", "few", "none", "yes"]
    )
    def test_a_person_types_what_the_office_told(
        self, shop: Office, stick: Path, cli: Line, typed: int | None, code: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digest = fingerprint(shop.workspace.root_data())
        answer = "yes\n" if typed is None else f"{digest[64 - typed :]}\n"

        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        monkeypatch.setattr("sys.stdin", Terminal(answer))
        assert cli("trust", "add", stick).code == code

    def test_what_is_no_root_is_4(self, shop: Office, stick: Path, cli: Line) -> None:
        assert cli("trust", "add", stick / "TECHTOOL/READ-ME.txt", "--fingerprint", "x").code == 4
