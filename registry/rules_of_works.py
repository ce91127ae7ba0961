"""The rules of works: who made them, whose claim is confirmed, who had a part. Each kind: a check, and its effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.errors import InvalidData
from registry.hexadecimal import to_hex
from registry.rights import ClaimState, Line, Standing, WorkState

if TYPE_CHECKING:
    from registry.rights import Fact, State
    from registry.statements import Claim, Contribution, Countersignature, Rendition, Rotation, Upload, Work


def nothing(_state: State, _fact: Fact, _statement: object) -> None:
    """Need nothing beyond the statement itself; or change nothing."""


def take_work(state: State, fact: Fact, work: Work) -> None:
    """Its creators are those who signed."""
    state.works[fact.digest] = WorkState(creators=work.creators)


def take_upload(state: State, fact: Fact, upload: Upload) -> None:
    """It has no creator until a claim is confirmed."""
    state.works[fact.digest] = WorkState(creators=(), platform=upload.platform)


def check_rendition(state: State, _fact: Fact, rendition: Rendition) -> None:
    """Its source is a registered work, claimed or not."""
    if rendition.source not in state.works:
        raise InvalidData("rendition.unknown_source", field="source", source=to_hex(rendition.source))


def check_claim(state: State, _fact: Fact, claim: Claim) -> None:
    """It names an upload. That others claim it too is no error: the platform confirms one."""
    found = state.works.get(claim.upload)
    if found is None or found.platform is None:
        raise InvalidData("claim.unknown_upload", field="upload", upload=to_hex(claim.upload))


def take_claim(state: State, fact: Fact, claim: Claim) -> None:
    """It waits for the platform's word."""
    state.claims[fact.digest] = ClaimState(claim.upload, claim.creator)


def check_contribution(state: State, _fact: Fact, contribution: Contribution) -> None:
    """It names a work that has creators."""
    state.work(contribution.work, "work")


def take_contribution(state: State, fact: Fact, contribution: Contribution) -> None:
    """It stands as claimed, for ever if need be: the registry lets nobody silence it."""
    state.contributions[fact.digest] = ClaimState(contribution.work, contribution.contributor)


def check_countersignature(state: State, fact: Fact, given: Countersignature) -> None:
    """A claim is confirmed by the platform, one for each upload; a contribution by a creator, but not by itself."""
    claim = state.claims.get(given.statement)
    contribution = state.contributions.get(given.statement)
    found = claim or contribution
    if found is None:
        raise InvalidData("countersignature.nothing_to_confirm", field="statement", statement=to_hex(given.statement))
    work = state.works[found.work]
    expected = work.creators if claim is None else (work.platform,)
    if given.account not in state.holders(expected, fact.time):  # type: ignore[arg-type] # an upload has a platform
        raise InvalidData("countersignature.of_another", field="account", account=to_hex(given.account))
    if claim is not None and work.claim is not None and work.claim != given.statement:
        raise InvalidData("claim.taken", field="statement", other=to_hex(work.claim))
    if contribution is not None and given.account == state.holder(contribution.account, fact.time):
        raise InvalidData("countersignature.of_oneself", field="account")
    if given.account in state.holders(found.confirmed_by, fact.time):
        raise InvalidData("countersignature.twice", field="statement", statement=to_hex(given.statement))


def take_countersignature(state: State, _fact: Fact, given: Countersignature) -> None:
    """The claim's account becomes the upload's creator; the contribution counts as confirmed by this account."""
    claim = state.claims.get(given.statement)
    if claim is not None:
        claim.confirmed_by.append(given.account)
        state.works[claim.work].claim = given.statement
        state.works[claim.work].creators = (claim.account,)
    else:
        state.contributions[given.statement].confirmed_by.append(given.account)


def check_rotation(state: State, _fact: Fact, rotation: Rotation) -> None:
    """The successor has never signed anything, nor is it a payer: no two accounts become one, there is no circle."""
    if rotation.to in state.known:
        raise InvalidData("rotation.to_somebody", field="to", account=to_hex(rotation.to))


def take_rotation(state: State, fact: Fact, rotation: Rotation) -> None:
    """From the entry's time on the successor speaks for the account; the account signs nothing more."""
    line, _ = state.lines.setdefault(rotation.from_, (Line([rotation.from_], [0]), 0))
    state.lines[rotation.to] = (line, len(line.accounts))
    line.accounts.append(rotation.to)
    line.since.append(fact.time)


def upload_stands(state: State, digest: bytes, _at: int) -> Standing:
    """The platform's word only, or claimed by a creator."""
    work = state.works[digest]
    if work.claim is None:
        return Standing("upload.unclaimed", {"platform": to_hex(work.platform or b"")})
    return Standing("upload.claimed", {"claim": to_hex(work.claim), "account": to_hex(work.creators[0])})


def claim_stands(state: State, digest: bytes, _at: int) -> Standing:
    """Claimed, for ever if need be, or confirmed, and by whom."""
    claim = state.claims.get(digest) or state.contributions[digest]
    if not claim.confirmed_by:
        return Standing("claim.claimed", {"account": to_hex(claim.account)})
    return Standing("claim.confirmed", {"accounts": ", ".join(map(to_hex, claim.confirmed_by))})
