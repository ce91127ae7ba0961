"""A client of one registry. It derives and signs here what it sends, and checks what comes back as far as it can be.

    with Registry("https://deeds.example.com", address="0x…", key=key, api_key="deedlog_…") as registry:
        receipt = registry.register(upload, reference="upload-17")
        registry.wait(receipt.digest, "anchored")
        pathlib.Path("upload-17.deed").write_bytes(registry.prove(receipt.digest).data)

Every method ends within a total time of its own and raises, beside what it names: `FetchError` where no whole answer
came (`registry.bounded_http`), `Unavailable` (`registry.answered`) where what came is not a registry's, and whatever
the registry refused with: `InvalidData`, or `Unavailable` where asking again may help. All are `DeedlogError`s with a
stable code; `api.texts.error_text` has their words.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.api.client.answers import (
    OUTCOMES,
    STATES,
    Draft,
    Event,
    Payouts,
    Progress,
    Proof,
    Receipt,
    StatementRecord,
)
from deedlog.api.client.connection import Connection
from deedlog.api.client.signed_statement import SignedStatement, show
from deedlog.registry import sign_in, times
from deedlog.registry.acceptance.submission import MAXIMUM_BATCH
from deedlog.registry.bounded_http import PAUSES, may_pass
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable, VerificationError
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.statements import KINDS, signatures
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.typed_data import from_typed_data, typed_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from deedlog.registry.statements.base import Statement
    from deedlog.registry.statements.signatures import Signature

    Sign = Callable[[bytes], Signature]
    """Signs a digest (32 bytes) as one account: a wallet, a module that keeps the key, a person who is asked."""

WAIT_SECONDS = 3600.0
"""How long `wait` waits by default: a final block of a public chain takes some twenty minutes."""

POLL_SECONDS = 1.0

_EMPTY_PAGES = 10_000
"""Pages without an item, one after the other, before giving up: what is hidden from the one who asks is left out."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


