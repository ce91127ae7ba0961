"""Sign-In with Ethereum (EIP-4361): the message by which a person shows over HTTP to be an account.

A registry offers a nonce, the person signs a message with it, the registry reads the message. Both sides check it here:
it is for this site, on this chain, at this time. Whether the nonce is fresh is asked in `registry.store.sessions`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from deedlog.registry import times
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_checksum
from deedlog.registry.keccak import keccak256
from deedlog.registry.statements.signatures import recover

NONCE_SECONDS = 300
"""How long a nonce can be used."""

CLOCK_SECONDS = 600
"""How far the clocks of the two sides may be apart."""

MAXIMUM_MESSAGE = 4096
"""Characters of a message. Ours have four hundred; a wallet may add a statement."""

STATEMENT = "Sign in to this registry of rights. This is no transaction, and registers nothing."
"""What the person is told. EIP-4361 allows ASCII only here."""

# EIP-4361, "ABNF Message Format", as a regular expression: it takes linear time, whoever wrote the message. `domain`
# and `uri` have all characters that RFC 3986 allows there, in any order: they are then compared with those of the site.
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
_PCHAR = r"[A-Za-z0-9._~!$&'()*+,;=:@%-]"
_URI = r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~!$&'()*+,;=:@%/?#\[\]-]*"
_MESSAGE = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<domain>[A-Za-z0-9._~!$&'()*+,;=:@%\[\]-]+)"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0[xX][0-9A-Fa-f]{40})\n\n"
    r"(?:(?P<statement>[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\] -]+)\n)?\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: (?P<version>[0-9]{1,9})\n"
    r"Chain ID: (?P<chain_id>[0-9]{1,78})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expiration_time>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
    rf"(?P<request_id>\nRequest ID: {_PCHAR}*)?"
    rf"(?P<resources>\nResources:(?:\n- {_URI})*)?",
)
_URL = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?((?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Site:
    """Where a registry is served: what a message must name. `domain` is what a wallet compares with its own page's."""

    scheme: str
    domain: str
    uri: str


def site_at(url: str) -> Site:
    """Return the site of a URL, in one form: host in lower case, no default port, no slash at the end.

    Raises `InvalidData` (`sign_in.url`) for what is no plain http or https URL.
    """
    head, separator, path = url.partition("://")
    host, slash, path = path.partition("/")
    match = _URL.fullmatch((head + separator + host).lower() + slash + path)
    if match is None:
        raise InvalidData("sign_in.url", url=url[:200])
    scheme, host, port, path = match.groups(default="")
    domain = host if port == _DEFAULT_PORTS[scheme] else host + port
    return Site(scheme, domain, f"{scheme}://{domain}{path.rstrip('/')}")


