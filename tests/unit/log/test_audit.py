"""The audit of a log: what a sound one comes to, and that whatever a registry serves wrongly is named."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.worlds.logs.memory_log import KEY, KEYS, LOG_KEY, ORIGIN, MemoryLog, entry

from deedlog.anchor import merkle
from deedlog.anchor.audit.audit import History, audit_entries, audit_log
from deedlog.anchor.audit.duplicates import Digests, Twice
from deedlog.anchor.audit.tree import AuditedLog, Edge, Rows, paths
from deedlog.anchor.evm.block_time import ENTRY_AHEAD_SECONDS
from deedlog.anchor.evm.identity import Head
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog.note import VerifierKey
from deedlog.registry.errors import Unavailable, VerificationError
from deedlog.registry.statements.signatures import Signature, sign

SIZE = 600
SOUND = [entry(number) for number in range(SIZE)]


def found(log, **more):
    with pytest.raises(VerificationError) as caught:
        audit_log(log, KEY, **more)
    return caught.value


def changed(number, **changes):
    """Return the log with one other entry; everything above it is made to fit."""
    return MemoryLog([*SOUND[:number], entry(number, **changes), *SOUND[number + 1 :]])


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 600])
def test_a_sound_log_of_any_size_and_each_file_of_it_is_read_once(size):
    log = MemoryLog(SOUND[:size])
    report = audit_log(log, KEY)
    assert (report.checkpoint.size, report.checkpoint.root) == (size, log.root)
    assert (report.signatures, report.earlier, report.heads) == (size, 0, None)
    assert sorted(log.reads) == sorted(log.served)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 65_536 * 2 + 256 + 3])
def test_three_levels_of_tiles(size):
    # So many signatures take long; the tree is the same over anything.
    log = MemoryLog(b"%d" % number for number in range(size))
    rows = Rows()
    read = []
    for path in paths(size):
        read.append(str(path))
        if path.level is None:
            rows.append(log.leaf_hashes[path.index * 256 :][: path.width])
        else:
            assert rows.last(path.level) == log.served[str(path)]
    assert sorted(read) == sorted(log.served)
    audited = AuditedLog(log, checkpoint.open_signed(log.note, KEY), Edge(0, 0, rows.edge(size)))
    for smaller in (1, 255, 256, 65_535, 65_536, size):
        if smaller <= size:
            assert audited.root_at(smaller) == log.root_of(smaller)


def test_the_root_at_every_size_is_that_of_the_first_entries():
    log = MemoryLog(SOUND)
    audited = audit_entries(log, KEY)
    for size in range(SIZE + 1):
        assert audited.root_at(size) == log.root_of(size)


def test_every_byte_that_is_served():
    small = SOUND[:3]
    sound = MemoryLog(small)
    whole = {"checkpoint": sound.note, **sound.served}
    for name, data in whole.items():
        for at in range(len(data)):
            log = MemoryLog(small)
            other = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
            if name == "checkpoint":
                log.note = other
            else:
                log.served[name] = other
            assert found(log).code.startswith("audit."), (name, at)


def test_a_byte_anywhere_in_a_larger_log():
    choose = random.Random(3)
    for name in sorted(MemoryLog(SOUND).served):
        for _ in range(4):
            log = MemoryLog(SOUND)
            data = log.served[name]
            at = choose.randrange(len(data))
            log.served[name] = data[:at] + bytes([data[at] ^ 1 << choose.randrange(8)]) + data[at + 1 :]
            assert found(log).code in ("audit.bundle", "audit.tile")


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b""])
def test_what_is_too_short_or_too_long(change):
    for name in MemoryLog(SOUND).served:
        log = MemoryLog(SOUND)
        log.served[name] = change(log.served[name])
        code = "audit.bundle" if "entries" in name else "audit.tile_size"
        assert (found(log).code, found(log).params["path"]) == (code, name)


def test_a_tile_that_differs_is_named_with_its_hash():
    log = MemoryLog(SOUND)
    row = log.served["tile/0/001"]
    log.served["tile/0/001"] = row[: 32 * 77] + bytes(32) + row[32 * 78 :]
    error = found(log)
    assert (error.code, error.params) == ("audit.tile", {"path": "tile/0/001", "position": 77})


@pytest.mark.parametrize("number", [0, 255, 256, 511, 512, 599])
def test_an_entry_whose_signature_is_another_accounts(number):
    forged = Signature(bytes(20), sign(b"\x01" * 32, KEYS[0]).signature)
    error = found(changed(number, signatures=(forged,)))
    assert (error.code, error.params["index"], error.params["reason"]) == (
        "audit.signature",
        number,
        "signature.signer",
    )


def test_an_entry_that_nobody_signed():
    error = found(changed(300, signatures=()))
    assert (error.code, error.params) == ("audit.unsigned", {"index": 300})


def test_an_entry_that_is_not_canonical():
    log = MemoryLog([*SOUND[:300], SOUND[300].replace(b",", b", ", 1), *SOUND[301:]])
    error = found(log)
    assert (error.code, error.params) == ("audit.entry", {"index": 300, "reason": "entry.not_canonical"})


def test_time_that_goes_backwards():
    # At the first entry of a bundle it is compared with the last of the bundle before.
    for number in (256, 300):
        error = found(changed(number, time=5))
        assert (error.code, error.params["index"], error.params["time"]) == ("audit.time", number, 5)


def test_entries_that_changed_places_with_all_their_tiles_made_anew_are_told_by_a_kept_checkpoint():
    kept = MemoryLog(SOUND[:400]).note
    swapped = [*SOUND[:310], SOUND[311], SOUND[310], *SOUND[312:]]
    error = found(MemoryLog(swapped), earlier=[("kept", kept)])
    assert (error.code, error.params["name"], error.params["size"]) == ("audit.forked", "kept", 400)


def test_a_digest_that_stands_twice_is_named_at_its_second_place():
    log = MemoryLog([*SOUND[:500], entry(7, time=1_795_460_005), *SOUND[501:]])
    error = found(log)
    assert (error.code, error.params["index"], error.params["first"]) == ("audit.digest_twice", 500, 7)


def test_the_same_digest_with_another_signature_is_the_same_digest():
    digest = b"\x05" * 32
    twice = [entry(1, digest=digest, time=1_795_460_003), entry(2, digest=digest, time=1_795_460_003)]
    assert twice[0] != twice[1]
    assert found(MemoryLog([*SOUND[:400], *twice])).params["index"] == 401


def test_a_kind_that_is_not_known_is_not_called_wrong_and_nothing_is_called_in_order():
    with pytest.raises(Unavailable) as caught:
        audit_log(changed(300, kind="Work2"), KEY)
    assert (caught.value.code, caught.value.params) == ("audit.unknown_kind", {"index": 300, "kind": "Work2"})


def test_the_first_of_two_faults_is_named_though_signatures_are_checked_later():
    forged = entry(511, signatures=(Signature(bytes(20), sign(b"\x01" * 32, KEYS[0]).signature),))
    for later in (entry(512, kind="Work2"), entry(512, time=5), b"no entry"):
        log = MemoryLog([*SOUND[:511], forged, later, *SOUND[513:]])
        assert (found(log).code, found(log).params["index"]) == ("audit.signature", 511)


def test_a_root_or_a_size_that_the_entries_do_not_give():
    log = MemoryLog(SOUND)
    log.note = log.signed(SIZE, bytes(32))
    assert found(log).code == "audit.root"
    # The root of 600 entries under the size 599: everything served fits 599.
    shorter = MemoryLog(SOUND[: SIZE - 1])
    shorter.note = log.signed(SIZE - 1, log.root)
    assert found(shorter).code == "audit.root"


def test_a_checkpoint_of_another_key_or_another_log():
    log = MemoryLog(SOUND[:3])
    for key, reason in (
        (VerifierKey(ORIGIN, bytes(31) + b"\x09"), "note.unsigned"),
        (VerifierKey("other.example.com/log", KEY.public_key), "note.unsigned"),
    ):
        with pytest.raises(VerificationError) as caught:
            audit_log(log, key)
        assert (caught.value.code, caught.value.params["reason"]) == ("audit.checkpoint", reason)


def test_checkpoints_that_were_kept():
    log = MemoryLog(SOUND)
    kept = [(str(size), MemoryLog.signed(size, log.root_of(size))) for size in (0, 1, 256, 300, 512, SIZE)]
    assert audit_log(log, KEY, earlier=kept).earlier == len(kept)
    assert found(log, earlier=[("mine", MemoryLog.signed(300, bytes(32)))]).code == "audit.forked"
    assert found(log, earlier=[("mine", MemoryLog.signed(SIZE + 1, bytes(32)))]).code == "audit.shrunk"
    assert found(log, earlier=[("mine", b"nothing")]).params == {"name": "mine", "reason": "note.malformed"}


def test_a_log_that_is_another_when_it_is_read_again():
    """What was audited is not what an earlier size is then derived from, unless it still hashes to the same."""

    class Turncoat(MemoryLog):
        def read(self, path):
            again = str(path) in self.reads
            data = super().read(path)
            return bytes(32) + data[32:] if again else data

    log = Turncoat(SOUND)
    error = found(log, earlier=[("mine", MemoryLog.signed(100, log.root_of(100)))])
    assert (error.code, error.params) == ("audit.tile_changed", {"path": "tile/0/000"})


BLOCK_TIME = 1_795_460_100
"""After the entries, the last of which is dated 1,795,460,005."""


class SaidByANode:
    """What a node says of a contract: (size, root) of its heads, the newest last, each with what it says of it."""

    def __init__(self, *heads) -> None:
        self.heads = {}
        before = 0
        for number, (size, root) in enumerate(heads):
            self.heads[root] = Head(size, BLOCK_TIME + number, before, number)
            before = size
        self.newest = (heads[-1][0], heads[-1][1]) if heads else (0, bytes(32))

    def head(self):
        return self.newest

    def head_of(self, root):
        return self.heads.get(root)


def history(log, *sizes):
    return [(size, log.root_of(size)) for size in sizes]


def test_the_contracts_history():
    log = MemoryLog(SOUND)
    assert audit_log(log, KEY, contract=SaidByANode()).heads == 0
    assert audit_log(log, KEY, contract=SaidByANode(*history(log, 1, 256, 300, 600))).heads == 4
    cases = [
        ("audit.foreign_head", 300, [*history(log, 256), (300, b"\x01" * 32)]),
        # The root of 300 entries, labelled 301: the root alone does not bind the size.
        ("audit.foreign_head", 301, [*history(log, 256), (301, log.root_of(300))]),
        ("audit.unknown_head", 256, [*history(log, 10), (256, b"\x01" * 32), *history(log, 300)]),
        ("audit.contract_ahead", 601, [(601, b"\x01" * 32)]),
        ("audit.contract_ahead", 2**64 - 1, [(2**64 - 1, b"\x01" * 32)]),
    ]
    for code, size, heads in cases:
        error = found(log, contract=SaidByANode(*heads))
        assert (error.code, error.params["size"]) == (code, size)


def test_answers_of_a_node_that_contradict_each_other():
    log = MemoryLog(SOUND)
    for code, size, head in [
        ("audit.head_size", 256, Head(255, BLOCK_TIME, 0, 0)),
        ("audit.head_size", 256, Head(256, BLOCK_TIME, 256, 0)),
        ("audit.head_size", 256, Head(256, BLOCK_TIME, 500, 0)),
        ("audit.head_time", 256, Head(256, BLOCK_TIME + 1000, 0, 0)),
        ("audit.head_time", 256, Head(256, BLOCK_TIME, 0, 9)),
    ]:
        node = SaidByANode(*history(log, 256, 300))
        node.heads[log.root_of(256)] = head
        error = found(log, contract=node)
        assert (error.code, error.params["size"]) == (code, size)


def test_an_entry_that_is_dated_after_its_block():
    log = MemoryLog(SOUND)
    node = SaidByANode(*history(log, 256, 300, 600))
    last_of_300 = 1_795_460_002  # entry 299
    node.heads[log.root_of(256)] = Head(256, last_of_300 - ENTRY_AHEAD_SECONDS, 0, 0)
    node.heads[log.root_of(300)] = Head(300, last_of_300 - ENTRY_AHEAD_SECONDS, 256, 1)
    assert audit_log(log, KEY, contract=node).heads == 3
    node.heads[log.root_of(300)] = Head(300, last_of_300 - ENTRY_AHEAD_SECONDS - 1, 256, 1)
    error = found(log, contract=node)
    assert error.code == "audit.dated_after_block"
    assert error.params == {"index": 299, "time": last_of_300, "block_time": last_of_300 - ENTRY_AHEAD_SECONDS - 1}


def test_how_far_an_entry_is_dated_before_the_block_of_the_head_below_it():
    log = MemoryLog(SOUND)
    node = SaidByANode(*history(log, 256, 300, 600))
    report = audit_log(log, KEY, contract=node)
    # The head of 256 entries is at BLOCK_TIME, and the entry with index 256 is dated 98 s before.
    assert report.history == History(3, BLOCK_TIME - 1_795_460_002)
    assert audit_log(log, KEY, contract=SaidByANode(*history(log, 600))).history == History(1, 0)


def test_a_source_that_fails_is_not_a_log_that_is_wrong():
    class Cut(MemoryLog):
        def read(self, path):
            if str(path) == "tile/entries/001":
                raise Unavailable("fetch.unreachable", url="", reason="")
            return super().read(path)

    with pytest.raises(Unavailable) as caught:
        audit_log(Cut(SOUND), KEY)
    assert caught.value.code == "fetch.unreachable"


def test_progress_is_told_to_its_end():
    told = []
    log = MemoryLog(SOUND)
    audit_log(log, KEY, contract=SaidByANode(*history(log, 256, 600)), progress=lambda *said: told.append(said))
    assert [said for said in told if said[0] == "entries"] == [("entries", at, SIZE) for at in (256, 512, SIZE)]
    assert told[-2:] == [("heads", 344, SIZE), ("heads", SIZE, SIZE)]


@settings(deadline=None)
@given(st.lists(st.binary(min_size=3, max_size=3).map(lambda end: bytes(29) + end), max_size=200), st.integers(1, 9))
def test_a_repeated_digest_is_found_however_little_is_held(listed, held):
    # Digests that differ late are the worst for files by the first bytes.
    expected = None
    seen = {}
    for index, digest in enumerate(listed):
        if digest in seen:
            expected = Twice(index, seen[digest], digest)
            break
        seen[digest] = index
    with Digests(held) as digests:
        for index, digest in enumerate(listed):
            digests.add(digest, index)
        assert digests.first_twice() == expected


def test_no_more_is_held_than_asked_and_no_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Digests(100) as digests:
        for index in range(5000):
            digests.add(merkle.leaf_hash(b"%d" % index), index)
            assert len(digests._records) <= 100 * 40
        digests.add(merkle.leaf_hash(b"4321"), 5000)
        assert digests.first_twice() == Twice(5000, 4321, merkle.leaf_hash(b"4321"))
        assert any(tmp_path.iterdir())
    assert not any(tmp_path.iterdir())


def test_a_disk_without_room_is_said(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/dev/null/nowhere")
    with Digests(2) as digests:
        digests.add(bytes(32), 0)
        with pytest.raises(Unavailable, match=r"file\.unwritable"):
            digests.add(bytes(32), 1)


def test_the_log_key_of_the_tests_signs():
    assert LOG_KEY.public_key().public_bytes_raw() == KEY.public_key
