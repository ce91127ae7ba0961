"""The rules of works, claims, parts and rotations: each promise and attack by name."""

from __future__ import annotations

from support.models.rights_log import (
    ANNA,
    BEN,
    CLEO,
    DORA,
    HASH,
    NEW,
    NEWER,
    NOW,
    PAYER,
    PLATFORM,
    STRANGER,
    agreement,
    cancellation,
    claim,
    contribution,
    countersignature,
    rendition,
    report,
    rotation,
    termination,
    upload,
    work,
)
from support.worlds.logs.short_log import counts, fold, in_force, last, refused

from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules import fold as rules

# Works, claims, contributions.


def test_a_work_with_several_creators_counts_only_when_all_of_them_have_signed(log):
    shared = work(ANNA, BEN, CLEO)
    assert refused(log, shared, [ANNA, CLEO]) == ("signature.missing", {"account": to_hex(BEN)})
    assert refused(log, shared, [ANNA, BEN, CLEO, DORA]) == ("signature.not_a_signer", {"account": to_hex(DORA)})
    assert counts(log, shared, [ANNA, BEN, CLEO])


def test_an_upload_has_no_creator_until_the_platform_confirms_a_claim(log):
    of = counts(log, upload())
    assert last(log).code == "upload.unclaimed"
    mine = counts(log, claim(of, ANNA))
    assert last(log).code == "claim.claimed"
    assert refused(log, contribution(of, BEN))[0] == "work.unclaimed"
    assert refused(log, agreement([of], [ANNA, BEN]))[0] == "work.unclaimed"
    assert refused(log, countersignature(mine, ANNA))[0] == "countersignature.of_another"
    counts(log, countersignature(mine, PLATFORM))
    state = fold(log)
    assert state.works[of].creators == (ANNA,)
    assert rules.standing(state, of, NOW).params == {"claim": to_hex(mine), "account": to_hex(ANNA)}
    assert rules.standing(state, mine, NOW).code == "claim.confirmed"
    counts(log, contribution(of, BEN))
    counts(log, agreement([of], [ANNA, BEN]))


def test_of_two_claims_the_first_confirmed_wins_whichever_was_first_made(log):
    of = counts(log, upload())
    first, second = counts(log, claim(of, ANNA)), counts(log, claim(of, BEN))
    counts(log, countersignature(second, PLATFORM))
    assert refused(log, countersignature(first, PLATFORM)) == ("claim.taken", {"other": to_hex(second)})
    late = counts(log, claim(of, CLEO))
    assert refused(log, countersignature(late, PLATFORM))[0] == "claim.taken"
    state = fold(log)
    assert state.works[of].creators == (BEN,)
    assert rules.standing(state, first, NOW).code == "claim.claimed"


def test_a_claim_names_an_upload_and_nothing_else(log):
    of = counts(log, work(ANNA))
    assert refused(log, claim(of, BEN))[0] == "claim.unknown_upload"
    assert refused(log, claim(HASH, BEN))[0] == "claim.unknown_upload"


def test_a_contribution_is_claimed_for_ever_until_a_creator_countersigns_it(log):
    of = counts(log, work(ANNA, BEN))
    part = counts(log, contribution(of, CLEO))
    assert last(log).code == "claim.claimed"
    assert refused(log, countersignature(part, STRANGER)) == (
        "countersignature.of_another",
        {"account": to_hex(STRANGER)},
    )
    assert refused(log, countersignature(part, CLEO))[0] == "countersignature.of_another"
    assert rules.standing(fold(log), part, 2**63).code == "claim.claimed"
    counts(log, countersignature(part, ANNA))
    assert refused(log, countersignature(part, ANNA)) == ("countersignature.twice", {"statement": to_hex(part)})
    counts(log, countersignature(part, BEN))
    assert rules.standing(fold(log), part, NOW).params == {"accounts": f"{to_hex(ANNA)}, {to_hex(BEN)}"}


def test_a_creator_does_not_confirm_their_own_part_not_even_after_a_rotation(log):
    of = counts(log, work(ANNA, BEN))
    part = counts(log, contribution(of, ANNA))
    assert refused(log, countersignature(part, ANNA))[0] == "countersignature.of_oneself"
    counts(log, rotation(ANNA, NEW))
    assert refused(log, countersignature(part, NEW))[0] == "countersignature.of_oneself"
    counts(log, countersignature(part, BEN))
    counts(log, rotation(BEN, NEWER))
    assert refused(log, countersignature(part, NEWER))[0] == "countersignature.twice"


def test_only_claims_and_contributions_are_countersigned(log):
    of = counts(log, work(ANNA))
    for digest in (of, HASH, counts(log, agreement([of], [ANNA, BEN]))):
        assert refused(log, countersignature(digest, ANNA))[0] == "countersignature.nothing_to_confirm"


def test_a_rendition_has_a_source_that_is_registered_claimed_or_not(log):
    counts(log, rendition(counts(log, upload())))
    counts(log, rendition(counts(log, work(ANNA)), ANNA))
    assert refused(log, rendition(HASH))[0] == "rendition.unknown_source"


