"""Recalls and refresh files as a laptop sees them: believed when signed, never forgotten, never forged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import DelegatedRole, Metadata, Targets

from techtool.bundles.medium import place_of
from techtool.bundles.metadata import ISSUED
from techtool.bundles.profile import MAX_RECALLS, OFFICE, RECALL
from techtool.bundles.publish.roles import key_fields
from techtool.bundles.recalls import decode_recall, encode_recall, recall_path
from techtool.bundles.refresh import Known, encode_refresh, known, learn, read_refresh
from techtool.bundles.roots import mirror_path, pinned
from techtool.domain.codec import CodecError
from techtool.domain.recall import Recall, RecalledPackage
from techtool.domain.release import Provides, ReleaseKind, Urgency
from techtool.errors import BadFile, Damaged, Exit, Expired, NotSetUp, Recalled, StoreDamaged, Untrusted
from techtool.paths import Paths
from tests.unit.bundles.office import Forger, Office, copy_of, private_key, refused

RECALL_1 = "recall-1"
ENTRY = Recall(
    id="com.acme.pay",
    version="1.0",
    urgency=Urgency.CRITICAL,
    date=date(2026, 12, 3),
    reason={"en": "Loses receipts", "zh": "丢失签购单"},
    replacement="com.acme.pay@1.1",
    kind=ReleaseKind.PARAMETERS,
    packages=(RecalledPackage("com.acme.pay", 10),),
    provides=(Provides("sunmi", "P2", ("B",), ("EU",)),),
)


def public(owner: str, organisation: str = OFFICE) -> SSlibKey:
    key = SSlibKey.from_crypto(private_key(owner).public_key())
    key.unrecognized_fields.update(key_fields(owner, organisation))
    return key


def delegate(stick: Path, organisation: str = OFFICE, paths: tuple[str, ...] = ("recalls/*",)) -> Forger:
    """The board delegates to the office's security people, and their list is empty."""
    forger = Forger(stick)
    key = public(RECALL_1, organisation)

    def change(top: Targets) -> None:
        assert top.delegations is not None
        assert top.delegations.roles is not None
        top.delegations.keys[key.keyid] = key
        top.delegations.roles[RECALL] = DelegatedRole(RECALL, [key.keyid], 1, terminating=True, paths=list(paths))

    empty = Targets(
        version=1, expires=Metadata[Targets].from_bytes(forger.newest("targets").read_bytes()).signed.expires
    )
    empty.unrecognized_fields[ISSUED] = "2026-12-01T09:00:00Z"
    for old in forger.metadata.glob("*.recall.json"):
        old.unlink()
    write(forger, empty)
    with_recall(forger)
    forger.change_list("targets", change, ("targets-1", "targets-2"))
    return forger


def with_recall(forger: Forger) -> None:
    """Make the snapshot name the role, so that :meth:`Forger.restamp` keeps it."""
    names = ["targets", "vendor-acme", "vendor-beta", RECALL]
    paths = {name: forger.newest(name) for name in names}
    lists = {name: path.read_bytes() for name, path in paths.items()}
    versions = {name: int(path.name.split(".")[0]) for name, path in paths.items()}
    forger.put_state(lists, versions, 100, 100)


def write(forger: Forger, signed: Targets, organisation: str = OFFICE) -> None:
    metadata = Metadata(signed)
    metadata.sign(CryptoSigner(private_key(RECALL_1), public(RECALL_1, organisation)))
    (forger.metadata / f"{signed.version}.{RECALL}.json").write_bytes(metadata.to_bytes())


def change_recalls(forger: Forger, change: Callable[[Targets], None]) -> None:
    signed = Metadata[Targets].from_bytes(forger.newest(RECALL).read_bytes()).signed
    change(signed)
    signed.version += 1
    write(forger, signed)
    forger.restamp()


def recall(forger: Forger, entry: Recall = ENTRY) -> Path:
    """List one recall; the place of its file."""
    data, path = encode_recall(entry), recall_path(entry.id, entry.version)
    change_recalls(forger, lambda signed: forger.put_target(path, data, signed))
    return forger.root / place_of(path, hashlib.sha256(data).hexdigest())