@dataclass(frozen=True, slots=True)
class Message:
    """What a message says, and no more: nothing is checked but its form. Times are Unix seconds."""

    domain: str
    account: bytes
    uri: str
    chain_id: int
    nonce: str
    issued_at: int
    expiration_time: int | None = None
    not_before: int | None = None
    statement: str | None = None
    scheme: str | None = None

    def text(self) -> str:
        """Return the message as it is signed."""
        scheme = "" if self.scheme is None else f"{self.scheme}://"
        lines = [
            f"{scheme}{self.domain} wants you to sign in with your Ethereum account:",
            to_checksum(self.account),
            "",
            *([] if self.statement is None else [self.statement]),
            "",
            f"URI: {self.uri}",
            "Version: 1",
            f"Chain ID: {self.chain_id}",
            f"Nonce: {self.nonce}",
            f"Issued At: {times.show(self.issued_at)}",
        ]
        if self.expiration_time is not None:
            lines.append(f"Expiration Time: {times.show(self.expiration_time)}")
        if self.not_before is not None:
            lines.append(f"Not Before: {times.show(self.not_before)}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Proof:
    """An account that has signed a message for this site, at this time. Its nonce may have been used before."""

    account: bytes
    nonce: str


def offer(account: bytes, site: Site, chain_id: int, nonce: str, now: int) -> Message:
    """Return the message that an account signs to sign in with a nonce that was made `now` (Unix seconds)."""
    return Message(site.domain, account, site.uri, chain_id, nonce, now, now + NONCE_SECONDS, statement=STATEMENT)


def agree(offered: object, account: bytes, site: Site, now: int) -> Message:
    """Return the message that an account signs for what a registry at `site` has offered it, as JSON.

    Only nonce, chain and time are the registry's: it has nobody sign words of its own, or for another site. Raises
    `InvalidData`: `sign_in.other_site`; `sign_in.malformed` and `sign_in.time` for no offer; those of `check`.
    """
    said = offered if isinstance(offered, dict) else {}
    chain_id, nonce, issued_at = said.get("chain_id"), said.get("nonce"), said.get("issued_at")
    if type(chain_id) is not int or not isinstance(nonce, str) or not isinstance(issued_at, str):
        raise InvalidData("sign_in.malformed", field="message", maximum=MAXIMUM_MESSAGE)
    if (said.get("domain"), said.get("uri")) != (site.domain, site.uri):
        raise InvalidData("sign_in.other_site", asked=site.uri, named=str(said.get("uri"))[:200])
    message = offer(account, site, chain_id, nonce, read_time(issued_at, "issued_at"))
    if read(message.text()) != message:  # a nonce with lines of its own
        raise InvalidData("sign_in.malformed", field="message", maximum=MAXIMUM_MESSAGE)
    check(message, site, chain_id, now)
    return message


def read(text: str) -> Message:
    """Return what a message says; raise `InvalidData` (`sign_in.…`) unless it has EIP-4361's form, and no more.

    What would be passed over is refused: a request id, resources.
    """
    match = _MESSAGE.fullmatch(text) if len(text) <= MAXIMUM_MESSAGE else None
    if match is None:
        raise InvalidData("sign_in.malformed", field="message", maximum=MAXIMUM_MESSAGE)
    if match["version"] != "1":
        raise InvalidData("sign_in.version", field="version", actual=match["version"])
    for name in ("request_id", "resources"):
        if match[name] is not None:
            raise InvalidData("sign_in.unused", field=name)
    account = bytes.fromhex(match["address"][2:])
    if match["address"] != to_checksum(account):  # EIP-4361: "MUST also conform to" EIP-55
        raise InvalidData("sign_in.checksum", field="address", expected=to_checksum(account))
    return Message(
        domain=match["domain"],
        account=account,
        uri=match["uri"],
        chain_id=int(match["chain_id"]),
        nonce=match["nonce"],
        issued_at=read_time(match["issued_at"], "issued_at"),
        expiration_time=_optional_time(match, "expiration_time"),
        not_before=_optional_time(match, "not_before"),
        statement=match["statement"],
        scheme=match["scheme"],
    )


def check(message: Message, site: Site, chain_id: int, now: int) -> None:
    """Raise `InvalidData` (`sign_in.…`) unless a message is for this site and chain, and valid `now` (Unix seconds)."""
    if message.scheme not in (None, site.scheme):
        raise InvalidData("sign_in.scheme", field="scheme", expected=site.scheme, actual=str(message.scheme)[:32])
    if message.domain != site.domain:
        raise InvalidData("sign_in.domain", field="domain", expected=site.domain, actual=message.domain[:200])
    if message.uri != site.uri:
        raise InvalidData("sign_in.uri", field="uri", expected=site.uri, actual=message.uri[:200])
    if message.chain_id != chain_id:
        raise InvalidData("sign_in.chain", field="chain_id", expected=chain_id, actual=message.chain_id)
    if message.issued_at > now + CLOCK_SECONDS:
        raise InvalidData("sign_in.ahead", field="issued_at", now=times.show(now))
    if message.issued_at < now - CLOCK_SECONDS - NONCE_SECONDS:
        raise InvalidData("sign_in.old", field="issued_at", now=times.show(now))
    if message.expiration_time is not None and message.expiration_time <= now:
        raise InvalidData("sign_in.expired", field="expiration_time", now=times.show(now))
    if message.not_before is not None and message.not_before > now:
        raise InvalidData("sign_in.not_yet", field="not_before", now=times.show(now))


def prove(text: str, signature: bytes, site: Site, chain_id: int, now: int) -> Proof:
    """Return who has signed a message for this site; raise `InvalidData` (`sign_in.…`, `signature.…`)."""
    message = read(text)
    check(message, site, chain_id, now)
    signer = recover(digest(text), signature)
    if signer != message.account:
        raise InvalidData("sign_in.signer", named=to_checksum(message.account), actual=to_checksum(signer))
    return Proof(message.account, message.nonce)


def digest(text: str) -> bytes:
    """Return what is signed of a text (32 bytes): EIP-191, version 0x45, which wallets call `personal_sign`."""
    data = text.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n%d" % len(data) + data)


def read_time(text: str, field: str) -> int:
    """Return a time of RFC 3339, without its fraction; raise `InvalidData` (`sign_in.time`) if there is none such."""
    try:
        return times.read_rfc3339(text)
    except ValueError as error:
        raise InvalidData("sign_in.time", field=field) from error


def _optional_time(match: re.Match[str], name: str) -> int | None:
    return None if match[name] is None else read_time(match[name], name)
