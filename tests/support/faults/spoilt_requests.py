"""How a good request is spoilt: each function here returns one that changes what is about to be sent."""

from __future__ import annotations

import json
import time

from support.worlds.registries.registry_world import ALICE, PLATFORM_KEY, salt, upload, work

from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import ORDER, account_of_private_key, sign

GOOD = work(content=b"spoilt in a hundred ways", salt=salt("spoilt"))
SMILE = "\N{GRINNING FACE}"
"""Four bytes in UTF-8."""


def message(**members):
    return lambda sent: sent.message.update(members)


def title(text):
    return message(title=text)


def body(**members):
    return lambda sent: sent.body.update(members)


def raw(content):
    """Send these bytes; a function makes them from those of the good request."""

    def spoil(sent):
        sent.content = content(sent.raw()) if callable(content) else content

    return spoil


def raw_batch(who, content):
    """Send these bytes as a batch."""

    def spoil(sent):
        sent.content, sent.path, sent.who = content, "/v1/statements:batch", who

    return spoil


def signature(change):
    """Change the signature's 65 bytes."""

    def spoil(sent):
        sent.signature = to_hex(change(bytes.fromhex(sent.signature[2:])))

    return spoil


def high_s(data):
    s = ORDER - int.from_bytes(data[32:64], "big")
    return data[:32] + s.to_bytes(32, "big") + bytes([55 - data[64]])


def by(key, *, named):
    """Sign the good statement with another key."""

    def spoil(sent):
        made = sign(GOOD.digest(domain_separator(sent.site.identity.address)), key)
        sent.body["signatures"] = [
            {"account": to_hex(account_of_private_key(named)), "signature": to_hex(made.signature)}
        ]

    return spoil


def also_by(key):
    def spoil(sent):
        made = sign(GOOD.digest(domain_separator(sent.site.identity.address)), key)
        sent.body["signatures"].append({"account": to_hex(made.account), "signature": to_hex(made.signature)})

    return spoil


def of_another_registry(sent):
    sent.body["typed_data"]["domain"]["verifyingContract"] = "0x" + "11" * 20


def signed_for_another_registry(sent):
    sent.signature = to_hex(sign(GOOD.digest(domain_separator(bytes([17] * 20))), ALICE).signature)


def without(*path):
    def spoil(sent):
        place = sent.body
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]

    return spoil


def as_member(*path, value):
    def spoil(sent):
        place = sent.body
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    return spoil


def get(path):
    return sending("GET", path)


def sending(method, path, **headers):
    def spoil(sent):
        sent.method, sent.path = method, path
        sent.headers |= headers

    return spoil


def to_batch(who, **items):
    def spoil(sent):
        sent.body = {"statements": [sent.body]} | items
        sent.path, sent.who = "/v1/statements:batch", who

    return spoil


def an_upload(who):
    def spoil(sent):
        sent.body, sent.who = sent.site.body(upload(content=b"never uploaded"), PLATFORM_KEY), who

    return spoil


def sent_by(who):
    def spoil(sent):
        sent.who = who

    return spoil


def with_headers(**headers):
    return lambda sent: sent.headers.update({name.replace("_", "-"): value for name, value in headers.items()})


def all_of(*changes):
    def spoil(sent):
        for change in changes:
            change(sent)

    return spoil


def doubled(name):
    """Let a member stand there twice, with two values."""
    return raw(lambda data: data.replace(b'"%s":' % name, b'"%s": "another", "%s":' % (name, name), 1))


def in_title(data):
    """Put bytes into the title that no JSON library would write."""
    return raw(lambda good: good.replace(json.dumps(GOOD.title).encode(), b'"' + data + b'"', 1))


def ahead(seconds):
    def spoil(sent):
        sent.message["madeAt"] = str(int(time.time()) + seconds)

    return spoil
