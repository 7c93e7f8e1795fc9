"""Making a bundle: roles, releases, signatures of several people."""

from __future__ import annotations

import shutil
import stat
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.keys import load_key, write_key
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import FixedClock
from techtool.domain.release import ReleaseKind
from techtool.errors import BadFile, PublisherError, WrongPassphrase
from tests.unit.bundles.office import NOW, QUORUM, Office, private_key
from tests.unit.simulator.apk_maker import make_apk, signer

MODELS = (ProvidesEntry("sunmi", "P2"),)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def take_keys(office: Office, *owners: str) -> Path:
    """Somebody carries these keys away."""
    pocket = office.folder / "-".join(owners)
    pocket.mkdir()
    for owner in owners:
        shutil.move(office.folder / f"bundle/keys/{owner}.key", pocket / f"{owner}.key")
    return pocket


class TestInit:
    def test_everything_is_signed_and_nothing_waits(self, office: Office) -> None:
        workspace = office.workspace
        assert workspace.publishers == ("acme", "beta")
        assert workspace.staged_roles() == ()
        assert workspace.root().signed.roles["root"].threshold == 2

    def test_the_same_keys_give_the_same_bundle(self, tmp_path: Path, clock: FixedClock) -> None:
        def made(name: str) -> dict[str, bytes]:
            folder = tmp_path / name
            workspace = Workspace.create(folder, ["acme"], clock, make_key=private_key)
            workspace.add("acme", [payload], draft(), clock)
            workspace.sign(clock)
            names = [p for part in ("metadata", "targets") for p in (folder / part).rglob("*") if p.is_file()]
            return {str(p.relative_to(folder)): p.read_bytes() for p in names}

        payload = tmp_path / "data.bin"
        payload.write_bytes(b"x")
        assert made("one") == made("two")

    def test_keys_are_private_and_under_a_passphrase(self, tmp_path: Path, clock: FixedClock) -> None:
        quorum = type(QUORUM)(root_keys=1, root_threshold=1, targets_keys=1, targets_threshold=1)
        workspace = Workspace.create(tmp_path / "b", ["acme"], clock, quorum=quorum, passphrase="correct horse")
        key = tmp_path / "b/keys/lab-1.key"
        if sys.platform != "win32":
            assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert b"BEGIN OPENSSH PRIVATE KEY" in key.read_bytes()
        load_key(key, lambda _path: "correct horse")
        for asked in (lambda _path: "wrong", lambda _path: ""):
            with pytest.raises(WrongPassphrase):
                load_key(key, asked)
        with pytest.raises(WrongPassphrase):
            load_key(key)
        assert workspace.staged_roles() == ()

    @pytest.mark.parametrize("names", [[], ["acme", "acme"], ["Acme"], ["a/b"], ["releases"], ["-x"], ["con"], [""]])
    def test_publishers_that_cannot_be(self, tmp_path: Path, clock: FixedClock, names: list[str]) -> None:
        with pytest.raises(PublisherError):
            Workspace.create(tmp_path / "b", names, clock, make_key=private_key)
        assert not (tmp_path / "b").exists()

    def test_a_folder_in_use(self, tmp_path: Path, clock: FixedClock) -> None:
        (tmp_path / "thesis.txt").touch()
        with pytest.raises(PublisherError):
            Workspace.create(tmp_path, ["acme"], clock, make_key=private_key)
        with pytest.raises(PublisherError):
            Workspace.open(tmp_path)


def draft(**fields: object) -> Description:
    known: dict[str, object] = {
        "id": "com.acme.params",
        "version": "1.0",
        "version_format": "dotted",
        "kind": ReleaseKind.PARAMETERS,
        "provides": MODELS,
    }
    return Description(**{**known, **fields})  # type: ignore[arg-type]


