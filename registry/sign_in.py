"""Sign-In with Ethereum (EIP-4361): the message with which a person proves over HTTP that they hold an account.

The registry gives out a nonce, the person signs a message with it, and the registry reads the message. Client and
registry both use the checks here: the message must be for this site, this chain and this time. Whether the nonce is
unused is checked in `registry.store.sessions`.
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
"""How long a nonce is valid, in seconds."""

CLOCK_SECONDS = 600
"""How far the clocks of client and registry may differ, in seconds."""

MAXIMUM_MESSAGE = 4096
"""The longest message, in characters. Ours have about four hundred."""

STATEMENT = "Sign in to this registry of rights. This is no transaction, and registers nothing."
"""The sentence that the wallet shows to the person. EIP-4361 allows only ASCII here."""

_AS_OFFERED = (
    "domain",
    "account",
    "uri",
    "chain_id",
    "nonce",
    "issued_at",
    "expiration_time",
    "not_before",
    "statement",
)
"""Members in which a signed message must equal the offered one. The scheme may be left out (`check`)."""

# EIP-4361, "ABNF Message Format", as a regular expression. It takes linear time for any message. `domain` and `uri`
# accept all characters that RFC 3986 allows there, in any order; they are compared with those of the site afterwards.
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
    """The site of a registry, which a message must name. A wallet compares `domain` with the domain of its page."""

    scheme: str
    domain: str
    uri: str


def site_at(url: str) -> Site:
    """Return the site of a URL in normal form: host in lower case, without a default port or a slash at the end.

    Raises `InvalidData` (`sign_in.url`) unless it is a plain http or https URL.
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
    """A parsed message. Only its form is checked. Times are Unix seconds."""

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
        """Return the text of the message, as it is signed."""
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
    """An account that signed a valid message for this site, and the nonce. The nonce may have been used before."""

    account: bytes
    nonce: str


def offer(account: bytes, site: Site, chain_id: int, nonce: str, now: int) -> Message:
    """Return the message that an account signs to sign in, with a nonce that was created at `now` (Unix seconds)."""
    return Message(site.domain, account, site.uri, chain_id, nonce, now, now + NONCE_SECONDS, statement=STATEMENT)


def agree(offered: object, account: bytes, site: Site, now: int) -> Message:
    """Return the message that a client signs for the offer (JSON) of a registry at `site`.

    Only nonce, chain and time come from the offer, so a registry cannot make anybody sign its own text or a message for
    another site. Raises `InvalidData`: `sign_in.other_site`; `sign_in.malformed` and `sign_in.time` for a malformed
    offer; and the errors of `check`.
    """
    said = offered if isinstance(offered, dict) else {}
    chain_id, nonce, issued_at = said.get("chain_id"), said.get("nonce"), said.get("issued_at")
    if type(chain_id) is not int or not isinstance(nonce, str) or not isinstance(issued_at, str):
        raise InvalidData("sign_in.malformed", field="message", maximum=MAXIMUM_MESSAGE)
    if (said.get("domain"), said.get("uri")) != (site.domain, site.uri):
        raise InvalidData("sign_in.other_site", asked=site.uri, named=str(said.get("uri"))[:200])
    message = offer(account, site, chain_id, nonce, read_time(issued_at, "issued_at"))
    if read(message.text()) != message:  # the nonce contains further lines of a message
        raise InvalidData("sign_in.malformed", field="message", maximum=MAXIMUM_MESSAGE)
    check(message, site, chain_id, now)
    return message


def read(text: str) -> Message:
    """Parse a message in the form of EIP-4361.

    Parts that would be ignored, request id and resources, are refused. Raises `InvalidData`: `sign_in.malformed`,
    `sign_in.version`, `sign_in.unused`, `sign_in.checksum` or `sign_in.time`.
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
    """Check that a message is for this site and chain, and valid at `now` (Unix seconds).

    Raises `InvalidData`: `sign_in.scheme`, `sign_in.domain`, `sign_in.uri`, `sign_in.chain`, `sign_in.ahead`,
    `sign_in.old`, `sign_in.expired` or `sign_in.not_yet`.
    """
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


def check_offered(message: Message, offered: Message) -> None:
    """Check that a message says the same as the one that was offered; how its times are written is free.

    Otherwise a person could be shown other words than ours, or a message could stay valid for years. Raises
    `InvalidData` (`sign_in.not_offered`).
    """
    for name in _AS_OFFERED:
        if getattr(message, name) != getattr(offered, name):
            raise InvalidData("sign_in.not_offered", field=name, member=name)


def prove(text: str, signature: bytes, site: Site, chain_id: int, now: int) -> Proof:
    """Return the account that signed a message for this site and chain, valid at `now` (Unix seconds).

    Raises `InvalidData`: the errors of `read`, `check` and `recover` (`signature.…`), or `sign_in.signer` if another
    account signed.
    """
    message = read(text)
    check(message, site, chain_id, now)
    signer = recover(digest(text), signature)
    if signer != message.account:
        raise InvalidData("sign_in.signer", named=to_checksum(message.account), actual=to_checksum(signer))
    return Proof(message.account, message.nonce)


def digest(text: str) -> bytes:
    """Return the digest of a text that is signed (32 bytes): EIP-191, version 0x45, the wallets' `personal_sign`."""
    data = text.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n%d" % len(data) + data)


def read_time(text: str, field: str) -> int:
    """Parse a time of RFC 3339; its fraction is dropped. Raises `InvalidData` (`sign_in.time`)."""
    try:
        return times.read_rfc3339(text)
    except ValueError as error:
        raise InvalidData("sign_in.time", field=field) from error


def _optional_time(match: re.Match[str], name: str) -> int | None:
    return None if match[name] is None else read_time(match[name], name)
