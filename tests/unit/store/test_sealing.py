"""Confidential words: sealed where documents become bytes, opened with the key, masked without it."""

from __future__ import annotations

import dataclasses
import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from techtool.domain.codec import convert, plain
from techtool.domain.confidential import HIDDEN, Words
from techtool.domain.visit import VisitRecord
from techtool.errors import DiskError, StoreDamaged, StoreKeyMissing, StoreKeyUnusable
from techtool.paths import Paths
from techtool.store.changes import MAX_DEPTH, Op
from techtool.store.db import JournalDB
from techtool.store.frames import GENESIS, frame, scan
from techtool.store.home import Home
from techtool.store.index import Index
from techtool.store.journal import Header
from techtool.store.keys import Cipher, GivenKeys, read_store_key
from techtool.store.salvage import read_saved
from techtool.store.sealing import Sealer
from techtool.store.tokens import MARK, PREFIX, Token
from tests.unit.reports.evidence import everywhere
from tests.unit.store.disks import FailingDisk, QuickDisk
from tests.unit.store.test_index import summary

TID, MID = "10203040", "898310112345678"
VISIT = "V20261122-080000-aaaa"
OTHER = "V20261122-090000-bbbb"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(Paths(tmp_path / "home"), QuickDisk())


def begun(home: Home, visit: str = VISIT, /, **fields: object) -> Path:
    """A visit's journal with one lane whose numbers are known, and what ``fields`` say besides."""
    with home.lock("test"):
        db = home.create_visit(visit, {"lanes": {"1": {"lane": "1", "before": {"tid": TID, "mid": MID}}}})
        db.table("notes").insert({"lane": "1", **fields})
    return home.visit_path(visit)


def another(home: Home) -> Home:
    """Another process of the same laptop."""
    return Home(home.paths, QuickDisk())


def notes(home: Home, visit: str = VISIT) -> list[dict[str, object]]:
    return [dict(document) for document in home.open_visit(visit).table("notes").all()]


# -- what is sealed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"tid": TID},
        {"deep": [{"list": [{"mid": MID}]}]},
        {"text": f"the terminal {TID} asks"},
        {"text": f"终端号{TID}，商户号{MID}。"},
        {"text": f"x{TID}y"},
        {"text": "1020 3040 or 10-20-30-40"},
        {"text": "１０２０３０４０"},
        {"params": {"found": TID}},
        {f"key {TID}": 1},
        {"list": [f"a {TID}", "b"]},
        {"answer": "no number at all, but typed"},
        {"text": "12345678 is not known yet"},
        {"text": f"{PREFIX}made up"},
    ],
    ids=lambda said: next(iter(said)) + str(len(str(said))),
)
def test_nothing_confidential_is_in_the_file_and_all_of_it_in_what_is_read(home: Home, said: dict[str, object]) -> None:
    data = begun(home, **said).read_bytes()
    for word in (TID, MID, "1020 3040", "10-20-30-40", "１０２０３０４０", "12345678", "made up", "but typed"):
        assert word.encode() not in data
    assert notes(another(home)) == [{"lane": "1", **said}]


def test_what_lists_and_seals_go_by_stays(home: Home) -> None:
    said = {"serial": TID, "sha256": "12345678" * 8, "at": "2026-11-22T08:00:00.250000Z", "id": f"{VISIT}-1"}
    data = begun(home, **said).read_bytes()
    assert all(json.dumps(word).encode() in data for word in said.values())
    assert b'"merchant":"Shop 17"' in begun(home, OTHER, merchant="Shop 17").read_bytes()


def test_a_number_is_known_again_by_who_goes_on_later(home: Home) -> None:
    path = begun(home)
    again = another(home)
    with again.lock("later"):
        again.open_visit(VISIT, write=True).table("notes").insert({"text": f"T-{MID[:6]} {MID}"})
    assert MID.encode() not in path.read_bytes()
    assert notes(home)[-1] == {"text": f"T-{MID[:6]} {MID}"}