# Rotations.


def test_the_holder_is_asked_at_an_instant(log):
    counts(log, rotation(ANNA, NEW))
    log.time += 10
    counts(log, rotation(NEW, NEWER))
    state = fold(log)
    found = [state.holder(ANNA, at) for at in (NOW - 1, NOW, NOW + 9, NOW + 10)]
    assert found == [ANNA, NEW, NEW, NEWER]
    assert state.holder(NEW, NOW - 1) == NEW


def test_the_successor_of_a_creator_is_the_party_and_the_old_key_signs_nothing(log):
    of = counts(log, work(ANNA))
    counts(log, rotation(ANNA, NEW))
    away = ("account.rotated_away", {"account": to_hex(ANNA), "holder": to_hex(NEW)})
    assert refused(log, agreement([of], [ANNA, BEN])) == away
    assert refused(log, work(ANNA)) == away
    assert refused(log, rotation(ANNA, NEWER)) == away
    assert refused(log, agreement([of], [BEN, CLEO]))[0] == "agreement.creator_missing"
    counts(log, agreement([of], [BEN, NEW]))


def test_a_signature_given_before_a_rotation_does_not_complete_an_agreement_after_it(log):
    of = counts(log, work(ANNA))
    shared = agreement([of], [ANNA, BEN])
    counts(log, rotation(BEN, NEW))
    assert refused(log, shared)[0] == "account.rotated_away"


def test_the_successor_of_a_party_amends_leaves_terminates_and_cancels(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    counts(log, rotation(BEN, NEW))
    assert refused(log, termination(first, NOW), [ANNA, BEN])[0] == "account.rotated_away"
    assert refused(log, agreement([of], [ANNA, CLEO], supersedes=first))[1] == {"account": to_hex(NEW)}
    leaving = agreement([of], [ANNA, CLEO], supersedes=first, leaving=(NEW,))
    note = counts(log, cancellation(wanted := log.name()), [NEW])
    assert refused(log, leaving, digest=wanted)[1] == {"other": to_hex(note)}
    second = counts(log, leaving)
    counts(log, rotation(CLEO, NEWER))
    counts(log, termination(second, NOW), [ANNA, NEWER])


def test_the_successor_of_a_payer_is_the_same_payer(log, shared):
    of, _ = shared
    paid = counts(log, report(of, 100, 200))
    counts(log, rotation(PAYER, NEW))
    assert refused(log, report(of, 200, 300))[0] == "account.rotated_away"
    assert refused(log, report(of, 150, 250, payer=NEW))[0] == "report.overlaps"
    counts(log, report(of, 100, 200, 50, payer=NEW, corrects=paid))
    counts(log, report(of, 200, 300, payer=NEW))
    for payer in (PAYER, NEW):
        again = agreement([of], [ANNA, BEN], effectiveFrom=300, effectiveUntil=400, payer=payer)
        assert refused(log, again)[0] == "agreement.stale"


def test_the_successor_of_a_platform_confirms(log):
    of = counts(log, upload())
    mine = counts(log, claim(of, ANNA))
    counts(log, rotation(PLATFORM, NEW))
    assert refused(log, countersignature(mine, PLATFORM))[0] == "account.rotated_away"
    counts(log, rotation(ANNA, NEWER))
    counts(log, countersignature(mine, NEW))
    counts(log, agreement([of], [BEN, NEWER]))


def test_a_rotation_to_somebody_and_a_circle(log):
    counts(log, work(ANNA))
    assert refused(log, rotation(BEN, ANNA)) == ("rotation.to_somebody", {"account": to_hex(ANNA)})
    counts(log, rotation(ANNA, NEW))
    assert refused(log, rotation(NEW, ANNA))[0] == "account.rotated_away"
    counts(log, rotation(NEW, NEWER))
    assert refused(log, rotation(NEWER, NEW))[0] == "account.rotated_away"
    assert refused(log, rotation(CLEO, NEWER))[0] == "rotation.to_somebody"
    assert fold(log).holder(ANNA, NOW) == NEWER


def test_who_signed_what_does_not_count_is_somebody_too(log):
    refused(log, claim(HASH, ANNA))
    log.add(work(BEN), body=False)
    for account in (ANNA, BEN):
        assert refused(log, rotation(CLEO, account))[0] == "rotation.to_somebody"


def test_a_rotation_does_not_make_one_payer_of_two(log):
    # A payer signs no agreement. Were it nobody, another payer could be rotated to it, and two agreements would be in
    # force for one work and one payer.
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN], payer=PAYER))
    second = counts(log, agreement([of], [ANNA, CLEO], payer=STRANGER))
    assert refused(log, rotation(PAYER, STRANGER))[0] == "rotation.to_somebody"
    assert [in_force(log, of, payer) for payer in (PAYER, STRANGER)] == [first, second]


def test_a_rotation_is_signed_by_both(log):
    for accounts in ([ANNA], [NEW]):
        assert refused(log, rotation(ANNA, NEW), accounts)[0] == "signature.missing"
    assert fold(log).holder(ANNA, NOW) == ANNA
