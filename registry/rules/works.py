"""The rules of works: who made them, whose claim is confirmed, who had a part. Pure.

All of it follows from entries: a verifier that lacks the bodies computes the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules.rule import Rule, add_rule
from deedlog.registry.rules.state import ClaimState, Standing, WorkState
from deedlog.registry.statements.subjects import SOURCE, STATEMENT, UPLOAD, WORK
from deedlog.registry.statements.works import Claim, Contribution, Countersignature, Rendition, Upload, Work

if TYPE_CHECKING:
    from deedlog.registry.rules.state import Fact, State


def apply_work(state: State, fact: Fact, _statement: object) -> None:
    """Its creators are those who signed."""
    state.works[fact.digest] = WorkState(creators=fact.accounts)


def apply_upload(state: State, fact: Fact, _statement: object) -> None:
    """It has no creator until a claim is confirmed."""
    state.works[fact.digest] = WorkState(creators=(), platform=fact.accounts[0])


def check_rendition(state: State, fact: Fact, _statement: object) -> None:
    """Its source is a registered work, claimed or not."""
    source = fact.named(SOURCE)
    if source not in state.works:
        raise InvalidData("rendition.unknown_source", field="source", source=to_hex(source))


def check_claim(state: State, fact: Fact, _statement: object) -> None:
    """It names an upload. That others claim it too is no error: the platform confirms one."""
    upload = fact.named(UPLOAD)
    found = state.works.get(upload)
    if found is None or found.platform is None:
        raise InvalidData("claim.unknown_upload", field="upload", upload=to_hex(upload))


def apply_claim(state: State, fact: Fact, _statement: object) -> None:
    """It waits for the platform's word."""
    state.claims[fact.digest] = ClaimState(fact.named(UPLOAD), fact.accounts[0])


def check_contribution(state: State, fact: Fact, _statement: object) -> None:
    """It names a work that has creators."""
    state.work(fact.named(WORK), "work")


def apply_contribution(state: State, fact: Fact, _statement: object) -> None:
    """It stands as claimed, for ever if need be: the registry lets nobody silence it."""
    state.contributions[fact.digest] = ClaimState(fact.named(WORK), fact.accounts[0])


def check_countersignature(state: State, fact: Fact, _statement: object) -> None:
    """A claim is confirmed by the platform, one for each upload; a contribution by a creator, but not by itself."""
    account, statement = fact.accounts[0], fact.named(STATEMENT)
    claim = state.claims.get(statement)
    contribution = state.contributions.get(statement)
    found = claim or contribution
    if found is None:
        raise InvalidData("countersignature.nothing_to_confirm", field="statement", statement=to_hex(statement))
    work = state.works[found.work]
    expected = work.creators if claim is None else (work.platform,)
    if account not in state.holders(expected, fact.time):  # type: ignore[arg-type] # an upload has a platform
        raise InvalidData("countersignature.of_another", field="account", account=to_hex(account))
    if claim is not None and work.claim is not None and work.claim != statement:
        raise InvalidData("claim.taken", field="statement", other=to_hex(work.claim))
    if contribution is not None and account == state.holder(contribution.account, fact.time):
        raise InvalidData("countersignature.of_oneself", field="account")
    if account in state.holders(found.confirmed_by, fact.time):
        raise InvalidData("countersignature.twice", field="statement", statement=to_hex(statement))


def apply_countersignature(state: State, fact: Fact, _statement: object) -> None:
    """The claim's account becomes the upload's creator; the contribution counts as confirmed by this account."""
    statement = fact.named(STATEMENT)
    claim = state.claims.get(statement)
    if claim is not None:
        claim.confirmed_by.append(fact.accounts[0])
        state.works[claim.work].claim = statement
        state.works[claim.work].creators = (claim.account,)
    else:
        state.contributions[statement].confirmed_by.append(fact.accounts[0])


def upload_standing(state: State, digest: bytes, _at: int) -> Standing:
    """The platform's word only, or claimed by a creator."""
    work = state.works[digest]
    if work.claim is None:
        return Standing("upload.unclaimed", {"platform": to_hex(work.platform or b"")})
    return Standing("upload.claimed", {"claim": to_hex(work.claim), "account": to_hex(work.creators[0])})


def claim_standing(state: State, digest: bytes, _at: int) -> Standing:
    """Claimed, for ever if need be, or confirmed, and by whom."""
    claim = state.claims.get(digest) or state.contributions[digest]
    if not claim.confirmed_by:
        return Standing("claim.claimed", {"account": to_hex(claim.account)})
    return Standing("claim.confirmed", {"accounts": ", ".join(map(to_hex, claim.confirmed_by))})


add_rule(Work, Rule(apply=apply_work))
add_rule(Upload, Rule(apply=apply_upload, standing=upload_standing))
add_rule(Rendition, Rule(check_rendition))
add_rule(Claim, Rule(check_claim, apply_claim, claim_standing))
add_rule(Countersignature, Rule(check_countersignature, apply_countersignature))
add_rule(Contribution, Rule(check_contribution, apply_contribution, claim_standing))