WORDS = st.one_of(
    st.text(max_size=30), st.sampled_from([TID, MID, f"a {TID} b", PREFIX, f"{PREFIX}AAAAAAAA:m:QUJD", "123456", ""])
)
DOCUMENTS = st.dictionaries(
    st.one_of(WORDS, st.sampled_from(["tid", "mid", "answer", "fields", "rows", "lane", "host", "evidence"])),
    st.recursive(
        st.one_of(WORDS, st.none(), st.booleans(), st.integers(-(2**53), 2**53)),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
        max_leaves=12,
    ),
    max_size=6,
)


class Ring:
    """Keys in memory."""

    def __init__(self, key: bytes = b"k" * 64) -> None:
        self._key = key

    def opening(self, key_id: str, kind: str, id: str) -> Cipher | None:  # noqa: A002
        return self.writing(kind, id) if key_id == "ABCDEFGH" else None

    def writing(self, kind: str, id: str) -> Cipher:  # noqa: A002
        return Cipher("ABCDEFGH", kind, id, self._key)


@pytest.mark.parametrize("kind", ["visit", "backup-log"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=DOCUMENTS)
def test_whatever_is_sealed_opens_as_it_was(kind: str, document: dict[str, object]) -> None:
    whole: dict[str, object] = {"tid": TID, "mid": MID, "said": document}
    (op,) = Sealer(kind, VISIT, Ring()).sealed([("put", "notes", "1", whole)])
    assert op[3] is not None
    assert TID not in json.dumps(op[3]).replace(" ", "")
    assert Sealer(kind, VISIT, Ring()).opened(op[3]) == whole
    (again,) = Sealer(kind, VISIT, Ring()).sealed([("put", "notes", "1", whole)])
    assert again == op, "the same words, the same tokens"


def test_a_deep_document_is_no_trouble(home: Home) -> None:
    deep: object = f"deep {TID}"
    for _level in range(MAX_DEPTH - 2):
        deep = [deep]
    begun(home, deep=deep)
    assert notes(another(home)) == [{"lane": "1", "deep": deep}]


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        (f"terminal {TID} here", "terminal ****3040 here"),
        ("1020 3040", "****3040"),
        ("another 87654321", HIDDEN),
        (f"{TID} and 87654321", HIDDEN),
        ("nothing", "nothing"),
        ("Shop ****3040", "Shop ****3040"),
    ],
)
def test_masks_give_nothing_away(text: str, mask: str) -> None:
    assert Words([TID, "****3040"]).mask(text) == mask


def test_what_a_stranger_nested_without_end_is_damage_and_no_defect(home: Home) -> None:
    path = begun(home, text="here")
    deep = b"[" * 600 + b'"' + PREFIX.encode() + b'AAAAAAAA:m:QUJD"' + b"]" * 600
    rewritten(path, lambda payload: payload.replace(b'"here"', deep))
    with pytest.raises(StoreDamaged, match="nested"):
        another(home).open_visit(VISIT)
    saved = read_saved(path, Header.new("visit", VISIT), home.keys)
    assert [document["lane"] for document in saved.documents(proven=True)] == ["1"]


def test_salvage_passes_over_a_document_with_a_forged_word(home: Home) -> None:
    path = begun(home, answer="yes")
    rewritten(path, lambda payload: payload.replace(b"****3040", b"****9999"))
    saved = read_saved(path, Header.new("visit", VISIT), home.keys)
    assert [document.get("answer") for document in saved.documents(proven=True)] == ["yes"]


# -- without the key ---------------------------------------------------------------------------------------------------


