"""The named schemas of the OpenAPI document, for answers and requests.

Answers are made from these models. Requests are parsed by `requests` instead, which is stricter about JSON and refuses
with stable codes; the tests compare the two.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, WithJsonSchema

from deedlog.api.http.problems import TYPE_PREFIX
from deedlog.api.http.schemas.kinds import TypedData  # noqa: TC001 - pydantic reads the annotations
from deedlog.api.http.schemas.requests import MAXIMUM_SIGNATURES
from deedlog.registry.acceptance.drafts import STATES
from deedlog.registry.acceptance.submission import MAXIMUM_BATCH, MAXIMUM_REFERENCE
from deedlog.registry.sign_in import MAXIMUM_MESSAGE

HASH: dict[str, Any] = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
ACCOUNT: dict[str, Any] = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$", "description": "in mixed case: EIP-55"}

Hash = Annotated[str, WithJsonSchema(HASH)]
Account = Annotated[str, WithJsonSchema(ACCOUNT)]
Signature65 = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-f]{130}$"})]
Hex = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-f]{2})*$"})]
Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Amount = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": "^-?(0|[1-9][0-9]*)$", "description": "in minor units"})
]
Next = Annotated[str | None, Field(description="send it as `cursor` for the next page; null: this page was the last")]
Params = dict[str, str | int]
StatementState = Literal["accepted", "logged", "anchored", "final"]


def _optional() -> Any:
    """Return the field of a member that may be left out. A real default would appear in the document as a value."""
    return Field(default_factory=str)


class Answer(BaseModel):
    """The base of every answer: all members are present, so a client can rely on each."""

    model_config = ConfigDict(frozen=True)


class Problem(Answer):
    """RFC 9457. `code` is stable; `detail` says what to do, in the language of `Accept-Language`."""

    type: Annotated[str, Field(pattern=f"^{TYPE_PREFIX}")]
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
    field: Annotated[str | None, Field(description="the member, parameter or header at fault")]
    params: Params


class Identity(Answer):
    """What a registry's address commits to."""

    version: int
    salt: Hash
    origin: str
    log_key: Hash
    owner: Account
    operator: Account
    chains: Annotated[list[int], Field(description="ids of the chains on which the contract may be")]


class Deployment(Answer):
    """How the registry's contract was deployed on its chain."""

    chain_id: int
    address: Account
    salt: Hash
    arguments: Hex
    block: int
    transaction: Hash
    compiler: Any


class Registry(Answer):
    """This registry: its address, its log and its chain."""

    address: Account
    identity: Identity
    log_verifier_key: Annotated[str, Field(description="C2SP signed-note verifier key")]
    chain: str
    chain_id: int
    deployment: Deployment | None
    writers: Literal["open", "keys"]


class TypedDataToSign(Answer):
    """Typed data (EIP-712), and the digest that a wallet signs, which identifies the statement."""

    typed_data: TypedData
    digest: Hash


class StatementSignature(Answer):
    """A signature of a statement."""

    account: Account
    scheme: str
    signature: Hex


class Standing(Answer):
    """A statement's standing under the rules; `counts` is false if a rule refused it."""

    code: str
    counts: bool
    params: Params


class Author(Answer):
    """On whose word the authorship rests, and the accounts that signed."""

    basis: Annotated[str, Field(description="signed, platform_word or maker_word")]
    accounts: list[Account]


class Bundle(Answer):
    """The file that proves a statement offline. docs/formats.md specifies its members."""

    model_config = ConfigDict(extra="allow")

    about: str
    version: int
    typed_data: TypedData
    entry: Annotated[str, Field(description="the log's entry, as it was logged")]
    registry: Identity


class Anchor(Answer):
    """A head of the log that a contract holds; `final` once its block can no longer be reorganised away."""

    chain_id: int
    size: int
    root: Hash
    time: Time
    block_number: int
    proof_block_number: int
    proof_block_hash: Hash
    final: bool


class AnchorPage(Answer):
    """Anchors, the newest first."""

    anchors: list[Anchor]
    next: Next


class Rival(Answer):
    """Another account's claim of the same content."""

    digest: Hash
    kind: str
    accounts: list[Account]
    log_index: int | None
    entry_time: Time | None


class Statement(Answer):
    """An accepted statement. `typed_data` is null if the body is withheld from you, or erased."""

    digest: Hash
    kind: str
    state: StatementState
    standing: Standing
    author: Author
    typed_data: TypedData | None
    withheld: bool
    public_from: Time | None
    signatures: list[StatementSignature]
    subjects: list[str]
    accepted_at: Time
    log_index: int | None
    entry_time: Time | None
    anchors: list[Anchor]
    rivals: list[Rival]
    references: Annotated[list[str], Field(description="the names that your API key gave it")]
    more_rivals: bool


class StatementPage(Answer):
    """Statements in the order of acceptance."""

    statements: list[Statement]
    next: Next


class Receipt(Answer):
    """A statement that is stored durably. `known`: it already was; `repeat`: one with the same meaning already was.

    `tlog_proof` (C2SP) is present only if the request waited for the log.
    """

    digest: Hash
    kind: str
    outcome: Literal["accepted", "known", "repeat"]
    statement: Annotated[str, Field(description="path of the statement")]
    bundle: Annotated[str, Field(description="path of its bundle")]
    tlog_proof: str = _optional()