class Registry:
    """A registry behind a URL. Use it in a `with`; it holds connections, and a session once signed in."""

    def __init__(
        self,
        url: str,
        *,
        address: bytes | str | None = None,
        key: bytes | Sign | None = None,
        account: bytes | str | None = None,
        api_key: str | None = None,
        language: str = "en",
        seconds: float | None = None,
        pauses: Sequence[float] = PAUSES,
        on_pause: Callable[[float], None] | None = None,
    ) -> None:
        """Name the registry; nothing is sent yet.

        `address` is the registry's address (20 bytes or 0x…) from a place that you trust; without it the registry's own
        word is taken, and whoever answers at the URL decides what your signatures are for. `key` is a private key (32
        bytes), or a function that signs digests; then `account` says for whom. `api_key` is the secret of an API key.
        `language` (`en`, `zh`) is that of the registry's texts; `seconds` the total time of each request, retries
        included (default: 60); `pauses` the seconds between its tries, where the registry does not ask for a longer
        pause (Retry-After). `on_pause` is called before each of these, with its seconds: a person may want to know.

        Raises `InvalidData` for an `address`, `account` or `api_key` that is malformed (`api_key.invalid` and others),
        and for a `language` that no header can carry (`header.malformed`).
        """
        self._pinned = _account(address, "address")
        self._identity: RegistryIdentity | None = None
        self._sign: Sign | None
        if isinstance(key, bytes):
            secret = key
            self._sign = lambda digest: signatures.sign(digest, secret)
            self._account: bytes | None = signatures.account_of_private_key(key)
        else:
            self._sign, self._account = key, _account(account, "account")
        if api_key is not None and _TOKEN.fullmatch(api_key) is None:
            raise InvalidData("api_key.invalid", field="api_key")
        self._api_key = api_key
        self._connection = Connection(url, language, seconds, pauses, on_pause)
        self._connection.bearer = api_key

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections. A session stays until it ends by itself: `sign_out` ends it."""
        self._connection.close()

    # Who is who.

    @property
    def url(self) -> str:
        """The registry's URL, without a slash at its end."""
        return self._connection.url

    @property
    def account(self) -> bytes:
        """The account (20 bytes) that signs here; raises `InvalidData` (`client.no_key`) where none was named."""
        if self._account is None:
            raise InvalidData("client.no_key")
        return self._account

    @property
    def address(self) -> bytes:
        """The registry's address (20 bytes): the pinned one, or else what the registry says, asked once."""
        return self.identity().address if self._pinned is None else self._pinned

    def identity(self) -> RegistryIdentity:
        """Return what the registry's address commits to, asked once.

        Raises `InvalidData` (`registry.other`) if the address is not the pinned one. It is recomputed: an answer cannot
        name an address that its own parts do not make.
        """
        if self._identity is None:
            answer = self._connection.get("/v1/registry")
            with self._connection.reading():
                identity = RegistryIdentity.from_json(answer.get("identity"), contracts())
            if self._pinned not in (None, identity.address):
                expected = to_checksum(self._pinned or b"")
                raise InvalidData("registry.other", expected=expected, actual=to_checksum(identity.address))
            self._identity = identity
        return self._identity

    def sign_in(self) -> None:
        """Sign in as `account` (EIP-4361): later requests are made as it, instead of by the API key.

        Raises `InvalidData` (`sign_in.…`) instead of signing anything that is not for this URL, account and time.
        """
        account = self.account
        site = sign_in.site_at(self.url)
        offered = self._connection.post("/v1/sessions/nonce", {"account": to_checksum(account)}, repeat=True)
        try:
            message = sign_in.agree(offered, account, site, times.now()).text()
        except InvalidData as error:
            if error.code in ("sign_in.malformed", "sign_in.time"):
                raise self._odd() from error
            raise
        signature = self._signature(sign_in.digest(message)).signature
        sent = {"message": message, "signature": to_hex(signature)}
        begun = self._connection.post("/v1/sessions", sent, repeat=False)  # its nonce is good once
        token = begun.get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or begun.get("account") != to_checksum(account):
            raise self._odd()
        self._connection.bearer = token

    def sign_out(self) -> None:
        """End the session; later requests are made by the API key or as nobody, even if this one fails."""
        try:
            self._connection.send("DELETE", "/v1/sessions")
        finally:
            self._connection.bearer = self._api_key

    # What is signed, made here.

    def typed_data(self, statement: Statement) -> dict[str, Any]:
        """Return the typed data (EIP-712 JSON) of a statement for this registry, as wallets show it."""
        return typed_data(statement, self.address)

    def digest(self, statement: Statement) -> bytes:
        """Return the digest (32 bytes) that is signed of a statement for this registry, derived here."""
        return statement.digest(domain_separator(self.address))

    def sign(
        self,
        statement: Statement,
        *,
        also: Sequence[bytes] = (),
        reference: str | None = None,
        public_from: str | None = None,
    ) -> SignedStatement:
        """Return a statement with your signature; nothing is sent. `reference`, `public_from`: see `SignedStatement`.

        `also` are more private keys that sign it. Raises `InvalidData` where this version would not accept the
        statement, or where `key` did not sign as `account` (`signature.…`).
        """
        statement.STRUCT.accept(statement)
        digest = self.digest(statement)
        given = (self._signature(digest), *(signatures.sign(digest, key) for key in also))
        return SignedStatement(statement, self.address, given, reference, public_from)

    # What is sent.

    def register(self, statement: Statement, *, reference: str | None = None) -> Receipt:
        """Sign a statement, send it and return what became of it. Durable when this returns."""
        return self.send(self.sign(statement, reference=reference))

    def send(self, signed: SignedStatement) -> Receipt:
        """Send a statement that all its signers have signed. Sent again, it is `known`."""
        answer = self._connection.post("/v1/statements", signed.to_json(), repeat=True)
        with self._connection.reading():
            return Receipt.read(answer, signed.digest, OUTCOMES[:3])

    def batch(self, statements: Sequence[SignedStatement]) -> list[Receipt | DeedlogError]:
        """Send up to 500 statements in one request; return one result for each, in order. Needs the scope `batch`.

        Each is judged for itself: what is refused is returned as its error, not raised. Raises `InvalidData`
        (`list.length`) for too many.
        """
        if not 1 <= len(statements) <= MAXIMUM_BATCH:
            raise InvalidData("list.length", field="statements", minimum=1, maximum=MAXIMUM_BATCH)
        body = {"statements": [signed.to_json() for signed in statements]}
        answer = self._connection.post("/v1/statements:batch", body, repeat=True)
        with self._connection.reading():
            return [
                Receipt.read(result, signed.digest, OUTCOMES[:3])
                if "problem" not in result
                else self._connection.refusal(result["problem"], may_pass=may_pass(int(result["problem"]["status"])))
                for signed, result in zip(statements, answer["results"], strict=True)
            ]

    # Drafts: statements that several must sign.

    def propose(self, signed: SignedStatement) -> Receipt:
        """Send a statement that others must sign too: the last signature makes it accepted."""
        answer = self._connection.post("/v1/drafts", signed.to_json(), repeat=True)
        with self._connection.reading():
            return Receipt.read(answer, signed.digest, OUTCOMES)

    def sign_draft(self, statement: Statement) -> Receipt:
        """Sign a statement that was proposed: `Draft.statement`, once you have read it. All of it is signed."""
        statement.STRUCT.accept(statement)  # with a line hidden it would have the same digest, unread
        digest = self.digest(statement)
        body = {"signatures": [show(self._signature(digest))]}
        answer = self._connection.post(f"/v1/drafts/{to_hex(digest)}/signatures", body, repeat=True)
        with self._connection.reading():
            return Receipt.read(answer, digest, OUTCOMES)

    def decline(self, digest: bytes) -> Draft:
        """Tell the other parties of a draft that you will not sign; it binds nobody. Needs `sign_in`."""
        return self._draft(self._connection.post(f"/v1/drafts/{to_hex(digest)}/decline", repeat=True), digest)

    def draft(self, digest: bytes) -> Draft:
        """Return a draft that you are a party of; to others it is `draft.unknown`. Needs `sign_in`."""
        return self._draft(self._connection.get(f"/v1/drafts/{to_hex(digest)}"), digest)

    def drafts(
        self, *, work: bytes | None = None, kind: str | None = None, state: str | None = None
    ) -> Iterator[Draft]:
        """Yield the drafts that you are a party of, in their order; all conditions hold. Needs `sign_in`."""
        query = {"work": None if work is None else to_hex(work), "kind": kind, "state": state}
        for answer in self._pages("/v1/drafts", "drafts", query):
            yield self._draft(answer)

    # What the registry has.

    def statement(self, digest: bytes) -> StatementRecord:
        """Return a statement; raise `InvalidData` (`statement.unknown`)."""
        return self._record(self._connection.get(f"/v1/statements/{to_hex(digest)}"), digest)

    def statements(
        self,
        *,
        content_hash: bytes | None = None,
        account: bytes | None = None,
        work: bytes | None = None,
        kind: str | None = None,
    ) -> Iterator[StatementRecord]:
        """Yield statements in the order of acceptance; all conditions hold.

        `content_hash` is the SHA-256 of a file, `account` one that signed, `work` the digest of what they name.
        """
        query = {
            "content_hash": None if content_hash is None else to_hex(content_hash),
            "account": None if account is None else to_hex(account),
            "work": None if work is None else to_hex(work),
            "kind": kind,
        }
        for answer in self._pages("/v1/statements", "statements", query):
            yield self._record(answer)

    def find(self, digest: bytes) -> Draft | StatementRecord:
        """Return a draft that you are a party of, or else the statement of that digest. Needs `sign_in`."""
        try:
            return self.draft(digest)
        except InvalidData as error:
            if error.code != "draft.unknown":
                raise
        return self.statement(digest)

    def payouts(self, agreement: bytes) -> Payouts:
        """Return what each party of an agreement got of each report, as the registry computes it. Needs `sign_in`."""
        path = f"/v1/agreements/{to_hex(agreement)}/payouts"
        found: Payouts | None = None
        cursor: str | None = None
        while found is None or cursor is not None:
            answer = self._connection.get(path, cursor=cursor)
            with self._connection.reading():
                page = Payouts.read(answer)
                reports = page.reports if found is None else (*found.reports, *page.reports)
                cursor = answer["next"]
                goes_on = page.reports and cursor == str(len(reports))
                if page.agreement != agreement or not (cursor is None or goes_on):
                    raise ValueError(cursor)
            found = replace(page, reports=reports)
        return found

    def wait(
        self,
        digest: bytes,
        until: Progress = "anchored",
        *,
        seconds: float = WAIT_SECONDS,
        poll: float = POLL_SECONDS,
        told: Callable[[Progress], None] | None = None,
    ) -> StatementRecord:
        """Return a statement once it is at least `until`: logged, anchored or final.

        Asks each `poll` seconds and raises `Unavailable` (`client.still`) after `seconds`. `told` is called with the
        state after each question.
        """
        end = time.monotonic() + seconds
        while True:
            found = self.statement(digest)
            if STATES.index(found.state) >= STATES.index(until):
                return found
            if told is not None:
                told(found.state)
            if time.monotonic() + poll > end:
                raise Unavailable("client.still", digest=to_hex(digest), state=found.state, seconds=f"{seconds:g}")
            time.sleep(poll)

    def prove(self, digest: bytes) -> Proof:
        """Return the bundle of a logged statement, verified: it is this registry's and this statement's, and holds.

        Raises `Unavailable` (`statement.not_logged_yet`) before it is logged. Raises `InvalidData` (`prove.bad_bundle`
        with `question` and `reason`, `prove.other_statement`, `bundle.…`) instead of returning a bundle about which any
        answer is no: one of the bundle's, or of one of its anchors.
        """
        data = self._connection.send("GET", f"/v1/statements/{to_hex(digest)}/bundle")
        bundle = bundles.parse(data, contracts())
        verdict = verify(bundle, Pins(registry=self.identity().address))
        if verdict.digest != digest:
            raise InvalidData("prove.other_statement", digest=to_hex(verdict.digest))
        for findings in (verdict.findings, *(anchor.findings for anchor in verdict.anchors)):
            for name, finding in findings.items():
                if finding.answer is Answer.NO:
                    raise InvalidData("prove.bad_bundle", question=name, reason=finding.code)
        return Proof(data, bundle, verdict)

    def events(self, after: str | None = None) -> Iterator[Event]:
        """Yield what happened after a cursor (`Event.cursor`; None: from the start), up to now, in order.

        Keep the cursor of the last event that you have dealt with, and call this again later. What happens to drafts is
        told to their parties only: `sign_in` to see it.
        """
        for answer in self._pages("/v1/events", "events", {}, "after", "0.0" if after is None else after):
            with self._connection.reading():
                event = Event.read(answer)
            yield event

    def _pages(
        self, path: str, name: str, query: dict[str, str | None], parameter: str = "cursor", cursor: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page by page, until no page follows."""
        empty = 0
        while True:
            answer = self._connection.get(path, **query, **{parameter: cursor})
            with self._connection.reading():
                items, following = answer[name], answer["next"]
                empty = 0 if items else empty + 1
                if not isinstance(items, list) or not isinstance(following, str | None) or empty > _EMPTY_PAGES:
                    raise TypeError
            yield from items
            if following in (None, cursor):
                return
            cursor = following

    def _draft(self, answer: dict[str, Any], wanted: bytes | None = None) -> Draft:
        statement = self._checked(answer, wanted)
        with self._connection.reading():
            draft = Draft.read(answer, statement)
        if statement is None and draft.known_kind:
            raise self._odd()
        return draft

    def _record(self, answer: dict[str, Any], wanted: bytes | None = None) -> StatementRecord:
        statement = self._checked(answer, wanted)
        with self._connection.reading():
            return StatementRecord.read(answer, statement)

    def _checked(self, answer: dict[str, Any], wanted: bytes | None) -> Statement | None:
        """Return the statement that an answer shows; None if it shows none, or one of a kind that is unknown here.

        Raises `InvalidData` (`signing.other_digest`) unless its members give the digest that the answer names, and that
        is the one asked for.
        """
        with self._connection.reading():
            digest = from_hex(answer["digest"], HASH_SIZE, None)
            data = answer["typed_data"] if answer["kind"] in KINDS else None
        statement = None if data is None else from_typed_data(data, self.identity().address)
        for actual in (digest, digest if statement is None else self.digest(statement)):
            expected = digest if wanted is None else wanted
            if actual != expected:
                raise InvalidData("signing.other_digest", expected=to_hex(expected), actual=to_hex(actual))
        return statement

    def _signature(self, digest: bytes) -> Signature:
        """Return your signature over a digest that was derived here; raise `VerificationError` if it is none."""
        if self._sign is None:
            raise InvalidData("client.no_key")
        signature = self._sign(digest)
        signatures.check(signature, digest)
        if self._account not in (None, signature.account):
            named = to_hex(self._account or b"")
            raise VerificationError("signature.signer", named=named, actual=to_hex(signature.account))
        return signature

    def _odd(self) -> Unavailable:
        return Unavailable("registry.answered", url=self.url, status=200)


def _account(value: bytes | str | None, field: str) -> bytes | None:
    if value is None or isinstance(value, str):
        return None if value is None else account_from_any_case(value, field)
    return from_hex(to_hex(value), ACCOUNT_SIZE, field)
