"""The rules of works: who created them, which claims are confirmed, who contributed. Pure.

All of it follows from the entries, so a verifier without the bodies gets the same result.
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
    """Add the work. Its creators are its signers."""
    state.works[fact.digest] = WorkState(creators=fact.accounts)


def apply_upload(state: State, fact: Fact, _statement: object) -> None:
    """Add the work without creators. It gets one when a claim is confirmed."""
    state.works[fact.digest] = WorkState(creators=(), platform=fact.accounts[0])


def check_rendition(state: State, fact: Fact, _statement: object) -> None:
    """Check that the source is a registered work, claimed or not. Raises `InvalidData` (`rendition.unknown_source`)."""
    source = fact.named(SOURCE)
    if source not in state.works:
        raise InvalidData("rendition.unknown_source", field="source", source=to_hex(source))


def check_claim(state: State, fact: Fact, _statement: object) -> None:
    """Check that the claim names an upload. Raises `InvalidData` (`claim.unknown_upload`).

    Several accounts may claim the same upload: the platform confirms one of them.
    """
    upload = fact.named(UPLOAD)
    found = state.works.get(upload)
    if found is None or found.platform is None:
        raise InvalidData("claim.unknown_upload", field="upload", upload=to_hex(upload))


def apply_claim(state: State, fact: Fact, _statement: object) -> None:
    """Add the claim. It is unconfirmed until the platform countersigns it."""
    state.claims[fact.digest] = ClaimState(fact.named(UPLOAD), fact.accounts[0])


def check_contribution(state: State, fact: Fact, _statement: object) -> None:
    """Check that the work has creators. Raises `InvalidData` (`work.unknown`, `work.unclaimed`)."""
    state.work(fact.named(WORK), "work")


def apply_contribution(state: State, fact: Fact, _statement: object) -> None:
    """Add the contribution as claimed. Nobody can remove it, even if it is never confirmed."""
    state.contributions[fact.digest] = ClaimState(fact.named(WORK), fact.accounts[0])


def check_countersignature(state: State, fact: Fact, _statement: object) -> None:
    """Check that the signer may confirm the named claim or contribution.

    The platform confirms claims, one for each upload. A creator of the work confirms contributions, but not its own.
    Raises `InvalidData`: `countersignature.nothing_to_confirm`, `countersignature.of_another`, `claim.taken`,
    `countersignature.of_oneself` or `countersignature.twice`.
    """
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
    """Confirm a claim, whose account becomes the upload's creator; or record who confirmed a contribution."""
    statement = fact.named(STATEMENT)
    claim = state.claims.get(statement)
    if claim is not None:
        claim.confirmed_by.append(fact.accounts[0])
        state.works[claim.work].claim = statement
        state.works[claim.work].creators = (claim.account,)
    else:
        state.contributions[statement].confirmed_by.append(fact.accounts[0])


def upload_standing(state: State, digest: bytes, _at: int) -> Standing:
    """Return whether a claim of the upload is confirmed (`upload.claimed`) or not (`upload.unclaimed`)."""
    work = state.works[digest]
    if work.claim is None:
        return Standing("upload.unclaimed", {"platform": to_hex(work.platform or b"")})
    return Standing("upload.claimed", {"claim": to_hex(work.claim), "account": to_hex(work.creators[0])})


def claim_standing(state: State, digest: bytes, _at: int) -> Standing:
    """Return whether the claim or contribution is only claimed (`claim.claimed`) or confirmed (`claim.confirmed`)."""
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
