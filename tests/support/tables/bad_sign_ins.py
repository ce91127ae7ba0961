"""The table of bad sign-ins over HTTP: what is spoilt, and the problem that it must get.

Each row: how a good sign-in is spoilt; status, code, member at fault; what the English and the Chinese text must say.
`tests/api/access/test_sign_in.py` sends them, and then the good one, with the same nonce.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.faults.spoilt_requests import high_s
from support.worlds.registries.registry_world import ALICE, BOB
from support.worlds.registries.site_world import signed_message

from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.signatures import account_of_private_key

if TYPE_CHECKING:
    from deedlog.registry.sign_in import Message


@dataclass
class Spoilt:
    """A good sign-in of Alice, until a case spoils it; whatever its text is by then, she signs it."""

    message: Message
    key: bytes = ALICE
    text: str | None = None
    body: dict[str, Any] | None = None
    content: bytes | None = None

    def __post_init__(self) -> None:
        self.good = self.message.text()

    def raw(self) -> bytes:
        text = self.message.text() if self.text is None else self.text
        body = signed_message(text, self.key) if self.body is None else self.body
        return json.dumps(body).encode() if self.content is None else self.content


def members(**changes):
    """Sign a message with other members; a function makes one from what it was."""

    def spoil(sent):
        made = {
            name: value(getattr(sent.message, name)) if callable(value) else value for name, value in changes.items()
        }
        sent.message = dataclasses.replace(sent.message, **made)

    return spoil


def text(change):
    """Sign another text."""

    def spoil(sent):
        sent.text = change(sent.good)

    return spoil


def signature(change):
    """Change the signature's 65 bytes."""

    def spoil(sent):
        sent.body = signed_message(sent.good, ALICE)
        sent.body["signature"] = to_hex(change(bytes.fromhex(sent.body["signature"][2:])))

    return spoil


def body(**changes):
    def spoil(sent):
        sent.body = {
            name: value for name, value in (signed_message(sent.good, ALICE) | changes).items() if value is not ...
        }

    return spoil


def raw(content):
    def spoil(sent):
        sent.content = content

    return spoil


def signed_by(key):
    def spoil(sent):
        sent.key = key

    return spoil


def after(line):
    return text(lambda good: good + line)


def over_another_text(sent):
    """Send the good signature with another text, which differs by a space."""
    sent.body = signed_message(sent.good, ALICE) | {"message": sent.good.replace("\n\nURI", " \n\nURI")}


