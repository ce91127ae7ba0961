"""The rules of rights a second time, slow and plain, written from what they promise and not from the product's code.

It keeps the list of what was said and answers every question by searching all of it again. It gives every reason that
there is for refusing a statement, so that it does not depend on which of them is looked at first.
"""

from __future__ import annotations

OPEN = 2**64
AHEAD = 600
NOTHING = bytes(32)


class NaiveRights:
    """What a log comes to."""

    def __init__(self):
        self.seen = []
        self.counted = []
        self.reasons = {}

    def add(self, fact):
        """Take the next entry. A digest counts once, at its lowest index."""
        if any(fact.digest == earlier.digest for earlier in self.seen):
            return
        reasons = self.why_not(fact)
        self.seen.append(fact)
        self.reasons[fact.digest] = reasons
        if not reasons:
            self.counted.append(fact)

    def why_not(self, fact):
        """Return the codes of all that is wrong with the next entry; none: it counts."""
        if fact.statement is None:
            return {"standing.no_body"}
        reasons = {"account.rotated_away" for account in fact.accounts if self.successor(account) is not None}
        needed = self.needed_signers(fact)
        if needed is not None:
            reasons |= {"signature.missing" for account in needed if account not in fact.accounts}
            reasons |= {"signature.not_a_signer" for account in fact.accounts if account not in needed}
        return reasons | set(getattr(self, f"against_{fact.kind.lower()}")(fact, fact.statement))

    def needed_signers(self, fact):
        said = fact.statement
        if fact.kind == "Cancellation":
            return None
        if fact.kind == "Termination":
            ended = self.find("Agreement", said.agreement)
            return None if ended is None else self.holders(ended.statement.parties, fact.time)
        return {
            "Work": lambda: said.creators,
            "Upload": lambda: [said.platform],
            "Rendition": lambda: [said.maker],
            "Claim": lambda: [said.creator],
            "Countersignature": lambda: [said.account],
            "Contribution": lambda: [said.contributor],
            "Agreement": lambda: [*said.parties, *said.leaving],
            "RevenueReport": lambda: [said.payer],
            "Rotation": lambda: [said.from_, said.to],
        }[fact.kind]()

    # What there is.

    def of(self, kind):
        return [fact for fact in self.counted if fact.kind == kind]

    def find(self, kind, digest):
        return next((fact for fact in self.of(kind) if fact.digest == digest), None)

    def successor(self, account):
        return next((fact for fact in self.of("Rotation") if fact.statement.from_ == account), None)

    # Who is who.

    def holder(self, account, at):
        rotation = self.successor(account)
        if rotation is None or rotation.time > at:
            return account
        return self.holder(rotation.statement.to, at)

    def holders(self, accounts, at):
        return {self.holder(account, at) for account in accounts}

    def against_rotation(self, _fact, said):
        """An account is somebody once it has signed anything, or is to pay for an agreement."""
        for earlier in self.seen:
            if said.to in earlier.accounts:
                yield "rotation.to_somebody"
            if f"payer:0x{said.to.hex()}" in earlier.subjects:
                yield "rotation.to_somebody"

    # Works, and who made them.

    def creators(self, work):
        """Return the creators; None if there is no such work, empty for an upload that nobody has."""
        if self.find("Work", work) is not None:
            return list(self.find("Work", work).statement.creators)
        if self.find("Upload", work) is None:
            return None
        claim = self.confirmed_claim(work)
        return [] if claim is None else [claim.statement.creator]

    def confirmed_claim(self, upload):
        for given in self.of("Countersignature"):
            claim = self.find("Claim", given.statement.statement)
            if claim is not None and claim.statement.upload == upload:
                return claim
        return None

    def confirmed_by(self, digest):
        return [given.statement.account for given in self.of("Countersignature") if given.statement.statement == digest]

    def against_work(self, _fact, _said):
        return ()

    def against_upload(self, _fact, _said):
        return ()

    def against_rendition(self, _fact, said):
        if self.creators(said.source) is None:
            yield "rendition.unknown_source"

    def against_claim(self, _fact, said):
        if self.find("Upload", said.upload) is None:
            yield "claim.unknown_upload"

    def against_contribution(self, _fact, said):
        yield from self.against_naming(said.work)

    def against_naming(self, work):
        if self.creators(work) is None:
            yield "work.unknown"
        elif not self.creators(work):
            yield "work.unclaimed"

    def against_countersignature(self, fact, said):
        claim = self.find("Claim", said.statement)
        contribution = self.find("Contribution", said.statement)
        if claim is not None:
            upload = self.find("Upload", claim.statement.upload)
            if said.account != self.holder(upload.statement.platform, fact.time):
                yield "countersignature.of_another"
            first = self.confirmed_claim(upload.digest)
            if first is not None and first.digest != claim.digest:
                yield "claim.taken"
        elif contribution is not None:
            if said.account not in self.holders(self.creators(contribution.statement.work), fact.time):
                yield "countersignature.of_another"
            if said.account == self.holder(contribution.statement.contributor, fact.time):
                yield "countersignature.of_oneself"
        else:
            yield "countersignature.nothing_to_confirm"
        if said.account in self.holders(self.confirmed_by(said.statement), fact.time):
            yield "countersignature.twice"

    # Agreements.

    def start(self, agreement):
        return agreement.statement.effectiveFrom

    def end(self, agreement):
        """Return the first instant at which an agreement holds no more; it may lie before its start."""
        ends = [agreement.statement.effectiveUntil or OPEN]
        ends += [
            other.statement.effectiveFrom for other in (self.amendment(agreement), self.termination(agreement)) if other
        ]
        return min(ends)

    def amendment(self, agreement):
        return next((fact for fact in self.of("Agreement") if fact.statement.supersedes == agreement.digest), None)

    def termination(self, agreement):
        return next((fact for fact in self.of("Termination") if fact.statement.agreement == agreement.digest), None)

    def covering(self, work, payer, at, now):
        """Return the agreements that cover an instant of a work for whoever is now this payer."""
        return [
            agreement
            for agreement in self.of("Agreement")
            if work in agreement.statement.works
            and self.holder(agreement.statement.payer, now) == self.holder(payer, now)
            and self.start(agreement) <= at < self.end(agreement)
        ]

    def against_changing(self, digest):
        """Return why an agreement can be neither amended nor terminated."""
        agreement = self.find("Agreement", digest)
        if agreement is None:
            yield "agreement.unknown"
        elif self.amendment(agreement) is not None:
            yield "agreement.superseded"
        elif self.termination(agreement) is not None:
            yield "agreement.terminated"

    def against_agreement(self, fact, said):
        if fact.time > said.acceptBy:
            yield "agreement.expired"
        everybody = {*said.parties, *said.leaving}
        for cancellation in self.of("Cancellation"):
            cancelled_by = self.holders(cancellation.accounts, fact.time)
            if cancellation.statement.agreement == fact.digest and everybody & cancelled_by:
                yield "agreement.cancelled"
        yield from self.against_works(fact, said)
        before = None
        if said.supersedes != NOTHING:
            yield from self.against_changing(said.supersedes)
            before = self.find("Agreement", said.supersedes)
        if before is not None:
            yield from self.against_amending(fact, said, before)
        for report in self.of("RevenueReport"):
            touched = {*said.works, *(before.statement.works if before else ())}
            if report.statement.work in touched and said.effectiveFrom < report.statement.periodEnd:
                yield "agreement.before_report"
        for other in self.of("Agreement"):
            if self.would_meet(fact, said, other):
                yield "agreement.stale"

    def against_works(self, fact, said):
        for work in said.works:
            yield from self.against_naming(work)
            if not self.holders(self.creators(work) or (), fact.time) <= set(said.parties):
                yield "agreement.creator_missing"

    def against_amending(self, fact, said, before):
        if not any(work in said.works for work in before.statement.works):
            yield "agreement.other_works"
        had = self.holders(before.statement.parties, fact.time)
        if any(account not in said.parties and account not in said.leaving for account in had):
            yield "agreement.leaves_unsigned"
        if any(account not in had for account in said.leaving):
            yield "agreement.never_a_party"

    def would_meet(self, fact, said, other):
        """Return whether an agreement would cover an instant that another covers, for the same payer and a work."""
        if self.holder(said.payer, fact.time) != self.holder(other.statement.payer, fact.time):
            return False
        if not any(work in other.statement.works for work in said.works):
            return False
        end = min(self.end(other), said.effectiveFrom) if other.digest == said.supersedes else self.end(other)
        # Two spans meet, if they do, at the first instant of one of them.
        firsts = (said.effectiveFrom, self.start(other))
        return any(
            self.start(other) <= at < end and said.effectiveFrom <= at < (said.effectiveUntil or OPEN) for at in firsts
        )

    def against_cancellation(self, _fact, said):
        if self.find("Agreement", said.agreement) is not None:
            yield "cancellation.complete"

    def against_termination(self, _fact, said):
        yield from self.against_changing(said.agreement)
        ended = self.find("Agreement", said.agreement)
        if ended is None:
            return
        if said.effectiveFrom >= self.end(ended):
            yield "termination.over"
        for report in self.of("RevenueReport"):
            if report.statement.work in ended.statement.works and said.effectiveFrom < report.statement.periodEnd:
                yield "termination.before_report"

    # Reports.

    def against_revenuereport(self, fact, said):
        yield from self.against_naming(said.work)
        if said.periodEnd > fact.time + AHEAD:
            yield "report.not_over"
        on_work = [agreement for agreement in self.of("Agreement") if said.work in agreement.statement.works]
        payer = self.holder(said.payer, fact.time)
        of_payer = [each for each in on_work if self.holder(each.statement.payer, fact.time) == payer]
        whole = [each for each in of_payer if self.start(each) <= said.periodStart and said.periodEnd <= self.end(each)]
        if not on_work:
            yield "report.no_agreement"
        elif not of_payer:
            yield "report.not_the_payer"
        elif not whole:
            yield "report.straddles" if self.changes_within(of_payer, said) else "report.no_agreement"
        if said.corrects != NOTHING:
            yield from self.against_correcting(fact, said)
        for agreement in whole:
            yield from self.against_under(agreement, said, fact.time)

    def changes_within(self, agreements, said):
        """Return the instants strictly within a report's period at which an agreement begins or ends."""
        held = [each for each in agreements if self.start(each) < self.end(each)]
        return sorted(
            at for each in held for at in (self.start(each), self.end(each)) if said.periodStart < at < said.periodEnd
        )

    def against_under(self, agreement, said, now):
        for report in self.reports_under(agreement, now):
            earlier = report.statement
            if earlier.currency != said.currency:
                yield "report.currency"
            if said.corrects == NOTHING and earlier.work == said.work:
                firsts = (earlier.periodStart, said.periodStart)
                if any(
                    earlier.periodStart <= at < earlier.periodEnd and said.periodStart <= at < said.periodEnd
                    for at in firsts
                ):
                    yield "report.overlaps"

    def against_correcting(self, fact, said):
        corrected = self.find("RevenueReport", said.corrects)
        if corrected is None:
            yield "report.corrects_unknown"
            return
        if self.correction(corrected) is not None:
            yield "report.corrected"
        earlier = corrected.statement
        same = (earlier.work, earlier.periodStart, earlier.periodEnd) == (said.work, said.periodStart, said.periodEnd)
        if not same or self.holder(earlier.payer, fact.time) != self.holder(said.payer, fact.time):
            yield "report.corrects_another"

    def correction(self, report):
        return next((fact for fact in self.of("RevenueReport") if fact.statement.corrects == report.digest), None)

    def reports_under(self, agreement, now):
        """Return the reports for which an agreement pays, corrected ones too."""
        return [
            report
            for report in self.of("RevenueReport")
            if agreement
            in self.covering(report.statement.work, report.statement.payer, report.statement.periodStart, now)
        ]

    def revenue(self, agreement, now):
        """Return what an agreement brought in: the last word on each period."""
        reports = self.reports_under(agreement, now)
        return sum(report.statement.amount for report in reports if self.correction(report) is None)

    # What each statement comes to.

    def stands(self, fact, at):
        """Return the code of what a statement that counts comes to at an instant."""
        if fact.kind == "Upload":
            return "upload.claimed" if self.confirmed_claim(fact.digest) else "upload.unclaimed"
        if fact.kind in ("Claim", "Contribution"):
            return "claim.confirmed" if self.confirmed_by(fact.digest) else "claim.claimed"
        if fact.kind == "RevenueReport":
            return "report.is_corrected" if self.correction(fact) else "report.counts"
        if fact.kind == "Agreement":
            return self.agreement_stands(fact, at)
        return "standing.counts"

    def agreement_stands(self, agreement, at):
        if at < min(self.start(agreement), self.end(agreement)):
            return "agreement.is_agreed"
        if at < self.end(agreement):
            return "agreement.is_in_force"
        if self.amendment(agreement) is not None:
            return "agreement.is_superseded"
        return "agreement.is_terminated" if self.termination(agreement) is not None else "agreement.is_ended"
