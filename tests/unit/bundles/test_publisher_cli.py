"""The publisher's commands as people and scripts use them: what was done, what comes next, and what is refused."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from techtool.bundles.description import KNOWN_RULES
from techtool.bundles.publish.keys import write_key
from techtool.bundles.publish.workspace import Workspace
from techtool.bundles.refresh import read_refresh
from techtool.bundles.roots import fingerprint, grouped
from techtool.domain.release import Compare, ReleaseKind, Requirement
from techtool.domain.versions import SCHEMES
from techtool.errors import Damaged, PublisherError
from tests.unit.bundles.line import Line
from tests.unit.bundles.office import ACME, Office, copy_of, private_key
from tests.unit.simulator.apk_maker import make_apk

SMALL = ("--root-keys", "1", "--root-threshold", "1", "--targets-keys", "1", "--targets-threshold", "1")


@pytest.fixture
def shop(shop: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Nobody is there to be asked."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return shop


@pytest.fixture
def bundle(shop: Office) -> Path:
    return shop.folder / "bundle"


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(capsys)


def half(path: Path, owner: str) -> Path:
    """A public key as its owner sends it."""
    path.write_bytes(private_key(owner).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    return path


class Terminal(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


class TestInit:
    def test_as_it_comes(self, shop: Office, line: Line, tmp_path: Path) -> None:
        assert line("bundle", "init", tmp_path / "b", "--publisher", "acme").code == 0
        for word in ("recall-1.key", "vendor-acme-1.key", "no passphrase", "1.root.json", "bundle add", "ssh-keygen"):
            assert word in line.err
        assert len(line.out.split()) == 16, "the fingerprint alone"
        assert Workspace.open(tmp_path / "b").staged_roles() == ()

    def test_counts_and_thresholds(self, shop: Office, line: Line, tmp_path: Path) -> None:
        options = ("--root-keys", "5", "--root-threshold", "3", "--lab-keys", "2", "--list-threshold", "3")
        more = ("--recall-keys", "3", "--recall-threshold", "2", "--vendor-keys", "2", "--targets-keys", "3")
        assert line("bundle", "init", tmp_path / "b", "--publisher", "acme", *options, *more).code == 0
        assert line("bundle", "status", tmp_path / "b", "--json").code == 0
        found = {role["role"]: (role["threshold"], len(role["owners"])) for role in line.json["roles"]}
        assert found == {
            "root": (3, 5),
            "targets": (2, 3),
            "vendor-acme": (3, 4),
            "recall": (2, 3),
            "snapshot": (1, 1),
            "timestamp": (1, 1),
        }

    @pytest.mark.parametrize(
        "options",
        [
            ("--root-threshold", "4"),
            ("--targets-threshold", "3"),
            ("--list-threshold", "3"),
            ("--list-threshold", "1"),
            ("--recall-threshold", "3"),
            ("--root-keys", "0"),
            ("--lab-keys", "x"),
            ("--key", "lab-1"),
            ("--key", "lab-1=/nonexistent.pub"),
            ("--passphrase-file", "/nonexistent"),
        ],
    )
    def test_what_cannot_be_leaves_nothing(
        self,
        shop: Office,
        line: Line,
        tmp_path: Path,
        options: Sequence[str],
    ) -> None:
        assert line("bundle", "init", tmp_path / "b", "--publisher", "acme", *options).code == 4
        assert "Traceback" not in line.err
        assert sorted(p.name for p in tmp_path.iterdir()) == ["office"]

    def test_a_person_brings_their_own_key(self, shop: Office, line: Line, tmp_path: Path) -> None:
        pub = half(tmp_path / "anna.pub", "anna")
        assert line("bundle", "init", tmp_path / "b", "--publisher", "acme", "--key", f"lab-1={pub}").code == 0
        assert not (tmp_path / "b/keys/lab-1.key").exists()
        assert "vendor-acme: still needs 1 of: lab-1" in line.err
        assert line.out == "", "there is no fingerprint yet"
        write_key(tmp_path / "home/id_ed25519", private_key("anna"))
        assert line("bundle", "sign", tmp_path / "b", "--keys", tmp_path / "home/id_ed25519").code == 0
        assert "vendor-acme: signed by lab-1" in line.out
        assert len(line.out.splitlines()[-1].split()) == 16, "the fingerprint, when the root is signed"

    def test_passphrases_are_asked_for_once_and_again(
        self,
        shop: Office,
        line: Line,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        answers = iter(["correct horse", "correct horse"])
        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _text: next(answers))
        assert line("bundle", "init", tmp_path / "b", "--publisher", "acme", *SMALL).code == 0
        assert line("bundle", "status", tmp_path / "b", "--json").code == 0
        assert all(key["passphrase"] for key in line.json["keys"])
        assert next(answers, None) is None


class TestAdd:
    COMMON = ("--publisher", "acme", "--model", "sunmi/P2")

    def test_a_firmware_archive_with_declared_facts(self, shop: Office, bundle: Path, line: Line) -> None:
        archive = shop.payload("x1 os 2.4.0 (final).zip", b"")
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr("system.img", b"\x00" * 5000)
        declared = ("--id", "com.acme.os", "--version", "2.4.0", "--version-format", "triplet", "--kind", "firmware")
        assert line("bundle", "add", bundle, archive, *self.COMMON, *declared).code == 0
        assert str(archive.stat().st_size) in line.err
        assert line("bundle", "sign", bundle).code == 0
        (shop.folder / "new").mkdir()
        assert line("bundle", "write", bundle, shop.folder / "new").code == 0
        item = next(r for r in shop.open(shop.folder / "new").releases if r.release.id == "com.acme.os")
        (file,) = item.release.files
        assert (file.role, file.size_bytes) == ("image", archive.stat().st_size)
        copy = shop.open(shop.folder / "new").fetch(item, file, shop.laptop.payloads)
        assert copy.read_bytes() == archive.read_bytes()

    @pytest.mark.parametrize("kind", ["parameters", "aid_capk", "resources", "certificates"])
    def test_parameter_files(self, shop: Office, bundle: Path, line: Line, kind: str) -> None:
        files = [shop.payload("a.json", b"{}"), shop.payload("b.bin", b"x")]
        declared = ("--id", "com.acme.data", "--version", "7", "--version-format", "dotted", "--kind", kind)
        assert line("bundle", "add", bundle, *files, *self.COMMON, *declared).code == 0
        shop.workspace.sign(shop.clock)
        shop.workspace.write(shop.folder / "new", shop.clock)
        item = next(r for r in shop.open(shop.folder / "new").releases if r.release.id == "com.acme.data")
        assert [file.role for file in item.release.files] == ["data", "data"]
        assert item.release.kind.value == kind

    def test_several_apks_for_several_models(self, shop: Office, bundle: Path, line: Line) -> None:
        apks = [shop.payload(f"{name}.apk", make_apk(f"org.example.{name}", 3, "1.0")) for name in ("pay", "aid")]
        models = ("--model", "sunmi/P2:B,C", "--model", "castles/Saturn1000F2")
        assert line("bundle", "add", bundle, *apks, "--publisher", "acme", *models).code == 0
        assert line.out == "org.example.pay@1.0\n"
        shop.workspace.sign(shop.clock)
        shop.workspace.write(shop.folder / "new", shop.clock)
        item = next(r for r in shop.open(shop.folder / "new").releases if r.release.id == "org.example.pay")
        assert [apk.id for apk in item.release.packages] == ["org.example.pay", "org.example.aid"]
        assert [(p.model, p.hw_revisions) for p in item.release.provides] == [
            ("P2", ("B", "C")),
            ("Saturn1000F2", ()),
        ]

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ((), ("id, version, version_format, kind", "--version-format", "--release")),
            (("--id", "x", "--version", "1", "--kind", "firmware"), ("version_format",)),
            (("--id", "x", "--version", "1", "--kind", "firmware", "--version-format", "lunar"), ("dotted", "semver")),
            (("--id", "x", "--version", "1", "--kind", "os", "--version-format", "dotted"), ("firmware",)),
        ],
    )
    def test_what_is_missing_is_said_with_what_there_is(
        self,
        shop: Office,
        bundle: Path,
        line: Line,
        options: Sequence[str],
        words: Sequence[str],
    ) -> None:
        image = shop.payload("os.img", b"x")
        assert line("bundle", "add", bundle, image, *self.COMMON, *options).code == 4
        for word in words:
            assert word in line.err
        assert shop.workspace.staged_roles() == ()

    APK = ("--model", "sunmi/P2", "--publisher", "acme", "--text", "en=New", "--install-duration", "60")

    def test_with_errors_it_is_mended_before_anybody_signs(self, shop: Office, bundle: Path, line: Line) -> None:
        apk = shop.payload("new.apk", make_apk("com.acme.new", 7, "2.0"))
        rules = '[{"what": "component", "id": "com.acme.kernel"}]'
        assert line("bundle", "add", bundle, apk, *self.APK, "--requires", rules).code == 0
        assert "lacks “version”" in line.err
        assert "component (id, compare, version)" in line.err
        assert "Next: mend it first" in line.err
        assert "Next: “bundle sign”" not in line.err
        assert line("bundle", "add", bundle, apk, *self.APK).code == 4
        assert "“bundle withdraw”, then “bundle add” again" in line.err
        assert line("bundle", "withdraw", bundle, "com.acme.new@2.0").code == 0
        assert line("bundle", "add", bundle, apk, *self.APK).code == 0
        assert "Next: “bundle sign”" in line.err

    def test_what_is_published_needs_a_new_version(self, shop: Office, bundle: Path, line: Line) -> None:
        apk = shop.payload("new.apk", make_apk("com.acme.new", 7, "2.0"))
        assert line("bundle", "add", bundle, apk, *self.APK).code == 0
        shop.workspace.sign(shop.clock)
        assert line("bundle", "add", bundle, apk, *self.APK).code == 4
        assert "needs a new version" in line.err

    def test_a_model_nobody_knows_can_be_mended(self, shop: Office, bundle: Path, line: Line) -> None:
        apk = shop.payload("new.apk", make_apk("com.acme.new", 7, "2.0"))
        assert line("bundle", "add", bundle, apk, "--publisher", "acme", "--model", "sunmi/P99").code == 0
        assert "→ Mend it: “bundle withdraw”" in line.err
        assert "sunmi/P2" in line.err

    def test_a_language_that_nobody_sees(self, shop: Office, bundle: Path, line: Line) -> None:
        apk = shop.payload("new.apk", make_apk("com.acme.new", 7, "2.0"))
        assert line("bundle", "add", bundle, apk, *self.APK, "--text", "fr=Nouveau").code == 0
        assert "no text in: fr" in line.err

    def test_no_connection_brings_a_firmware(self, shop: Office, bundle: Path, line: Line) -> None:
        image = shop.payload("os.img", b"x")
        declared = ("--id", "os", "--version", "1.0", "--version-format", "dotted", "--kind", "firmware")
        assert line("bundle", "add", bundle, image, *self.COMMON, *declared).code == 0
        assert "! techtool itself cannot install its files (image) on: sunmi/P2" in line.err
        assert "→ Use the maker's own loader" in line.err
        assert "Next: “bundle sign”" in line.err

    @pytest.mark.parametrize(
        ("rules", "words"),
        [
            ('[{"what": "firmware", "version": "1", "compare": "min"}]', ("'min'", "eq, ne, lt, le, gt, ge")),
            ('[{"what": "firmware", "version": 1}]', ("version",)),
        ],
    )
    def test_a_word_that_is_none(
        self, shop: Office, bundle: Path, line: Line, rules: str, words: Sequence[str]
    ) -> None:
        apk = shop.payload("new.apk", make_apk("com.acme.new", 7, "2.0"))
        assert line("bundle", "add", bundle, apk, *self.APK, "--requires", rules).code == 4
        for word in words:
            assert word in line.err

    def test_in_a_release_file_too(self, shop: Office, bundle: Path, line: Line) -> None:
        apk = shop.payload("new.apk", make_apk("com.acme.new", 7, "2.0"))
        draft = shop.payload("r.toml", b'urgency = "soon"')
        assert line("bundle", "add", bundle, apk, *self.APK, "--release", draft).code == 4
        assert "low, medium, high, critical" in line.err

    def test_help_names_what_there_is(self, shop: Office, line: Line) -> None:
        assert line("bundle", "add", "--help").code == 0
        text = re.sub(r"-\n\s+", "-", line.out)
        told = {word.strip('.,;:()[]{}"') for word in text.split()}
        assert told >= KNOWN_RULES | SCHEMES | {kind.value for kind in ReleaseKind} | {how.value for how in Compare}


class TestSign:
    def test_as_one_person_on_a_shared_folder(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.add("com.acme.new")
        assert line("bundle", "sign", bundle, "--as", "lab-1").code == 0
        assert line.out == "vendor-acme: signed by lab-1\n"
        assert "vendor-acme: still needs 1 of: vendor-acme-1" in line.err
        assert "Next: pass the folder on" in line.err
        assert line("bundle", "sign", bundle, "--as", "lab-1").code == 2
        assert "No key that is here" in line.err
        assert line("bundle", "sign", bundle, "--as", "lab1").code == 4
        assert "lab-2" in line.err

    def test_another_persons_protected_key_is_in_the_folder(
        self,
        shop: Office,
        bundle: Path,
        line: Line,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = bundle / "keys/vendor-acme-1.key"
        path.unlink()
        write_key(path, private_key("vendor-acme-1"), "the vendor's")
        shop.add("com.acme.new")
        assert line("bundle", "sign", bundle).code == 5, "nobody can be asked"
        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _text: "")
        assert line("bundle", "sign", bundle).code == 0
        assert "lab-1" in line.out
        assert "vendor-acme-1" not in line.out

    @pytest.mark.parametrize("option", ["--keys", "--merge"])
    def test_a_place_that_is_not_there(self, shop: Office, bundle: Path, line: Line, option: str) -> None:
        shop.add("com.acme.new")
        assert line("bundle", "sign", bundle, option, shop.folder / "none").code == 4
        assert shop.workspace.list_of(ACME).signatures == {}

    def test_passphrases_that_differ(self, shop: Office, bundle: Path, line: Line) -> None:
        for owner in ("vendor-acme-1", "lab-1"):
            path = bundle / f"keys/{owner}.key"
            path.unlink()
            write_key(path, private_key(owner), f"{owner}'s")
        shop.add("com.acme.new")
        given = shop.payload("pass", b"lab-1's\n")
        assert line("bundle", "sign", bundle, "--passphrase-file", given).code == 6
        assert "one after the other: --as" in line.err
        assert line("bundle", "sign", bundle, "--passphrase-file", given, "--as", "lab-1").code == 0

    def test_whoever_signs_sees_what_is_wrong_with_it(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.add("com.acme.new", requires=(Requirement("moon-phase"),))
        assert line("bundle", "sign", bundle, "--as", "lab-1").code == 0
        assert "✗ com.acme.new@1.0: It states a rule “moon-phase”" in line.err
        shop.withdraw("com.acme.new")
        shop.add("com.acme.new")
        line("bundle", "sign", bundle, "--as", "lab-1")
        assert "✗" not in line.err

    def test_an_error_between_two_lists_is_one_error(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.add("com.acme.twin", "4.0", "acme")
        shop.add("com.acme.twin", "4.0", "beta")
        assert line("bundle", "lint", bundle, "--json").code == 1
        count = line.json["errors"]
        assert line("bundle", "sign", bundle).code == 4
        assert f"errors in vendor-acme, vendor-beta ({count});" in line.err

    def test_copies_come_together(self, shop: Office, bundle: Path, line: Line) -> None:
        vendor, lab = shop.pocket("vendor-acme-1"), shop.pocket("lab-1", "lab-2")
        shop.add("com.acme.new")
        copies = {}
        for name, keys in (("vendor", vendor), ("lab", lab)):
            copies[name] = copy_of(bundle, f"copy-{name}")
            assert line("bundle", "sign", copies[name], "--keys", keys).code == 0
        assert line("bundle", "sign", bundle, "--merge", copies["vendor"], "--merge", copies["lab"]).code == 0
        assert "vendor-acme: signature of vendor-acme-1 taken over" in line.out
        assert "bundle write" in line.err
        assert shop.workspace.staged_roles() == ()
        assert line("bundle", "sign", bundle, "--merge", copies["lab"]).code == 2
        assert "No new signature" in line.err

    def test_copies_that_do_not_fit(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.add("com.acme.new")
        copy = copy_of(bundle, "copy")
        shop.add("com.acme.newer")
        shop.pocket("lab-1", "lab-2")
        assert line("bundle", "sign", bundle, "--merge", copy).code == 0
        assert "in another way" in line.err
        assert "No new signature" not in line.err


class TestRecall:
    def test_the_whole_way(self, shop: Office, bundle: Path, line: Line, stick: Path) -> None:
        shop.pocket("vendor-acme-1", "lab-1", "lab-2")
        why = ("--reason", "en=It burns", "--reason", "zh=会起火", "--urgency", "critical")
        assert line("bundle", "recall", bundle, "com.acme.pay@1.0", *why).code == 0
        assert line.out == "com.acme.pay@1.0\n"
        for word in ("recall: still needs 1 of: recall-1, recall-2", "2027-03-31", "--metadata-only"):
            assert word in line.err
        assert line("bundle", "recall", bundle, "com.acme.pay@1.0", *why).code == 2
        assert line("bundle", "write", bundle, stick).code == 0
        assert "RECALL" in line.err
        assert line("bundle", "status", bundle).code == 0
        assert "! NOT PUBLISHED YET: com.acme.pay@1.0 was recalled" in line.out
        assert line("bundle", "sign", bundle).code == 0
        assert "--metadata-only" in line.err, "laptops far away need a file"
        assert line("bundle", "write", bundle, stick).code == 0
        assert "Recalls that go along: 1" in line.err
        assert line("bundle", "verify", stick, "--json").code == 12
        assert "It burns" in line.json["error"]["what"]
        assert line("bundle", "recall", bundle, "com.acme.pay@1.0", "--lift").code == 0
        assert line("bundle", "sign", bundle).code == 0
        assert line("bundle", "write", bundle, stick).code == 0
        assert line("bundle", "verify", stick, "--json").code == 0

    def test_by_hand(self, shop: Office, bundle: Path, line: Line) -> None:
        hand = ("--kind", "firmware", "--shown-version", "1.2", "--model", "acme/X1:B", "--package", "com.acme.x:7")
        assert line("bundle", "recall", bundle, "com.acme.os@1", "--reason", "en=x", *hand).code == 0
        assert "acme/X1" in line.err
        assert "version code 7" in line.err
        assert line("bundle", "status", bundle, "--json").code == 0
        (entry,) = line.json["recalls"]
        assert (entry["id"], entry["urgency"], entry["published"]) == ("com.acme.os", "high", False)

    @pytest.mark.parametrize(
        "words",
        [
            (),
            ("com.acme.pay",),
            ("com.acme.pay@1.0",),
            ("com.acme.pay@1.0", "--reason", "hello"),
            ("com.acme.pay@1.0", "--reason", "en=x", "--urgency", "soon"),
            ("com.acme.pay@1.0", "--reason", "en=x", "--replacement", "com.acme.pay"),
            ("com.acme.pay@1.0", "--reason", "en=x", "--package", "com.acme"),
            ("com.acme.pay@1.0", "--reason", "en=x", "--package", "com.acme:x"),
            ("com.acme.pay@1.0", "--reason", "en=x", "--kind", "os"),
            ("com.acme.gone@1.0", "--reason", "en=x"),
            ("com.acme.pay@1.0", "--lift"),
            ("--make-role",),
        ],
    )
    def test_what_cannot_be(self, shop: Office, bundle: Path, line: Line, words: Sequence[str]) -> None:
        assert line("bundle", "recall", bundle, *words).code == 4
        assert shop.workspace.staged_roles() == ()
        assert "Traceback" not in line.err

    def test_to_withdraw_what_was_never_published_needs_nobody(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.add("com.acme.new")
        assert line("bundle", "withdraw", bundle, "com.acme.new@1.0").code == 0
        assert "not published: nothing on sticks changes" in line.err
        assert "Nothing waits" in line.err
        assert shop.workspace.staged_roles() == ()
        assert line("bundle", "sign", bundle).code == 2

    def test_unless_something_else_waits_there(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.add("com.acme.new")
        shop.add("com.acme.newer")
        assert line("bundle", "withdraw", bundle, "com.acme.new@1.0").code == 0
        assert "not published" in line.err
        assert "vendor-acme: still needs 2" in line.err
        assert shop.workspace.staged_roles() == (ACME,)

    def test_what_must_be_signed_again_in_any_case_goes_on_waiting(
        self, shop: Office, bundle: Path, line: Line
    ) -> None:
        shop.add("com.acme.new")
        assert line("bundle", "rotate", bundle, "vendor-acme-1").code == 0
        assert line("bundle", "withdraw", bundle, "com.acme.new@1.0").code == 0
        assert ACME in shop.workspace.staged_roles()
        assert line("bundle", "sign", bundle).code == 0
        assert shop.workspace.staged_roles() == ()

    def test_nor_is_a_renewal_forgotten(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.later(days=340)
        shop.add("com.acme.new")
        assert line("bundle", "withdraw", bundle, "com.acme.new@1.0").code == 0
        assert shop.workspace.staged_roles() == (ACME,)

    def test_who_needs_what_is_withdrawn(self, shop: Office, bundle: Path, line: Line) -> None:
        needs = Requirement("component", Compare.GE, "7.0", id="com.acme.kernel")
        shop.add("com.acme.till", requires=(needs,))
        assert line("bundle", "withdraw", bundle, "com.acme.pay@1.0").code == 0
        assert "Without it" not in line.err
        assert line("bundle", "withdraw", bundle, "com.acme.kernel@7.0").code == 0
        assert "! Without it, com.acme.till@1.0: It needs what no release here brings" in line.err

    def test_withdraw(self, shop: Office, bundle: Path, line: Line, stick: Path) -> None:
        assert line("bundle", "withdraw", bundle, "com.acme.kernel@7.0").code == 0
        assert "vendor-acme" in line.err
        assert line("bundle", "sign", bundle).code == 0
        assert line("bundle", "write", bundle, stick).code == 0
        assert "com.acme.kernel" not in line.out
        for release in ("com.acme.kernel@7.0", "com.acme.kernel", "com.acme@x"):
            assert line("bundle", "withdraw", bundle, release).code == 4


class TestKeys:
    def test_rotate(self, shop: Office, bundle: Path, line: Line, stick: Path) -> None:
        shop.open(stick)
        assert line("bundle", "rotate", bundle, "stick-maker", "--lost").code == 0
        assert line.out == "stick-maker-2\n"
        for word in ("snapshot, timestamp", "stick-maker-2.key", "root: still needs", "stolen", "2027-03-31"):
            assert word in line.err
        (bundle / "keys/stick-maker.key").unlink()
        assert line("bundle", "sign", bundle).code == 0
        assert line("bundle", "write", bundle, stick).code == 0
        assert shop.open(stick).trust.root_version == 2

    @pytest.mark.parametrize(("owner", "said"), [("lab-1", True), ("vendor-acme-1", True), ("root-1", False)])
    def test_a_lost_key_that_still_counts(self, shop: Office, bundle: Path, line: Line, owner: str, said: bool) -> None:
        assert line("bundle", "rotate", bundle, owner, "--lost").code == 0
        assert ("needs only a recall key" in line.err) is said

    def test_rotate_with_their_own_key(self, shop: Office, bundle: Path, line: Line, tmp_path: Path) -> None:
        pub = half(tmp_path / "anna.pub", "anna")
        assert line("bundle", "rotate", bundle, "lab-1", "--with", pub, "--new-name", "lab-anna").code == 0
        assert "stays with its owner" in line.err
        assert not (bundle / "keys/lab-anna.key").exists()

    @pytest.mark.parametrize(
        "words", [("nobody",), ("lab-1", "--with", "/nonexistent"), ("lab-1", "--new-name", "X Y")]
    )
    def test_rotate_what_cannot_be(
        self,
        shop: Office,
        bundle: Path,
        line: Line,
        words: Sequence[str],
    ) -> None:
        assert line("bundle", "rotate", bundle, *words).code == 4
        assert shop.workspace.staged_roles() == ()

    def test_publisher(self, shop: Office, bundle: Path, line: Line, tmp_path: Path) -> None:
        pub = half(tmp_path / "them.pub", "them")
        assert line("bundle", "publisher", bundle, "zeta", "--key", f"vendor-zeta-1={pub}").code == 0
        assert line.out == "vendor-zeta\n"
        assert "targets, vendor-zeta" in line.err
        assert line("bundle", "publisher", bundle, "zeta").code == 4
        assert line("bundle", "publisher", bundle, "eta").code == 0
        assert (bundle / "keys/vendor-eta-1.key").exists()

    def test_renew(self, shop: Office, bundle: Path, line: Line) -> None:
        assert line("bundle", "renew", bundle).code == 2
        assert "sign --renew" in line.err
        assert "No role ends until 2027-03-01" in line.err
        assert line("bundle", "renew", bundle, "root", "beta").code == 0
        assert line.out == "root\nvendor-beta\n"
        assert line("bundle", "renew", bundle, "root").code == 2
        assert line("bundle", "renew", bundle, "--within-days", "500").code == 2, "made today: there is nothing to gain"
        assert "None would get a later date by renewing now: targets, vendor-acme, vendor-beta, recall" in line.err
        assert "No role ends" not in line.err
        shop.later(days=2)
        assert line("bundle", "renew", bundle, "--within-days", "500").out == "targets\nvendor-acme\nrecall\n"
        assert "vendor-beta waits" in line.err
        assert line("bundle", "renew", bundle, "timestamp").code == 4


class TestStatus:
    def test_for_people(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.add("com.acme.new")
        shop.later(days=100)
        assert line("bundle", "status", bundle).code == 0
        for word in (
            "(days left: 20)",
            "ends soon",
            "vendor-acme 2",
            "lab-1",
            "com.acme.new@1.0",
            "WITHOUT a passphrase",
        ):
            assert word in line.out
        assert line.err.startswith("Next: ")
        shop.later(days=10)
        line("bundle", "status", bundle)
        assert "WITHIN TWO WEEKS" in line.out
        shop.later(days=10)
        line("bundle", "status", bundle)
        assert "HAS ENDED" in line.out

    def test_for_scripts(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.pocket("vendor-acme-1")
        shop.add("com.acme.new")
        assert line("bundle", "status", bundle, "--json").code == 0
        assert line.err == ""
        tree = line.json
        assert tree["schema"] == 1
        assert tree["published"]["use_by"] == "2027-03-31T09:00:00.000Z"
        role = next(role for role in tree["roles"] if role["role"] == ACME)
        assert role["staged"] == {
            "version": 3,
            "missing": [
                {
                    "signatures": 2,
                    "owners": ["lab-1", "lab-2", "vendor-acme-1"],
                    "organisations": ["vendor", "lab"],
                    "former": False,
                }
            ],
        }
        assert role["owners"][0] == {"owner": "vendor-acme-1", "organisation": "vendor", "key_here": False}
        assert {"file": "lab-1.key", "owner": "lab-1", "passphrase": False, "retiring": False} in tree["keys"]
        assert tree["next"].startswith("Next: ")

    def test_the_roots_fingerprint(self, shop: Office, bundle: Path, line: Line) -> None:
        digest = fingerprint(shop.workspace.root_data())
        assert line("bundle", "status", bundle).code == 0
        assert grouped(digest) in line.out
        assert line("bundle", "status", bundle, "--json").code == 0
        assert line.json["published"]["root_sha256"] == digest

    def test_lint_errors(self, shop: Office, bundle: Path, line: Line) -> None:
        shop.add("com.acme.new", requires=(Requirement("moon-phase"),))
        assert line("bundle", "status", bundle).code == 0
        assert "✗ com.acme.new@1.0: " in line.out
        assert line.err.startswith("Next: mend com.acme.new@1.0")
        line("bundle", "status", bundle, "--json")
        assert [finding["check"] for finding in line.json["lint_errors"]] == ["unknown-rule"]

    def test_no_bundle(self, shop: Office, line: Line, tmp_path: Path) -> None:
        assert line("bundle", "status", tmp_path, "--json").code == 4
        assert line.json["error"]["code"] == "TT-106"


class TestWrite:
    def test_a_refresh_file(self, shop: Office, bundle: Path, line: Line, tmp_path: Path) -> None:
        path = tmp_path / "refresh.json"
        assert line("bundle", "write", bundle, path, "--metadata-only").code == 0
        assert line.out.strip() == str(path)
        assert "trust refresh" in line.err
        assert "metadata/timestamp.json" in read_refresh(path).files
        assert line("trust", "refresh", path).code == 0
        assert line("bundle", "write", bundle, path, "--metadata-only").code == 0, "over the former one"

    def test_not_over_something_else(self, shop: Office, bundle: Path, line: Line, tmp_path: Path) -> None:
        thesis = tmp_path / "thesis.txt"
        thesis.write_text("long")
        for target in (thesis, tmp_path, tmp_path / "not-mounted/refresh.json"):
            assert line("bundle", "write", bundle, target, "--metadata-only").code == 4
        assert thesis.read_text() == "long"

    def test_before_anything_is_signed(self, shop: Office, line: Line, tmp_path: Path) -> None:
        pub = half(tmp_path / "anna.pub", "anna")
        line("bundle", "init", tmp_path / "b", "--publisher", "acme", "--key", f"lab-1={pub}")
        (tmp_path / "new").mkdir()
        assert line("bundle", "write", tmp_path / "b", tmp_path / "new").code == 4
        assert "bundle sign" in line.err
        assert line("bundle", "write", tmp_path / "b", tmp_path / "r.json", "--metadata-only").code == 4
        assert list((tmp_path / "new").iterdir()) == []


class TestJudged:
    """Before the first byte goes to a stick, the state is held to what a laptop will hold it to."""

    def spoilt(self, shop: Office, spoil: Callable[[Path], object]) -> PublisherError:
        spoil(shop.folder / "bundle")
        (shop.folder / "new").mkdir()
        with pytest.raises(PublisherError) as caught:
            shop.workspace.write(shop.folder / "new", shop.clock)
        assert list((shop.folder / "new").rglob("*")) == [] or "not the file" in str(caught.value)
        return caught.value

    def test_metadata_that_was_altered(self, shop: Office) -> None:
        def spoil(folder: Path) -> None:
            path = folder / "metadata/2.vendor-acme.json"
            path.write_bytes(path.read_bytes().replace(b"com.acme.pay", b"com.acme.bad"))

        assert "laptop would refuse" in str(self.spoilt(shop, spoil))

    def test_a_list_signed_by_a_lab_alone(self, shop: Office) -> None:
        def spoil(folder: Path) -> None:
            path = folder / "metadata/2.vendor-acme.json"
            tree = json.loads(path.read_bytes())
            vendor = Workspace.open(folder).list_of("targets").signed
            assert vendor.delegations is not None
            keep = [k for k, key in vendor.delegations.keys.items() if "lab" in key.unrecognized_fields.values()]
            tree["signatures"] = [s for s in tree["signatures"] if s["keyid"] in keep]
            path.write_text(json.dumps(tree))

        assert "laptop would refuse" in str(self.spoilt(shop, spoil))

    def test_a_description_that_is_gone(self, shop: Office) -> None:
        self.spoilt(shop, lambda folder: shutil.rmtree(folder / "targets/releases/acme"))

    @pytest.mark.parametrize("how", ["altered", "gone"])
    def test_a_payload_in_the_folder(self, shop: Office, how: str) -> None:
        def spoil(folder: Path) -> None:
            path = next((folder / "targets/acme/com.acme.pay").iterdir())
            if how == "gone":
                path.unlink()
            else:
                path.write_bytes(path.read_bytes()[:-1] + b"!")

        (shop.folder / "bundle").joinpath("nothing").touch()
        spoil(shop.folder / "bundle")
        with pytest.raises(PublisherError, match=r"com\.acme\.pay"):
            shop.workspace.write(shop.folder / "new", shop.clock)
        assert not (shop.folder / "new/TECHTOOL/metadata/timestamp.json").exists()

    def test_a_refresh_file_that_does_not_stay(self, shop: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        from techtool.bundles.publish.published import write_refresh
        from techtool.paths import Disk

        class Forgetful(Disk):
            def replace(self, source: Path, target: Path) -> None:
                source.write_bytes(source.read_bytes().replace(b"root", b"toor"))
                super().replace(source, target)

        workspace = Workspace.open(shop.folder / "bundle", Forgetful())
        with pytest.raises(Damaged):
            write_refresh(workspace, shop.folder / "r.json", shop.clock)


@pytest.mark.parametrize(
    "name", ["init", "add", "sign", "write", "recall", "withdraw", "rotate", "renew", "publisher", "status"]
)
def test_every_command_is_listed_and_explained(line: Line, name: str) -> None:
    assert line("bundle", "--help").code == 0
    assert f"\n  {name} " in line.out
    assert line("bundle", name, "--help").code == 0
    assert "FOLDER" in line.out


def test_help_loads_no_cryptography() -> None:
    code = (
        "import sys; from techtool.cli.main import run; run(['bundle', '--help']); run(['bundle', 'sign', '--help']);"
        "sys.exit(bool({'tuf', 'securesystemslib', 'cryptography', 'msgspec', 'httpx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
