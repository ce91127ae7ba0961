"""What `refused_vectors.py` writes of shapes: members too many or too few, other types and domains, no JSON at all."""

from __future__ import annotations

from typing import Any

from vectors.generate.refused_base import changed, data_of, edit, plain, refused, text_of
from vectors.generate.statement_vectors import OTHER_REGISTRY, REGISTRY

DEEP = 20_000
"""Deeper than any reader of ours follows; no statement is deeper than four."""


def members() -> list[dict[str, Any]]:
    """Return messages with members missing, null, twice or unknown."""
    cases = []
    for name in data_of("Work")["message"]:
        message = dict(data_of("Work")["message"])
        del message[name]
        cases.append(
            refused(f"Work.{name} is missing", changed("Work", "message", message), "json.member_missing", name)
        )
    for name in data_of("Upload")["message"]:
        message = {**data_of("Upload")["message"], name: None}
        cases.append(refused(f"Upload.{name} is null", changed("Upload", "message", message), "json.null", name))
    for name, value in data_of("Rendition")["message"].items():
        text = edit(plain("Rendition"), '"message":{', f'"message":{{"{name}":{text_of(value)},')
        cases.append(refused(f"Rendition.{name} stands twice", text, "json.member_twice", name))
    for kind in ("Claim", "Agreement", "Rotation"):
        for name in data_of(kind)["message"]:
            message = {other: value for other, value in data_of(kind)["message"].items() if other != name}
            cases.append(
                refused(f"{kind}.{name} is missing", changed(kind, "message", message), "json.member_missing", name)
            )
    for kind in ("Countersignature", "Agreement", "RevenueReport"):
        for name in data_of(kind)["message"]:
            message = {**data_of(kind)["message"], name: None}
            cases.append(refused(f"{kind}.{name} is null", changed(kind, "message", message), "json.null", name))
    message = data_of("Rotation")["message"]
    python = {**message, "from_": message["from"]}
    cases.append(
        refused(
            "Rotation has from_ beside from", changed("Rotation", "message", python), "json.member_unknown", "from_"
        )
    )
    message = data_of("Work")["message"]
    opened = '"message":{'
    cases += [
        refused(
            "a member of the message is unknown",
            changed("Work", "message", {**message, "note": "x"}),
            "json.member_unknown",
            "note",
        ),
        refused(
            "a member of the message has another case",
            edit(plain("Work"), opened, '"message":{"Title":"x",'),
            "json.member_unknown",
            "Title",
        ),
        refused(
            "title stands twice, once escaped",
            edit(plain("Work"), opened, '"message":{"\\u0074itle":"x",'),
            "json.member_twice",
            "title",
        ),
        refused(
            "the name of a member holds a lone surrogate",
            edit(plain("Work"), opened, '"message":{"\\ud800":"x",'),
            "json.surrogate",
            None,
        ),
    ]
    for value in (None, [], "x", 1, list(message.values())):
        code, field = ("json.null", "typed_data.message") if value is None else ("json.not_an_object", "")
        cases.append(refused(f"message is {text_of(value)[:12]}", changed("Work", "message", value), code, field))
    return cases


def envelope() -> list[dict[str, Any]]:
    """Return typed data with members too many or too few, and of no known kind."""
    data = data_of("Work")
    cases = []
    for part in data:
        rest = {name: value for name, value in data.items() if name != part}
        cases.append(refused(f"no {part}", text_of(rest), "json.member_missing", f"typed_data.{part}"))
    text = edit(plain("Work"), '"primaryType"', '"primaryType":"Work","primaryType"')
    cases += [
        refused("primaryType stands twice", text, "json.member_twice", "primaryType"),
        refused("typed data has a digest", changed("Work", "digest", "0x"), "json.member_unknown", "typed_data.digest"),
        refused("typed data is a list", f"[{plain('Work')}]", "json.not_an_object", "typed_data"),
        refused("typed data is null", "null", "json.not_an_object", "typed_data"),
        refused("typed data is a string", text_of(plain("Work")), "json.not_an_object", "typed_data"),
    ]
    for value in ("Work2", "work", "Work ", "EIP712Domain", "", 1, ["Work"]):
        name = f"primaryType is {text_of(value)}"
        cases.append(refused(name, changed("Work", "primaryType", value), "statement.unknown_kind", "primaryType"))
    name = "primaryType is another kind than the types"
    cases.append(refused(name, changed("Work", "primaryType", "Upload"), "typed_data.types", "types"))
    return cases