CASES = {
    # Another site: what a page elsewhere would have a person sign
    "another domain": (
        members(domain="evil.example.com"),
        *(422, "sign_in.domain", "domain", "do not sign again", "请勿再签"),
    ),
    "another port": (
        members(domain=lambda domain: domain + "0"),
        *(422, "sign_in.domain", "domain", "this registry is at", "本登记处位于"),
    ),
    "a domain that begins as ours": (
        members(domain=lambda domain: domain + ".evil.example.com"),
        *(422, "sign_in.domain", "domain", "this registry is at", "本登记处位于"),
    ),
    "a user that looks like our domain": (
        members(domain=lambda domain: domain + "@evil.example.com"),
        *(422, "sign_in.domain", "domain", "this registry is at", "本登记处位于"),
    ),
    "another registry's message": (
        members(domain="deeds.example.com", uri="https://deeds.example.com", chain_id=1),
        *(422, "sign_in.domain", "domain", "deeds.example.com", "deeds.example.com"),
    ),
    "another URI": (
        members(uri="https://evil.example.com"),
        *(422, "sign_in.uri", "uri", "exactly that URI", "完全一致"),
    ),
    "our URI with a slash more": (
        members(uri=lambda uri: uri + "/"),
        *(422, "sign_in.uri", "uri", "exactly that URI", "完全一致"),
    ),
    "another scheme": (
        members(scheme="https"),
        *(422, "sign_in.scheme", "scheme", "Leave the URL scheme out", "请省略协议"),
    ),
    "another chain": (
        members(chain_id=1),
        422,
        "sign_in.chain",
        "chain_id",
        "Sign a message with that chain id",
        "该链 ID",
    ),
    "a chain beyond all numbers": (
        members(chain_id=2**256 - 1),
        *(422, "sign_in.chain", "chain_id", str(2**256 - 1), str(2**256 - 1)),
    ),
    # Another time
    "issued in an hour": (
        members(issued_at=lambda time: time + 3600),
        *(422, "sign_in.ahead", "issued_at", "Set your clock", "请校准时钟"),
    ),
    "issued an hour ago": (
        members(issued_at=lambda time: time - 3600),
        *(422, "sign_in.old", "issued_at", "Ask for a new nonce, sign again, and set", "获取新的登录随机数并重新签名"),
    ),
    "over": (
        members(expiration_time=lambda time: time - 301),
        *(422, "sign_in.expired", "expiration_time", "If the message was made just now, set your", "请校准时钟"),
    ),
    "not begun": (
        members(not_before=4_000_000_000),
        *(422, "sign_in.not_yet", "not_before", "Wait, or sign a message without this member", "请等待"),
    ),
    "a day that there is not": (
        text(lambda good: good[: good.index("Issued At: ")] + "Issued At: 2026-02-30T00:00:00Z"),
        *(422, "sign_in.time", "issued_at", "RFC 3339", "RFC 3339"),
    ),
    # Another nonce
    "a nonce of nobody": (
        members(nonce="0123456789abcdef0123456789abcdef"),
        *(422, "sign_in.nonce", "nonce", "Ask for a new one", "请重新获取（POST /v1/sessions/nonce）并重新签名"),
    ),
    "a nonce that differs in letter case and length": (
        members(nonce=lambda nonce: nonce.upper() + "A"),
        *(422, "sign_in.nonce", "nonce", "Ask for a new one", "请重新获取（POST /v1/sessions/nonce）并重新签名"),
    ),
    "a nonce of seven": (
        members(nonce="1234567"),
        *(422, "sign_in.malformed", "message", "send it unchanged", "原样发送"),
    ),
    # Another account, a wrong or malleable signature
    "signed by another": (signed_by(BOB), 422, "sign_in.signer", None, "personal_sign", "personal_sign"),
    "another's account named": (
        members(account=account_of_private_key(BOB)),
        *(422, "sign_in.signer", None, "named account", "所列账户"),
    ),
    "signed over another text": (over_another_text, 422, "sign_in.signer", None, "exactly this message", "原样签署"),
    "high s": (
        signature(high_s),
        422,
        "signature.high_s",
        None,
        "Send the equivalent low-s signature (n - s",
        "请改用等价的低 s 签名",
    ),
    "the other v": (
        signature(lambda data: data[:64] + bytes([55 - data[64]])),
        *(422, "sign_in.signer", None, "another text", "另一文本"),
    ),
    **{
        f"v {v}": (
            signature(lambda data, v=v: data[:64] + bytes([v])),
            *(422, "signature.v", None, "Send 27 or 28; if it is 0 or 1, add 27", "应为 27 或 28"),
        )
        for v in (0, 1, 31, 255)
    },
    "r zero": (signature(lambda data: bytes(32) + data[32:]), 422, "signature.range", None, "Sign again", "重新签名"),
    "one bit of s": (
        signature(lambda data: data[:63] + bytes([data[63] ^ 1]) + data[64:]),
        *(422, "sign_in.signer", None, "another text", "另一文本"),
    ),
    "64 bytes of signature": (
        signature(lambda data: data[:64]),
        422,
        "signature.length",
        None,
        "Send all of it",
        "完整",
    ),
    "66 bytes of signature": (
        signature(lambda data: data + b"\0"),
        422,
        "signature.length",
        None,
        "Send all of it",
        "完整",
    ),
    "a signature in capitals": (body(signature="0xAB"), 422, "hex.malformed", "signature", "lower-case", "小写"),
    # What is no message of EIP-4361
    "Sign the `message` from POST": (text(lambda _: ""), 422, "sign_in.malformed", "message", "EIP-4361", "EIP-4361"),
    "words that were not offered": (
        members(statement="I give all my rights away"),
        *(422, "sign_in.not_offered", "statement", "unchanged", "原样签署"),
    ),
    "no words": (
        members(statement=None),
        *(422, "sign_in.not_offered", "statement", "unchanged", "原样签署"),
    ),
    "valid for ten years": (
        members(expiration_time=lambda time: time + 315_360_000),
        *(422, "sign_in.not_offered", "expiration_time", "unchanged", "原样签署"),
    ),
    "valid for ever": (
        members(expiration_time=None),
        *(422, "sign_in.not_offered", "expiration_time", "unchanged", "原样签署"),
    ),
    "issued a second before it was offered": (
        members(issued_at=lambda time: time - 1),
        *(422, "sign_in.not_offered", "issued_at", "unchanged", "原样签署"),
    ),
    "begun long ago": (
        members(not_before=1),
        *(422, "sign_in.not_offered", "not_before", "unchanged", "原样签署"),
    ),
    "some words": (text(lambda _: "Let me in."), 422, "sign_in.malformed", "message", "EIP-4361", "EIP-4361"),
    "line breaks of Windows": (
        text(lambda good: good.replace("\n", "\r\n")),
        *(422, "sign_in.malformed", "message", "unchanged", "原样"),
    ),
    "a line break at the end": (after("\n"), 422, "sign_in.malformed", "message", "unchanged", "原样"),
    "a line more": (after("\nRole: administrator"), 422, "sign_in.malformed", "message", "unchanged", "原样"),
    "a line twice": (
        text(lambda good: good.replace("Version: 1", "Version: 1\nVersion: 1")),
        *(422, "sign_in.malformed", "message", "unchanged", "原样"),
    ),
    "two lines of statement": (
        text(lambda good: good.replace("rights. ", "rights.\n")),
        *(422, "sign_in.malformed", "message", "unchanged", "原样"),
    ),
    "a statement in Chinese": (
        members(statement="\u767b\u5f55"),
        *(422, "sign_in.malformed", "message", "unchanged", "原样"),
    ),
    "digits of another script": (
        text(lambda good: good.replace("Chain ID: 3", "Chain ID: \u0663")),
        *(422, "sign_in.malformed", "message", "unchanged", "原样"),
    ),
    "a message of 5,000": (
        members(statement="a" * 5000),
        *(422, "sign_in.malformed", "message", "at most 4096 characters", "不超过 4096 个字符"),
    ),
    "another version": (
        text(lambda good: good.replace("Version: 1", "Version: 2")),
        *(422, "sign_in.version", "version", "only version 1", "只有第 1 版"),
    ),
    "the account in small letters": (
        text(
            lambda good: good.replace(to_checksum(account_of_private_key(ALICE)), to_hex(account_of_private_key(ALICE)))
        ),
        *(422, "sign_in.checksum", "address", "EIP-55", "EIP-55"),
    ),
    "a request id": (after("\nRequest ID: 7"), 422, "sign_in.unused", "request_id", "Leave it out", "请去掉"),
    "resources": (
        after("\nResources:\n- https://example.com/all-my-rights"),
        *(422, "sign_in.unused", "resources", "Leave it out", "请去掉"),
    ),
    # The request
    "no signature": (
        body(signature=...),
        422,
        "json.member_missing",
        "signature",
        "every member is required",
        "请补上",
    ),
    "an account beside them": (body(account="0x"), 422, "json.member_unknown", "account", "Remove it", "请删除"),
    "a message of null": (body(message=None), 422, "json.null", "message", "Give its value", "请给出值"),
    "a message that is a list": (body(message=[]), 422, "json.not_a_string", "message", "quotation marks", "引号"),
    "a signature that is a number": (body(signature=7), 422, "hex.malformed", "signature", "0x", "0x"),
    "a lone surrogate": (
        raw(rb'{"message": "\ud800", "signature": "0x"}'),
        400,
        "json.surrogate",
        None,
        "whole",
        "完整",
    ),
    "no JSON": (raw(b"message=x"), 400, "json.malformed", None, "one JSON object", "一个 JSON 对象"),
    "more than 256 KiB": (raw(b" " * (256 * 1024 + 1)), 413, "http.too_large", None, "262144", "262144"),
}