class TestAdd:
    def test_an_apk_speaks_for_itself(self, office: Office) -> None:
        apk = office.payload("some.apk", make_apk("org.example.pay", 7, "1.2", min_sdk=24, abis=("arm64-v8a",)))
        added = office.workspace.add("acme", [apk], Description(provides=MODELS), office.clock)
        release = added.release
        assert (release.id, release.version, release.kind) == ("org.example.pay", "1.2", ReleaseKind.APPLICATION)
        assert release.version_format == "dotted"
        (file,) = release.files
        assert file.target == "acme/org.example.pay/org.example.pay-1.2-7.apk"
        assert file.size_bytes == apk.stat().st_size
        assert file.apk is not None
        assert file.apk.signer == signer("acme").sha256
        assert added.role == "vendor-acme"
        assert office.workspace.staged_roles() == ("vendor-acme",)

    @pytest.mark.parametrize(
        ("name", "scheme"), [("1.2", "dotted"), ("1.2.0-rc.1", "semver"), ("Sagittarius 20241205", "android-code")]
    )
    def test_the_scheme_comes_from_the_version(self, office: Office, name: str, scheme: str) -> None:
        apk = office.payload("some.apk", make_apk(name=name))
        added = office.workspace.add("acme", [apk], Description(provides=MODELS), office.clock)
        assert (added.release.version, added.release.version_format) == (name, scheme)

    def test_what_was_written_by_hand_stays(self, office: Office) -> None:
        apk = office.payload("some.apk", make_apk())
        wanted = draft(id="com.acme.suite", version="9", text={"en": "New"}, install_duration=60)
        added = office.workspace.add("acme", [apk], wanted, office.clock)
        assert (added.release.key, added.release.kind) == ("com.acme.suite@9", ReleaseKind.PARAMETERS)

    def test_it_arrives_on_a_stick(self, office: Office) -> None:
        apk = office.payload("some.apk", make_apk("org.example.pay", 7, "1.2"))
        added = office.workspace.add("acme", [apk], Description(provides=MODELS), office.clock)
        opened = office.open(office.stick())
        item = next(r for r in opened.releases if r.release.id == "org.example.pay")
        assert item.release == added.release
        copy = opened.fetch(item, item.release.files[0], office.laptop.payloads)
        assert copy.read_bytes() == apk.read_bytes()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"provides": ()}, "--model"),
            ({"version_format": "lunar"}, "lunar"),
            ({"version": ""}, "version"),
            ({"id": ""}, "id"),
            ({"install_duration": -5}, "install_duration"),
            ({"id": "a b"}, "$.id"),
        ],
    )
    def test_what_is_missing_is_named(self, office: Office, change: dict[str, object], said: str) -> None:
        before = sorted((office.folder / "bundle").rglob("*"))
        path = office.payload("data.bin", b"x")
        with pytest.raises(PublisherError) as caught:
            office.workspace.add("acme", [path], draft(**change), office.clock)
        assert said in caught.value.what_phrase.text("en")
        assert sorted((office.folder / "bundle").rglob("*")) == before

    def test_unknown_publisher_no_file_missing_file_empty_file(self, office: Office) -> None:
        empty, good = office.payload("empty.bin", b""), office.payload("good.bin", b"x")
        for publisher, files in (("zeta", [good]), ("acme", []), ("acme", [good.with_name("no")]), ("acme", [empty])):
            with pytest.raises(PublisherError):
                office.workspace.add(publisher, files, draft(), office.clock)
        assert office.workspace.staged_roles() == ()

    def test_the_same_version_again(self, office: Office) -> None:
        path = office.payload("data.bin", b"x")
        office.workspace.add("acme", [path], draft(), office.clock)
        with pytest.raises(PublisherError, match="already"):
            office.workspace.add("acme", [path], draft(), office.clock)
        with pytest.raises(PublisherError, match="already"):
            office.workspace.add("acme", [path], draft(id="COM.acme.params"), office.clock)

    def test_another_file_under_a_listed_name(self, office: Office) -> None:
        office.workspace.add("acme", [office.payload("data.bin", b"x")], draft(), office.clock)
        with pytest.raises(PublisherError, match="another file"):
            office.workspace.add("acme", [office.payload("data.bin", b"y")], draft(version="2"), office.clock)


