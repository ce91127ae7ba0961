"""What a registry answers, and its drafts, a second time: slow and plain, from what docs/shares.md promises.

What was accepted is in a `NaiveRights`; a draft is a dict. Of each letter it says every answer that may be given.
"""

from __future__ import annotations

from support.models.naive_rights import NaiveRights

from deedlog.registry.rules.state import Fact

AHEAD = 600
WHOLE = 1_000_000
NOTHING = bytes(32)


class NaiveRegistry:
    """A registry whose clock is told to it each time, as `now`."""

    def __init__(self):
        self.rights = NaiveRights()
        self.signed = {}
        """Who signed what was accepted, by digest."""

        self.drafts = {}
        self.claims = {}
        """What was accepted first, by what it claims and who claims it."""

    # Answers.

    def answers(self, letter, now):
        """Return the answers of which the registry must give one: an outcome, or why not."""
        wrong = set(ill_formed(letter.statement, now)) | set(ill_signed(letter))
        if wrong:
            return wrong
        return self.to_signatures(letter, now) if letter.draft else self.to_statement(letter, now)

    def to_statement(self, letter, now):
        """Return the answers to what must be complete as it is sent."""
        fact = fact_of(letter, letter.accounts, now)
        needed = letter.statement.signers()
        if not letter.accounts:
            return {"signature.none"} if needed is None else {"signature.missing"}
        if needed is not None and set(letter.accounts) != set(needed):
            return {"signature.missing", "signature.not_a_signer"}
        if letter.digest in self.signed:
            return {"known"}
        if self.claimed_before(letter.statement, letter.accounts):
            return {"repeat"}
        return self.rights.why_not(fact) | self.against_cancelling(fact) or {"accepted"}

    def to_signatures(self, letter, now):
        """Return the answers to signatures of what others may have to sign too."""
        accounts = set(letter.accounts)
        if letter.digest in self.signed:
            return {"known"} if accounts <= self.signed[letter.digest] else {"signature.not_a_signer"}
        if letter.kind == "Cancellation":
            return {"draft.one_signature"}
        needed = self.needed(letter.statement, now)
        reasons = self.against_draft(letter, now)
        if needed is not None and not accounts <= needed:
            reasons.add("signature.not_a_signer")
        if reasons:
            return reasons
        draft = self.drafts.get(letter.digest)
        before = draft["signed"] & needed if draft else set()
        if before | accounts == needed:
            return {"repeat"} if self.claimed_before(letter.statement, needed) else {"accepted"}
        if draft is None:
            return {"proposed"}
        return {"known"} if accounts <= before else {"signed"}

    def against_draft(self, letter, now):
        """Return why a draft can not come to anything."""
        needed = self.needed(letter.statement, now)
        reasons = self.rights.why_not(fact_of(letter, needed or (), now))
        if letter.digest in self.drafts and self.drafts[letter.digest]["cancelled"]:
            reasons.add("agreement.cancelled")
        return reasons

    def against_cancelling(self, fact):
        """Return why a draft that is here cannot be cancelled: only a party takes a signature back, and once."""
        if fact.kind != "Cancellation":
            return set()
        draft = self.drafts.get(fact.statement.agreement)
        if draft is None:
            # What is not here may still be held by somebody; what is complete is no draft.
            return {"cancellation.no_draft"} if fact.statement.agreement in self.signed else set()
        reasons = set()
        if draft["letter"].kind != "Agreement":
            reasons.add("cancellation.no_draft")
        if draft["cancelled"]:
            reasons.add("agreement.cancelled")
        if not set(fact.accounts) <= self.rights.holders(draft["parties"], fact.time):
            reasons.add("cancellation.not_a_party")
        return reasons

    def needed(self, statement, now):
        """Return who must sign; None if nobody knows."""
        if statement.signers() is not None:
            return set(statement.signers())
        return self.rights.needed_signers(Fact(b"", statement.kind, (), (), now, statement))

    def claimed_before(self, statement, accounts):
        return claim_of(statement, accounts) in self.claims

    # What an answer changes.

    def take(self, letter, answer, now):
        """Take the answer that was given."""
        accounts = set(letter.accounts)
        if answer in ("proposed", "signed"):
            needed = self.needed(letter.statement, now)
            fresh = {"letter": letter, "parties": needed, "signed": set(), "declined": set(), "cancelled": False}
            draft = self.drafts.setdefault(letter.digest, fresh)
            # Anybody can send again what somebody signed before they declined.
            new = accounts - draft["signed"]
            draft["declined"] -= {each for each in draft["declined"] if self.rights.holder(each, now) in new}
            draft["signed"] |= new
        if letter.draft and answer in ("accepted", "repeat"):
            accounts = self.needed(letter.statement, now)
            self.drafts.pop(letter.digest, None)
        if answer == "accepted":
            self.rights.add(fact_of(letter, accounts, now))
            self.signed[letter.digest] = accounts
            self.claims[claim_of(letter.statement, accounts)] = letter.digest
            self.drafts.pop(letter.digest, None)
            if letter.kind == "Cancellation" and letter.statement.agreement in self.drafts:
                self.drafts[letter.statement.agreement]["cancelled"] = True

    def decline(self, digest, account):
        self.drafts[digest]["declined"].add(account)

    # What is seen of drafts.

    def reads(self, account, draft, now):
        """Return whether an account speaks for a party."""
        return account in self.rights.holders(draft["parties"], now)

    def states(self, draft, now):
        """Return the states of which a draft must have one."""
        if draft["cancelled"]:
            return {"cancelled"}
        reasons = self.against_draft(draft["letter"], now)
        if reasons:
            first = {"expired"} if "agreement.expired" in reasons else {"stale"}
            return first | ({"stale"} if len(reasons) > 1 else set())
        return {"declined"} if draft["declined"] else {"proposed"}

    def missing(self, draft, now):
        return self.needed(draft["letter"].statement, now) - draft["signed"]