def refresh_file(stick: Path, path: Path) -> Path:
    """Everything but the payloads, as the office's refresh file."""
    root = stick / "TECHTOOL"
    found = [*(root / "metadata").glob("*.json"), *(root / "targets/recalls").glob("*.json")]
    path.write_bytes(encode_refresh({file.relative_to(root).as_posix(): file.read_bytes() for file in sorted(found)}))
    return path


@pytest.fixture
def forger(office: Office, stick: Path) -> Forger:
    return delegate(stick)


class TestEntry:
    def test_written_and_read(self) -> None:
        assert decode_recall(encode_recall(ENTRY)) == ENTRY

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"com.acme.pay"', b'""'),
            (b'"2026-12-03"', b'"yesterday"'),
            (b'"critical"', b'"apocalyptic"'),
            (b'"Loses receipts"', b'"' + b"x" * 30_000 + b'"'),
            (b'"reason"', b'"reasons"'),
            (b'"schema": 1', b'"schema": true'),
            (b'"version_code": 10', b'"version_code": -1'),
        ],
    )
    def test_refused(self, old: bytes, new: bytes) -> None:
        data = encode_recall(ENTRY)
        assert old in data
        with pytest.raises(CodecError):
            decode_recall(data.replace(old, new, 1))

    def test_without_a_reason(self) -> None:
        with pytest.raises(CodecError, match="reason"):
            decode_recall(encode_recall(replace(ENTRY, reason={})))

    def test_a_newer_schema_still_recalls(self) -> None:
        data = encode_recall(ENTRY).replace(b'"schema": 1', b'"schema": 9, "ban": ["x"]')
        assert decode_recall(data).key == "com.acme.pay@1.0"

    def test_the_reason_in_the_readers_language_or_any(self) -> None:
        assert ENTRY.reason_phrase.text("zh") == "丢失签购单"
        assert replace(ENTRY, reason={"zh": "丢失"}).reason_phrase.text("en") == "丢失"


class TestOnAStick:
    def test_a_recalled_release_is_shown_and_never_fetched(self, office: Office, stick: Path, forger: Forger) -> None:
        recall(forger)
        opened = office.open(stick)
        assert list(opened.recalled) == ["com.acme.pay@1.0"]
        item = next(item for item in opened.releases if item.release.id == "com.acme.pay")
        with pytest.raises(Recalled) as caught:
            opened.fetch(item, item.release.files[0], office.laptop.payloads)
        assert caught.value.exit_code is Exit.RECALLED
        assert "Loses receipts" in str(caught.value)
        assert not office.laptop.payloads.exists()

    def test_of_something_else_changes_nothing_here(self, office: Office, stick: Path, forger: Forger) -> None:
        recall(forger, replace(ENTRY, version="0.9"))
        opened = office.open(stick)
        assert opened.recalled == {}
        assert [entry.key for entry in opened.recalls] == ["com.acme.pay@0.9"]

    def test_a_recall_reaches_older_sticks_through_the_laptop(
        self, office: Office, stick: Path, forger: Forger
    ) -> None:
        older = copy_of(stick, "older")
        recall(forger)
        office.open(stick)
        opened = office.open(older)
        assert opened.trust.from_mirror
        assert list(opened.recalled) == ["com.acme.pay@1.0"]

    def test_a_recall_that_is_lifted(self, office: Office, stick: Path, forger: Forger) -> None:
        recall(forger)
        assert office.open(stick).recalled
        change_recalls(forger, lambda signed: signed.targets.clear())
        assert office.open(stick).recalls == ()

    def test_a_stick_of_before_there_were_recalls(self, office: Office, stick: Path) -> None:
        assert office.open(stick).recalls == ()