def test_any_record_there_can_be_reads_with_masks(home: Home) -> None:
    """A mask stands where a text stood and nowhere else, so that the record is still one."""
    record = everywhere(VisitRecord, f"typed {TID} 12345678")
    document = json.loads(json.dumps(plain(dataclasses.replace(record, id=VISIT))))
    (op,) = Sealer("visit", VISIT, Ring()).sealed([("put", "visit", "1", document)])
    assert op[3] is not None
    masked = Sealer("visit", VISIT, None).opened(op[3])
    assert TID not in json.dumps(masked)
    assert "12345678" not in json.dumps(masked)
    assert convert(masked, VisitRecord).id == VISIT
    assert Sealer("visit", VISIT, Ring()).opened(op[3]) == document


def gone(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def other(path: Path) -> None:
    path.unlink()
    begun(Home(Paths(path.parent.parent.parent / "elsewhere"), QuickDisk()))
    path.write_bytes((path.parent.parent.parent / "elsewhere" / "keys" / "store.key").read_bytes())


def empty(path: Path) -> None:
    path.write_bytes(b"")


def rubbish(path: Path) -> None:
    path.write_bytes(b"\xff\x00" * 40_000)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def far(path: Path) -> None:
    """On a stick that is not put in."""
    path.unlink()
    path.symlink_to(path.parent / "stick" / "store.key")


@pytest.mark.parametrize("lose", [gone, cut, other, empty, rubbish, folder, far])
def test_without_the_key_everything_reads_masked_and_nothing_is_written(
    home: Home, lose: Callable[[Path], None]
) -> None:
    path = begun(home, text=f"see {TID}", reason="because")
    lose(home.paths.store_key)
    there = home.paths.store_key.read_bytes() if home.paths.store_key.is_file() else None
    before = path.read_bytes()
    late = another(home)
    db = late.open_visit(VISIT)
    assert db.locked
    assert notes(late) == [{"lane": "1", "text": "see ****3040", "reason": HIDDEN}]
    assert dict(db.table("lanes").all()[0])["before"] == {"tid": "****3040", "mid": "****5678"}
    assert late.keys.masked == {VISIT}
    assert late.keys.problem is not None
    with late.lock("go on"), pytest.raises((StoreKeyMissing, StoreKeyUnusable)):
        late.open_visit(VISIT, write=True)
    assert path.read_bytes() == before
    if there is not None:
        with late.lock("begin"):
            if lose is other:
                late.create_visit(OTHER)
            else:
                with pytest.raises(StoreKeyUnusable):
                    late.create_visit(OTHER)
                assert not late.visit_path(OTHER).exists()
        assert home.paths.store_key.read_bytes() == there, "a key file that is there is never written over"


def test_no_new_key_takes_the_place_of_one_that_lies_on_a_stick(home: Home) -> None:
    begun(home)
    far(home.paths.store_key)
    late = another(home)
    with late.lock("begin"), pytest.raises(StoreKeyUnusable):
        late.create_visit(OTHER)
    assert home.paths.store_key.is_symlink()


def test_what_could_not_be_opened_is_there_again_with_the_key(home: Home) -> None:
    """The files beside the index are written anew without the key; what they hold is not lost by that."""
    from techtool.domain.history import TerminalEntry
    from tests.unit.store.test_details import entry

    def known(at: Home) -> list[TerminalEntry]:
        return Index(at).terminals()

    first = dataclasses.replace(entry(1), tid=TID, mid=MID)
    with home.lock("test"):
        Index(home).put_visit(summary(1), [first])
    assert TID.encode() not in home.paths.terminals.read_bytes()
    kept = home.paths.store_key.read_bytes()
    home.paths.store_key.unlink()
    late = another(home)
    assert [one.tid for one in known(late)] == ["****3040"]
    with late.lock("test"):
        index = Index(late)
        for _turn in range(80):
            index.put_visit(summary(2), [dataclasses.replace(entry(2), tid="55667788")])
    lines = home.paths.terminals.read_bytes().count(b"\n")
    with late.lock("test"):
        Index(late).put_visit(summary(2), [dataclasses.replace(entry(2), tid="55667788")])
    assert home.paths.terminals.read_bytes().count(b"\n") < lines, "written anew"
    assert sorted(one.tid for one in known(another(home))) == ["****3040", "55667788"]
    new = home.paths.store_key.read_bytes()
    home.paths.store_key.write_bytes(new + kept)
    assert sorted(one.tid for one in known(another(home))) == [TID, "55667788"]


def test_a_masked_look_needs_no_cryptography_and_counts_as_no_loss(home: Home) -> None:
    begun(home, text=f"see {TID}")
    db = home.open_visit(VISIT, masked=True)
    assert dict(db.table("notes").all()[0])["text"] == "see ****3040"
    assert not home.keys.masked


# -- the key -----------------------------------------------------------------------------------------------------------


def test_the_key_is_private_and_made_once(home: Home) -> None:
    begun(home)
    path = home.paths.store_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = path.read_bytes()
    begun(another(home), OTHER)
    assert path.read_bytes() == kept
    assert len(read_store_key(path)) == 1


def test_nothing_is_sealed_with_a_key_that_is_no_longer_in_the_file(home: Home) -> None:
    """The file is put back while techtool runs: what is sealed from then on opens with what lies there."""
    begun(home)
    elsewhere = Home(Paths(home.paths.home.parent / "elsewhere"), QuickDisk())
    begun(elsewhere)
    home.paths.store_key.write_bytes(elsewhere.paths.store_key.read_bytes())
    begun(home, OTHER, text=f"see {TID}")
    assert notes(another(home), OTHER) == [{"lane": "1", "text": f"see {TID}"}]


def test_a_visit_under_way_goes_over_to_the_key_that_was_put_back(home: Home) -> None:
    elsewhere = Home(Paths(home.paths.home.parent / "elsewhere"), QuickDisk())
    begun(elsewhere)
    with home.lock("test"):
        db = home.create_visit(VISIT, {"lanes": {"1": {"tid": TID}}})
        db.table("lanes").insert({"tid": TID})
        old = home.paths.store_key.read_bytes()
        home.paths.store_key.write_bytes(elsewhere.paths.store_key.read_bytes() + old)
        db.table("notes").insert({"tid": TID})
    home.paths.store_key.write_bytes(elsewhere.paths.store_key.read_bytes())
    assert notes(another(home)) == [{"tid": TID}]


def test_a_key_that_is_taken_away_under_way_is_put_back(home: Home) -> None:
    begun(home)
    kept = home.paths.store_key.read_bytes()
    home.paths.store_key.unlink()
    begun(home, OTHER, text=f"see {TID}")
    assert home.paths.store_key.read_bytes() == kept
    assert notes(another(home), OTHER) == [{"lane": "1", "text": f"see {TID}"}]


def test_a_key_that_is_cut_under_way_stops_no_visit_and_is_not_written_over(home: Home) -> None:
    with home.lock("test"):
        db = home.create_visit(VISIT, {"lanes": {"1": {"tid": TID}}})
        kept = home.paths.store_key.read_bytes()
        cut(home.paths.store_key)
        db.table("notes").insert({"tid": MID})
    assert home.paths.store_key.read_bytes() == kept[:40]
    home.paths.store_key.write_bytes(kept)
    assert notes(another(home)) == [{"tid": MID}]


def test_a_terminal_that_calls_itself_a_sealed_word_damages_no_index(home: Home) -> None:
    from tests.unit.store.test_details import entry

    with home.lock("test"):
        name = str(Token(home.keys.writing("index", "terminals").key_id, "m", b"x" * 32))
        Index(home).put_visit(summary(1), [dataclasses.replace(entry(1), tid=name, mid=MID)])
    index = Index(another(home))
    index.check_details()
    assert [(one.tid, one.mid) for one in index.terminals()] == [("m", MID)]


def test_threads_that_need_the_first_key_make_one(home: Home) -> None:
    with home.lock("test"), ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _turn: home.keys.writing("visit", VISIT).key_id, range(8)))
    assert set(made) == set(read_store_key(home.paths.store_key))


