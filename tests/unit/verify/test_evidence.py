"""Evidence of several sorts: each anchor answers by itself, and the bundle's answers do not depend on their order."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models.pinned import pins_of
from vectors.generate.bundle_vectors import (
    LATER,
    LOCAL,
    OTHER_BLOCK,
    PUBLIC,
    TIME,
    UNKNOWN,
    Anchored,
    bundle,
    tlog_proof,
)

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.block_time import ENTRY_AHEAD_SECONDS
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.evidence.unknown import UnknownAnchor
from deedlog.anchor.verify.inclusion import position_of
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import EVIDENCE_QUESTIONS, Answer, Trust
from deedlog.api.cli import cli
from deedlog.api.texts import verdict_text
from deedlog.api.web.verdict_page import report
from deedlog.registry.errors import InvalidData, VerificationError

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/bundles.json").read_text("utf-8"))
REGISTRY = VECTORS["cases"][0]["pins"]["registry"]

PLACES = (PUBLIC, LATER, LOCAL)
ANCHORS = [
    *(place.anchor() for place in PLACES),
    PUBLIC.anchor(chain_id=LATER.chain_id),
    PUBLIC.anchor(storage_proof=[]),
    LATER.anchor(header=LOCAL.header),
    LATER.anchor(tlog_proof=tlog_proof(3, index=1)),
    UNKNOWN,
    {"type": "witness.1"},
]
NODES = [
    *(place.node(finalized=place.number) for place in PLACES),
    *(place.node(block_hash=OTHER_BLOCK, finalized=1, url="b") for place in PLACES),
    PUBLIC.node(finalized=None, url="c"),
    {"url": "d", "chain_id": LATER.chain_id, "blocks": {}, "finalized": None, "problem": None},
    {"url": "e", "chain_id": 0, "blocks": {}, "finalized": None, "problem": "node.unreachable"},
]
PINS = st.fixed_dictionaries(
    {
        "registry": st.sampled_from([REGISTRY, REGISTRY, REGISTRY, None, "0x" + "01" * 20]),
        "block_hashes": st.lists(st.sampled_from([place.block_hash for place in PLACES] + [OTHER_BLOCK]), max_size=2),
        "nodes": st.lists(st.sampled_from(NODES), max_size=4),
    }
)
SOME = st.lists(st.sampled_from(ANCHORS), min_size=1, max_size=3)


def parsed(value):
    return bundles.parse(json.dumps(value, ensure_ascii=False).encode(), contracts())


def four(found):
    return {name: found[name] for name in EVIDENCE_QUESTIONS}


@settings(max_examples=50, deadline=None)
@given(SOME, PINS)
def test_the_order_of_the_anchors_changes_nothing(anchors, pins):
    whole, given_ = parsed(bundle(*anchors)), pins_of(pins)
    first = verify(whole, given_)
    for order in itertools.permutations(range(len(anchors))):
        found = verify(replace(whole, anchors=tuple(whole.anchors[place] for place in order)), given_)
        assert (found.findings, found.chain_id) == (first.findings, first.chain_id)
        assert found.anchors == tuple(first.anchors[place] for place in order)


@settings(max_examples=50, deadline=None)
@given(SOME, PINS)
def test_an_anchor_that_is_there_twice_changes_nothing(anchors, pins):
    once, twice = parsed(bundle(*anchors)), parsed(bundle(*anchors, *anchors))
    assert verify(once, pins_of(pins)).findings == verify(twice, pins_of(pins)).findings


@settings(max_examples=50, deadline=None)
@given(SOME, PINS)
def test_each_anchor_shows_what_the_bundle_would_with_it_alone(anchors, pins):
    verdict = verify(parsed(bundle(*anchors)), pins_of(pins))
    for anchor, found in zip(anchors, verdict.anchors, strict=True):
        alone = verify(parsed(bundle(anchor)), pins_of(pins))
        assert alone.anchors == (found,)
        if found.known:
            assert four(alone.findings) == found.findings
            assert alone.chain_id == found.chain_id


@settings(max_examples=100, deadline=None)
@given(SOME, PINS)
def test_the_answer_follows_from_the_answers_of_the_anchors(anchors, pins):
    """The rule in words: a proof that does not hold, then a yes, then a no, then nothing."""
    pins["registry"] = REGISTRY
    verdict = verify(parsed(bundle(*anchors)), pins_of(pins))
    said = {found.findings["anchored"].answer for found in verdict.anchors}
    if any(found.broken for found in verdict.anchors):
        expected = Answer.NO
    else:
        expected = next(answer for answer in (Answer.YES, Answer.NO, Answer.NOT_CHECKED) if answer in said)
    assert verdict.findings["anchored"].answer is expected
    if expected is Answer.YES:
        shown = [found.findings for found in verdict.anchors if found.chain_id == verdict.chain_id]
        assert four(verdict.findings) in shown
        finals = {found.findings["final"].answer for found in verdict.anchors}
        assert (verdict.findings["final"].answer is Answer.YES) == (Answer.YES in finals)
    else:
        assert verdict.findings["final"].code == "final.not_anchored"
        assert verdict.findings["time"].code == "time.registry_word"


@settings(max_examples=50, deadline=None)
@given(SOME.filter(lambda anchors: any(anchor["type"] == "evm-slot" for anchor in anchors)), PINS)
def test_anchors_of_unknown_types_change_nothing(anchors, pins):
    known = [anchor for anchor in anchors if anchor["type"] == "evm-slot"]
    with_them, without = (verify(parsed(bundle(*some)), pins_of(pins)) for some in (anchors, known))
    assert (with_them.findings, with_them.chain_id) == (without.findings, without.chain_id)
    assert [found for found in with_them.anchors if found.known] == list(without.anchors)


JSON = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
TYPES = st.from_regex(re.compile(r"[a-z0-9][a-z0-9.-]{0,63}", re.ASCII), fullmatch=True).filter("evm-slot".__ne__)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5), TYPES, PINS)
def test_an_unknown_type_is_never_a_yes_never_an_error_and_kept_as_it_is(members, name, pins):
    anchor = {**members, "type": name}
    whole = parsed(bundle(anchor, tlog_proof=tlog_proof(2)))
    written = whole.format()
    assert json.loads(written)["anchors"] == [anchor]
    again = bundles.parse(written, contracts())
    assert (again, again.format()) == (whole, written)
    [found] = verify(whole, pins_of(pins)).anchors
    assert isinstance(whole.anchors[0], UnknownAnchor)
    assert {finding.answer for finding in found.findings.values()} == {Answer.NOT_CHECKED}
    assert {finding.code for finding in found.findings.values()} == {"evidence.unknown_type"}


def test_where_no_proof_is_known_there_is_no_position():
    assert position_of(parsed(bundle(UNKNOWN, tlog_proof=tlog_proof(2)))) == 0
    assert position_of(parsed(bundle(UNKNOWN, PUBLIC.anchor()))) == 0
    with pytest.raises(VerificationError, match=r"bundle\.no_proof"):
        position_of(parsed(bundle(UNKNOWN)))


def test_a_bundle_that_would_be_too_large_as_it_is_written_is_refused():
    """Compact it is within the limit; the indentation of lists in lists would make it many times as large."""
    deep = [0] * 20_000
    for _ in range(40):
        deep = [deep]
    fits, too_large = (bundle(UNKNOWN | {"deep": [deep] * times}) for times in (1, 6))
    assert parsed(fits) == bundles.parse(parsed(fits).format(), contracts())
    assert len(json.dumps(too_large, separators=(",", ":"))) < bundles.MAXIMUM_BUNDLE // 8
    with pytest.raises(bundles.BundleError, match=r"bundle\.too_large"):
        parsed(too_large)


def test_an_unknown_anchor_is_bounded_in_depth_as_all_json_is():
    deep = []
    for _ in range(62):
        deep = [deep]
    with pytest.raises(bundles.BundleError, match=r"json\.too_deep"):
        parsed(bundle(UNKNOWN | {"deep": deep}))


def test_an_entry_that_is_not_ascii_is_refused_and_breaks_nothing():
    whole = parsed(bundle(UNKNOWN) | {"entry": "é"})
    assert parsed(json.loads(whole.format())) == whole
    with pytest.raises(InvalidData):
        verify(whole, pins_of({"registry": None, "block_hashes": [], "nodes": []}))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_text_and_page_show_each_anchor_by_itself(language):
    pins = pins_of({"registry": REGISTRY, "block_hashes": [PUBLIC.block_hash], "nodes": []})
    verdict = verify(parsed(bundle(PUBLIC.anchor(), UNKNOWN, LOCAL.anchor())), pins)
    first, second, third = verdict_text.anchors(verdict, language)
    assert str(PUBLIC.chain_id) in first.label
    assert [line.answer for line in first.lines] == [Answer.YES] * 4
    assert UNKNOWN["type"] in second.label
    [remark] = second.lines
    assert (remark.answer, UNKNOWN["type"] in remark.reason) == (Answer.NOT_CHECKED, True)
    assert [line.answer for line in third.lines] == [Answer.YES, *[Answer.NOT_CHECKED] * 3]
    page = report(verdict, language, {})
    for shown in (first, second, third):
        assert shown.label in page
    assert verdict_text.anchors(verify(parsed(bundle(PUBLIC.anchor())), pins), language) == []


def test_the_command_takes_a_block_hash_for_each_chain(tmp_path):
    path = tmp_path / "two.deed"
    path.write_bytes(parsed(bundle(PUBLIC.anchor(), LATER.anchor(), UNKNOWN)).format())
    hashes = ["--block-hash", PUBLIC.block_hash, "--block-hash", LATER.block_hash]
    command = ["verify", str(path), "--registry", REGISTRY, *hashes]
    done = CliRunner().invoke(cli, [*command, "--json"], env={"DEEDLOG_LANG": "en"})
    assert done.exit_code == 0, done.output
    shown = json.loads(done.output)["anchors"]
    assert [(each["type"], each.get("chain_id"), each["answers"]["anchored"]["answer"]) for each in shown] == [
        ("evm-slot", PUBLIC.chain_id, "yes"),
        ("evm-slot", LATER.chain_id, "yes"),
        (UNKNOWN["type"], None, "not checked"),
    ]
    done = CliRunner().invoke(cli, command, env={"DEEDLOG_LANG": "en"})
    assert f"Anchor 2: evm-slot, chain {LATER.chain_id}" in done.output
    assert f"does not know evidence of type {UNKNOWN['type']}" in done.output


def test_an_entry_that_is_dated_after_its_block_is_said_and_the_block_still_counts():
    ahead = TIME - ENTRY_AHEAD_SECONDS
    answers = {}
    for time in (ahead, ahead - 1):
        place = Anchored(PUBLIC.chain_id, 2, 7, time)
        pins = pins_of({"registry": REGISTRY, "block_hashes": [place.block_hash], "nodes": []})
        found = verify(parsed(bundle(place.anchor())), pins)
        assert found.anchors[0].findings["time"] == found.findings["time"]
        assert found.exit_code(("included", "anchored", "time")) == 0
        answers[time] = found.findings["time"]
        assert (answers[time].answer, answers[time].params["time"]) == (Answer.YES, time)
        assert answers[time].trust == (Trust.YOU,)
    assert answers[ahead].code == "time.no_later_than"
    assert answers[ahead - 1].code == "time.entry_ahead"
    assert answers[ahead - 1].params["entry_time"] == TIME


def test_on_nobodys_word_the_registrys_own_time_is_compared_with_nothing():
    place = Anchored(PUBLIC.chain_id, 2, 7, TIME - 3600)
    found = verify(parsed(bundle(place.anchor())), pins_of({"registry": REGISTRY, "block_hashes": [], "nodes": []}))
    assert found.findings["time"].code == "time.registry_word"