class TestAttacks:
    def test_the_list_of_recalls_is_taken_away(self, office: Office, stick: Path, forger: Forger) -> None:
        recall(forger)
        forger.newest(RECALL).unlink()
        assert "list of recalls" in str(refused(office, stick))

    def test_the_snapshot_forgets_the_list(self, office: Office, stick: Path, forger: Forger) -> None:
        names = {name: forger.newest(name) for name in ("targets", "vendor-acme", "vendor-beta")}
        versions = {name: int(path.name.split(".")[0]) for name, path in names.items()}
        forger.put_state({name: path.read_bytes() for name, path in names.items()}, versions, 300, 300)
        refused(office, stick)

    def test_the_file_of_a_recall_is_taken_away(self, office: Office, stick: Path, forger: Forger) -> None:
        recall(forger).unlink()
        refused(office, stick, Damaged)

    def test_the_file_of_a_recall_is_altered(self, office: Office, stick: Path, forger: Forger) -> None:
        place = recall(forger)
        place.write_bytes(place.read_bytes().replace(b"com.acme.pay", b"com.acme.pax"))
        refused(office, stick, Damaged)

    def test_a_known_recall_survives_the_loss_of_its_file(self, office: Office, stick: Path, forger: Forger) -> None:
        place = recall(forger)
        office.open(stick)
        place.unlink()
        assert office.open(stick).recalled

    def test_an_older_list_beside_a_newer_laptop(self, office: Office, stick: Path, forger: Forger) -> None:
        """Whoever holds the stick-maker's key cannot make this laptop forget a recall."""
        before = forger.newest(RECALL).read_bytes()
        recall(forger)
        office.open(stick)
        forger.newest(RECALL).unlink()
        assert forger.newest(RECALL).read_bytes() == before
        forger.restamp()
        refused(office, stick)

    def test_a_key_of_another_organisation(self, office: Office, stick: Path) -> None:
        delegate(stick, organisation="vendor")
        assert "office" in str(refused(office, stick))

    def test_paths_beyond_its_own(self, office: Office, stick: Path) -> None:
        delegate(stick, paths=("recalls/*", "acme/*"))
        refused(office, stick)

    def test_it_lists_anothers_files(self, office: Office, stick: Path, forger: Forger) -> None:
        change_recalls(forger, lambda signed: forger.put_target("acme/x/evil.bin", b"evil", signed))
        assert "not its own" in str(refused(office, stick))

    def test_too_many(self, office: Office, stick: Path, forger: Forger) -> None:
        def many(signed: Targets) -> None:
            forger.put_target("recalls/a.json", b"{}", signed)
            one = signed.targets["recalls/a.json"]
            for number in range(MAX_RECALLS + 1):
                path = f"recalls/{number}.json"
                signed.targets[path] = type(one)(one.length, one.hashes, path)

        change_recalls(forger, many)
        assert "more than" in str(refused(office, stick))

    @pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"schema": 1}', b"\xff\xfe", b"[" * 30_000])
    def test_rubbish_that_is_signed(self, office: Office, stick: Path, forger: Forger, data: bytes) -> None:
        change_recalls(forger, lambda signed: forger.put_target("recalls/x.json", data or b" ", signed))
        refused(office, stick)