def types() -> list[dict[str, Any]]:
    """Return typed data whose `types` differ from the declaration."""
    given = data_of("Work")["types"]
    work, domain = given["Work"], given["EIP712Domain"]
    chain_id = {"name": "chainId", "type": "uint256"}
    other = {
        "members in another order": {**given, "Work": [work[1], work[0], *work[2:]]},
        "a member less": {**given, "Work": work[:-1]},
        "a member more": {**given, "Work": [*work, {"name": "note", "type": "string"}]},
        "a member with more than name and type": {**given, "Work": [{**work[0], "internalType": "string"}, *work[1:]]},
        "a member of another type": {
            **given,
            "Work": [{**item, "type": item["type"].replace("uint64", "uint256")} for item in work],
        },
        "one creator only": {
            **given,
            "Work": [{**item, "type": item["type"].replace("address[]", "address")} for item in work],
        },
        "no domain type": {"Work": work},
        "a domain with chainId": {**given, "EIP712Domain": [*domain[:2], chain_id, domain[2]]},
        "a domain in another order": {**given, "EIP712Domain": domain[::-1]},
        "a type more": {**given, "Share": [{"name": "party", "type": "address"}]},
        "no kind": {"EIP712Domain": domain},
        "a list": [given],
    }
    given = data_of("Agreement")["types"]
    share = given["Share"]
    of_agreements = {
        "no Share": {name: item for name, item in given.items() if name != "Share"},
        "a Share in another order": {**given, "Share": [share[1], share[0], *share[2:]]},
        "a Share without its salt": {**given, "Share": share[:-1]},
        "a Share of wider numbers": {
            **given,
            "Share": [{**item, "type": item["type"].replace("uint32", "uint256")} for item in share],
        },
        "shares as their hashes": {
            **given,
            "Agreement": [
                {**item, "type": item["type"].replace("Share[]", "bytes32[]")} for item in given["Agreement"]
            ],
        },
    }
    return [
        refused(f"types: {name}", changed(kind, "types", value), "typed_data.types", "types")
        for kind, table in (("Work", other), ("Agreement", of_agreements))
        for name, value in table.items()
    ]


def domains() -> list[dict[str, Any]]:
    """Return typed data for another domain."""
    given = data_of("Work")["domain"]
    table: list[tuple[str, Any, str, str]] = [
        ("chainId", {**given, "chainId": 1}, "json.member_unknown", "domain.chainId"),
        ("chainId as a string", {**given, "chainId": "1"}, "json.member_unknown", "domain.chainId"),
        ("salt", {**given, "salt": "0x" + "00" * 32}, "json.member_unknown", "domain.salt"),
        ("another name", {**given, "name": "deedlog"}, "typed_data.domain", "domain"),
        ("another version", {**given, "version": "2"}, "typed_data.domain", "domain"),
        ("version as a number", {**given, "version": 1}, "typed_data.domain", "domain"),
        ("another registry", {**given, "verifyingContract": OTHER_REGISTRY}, "typed_data.domain", "domain"),
        ("upper-case hex", {**given, "verifyingContract": "0x" + REGISTRY[2:].upper()}, "hex.malformed", "domain"),
        ("a short address", {**given, "verifyingContract": REGISTRY[:-2]}, "hex.length", "domain"),
        ("no address", {"name": "Deedlog", "version": "1"}, "json.member_missing", "domain.verifyingContract"),
        ("null", {**given, "name": None}, "json.null", "domain.name"),
        ("a list", [given], "json.not_an_object", "domain"),
    ]
    return [refused(f"domain: {name}", changed("Work", "domain", value), code, at) for name, value, code, at in table]


def not_json() -> list[dict[str, Any]]:
    """Return what no reader should take as JSON, or not every reader takes alike."""
    work = plain("Work")
    texts = {
        "nothing": "",
        "white space": " \n",
        "cut short": work[:-1],
        "followed by a bracket": work + "}",
        "followed by a second value": work + work,
        "followed by a word": work + " x",
        "followed by NUL": work + "\0",
        "followed by a no-break space": work + "\u00a0",
        "with a comment": edit(work, '"primaryType"', '/* kind */"primaryType"'),
        "with a comma too many": work[:-1] + ",}",
        "in single quotes": work.replace('"', "'"),
        "with a name without quotes": edit(work, '"primaryType"', "primaryType"),
        "with a line break in a string": edit(work, "How to read", "How to\nread"),
        "with an unknown escape": edit(work, "How to read", "How to\\xread"),
        "with a short escape": edit(work, "How to read", "How to \\u12"),
        "with undefined": edit(work, '"How to read a paper"', "undefined"),
        "with a byte order mark": "\ufeff" + work,
    }
    cases = [refused(f"JSON {name}", text, "json.malformed", None) for name, text in texts.items()]
    deep = edit(work, '"How to read a paper"', "[" * DEEP + "]" * DEEP)
    cases.append(refused(f"JSON nested {DEEP} deep", deep, "json.too_deep", None))
    data = {
        "in UTF-16": work.encode("utf-16-be").replace(b"\0r\0e\0a\0d", b"\xd8\x3d\xde\x00\0a\0d"),
        "with a Latin-1 letter": edit(work, "How to read", "How to r?d").encode().replace(b"r?d", b"r\xe9d"),
        "with an overlong slash": work.encode().replace(b"How to", b"How \xc0\xaf"),
        "with a surrogate pair in six bytes": work.encode().replace(b"How to", b"\xed\xa0\xbd\xed\xb8\x80"),
        "with a code point beyond U+10FFFF": work.encode().replace(b"How to", b"\xf4\x90\x80\x80"),
    }
    for name, content in data.items():
        case = {"name": f"JSON {name}", "bytes": "0x" + content.hex(), "code": "json.not_utf8", "field": None}
        cases.append({**case, "at": "reading"})
    return cases


def shapes() -> list[dict[str, Any]]:
    """Return all of them."""
    return [*members(), *envelope(), *types(), *domains(), *not_json()]
