"""A client of one registry. It derives and signs everything it sends, and checks answers as far as it can.

    with Registry("https://deeds.example.com", address="0x…", key=key, api_key="deedlog_…") as registry:
        receipt = registry.register(upload, reference="upload-17")
        registry.wait(receipt.digest, "anchored")
        pathlib.Path("upload-17.deed").write_bytes(registry.prove(receipt.digest).data)

Every method has a total time. Besides the errors it documents, each may raise `FetchError` if no complete answer
arrives (`registry.bounded_http`), `Unavailable` (`registry.answered`) if the answer is not a registry's, and the
registry's refusal: `Unavailable` if the same request may succeed later, else `Refused`. All are `DeedlogError`s
with a stable code; `api.texts.error_text` puts them into words.
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
    """Signs a digest (32 bytes) as one account: a wallet, a module that holds the key, or a prompt to a person."""

WAIT_SECONDS = 3600.0
"""How long `wait` waits by default. A block of a public chain takes some twenty minutes to become final."""

POLL_SECONDS = 1.0

_EMPTY_PAGES = 10_000
"""Give up after this many empty pages in a row. A page can be empty because hidden items are left out."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


class Registry:
    """A registry behind a URL. Use it in a `with`: it holds connections, and a session after `sign_in`."""

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
        """Set up the client; nothing is sent yet.

        `address` is the registry's address (20 bytes or 0x…) from a source that you trust. Without it, the client takes
        the registry's own word, and the server at the URL decides what your signatures are for. `key` is a private key
        (32 bytes), or a function that signs digests; then `account` names its account. `api_key` is the secret of an
        API key. `language` (`en`, `zh`) is the language of the registry's texts; `seconds` is the total time of each
        request, retries included (default: 60); `pauses` are the seconds between its tries. A registry may ask for a
        longer pause (Retry-After). `on_pause` is called with the seconds of each pause before it. Raises `InvalidData`
        (`api_key.invalid`, `http.header_value` for `language`, and others).
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
        """Close the connections. A session lasts until it expires, unless `sign_out` ends it."""
        self._connection.close()

    # Identity: the registry and the account.

    @property
    def url(self) -> str:
        """The registry's URL, without a trailing slash."""
        return self._connection.url

    @property
    def account(self) -> bytes:
        """The account (20 bytes) that signs here. Raises `InvalidData` (`client.no_key`) if none was given."""
        if self._account is None:
            raise InvalidData("client.no_key")
        return self._account

    @property
    def address(self) -> bytes:
        """The registry's address (20 bytes): the pinned one, or else the registry's own answer, fetched once."""
        return self.identity().address if self._pinned is None else self._pinned

    def identity(self) -> RegistryIdentity:
        """Return what the registry's address commits to, fetched once.

        The address is recomputed from the answer's parts, so an answer cannot claim another one. Raises `InvalidData`
        (`registry.other`) if the address differs from the pinned one.
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
        """Sign in as `account` (EIP-4361). Later requests use the session instead of the API key.

        Signs only a message for this URL, account and time; otherwise raises `InvalidData` (`sign_in.…`).
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
        begun = self._connection.post("/v1/sessions", sent, repeat=False)  # its nonce works once
        token = begun.get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or begun.get("account") != to_checksum(account):
            raise self._odd()
        self._connection.bearer = token

    def sign_out(self) -> None:
        """End the session. Later requests use the API key, if any, even if this one fails."""
        try:
            self._connection.send("DELETE", "/v1/sessions")
        finally:
            self._connection.bearer = self._api_key

    # Make and sign statements on this machine.

    def typed_data(self, statement: Statement) -> dict[str, Any]:
        """Return the typed data (EIP-712 JSON) of a statement for this registry, as wallets show it."""
        return typed_data(statement, self.address)

    def digest(self, statement: Statement) -> bytes:
        """Return the digest (32 bytes) that signers of this statement sign at this registry, derived locally."""
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

        `also` are further private keys that sign it. Raises `InvalidData` if this version would not accept the
        statement, or `VerificationError` (`signature.signer`) if `key` did not sign as `account`.
        """
        statement.STRUCT.accept(statement)
        digest = self.digest(statement)
        given = (self._signature(digest), *(signatures.sign(digest, key) for key in also))
        return SignedStatement(statement, self.address, given, reference, public_from)

    # Send statements.

    def register(self, statement: Statement, *, reference: str | None = None) -> Receipt:
        """Sign a statement, send it and return the outcome. It is durable when this returns."""
        return self.send(self.sign(statement, reference=reference))

    def send(self, signed: SignedStatement) -> Receipt:
        """Send a statement that all its signers have signed. If it was sent before, the outcome is `known`."""
        answer = self._connection.post("/v1/statements", signed.to_json(), repeat=True)
        with self._connection.reading():
            return Receipt.read(answer, signed.digest, OUTCOMES[:3])

    def batch(self, statements: Sequence[SignedStatement]) -> list[Receipt | DeedlogError]:
        """Send up to 500 statements in one request; return one result for each, in order. Needs the scope `batch`.

        Each is accepted or refused on its own: a refusal is returned as an error, not raised. Raises `InvalidData`
        (`list.length`) for none or too many.
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

    # Drafts: statements that several accounts must sign.

    def propose(self, signed: SignedStatement) -> Receipt:
        """Send a statement that others must sign too. The last signature makes it accepted."""
        answer = self._connection.post("/v1/drafts", signed.to_json(), repeat=True)
        with self._connection.reading():
            return Receipt.read(answer, signed.digest, OUTCOMES)

    def sign_draft(self, statement: Statement) -> Receipt:
        """Sign a proposed statement: pass `Draft.statement` once you have read it. Its shares must not be hidden."""
        statement.STRUCT.accept(statement)  # with a hidden share the digest is the same, but unread
        digest = self.digest(statement)
        body = {"signatures": [show(self._signature(digest))]}
        answer = self._connection.post(f"/v1/drafts/{to_hex(digest)}/signatures", body, repeat=True)
        with self._connection.reading():
            return Receipt.read(answer, digest, OUTCOMES)

    def decline(self, digest: bytes) -> Draft:
        """Tell the other parties of a draft that you will not sign. It binds nobody. Needs `sign_in`."""
        return self._draft(self._connection.post(f"/v1/drafts/{to_hex(digest)}/decline", repeat=True), digest)

    def draft(self, digest: bytes) -> Draft:
        """Return a draft that you are a party of. Others get `draft.unknown`. Needs `sign_in`."""
        return self._draft(self._connection.get(f"/v1/drafts/{to_hex(digest)}"), digest)

    def drafts(
        self, *, work: bytes | None = None, kind: str | None = None, state: str | None = None
    ) -> Iterator[Draft]:
        """Yield the drafts that you are a party of and that meet all conditions, in proposal order. Needs `sign_in`."""
        query = {"work": None if work is None else to_hex(work), "kind": kind, "state": state}
        for answer in self._pages("/v1/drafts", "drafts", query):
            yield self._draft(answer)

    # Read from the registry.

    def statement(self, digest: bytes) -> StatementRecord:
        """Return a statement; raise `InvalidData` (`statement.unknown`) if the registry does not have it."""
        return self._record(self._connection.get(f"/v1/statements/{to_hex(digest)}"), digest)

    def statements(
        self,
        *,
        content_hash: bytes | None = None,
        account: bytes | None = None,
        work: bytes | None = None,
        kind: str | None = None,
    ) -> Iterator[StatementRecord]:
        """Yield the statements that meet all conditions, in the order of acceptance.

        `content_hash` is the SHA-256 of a file, `account` is a signer, `work` is the digest of a statement that they
        refer to.
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
        """Return the draft with that digest if you are a party of it, or else the statement. Needs `sign_in`."""
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
        """Return a statement once its state is at least `until`: logged, anchored or final.

        Polls every `poll` seconds and raises `Unavailable` (`client.still`) after `seconds`. `told` is called with the
        state after each poll that finds it earlier than `until`.
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
        """Return the bundle of a logged statement, after checking that it is this registry's and this statement's.

        Raises `Unavailable` (`statement.not_logged_yet`) before it is logged, and `InvalidData` (`prove.…`, `bundle.…`)
        if any answer about the bundle, or about one of its anchors, is no: `prove.bad_bundle` has the `question` and
        the `reason`. Answers that are not checked are in `Proof.verdict`.
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
        """Yield what happened after a cursor (`Event.cursor`; None: from the start) until now, in order.

        Store the cursor of the last event you have handled, and call this again later. Events about drafts are shown
        only to their parties: `sign_in` to see them.
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
        """Return the statement in an answer; None if the answer has no body, or one of a kind that is unknown here.

        Raises `InvalidData` (`signing.other_digest`) if its members do not give the digest in the answer, or if that is
        not the `wanted` one.
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
        """Return your signature over a digest derived here; raise `VerificationError` if the signature is wrong.

        Raises `InvalidData` (`client.no_key`) without a key.
        """
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
