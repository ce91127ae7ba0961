"""A small HTTP client of a registry, for creators. What it answers is checked before it is believed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import httpx

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.api.texts import catalogue
from deedlog.registry import sign_in, strict_json, times
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.statements.signatures import Signature, account_of_private_key, sign

if TYPE_CHECKING:
    from types import TracebackType

MAXIMUM_ANSWER = 8 * 1024 * 1024
_TIMEOUT = 60
_LATER = (408, 425, 429)
"""Statuses below 500 after which the same request may succeed."""

_LATER_CODE = "statement.not_logged_yet"
"""A conflict that passes by itself; the others stay."""

STATES = ("accepted", "logged", "anchored", "final")
OUTCOMES = ("accepted", "known", "repeat")
SIGNED = (*OUTCOMES, "proposed", "signed")
_DIGEST = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


class Rotated(NamedTuple):
    """A rotation as a registry shows it."""

    digest: bytes
    typed_data: object
    signatures: tuple[Signature, ...]


class Client:
    """A registry behind a URL."""

    def __init__(self, url: str, language: str) -> None:
        """Name the registry's URL; nothing is sent yet."""
        self.url = url.rstrip("/")
        transport = httpx.HTTPTransport(retries=3)
        self._http = httpx.Client(timeout=_TIMEOUT, transport=transport, headers={"Accept-Language": language})

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def identity(self, pinned: bytes | None) -> RegistryIdentity:
        """Return the registry's identity; raise `InvalidData` (`registry.other`) if its address is not the pinned one.

        The address is recomputed: an answer cannot name one that its own parts do not make.
        """
        answer = self._json(self._send("GET", "/v1/registry"))
        try:
            identity = RegistryIdentity.from_json(answer.get("identity"), contracts())
        except InvalidData as error:
            raise self._unlike_a_registry() from error
        if pinned is not None and identity.address != pinned:
            raise InvalidData("registry.other", expected=to_checksum(pinned), actual=to_checksum(identity.address))
        return identity

    def propose(self, body: dict[str, Any], digest: bytes) -> dict[str, Any]:
        """Post a statement that others must sign too, with the signatures there are; return the answer."""
        return self._signed(self._send("POST", "/v1/drafts", json=body), digest)

    def add_signatures(self, digest: bytes, signatures: list[dict[str, str]]) -> dict[str, Any]:
        """Post signatures of a draft; return the answer."""
        path = f"/v1/drafts/{to_hex(digest)}/signatures"
        return self._signed(self._send("POST", path, json={"signatures": signatures}), digest)

    def decline(self, digest: bytes) -> dict[str, Any]:
        """Say that the account that has signed in will not sign a draft; return the draft."""
        return self._json(self._send("POST", f"/v1/drafts/{to_hex(digest)}/decline"))

    def draft_or_statement(self, digest: bytes) -> dict[str, Any]:
        """Return a draft that the account that has signed in is a party of, or else the statement of that digest."""
        try:
            found = self._json(self._send("GET", f"/v1/drafts/{to_hex(digest)}"))
        except InvalidData as error:
            if error.code != "draft.unknown":
                raise
            found = self._json(self._send("GET", f"/v1/statements/{to_hex(digest)}"))
        if "typed_data" not in found:
            raise self._unlike_a_registry()
        return found

    def has_draft_or_statement(self, digest: bytes) -> bool:
        """Return whether there is anything of that digest that the account that has signed in may see."""
        try:
            self.draft_or_statement(digest)
        except InvalidData as error:
            if error.code == "statement.unknown":
                return False
            raise
        return True

    def payouts(self, agreement: bytes) -> dict[str, Any]:
        """Return what each party of an agreement got of each report, as the registry computes it."""
        path = f"/v1/agreements/{to_hex(agreement)}/payouts"
        found = page = self._payouts(path)
        while page["next"] is not None:
            page = self._payouts(path, cursor=str(len(found["reports"])))
            if not page["reports"] or page["next"] not in (None, str(len(found["reports"] + page["reports"]))):
                raise self._unlike_a_registry()
            found["reports"] += page["reports"]
        return found

    def _payouts(self, path: str, **query: str) -> dict[str, Any]:
        page = self._json(self._send("GET", path, params=query))
        try:
            amounts = [page["closing"], *(report["paid"] for report in page["reports"])]
            totals = [page["carried"], *(report[name] for report in page["reports"] for name in ("amount", "carried"))]
            numbers = [int(amount) for amount in (*totals, *(each for by in amounts for each in by.values()))]
            accounts = [account_from_any_case(account, None) for by in amounts for account in by]
            digests = [from_hex(report["digest"], HASH_SIZE, None) for report in page["reports"]]
            known = page["next"] is None or isinstance(page["next"], str)
            if not known or not isinstance(page["currency"], str | None) or len(numbers) < len(accounts) + len(digests):
                raise self._unlike_a_registry()
        except (InvalidData, LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._unlike_a_registry() from error
        return page

    def rotations(self, account: bytes) -> list[Rotated]:
        """Return the rotations that an account has signed, as the registry has them: nothing is checked yet."""
        query = {"account": to_hex(account), "kind": "Rotation"}
        found = self._json(self._send("GET", "/v1/statements", params=query)).get("statements")
        try:
            return [
                Rotated(
                    from_hex(each["digest"], HASH_SIZE, None),
                    each["typed_data"],
                    tuple(
                        Signature(account_from_any_case(one["account"], None), from_hex(one["signature"], None, None))
                        for one in each["signatures"]
                    ),
                )
                for each in found or ()
                if each["typed_data"] is not None
            ]
        except (InvalidData, LookupError, TypeError, AttributeError) as error:
            raise self._unlike_a_registry() from error

    def sign_in(self, key: bytes) -> bytes:
        """Sign in with a private key (32 bytes); return its account. Later requests are made as that account.

        Raises `InvalidData` (`sign_in.…`) instead of signing anything that is not for this URL, account and time.
        """
        account = account_of_private_key(key)
        site = sign_in.site_at(self.url)
        offered = self._json(self._send("POST", "/v1/sessions/nonce", json={"account": to_checksum(account)}))
        try:
            message = sign_in.agree(offered, account, site, times.now()).text()
        except InvalidData as error:
            if error.code in ("sign_in.malformed", "sign_in.time"):
                raise self._unlike_a_registry() from error
            raise
        signature = sign(sign_in.digest(message), key).signature
        sent = {"message": message, "signature": to_hex(signature)}
        begun = self._json(self._send("POST", "/v1/sessions", json=sent))
        token = begun.get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or begun.get("account") != to_checksum(account):
            raise self._unlike_a_registry()
        self._http.headers["Authorization"] = f"Bearer {token}"
        return account

    def sign_out(self) -> None:
        """End the session; later requests are made as nobody in particular, even if this one fails."""
        try:
            self._send("DELETE", "/v1/sessions")
        finally:
            self._http.headers.pop("Authorization", None)

    def register(self, body: dict[str, Any], digest: bytes) -> dict[str, Any]:
        """Post the signed statement `digest`; return the answer, whose digest is this one unless it is a repeat."""
        answer = self._json(self._send("POST", "/v1/statements", json=body))
        if answer.get("outcome") != "repeat" and answer.get("digest") != to_hex(digest):
            raise self._unlike_a_registry()
        if answer.get("outcome") not in OUTCOMES or _DIGEST.fullmatch(str(answer["digest"])) is None:
            raise self._unlike_a_registry()
        return answer

    def state(self, digest: bytes) -> str:
        """Return the state of a statement, as the registry shows it."""
        state = self._json(self._send("GET", f"/v1/statements/{to_hex(digest)}")).get("state")
        if state not in STATES:
            raise self._unlike_a_registry()
        return str(state)

    def bundle(self, digest: bytes) -> bytes:
        """Return a statement's bundle."""
        return self._send("GET", f"/v1/statements/{to_hex(digest)}/bundle")

    def _signed(self, content: bytes, digest: bytes) -> dict[str, Any]:
        answer = self._json(content)
        if answer.get("outcome") not in SIGNED or (
            answer.get("digest") != to_hex(digest) and answer.get("outcome") != "repeat"
        ):
            raise self._unlike_a_registry()
        return answer

    def _send(self, method: str, path: str, **options: Any) -> bytes:
        """Return the body of a successful answer; raise the registry's own problem, or `Unavailable`."""
        try:
            with self._http.stream(method, self.url + path, **options) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MAXIMUM_ANSWER:
                        raise self._unlike_a_registry(response.status_code)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable("registry.unreachable", url=self.url, reason=type(error).__name__) from error
        if response.is_success:
            return bytes(content)
        try:
            problem = strict_json.loads(bytes(content), MAXIMUM_ANSWER)
            code, params, field = problem["code"], problem["params"], problem["field"]
            known = {name: value for name, value in params.items() if isinstance(value, str | int)}
        except (InvalidData, KeyError, TypeError, AttributeError) as error:
            raise self._unlike_a_registry(response.status_code) from error
        if not isinstance(code, str) or code not in catalogue("en"):
            raise Unavailable("registry.refused", url=self.url, refusal=str(code)[:64])
        kind = InvalidData if _is_refusal(response.status_code, code) else Unavailable
        refusal = kind(code, field=None if field is None else str(field))
        refusal.params.update(known)
        raise refusal

    def _json(self, content: bytes) -> dict[str, Any]:
        try:
            value = strict_json.loads(content, MAXIMUM_ANSWER)
        except InvalidData as error:
            raise self._unlike_a_registry() from error
        if not isinstance(value, dict):
            raise self._unlike_a_registry()
        return value

    def _unlike_a_registry(self, status: int = 200) -> Unavailable:
        return Unavailable("registry.answered", url=self.url, status=status)


def _is_refusal(status: int, code: str) -> bool:
    """Whether the registry has judged the request. A server that fails (500 and above) has judged nothing."""
    return 400 <= status < 500 and status not in _LATER and code != _LATER_CODE  # noqa: PLR2004 - RFC 9110 §15.5: the client's errors