def fact_of(letter, accounts, now):
    statement = letter.statement
    return Fact(letter.digest, statement.kind, tuple(sorted(accounts)), statement.subjects(), now, statement)


def claim_of(statement, accounts):
    """Return what is said and by whom, but for the salt, where a file is claimed; of all else, the statement itself."""
    if not hasattr(statement, "contentHash"):
        return statement
    return (statement.kind, statement.contentHash, getattr(statement, "source", None), frozenset(accounts))


def ill_signed(letter):
    """Yield what is wrong with signatures by themselves."""
    if letter.forged:
        yield from ("signature.signer", "signature.range")
    if len(set(letter.accounts)) < len(letter.accounts):
        yield "signature.account_twice"


def ill_formed(said, now):
    """Yield what is wrong with a statement by itself."""
    if max(getattr(said, "madeAt", 0), getattr(said, "uploadedAt", 0)) > now + AHEAD:
        yield "statement.in_the_future"
    if said.kind == "RevenueReport" and said.periodEnd <= said.periodStart:
        yield "report.period"
    if said.kind == "Rotation" and said.from_ == said.to:
        yield "rotation.to_itself"
    if said.kind == "Agreement":
        wrong = {
            "agreement.sum": sum(share.ppm for share in said.shares) != WHOLE,
            "agreement.lines": len(said.shares) != len(said.parties),
            "agreement.line_of_another": any(
                share.party != party for share, party in zip(said.shares, said.parties, strict=False)
            ),
            "agreement.stays_and_leaves": set(said.parties) & set(said.leaving),
            "agreement.nothing_to_leave": said.leaving and said.supersedes == NOTHING,
            "agreement.ends_before_it_begins": said.effectiveUntil and said.effectiveUntil <= said.effectiveFrom,
        }
        yield from (code for code, is_so in wrong.items() if is_so)