@pytest.mark.parametrize("effect", ["write", "replace"])
def test_a_key_that_cannot_be_kept_seals_nothing(tmp_path: Path, effect: str) -> None:
    home = Home(Paths(tmp_path / "home"), FailingDisk(effect, 2, lasting=True))
    with home.lock("test"), pytest.raises((DiskError, Exception), match="TT-50"):
        home.create_visit(VISIT, {"lanes": {"1": {"tid": TID}}})
    assert not home.visit_path(VISIT).exists()
    begun(Home(home.paths, QuickDisk()))
    assert notes(another(home))


def sealed_lines(path: Path) -> list[bytes]:
    return [line for line in scan(path.read_bytes()).payloads if MARK in line]


def rewritten(path: Path, edit: Callable[[bytes], bytes]) -> None:
    """As a forger does it: CRC and chain made anew."""
    data, head = b"", GENESIS
    for payload in scan(path.read_bytes()).payloads:
        line, head = frame(head, edit(payload))
        data += line
    path.write_bytes(data)


def tokens(line: bytes) -> list[str]:
    found: list[str] = []

    def look(value: Any) -> None:
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            if isinstance(item, str) and item.startswith(PREFIX):
                found.append(item)
            look(item)

    look(json.loads(line))
    return found


def test_a_word_carried_to_another_visit_is_found_out(home: Home) -> None:
    mine, theirs = begun(home, answer="yes"), begun(home, OTHER, answer="no")
    stolen = tokens(sealed_lines(theirs)[-1])[0]
    own = tokens(sealed_lines(mine)[-1])[0]
    rewritten(mine, lambda payload: payload.replace(own.encode(), stolen.encode()))
    with pytest.raises(StoreDamaged, match="another record"):
        another(home).open_visit(VISIT)


