"""Claims and contributions over HTTP, on each database: whose word counts for who made what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.worlds.registries.http_refusals import code_of
from support.worlds.registries.shares_world import (
    claim,
    contribution,
    countersignature,
    on_one_database,
    people,
    upload,
    work,
)

from deedlog.anchor.verify.evidence.evm_slot import EvmSlot
from deedlog.anchor.verify.inclusion import position_of
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.anchor.verify.with_others import with_others
from deedlog.registry.errors import VerificationError
from deedlog.registry.hexadecimal import to_hex


@on_one_database
def test_a_claim_counts_only_with_the_platforms_own_word(sharing):
    """A platform shows a claim that it never countersigned: the verdict's author stays the platform's word only."""
    platform, creator, other_platform, rival = people(4)
    site = sharing.site
    uploaded = sharing.register(upload(platform), platform, client=site.platform)
    shown = sharing.proven(uploaded)
    claimed = sharing.register(claim(uploaded, creator), creator)
    assert sharing.standing(claimed) == "claim.claimed"
    assert sharing.standing(uploaded) == "upload.unclaimed"
    pins = Pins(registry=site.identity.address)
    claim_bundle = sharing.proven(claimed)

    def author(*beside):
        finding = with_others(verify(shown, pins), shown, pins, beside).findings["author"]
        return finding.answer, finding.code

    assert author() == author(claim_bundle) == (Answer.NOT_CHECKED, "author.platform_only")
    # Somebody else's word confirms nothing, at the registry or beside the claim.
    for person in (creator, other_platform):
        confirmed = countersignature(claimed, person)
        assert code_of(sharing.post(confirmed, person)) == "countersignature.of_another"
    elsewhere = sharing.register(upload(other_platform), other_platform, client=site.platform)
    theirs = sharing.register(claim(elsewhere, creator), creator)
    of_theirs = sharing.register(countersignature(theirs, other_platform), other_platform)
    mixed = [sharing.proven(digest) for digest in (theirs, of_theirs)]
    assert author(claim_bundle, *mixed) == (Answer.NOT_CHECKED, "author.platform_only")
    word = sharing.register(countersignature(claimed, platform), platform)
    assert sharing.standing(claimed) == "claim.confirmed"
    assert sharing.standing(uploaded) == "upload.claimed"
    word_bundle = sharing.proven(word)
    for beside in ((claim_bundle, word_bundle), (word_bundle, claim_bundle)):
        assert author(*beside) == (Answer.YES, "author.claimed")
    finding = with_others(verify(shown, pins), shown, pins, [claim_bundle, word_bundle]).findings["author"]
    assert finding.params["accounts"] == creator.shown
    assert author(word_bundle) == (Answer.NOT_CHECKED, "author.platform_only")
    late = sharing.register(claim(uploaded, rival), rival)
    refused = sharing.post(countersignature(late, platform), platform)
    assert (code_of(refused), refused.json()["params"]["other"]) == ("claim.taken", to_hex(claimed))


@on_one_database
def test_bundles_stand_in_the_logs_order_whatever_a_proof_says_that_nobody_vouches_for(sharing):
    """Of two anchors one is vouched for; the other, made up with a chain of one's own, may name another index."""
    platform, creator = people(2)
    uploaded = sharing.register(upload(platform), platform, client=sharing.site.platform)
    claimed = sharing.register(claim(uploaded, creator), creator)
    shown, beside = sharing.proven(uploaded), sharing.proven(claimed)
    proof = beside.tlog_proof or beside.anchors[0].tlog_proof
    index = position_of(beside)
    lied = proof.replace(b"index %d\n" % index, b"index 0\n")
    assert lied != proof
    anchors = tuple(EvmSlot(number, text, b"", (), ()) for number, text in enumerate((lied, proof), 1))
    with pytest.raises(VerificationError) as refused:
        position_of(replace(beside, anchors=anchors, tlog_proof=None))
    assert (refused.value.code, refused.value.params) == ("bundle.indices", {"indices": f"0, {index}"})
    pins = Pins(registry=sharing.site.identity.address)
    assert with_others(verify(shown, pins), shown, pins, [beside]).findings["standing"].code == "upload.unclaimed"
    forged = replace(beside, anchors=anchors, tlog_proof=None)
    assert with_others(verify(shown, pins), shown, pins, [forged]).findings["standing"].code == "standing.with_others"


def test_a_part_is_claimed_until_a_creator_confirms_it_and_nobody_can_silence_it(sharing):
    anna, ben, cleo = people(3)
    made = sharing.register(work(anna, ben), anna, ben)
    part = sharing.register(contribution(made, cleo, role="camera", degree="lead"), cleo)
    shown = sharing.statement(part).json()
    assert (shown["standing"]["code"], shown["standing"]["params"]) == ("claim.claimed", {"account": cleo.shown})
    listed = sharing.get("/v1/statements", work=to_hex(made), kind="Contribution", state="claim.claimed").json()
    assert [statement["digest"] for statement in listed["statements"]] == [to_hex(part)]
    for person in (anna, ben):
        sharing.register(countersignature(part, person), person)
    shown = sharing.statement(part).json()["standing"]
    assert shown == {"code": "claim.confirmed", "counts": True, "params": {"accounts": f"{anna.shown}, {ben.shown}"}}
    own = sharing.register(contribution(made, anna), anna)
    assert code_of(sharing.post(countersignature(own, anna), anna)) == "countersignature.of_oneself"
    assert sharing.post(countersignature(own, ben), ben).status_code == 201


@on_one_database
def test_only_works_and_uploads_are_withheld_by_who_sends_them(sharing):
    anna, ben = people(2)
    made = sharing.register(work(anna), anna)
    later = {"public_from": "2999-01-01T00:00:00Z"}
    assert code_of(sharing.post(contribution(made, ben), ben, **later)) == "public_from.of_no_work"
    assert sharing.register(work(ben), ben, **later)