class Refusal(Answer):
    """A statement of a batch that was not accepted."""

    problem: Problem


class BatchResult(RootModel[Receipt | Refusal]):
    """A receipt, or the problem for which a statement was refused."""


class BatchResults(Answer):
    """One result for each statement of the batch, in its order."""

    results: list[BatchResult]


class DraftReceipt(Answer):
    """The outcome of sending signatures; `missing` are the accounts that still have to sign."""

    digest: Hash
    kind: str
    outcome: Literal["proposed", "signed", "accepted", "known", "repeat"]
    missing: list[Account]


class DraftParty(Answer):
    """An account that has to sign a draft, and when it signed or declined."""

    account: Account
    signed_at: Time | None
    declined_at: Time | None


class Reason(Answer):
    """Why a draft can no longer be completed."""

    code: str
    params: Params


class Draft(Answer):
    """A statement that several accounts must sign, as its parties see it."""

    digest: Hash
    kind: str
    state: Annotated[str, WithJsonSchema({"type": "string", "enum": list(STATES)})]
    reason: Reason | None
    typed_data: TypedData
    proposed_at: Time
    public_from: Time | None
    cancelled_by: Hash | None
    parties: list[DraftParty]


class DraftPage(Answer):
    """Drafts in the order in which they were proposed."""

    drafts: list[Draft]
    next: Next


class Payout(Answer):
    """What one report pays each party, and what is carried to the next report."""

    digest: Hash
    amount: Amount
    paid: dict[str, Amount]
    carried: Amount


class Payouts(Answer):
    """The payouts of the reports under an agreement. `carried` and `closing` are the values after all reports."""

    agreement: Hash
    status: Annotated[str, Field(description="agreed, in_force, superseded, terminated or ended")]
    currency: str | None
    reports: list[Payout]
    next: Next
    carried: Amount
    closing: dict[str, Amount]


class Event(Answer):
    """Something that happened to a statement or a draft; `cursor` is the position after it."""

    cursor: str
    name: Annotated[str, Field(description="what happened: proposed, accepted, logged, anchored, final and others")]
    at: Time
    digest: Hash
    kind: str | None
    account: Account | None
    chain_id: int | None


class EventPage(Answer):
    """Events in their order."""

    events: list[Event]
    next: Annotated[str, Field(description="send it as `after` to go on, also behind the last event")]


class SignInOffer(Answer):
    """A message (EIP-4361) for a wallet to sign with `personal_sign`, and its parts. Its nonce can be used once."""

    domain: str
    uri: str
    version: str
    chain_id: int
    nonce: str
    statement: str | None
    issued_at: Time
    expiration_time: Time | None
    message: str


class Session(Answer):
    """A session. Send its token as `Authorization: Bearer …`. The token is shown only once."""

    token: str
    account: Account
    expires_at: Time


class Liveness(Answer):
    """This process answers."""

    status: Literal["ok"]


class Alarm(Answer):
    """Something that the operator should look at; `since` is Unix seconds."""

    code: str
    since: int
    detail: str


class Health(Answer):
    """Whether the registry works as promised. Ages are in seconds."""

    status: Literal["ok", "alarm", "down"]
    checks: dict[str, bool]
    log_size: int
    checkpoint_age: int
    unlogged_age: int | None
    anchored_size: int
    unanchored_age: int | None
    anchor_deadline: int
    operator_balance: Annotated[str | None, Field(description="in wei")]
    alarms: list[Alarm]


class Down(Answer):
    """The database does not answer."""

    status: Literal["down"]
    checks: dict[str, bool]


class Request(BaseModel):
    """The base of every request body: an object with exactly the declared members."""

    model_config = ConfigDict(extra="forbid")


class SentSignature(Request):
    """A signature over the statement's digest: r, s and v (27 or 28), 65 bytes."""

    account: Account
    scheme: Literal["secp256k1"] = _optional()
    signature: Signature65


_Signatures = Annotated[list[SentSignature], Field(min_length=1, max_length=MAXIMUM_SIGNATURES)]
_PublicFrom = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
            "description": "before then only those whom it concerns may read the body",
        }
    ),
]


class Proposal(Request):
    """A statement that several accounts must sign, with the signatures so far."""

    typed_data: TypedData
    signatures: _Signatures
    public_from: _PublicFrom = _optional()


class Submission(Request):
    """A statement with the signatures of all its signers."""

    typed_data: TypedData
    signatures: _Signatures
    reference: Annotated[
        str,
        WithJsonSchema(
            {
                "type": "string",
                "minLength": 1,
                "maxLength": MAXIMUM_REFERENCE,
                "description": "your own name for it; needs an API key",
            }
        ),
    ] = _optional()
    public_from: _PublicFrom = _optional()


_Anything = Annotated[Any, WithJsonSchema({"description": "anything else: its result is a problem"})]


class Batch(Request):
    """Statements, each accepted or refused on its own."""

    statements: Annotated[list[Submission | _Anything], Field(min_length=1, max_length=MAXIMUM_BATCH)]


class Signatures(Request):
    """Signatures of a draft."""

    signatures: _Signatures


class NonceRequest(Request):
    """The account that wants to sign in."""

    account: Account


class SessionRequest(Request):
    """The message to sign in with, and its signature."""

    message: Annotated[str, WithJsonSchema({"type": "string", "maxLength": MAXIMUM_MESSAGE})]
    signature: Signature65