def test_a_mask_that_was_altered_is_found_out(home: Home) -> None:
    path = begun(home)
    rewritten(path, lambda payload: payload.replace(b"****3040", b"****9999"))
    with pytest.raises(StoreDamaged, match="altered"):
        another(home).open_visit(VISIT)


def test_an_edited_line_is_found_out_without_any_key(home: Home) -> None:
    path = begun(home, answer="yes")
    home.paths.store_key.unlink()
    data = path.read_bytes()
    at = data.rindex(MARK) + 30
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    db = JournalDB.open_read(path)
    assert db.unread_tail


def test_the_key_of_one_visit_opens_no_other(home: Home) -> None:
    begun(home)
    path = begun(home, OTHER)
    given = GivenKeys((home.keys.writing("visit", VISIT),))
    assert JournalDB.open_read(home.visit_path(VISIT), given).locked is False
    assert JournalDB.open_read(path, given).locked is True


def test_what_looks_like_a_token_and_is_none_stays_text() -> None:
    for text in (PREFIX, f"{PREFIX}x", f"{PREFIX}AAAAAAAA:no base64!", f"{PREFIX}AAAAAAAA"):
        assert Token.read(text) is None
        assert Sealer("visit", VISIT, Ring()).opened({"x": text}) == {"x": text}


def test_a_plain_journal_of_an_older_techtool_reads_as_it_is(home: Home) -> None:
    op: Op = ("put", "notes", "1", {"tid": TID})
    with home.lock("test"):
        path = begun_plain(home, op)
    assert notes(home) == [{"tid": TID}]
    assert TID.encode() in path.read_bytes(), "what was written is never written over"


def begun_plain(home: Home, op: Op) -> Path:
    path = home.visit_path(VISIT)
    home.ensure_folder(path.parent)
    JournalDB.create(path, QuickDisk(), kind="visit", id=VISIT, content={op[1]: {op[2]: op[3] or {}}})
    return path