class TestRefresh:
    def learn(self, office: Office, path: Path) -> Known:
        return learn(path, office.laptop, office.clock)

    def test_brings_recalls_and_withdrawals(self, office: Office, stick: Path, forger: Forger, tmp_path: Path) -> None:
        older = copy_of(stick, "older")
        office.open(older)
        recall(forger)
        found = self.learn(office, refresh_file(stick, tmp_path / "r.json"))
        assert found.news
        assert [entry.key for entry in found.recalls] == ["com.acme.pay@1.0"]
        assert list(office.open(older).recalled) == ["com.acme.pay@1.0"]

    def test_cures_a_stick_past_its_date(self, office: Office, stick: Path, tmp_path: Path) -> None:
        older = copy_of(stick, "older")
        office.later(days=130)
        assert office.open(older).expired is not None
        office.workspace.sign(office.clock, renew=True)
        office.workspace.write(stick, office.clock)
        found = self.learn(office, refresh_file(stick, tmp_path / "r.json"))
        assert found.news
        assert found.expired is None
        opened = office.open(older)
        assert opened.expired is None
        item = opened.releases[0]
        assert opened.fetch(item, item.release.files[0], office.laptop.payloads).is_file()

    def test_a_second_time_is_no_news(self, office: Office, stick: Path, tmp_path: Path) -> None:
        path = refresh_file(stick, tmp_path / "r.json")
        assert self.learn(office, path).news
        assert not self.learn(office, path).news

    def test_an_older_one_changes_nothing(self, office: Office, stick: Path, forger: Forger, tmp_path: Path) -> None:
        path = refresh_file(stick, tmp_path / "r.json")
        recall(forger)
        office.open(stick)
        before = office.trust_state()
        found = self.learn(office, path)
        assert not found.news
        assert found.recalls
        assert office.trust_state() == before

    def test_a_stick_does_as_well(self, office: Office, stick: Path) -> None:
        assert self.learn(office, stick).news

    def test_past_its_date_it_is_kept_and_said(
        self, office: Office, stick: Path, forger: Forger, tmp_path: Path
    ) -> None:
        recall(forger)
        office.later(days=130)
        found = self.learn(office, refresh_file(stick, tmp_path / "r.json"))
        assert isinstance(found.expired, Expired)
        assert found.news
        assert found.recalls

    @pytest.mark.parametrize("name", ["timestamp.json", "1.root.json"])
    def test_spoilt(self, office: Office, stick: Path, tmp_path: Path, name: str) -> None:
        path = refresh_file(stick, tmp_path / "r.json")
        files = dict(read_refresh(path).files)
        files[f"metadata/{name}"] = files[f"metadata/{name}"].replace(b'"expires":"20', b'"expires":"21')
        path.write_bytes(encode_refresh(files))
        before = office.trust_state()
        with pytest.raises(Untrusted):
            self.learn(office, path)
        assert office.trust_state() == before

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"not json",
            b"[]",
            b'{"schema": 2, "files": {}}',
            b'{"schema": 1, "files": {"../x": ""}}',
            b'{"schema": 1, "files": {"metadata/timestamp.json": 7}}',
            b'{"schema": 1, "files": {}, "more": 1}',
            b'{"schema": 1, "files": {"a": "", "a": ""}}',
            b'{"schema": 1, "files": {' + b",".join(b'"m/%d": ""' % n for n in range(4_001)) + b"}}",
        ],
    )
    def test_no_refresh_file(self, office: Office, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "r.json"
        path.write_bytes(data)
        with pytest.raises(BadFile):
            self.learn(office, path)

    def test_a_huge_one_is_not_read_whole(self, office: Office, tmp_path: Path) -> None:
        path = tmp_path / "r.json"
        with path.open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(BadFile):
            self.learn(office, path)

    def test_empty_is_no_stick_of_anybody(self, office: Office, tmp_path: Path) -> None:
        path = tmp_path / "r.json"
        path.write_bytes(encode_refresh({}))
        with pytest.raises(Untrusted):
            self.learn(office, path)

    def test_without_a_root(self, stick: Path, office: Office, tmp_path: Path) -> None:
        with pytest.raises(NotSetUp):
            learn(refresh_file(stick, tmp_path / "r.json"), Paths(tmp_path / "new"), office.clock)


class TestKnown:
    def test_what_a_laptop_knows_without_a_stick(self, office: Office, stick: Path, forger: Forger) -> None:
        assert known(office.laptop, office.clock) == ()
        recall(forger)
        office.open(stick)
        (found,) = known(office.laptop, office.clock)
        assert [entry.key for entry in found.recalls] == ["com.acme.pay@1.0"]
        assert not found.news

    def test_a_mirror_that_was_exchanged(self, office: Office, stick: Path) -> None:
        office.open(stick)
        (root,) = pinned(office.laptop)
        path = mirror_path(office.laptop, root.fingerprint)
        path.write_bytes(path.read_bytes().replace(b"2027-", b"2037-"))
        with pytest.raises(StoreDamaged):
            known(office.laptop, office.clock)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
class TestPipes:
    def test_a_pipe_is_no_refresh_file(self, office: Office, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "r.json")
        with pytest.raises(BadFile):
            learn(tmp_path / "r.json", office.laptop, office.clock)

    def test_a_pipe_on_the_stick_that_is_written(self, office: Office, stick: Path) -> None:
        (stick / "TECHTOOL/metadata/1.root.json").unlink()
        os.mkfifo(stick / "TECHTOOL/metadata/1.root.json")
        with pytest.raises(Untrusted):
            office.workspace.write(stick, office.clock)