class TestSign:
    def test_people_sign_one_after_the_other(self, office: Office) -> None:
        vendor = take_keys(office, "vendor-acme-1")
        lab = take_keys(office, "lab-1", "lab-2")
        maker = take_keys(office, "stick-maker")
        office.add("com.acme.new")
        first = office.workspace.sign(office.clock)
        assert not first.published
        assert first.signed == ()
        (lack,) = first.missing
        assert (lack.role, lack.signatures, lack.owners) == ("vendor-acme", 2, ("lab-1", "lab-2", "vendor-acme-1"))
        second = office.workspace.sign(office.clock, key_folders=[lab])
        assert second.signed == (("vendor-acme", "lab-1"), ("vendor-acme", "lab-2"))
        (lack,) = second.missing
        assert (lack.signatures, lack.owners) == (1, ("vendor-acme-1",)), "two lab keys are not vendor and lab"
        third = office.workspace.sign(office.clock, key_folders=[vendor])
        (lack,) = third.missing
        assert (lack.role, lack.owners) == ("timestamp", ("stick-maker",))
        last = office.workspace.sign(office.clock, key_folders=[maker])
        assert last.published
        assert last.use_by == NOW + timedelta(days=120)
        assert office.workspace.staged_roles() == ()

    def test_signing_twice_does_nothing_more(self, office: Office) -> None:
        report = office.workspace.sign(office.clock)
        assert (report.signed, report.missing, report.published) == ((), (), False)

    def test_a_change_after_a_signature_needs_new_signatures(self, office: Office) -> None:
        take_keys(office, "vendor-acme-1")
        office.add("com.acme.new")
        office.workspace.sign(office.clock)
        office.add("com.acme.newer")
        assert office.workspace.list_of("vendor-acme").signatures == {}

    def test_renewing_moves_the_use_by_date(self, office: Office, stick: Path) -> None:
        office.later(days=119)
        report = office.workspace.sign(office.clock, renew=True, use_by_days=30)
        assert report.published
        assert report.use_by == NOW + timedelta(days=149)
        office.workspace.write(stick, office.clock)
        assert office.open(stick).trust.issued == NOW + timedelta(days=119)

    def test_a_key_file_of_somebody_else(self, office: Office) -> None:
        path = office.folder / "bundle/keys/lab-1.key"
        path.unlink()
        write_key(path, private_key("stranger"))
        office.add("com.acme.new")
        with pytest.raises(PublisherError, match="another key"):
            office.workspace.sign(office.clock)

    def test_a_pkcs8_key_is_read(self, office: Office) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        path = office.folder / "bundle/keys/lab-1.key"
        path.write_bytes(private_key("lab-1").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        office.add("com.acme.new")
        assert ("vendor-acme", "lab-1") in office.workspace.sign(office.clock).signed

    @pytest.mark.parametrize("data", [b"", b"hello", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
    def test_what_is_no_key(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "x.key").write_bytes(data)
        with pytest.raises(BadFile):
            load_key(tmp_path / "x.key")

    def test_a_key_is_never_overwritten(self, office: Office) -> None:
        path = office.folder / "bundle/keys/lab-1.key"
        before = path.read_bytes()
        with pytest.raises(PublisherError):
            write_key(path, private_key("lab-1"))
        assert path.read_bytes() == before

    @pytest.mark.parametrize("data", [b"", b"{}", b"junk"])
    def test_a_staged_file_that_is_broken(self, office: Office, data: bytes) -> None:
        office.add("com.acme.new")
        (office.folder / "bundle/staged/vendor-acme.json").write_bytes(data)
        with pytest.raises(PublisherError):
            office.workspace.sign(office.clock)


class TestWithdraw:
    def test_it_leaves_the_list_with_its_own_files(self, office: Office) -> None:
        before = set(office.workspace.list_of("vendor-acme").signed.targets)
        office.withdraw("com.acme.kernel", "7.0")
        gone = before - set(office.workspace.list_of("vendor-acme").signed.targets)
        assert gone == {
            "releases/acme/com.acme.kernel-7.0.json",
            "acme/com.acme.kernel/com.acme.kernel-7.0.bin",
        }

    def test_what_another_release_uses_stays(self, office: Office) -> None:
        shared = office.payload("shared.bin", b"x")
        for version in ("1", "2"):
            office.workspace.add("acme", [shared], draft(version=version), office.clock)
        office.withdraw("com.acme.params", "1")
        assert "acme/com.acme.params/shared.bin" in office.workspace.list_of("vendor-acme").signed.targets

    def test_unknown(self, office: Office) -> None:
        with pytest.raises(PublisherError):
            office.withdraw("com.acme.kernel", "8.0")

    def test_another_release_whose_file_name_is_alike(self, office: Office) -> None:
        """``x-1`` of version 2 and ``x`` of version 1-2 come out as one file name."""
        office.workspace.add("acme", [office.payload("d.bin", b"x")], draft(id="x-1", version="2"), office.clock)
        with pytest.raises(PublisherError):
            office.withdraw("x", "1-2")
        assert "releases/acme/x-1-2.json" in office.workspace.list_of("vendor-acme").signed.targets
