"""Make `tests/vectors/bundles.json`: whole bundles with their whole verdicts, and what is no bundle.

PYTHONPATH=.:tests:scripts python tests/vectors/generate/bundle_vectors.py

Nothing of the project runs here. The verdicts are put together by hand, from `docs/formats.md` section 9.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_utils import to_checksum_address
from vectors.generate.bundle_evidence import (
    ACCOUNT,
    ADDRESS,
    DIGEST,
    ORIGIN,
    REGISTRY,
    TYPED_DATA,
    Anchored,
    bundle,
    tlog_proof,
)
from vectors.generate.log_note_vectors import OTHER_SEED

PATH = Path(__file__).resolve().parent.parent / "bundles.json"
TIME = 1_795_460_000
"""The entry's time."""

PUBLIC = Anchored(11155111, 2, 7, TIME + 12)
LATER = Anchored(84532, 3, 90, TIME + 600)
LOCAL = Anchored(31337, 2, 5, TIME + 6)
UNLISTED = Anchored(8453, 2, 7, TIME + 12)
"""On a chain that the registry's identity does not list. Its proofs hold."""
LATE = Anchored(11155111, 2, 7, TIME + 12, later=-1)
HASTY = Anchored(11155111, 2, 7, TIME + 12, seconds=-1)
BACKWARDS = Anchored(11155111, 2, 7, TIME + 12, previous_size=2)
UNKNOWN = {
    "type": "rfc3161-token",
    "token": "MIIB",
    "certificates": [{"subject": "CN=A time-stamping authority", "serial": 7}, []],
    "accurate": True,
}
OTHER_BLOCK = "0x" + "02" * 32
ANOTHER = "0x" + "01" * 20

BUNDLES = {
    "one anchor": bundle(PUBLIC.anchor()),
    "no anchor yet": bundle(tlog_proof=tlog_proof(2)),
    "a checkpoint by another key": bundle(tlog_proof=tlog_proof(2, seed=OTHER_SEED)),
    "an anchor on a development chain": bundle(LOCAL.anchor()),
    "an anchor whose storage proof is cut": bundle(PUBLIC.anchor(storage_proof=PUBLIC.anchor()["storage_proof"][:-1])),
    "an unknown type beside it": bundle(PUBLIC.anchor(), UNKNOWN),
    "an unknown type before it": bundle(UNKNOWN, PUBLIC.anchor()),
    "only an unknown type": bundle(UNKNOWN),
    "an unknown type and a tlog-proof": bundle(UNKNOWN, tlog_proof=tlog_proof(2)),
    "two chains": bundle(PUBLIC.anchor(), LATER.anchor()),
    "two chains, the other way round": bundle(LATER.anchor(), PUBLIC.anchor()),
    "two chains, and the proofs of one do not hold": bundle(PUBLIC.anchor(), LATER.anchor(header=PUBLIC.header)),
    "a public chain and a development chain": bundle(LOCAL.anchor(), PUBLIC.anchor()),
    "an anchor on a chain that is not listed": bundle(UNLISTED.anchor()),
    "a listed chain and one that is not": bundle(PUBLIC.anchor(), UNLISTED.anchor()),
    "a head of a later block": bundle(LATE.anchor()),
    "a head of a later time": bundle(HASTY.anchor()),
    "a head that extends one as large": bundle(BACKWARDS.anchor()),
}


def answer(of: str, code: str, trusts: tuple[str, ...] = (), **params: str | int) -> dict[str, Any]:
    """Return one answer of a verdict."""
    return {"answer": of, "code": code, "params": params, "trusts": list(trusts)}


def yes(code: str, trust: str, **params: str | int) -> dict[str, Any]:
    """Return a yes on somebody's word."""
    return answer("yes", code, (trust,), **params)


def no(code: str, **params: str | int) -> dict[str, Any]:
    """Return a no."""
    return answer("no", code, (), **params)


def unchecked(code: str, **params: str | int) -> dict[str, Any]:
    """Return a not checked."""
    return answer("not checked", code, (), **params)


def vouched(place: Anchored, trust: str, final: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the four answers of an anchor whose block somebody vouches for."""
    held = {"chain_id": place.chain_id, "size": place.size, "block_number": place.block_number}
    code = "anchored.your_block" if trust == "you" else "anchored.nodes_block"
    return {
        "included": yes("included.contract", trust, size=place.size),
        "anchored": yes(code, trust, **held, block_hash=place.block_hash),
        "final": final or yes("final.your_word", trust, block_hash=place.block_hash),
        "time": yes("time.no_later_than", trust, time=place.time),
    }


def logged(size: int) -> dict[str, Any]:
    """Return included on the log key's word."""
    return yes("included.log_key", "log_key", index=0, size=size)


def unanchored(included: dict[str, Any], anchored: dict[str, Any]) -> dict[str, Any]:
    """Return the four answers where anchored is not yes."""
    return {
        "included": included,
        "anchored": anchored,
        "final": unchecked("final.not_anchored"),
        "time": unchecked("time.registry_word", time=TIME),
    }


def no_block(place: Anchored) -> dict[str, Any]:
    """Return the answers of an anchor about which nothing was brought."""
    return unanchored(
        logged(place.size), unchecked("anchored.no_block", chain_id=place.chain_id, block_hash=place.block_hash)
    )


def other_block(place: Anchored) -> dict[str, Any]:
    """Return the answers of an anchor where the hashes that were brought are of other blocks."""
    return unanchored(logged(place.size), unchecked("anchored.other_block", block=place.block_hash))


def contradicted(place: Anchored) -> dict[str, Any]:
    """Return the answers of an anchor in place of whose block the nodes have another."""
    return unanchored(logged(place.size), no("anchored.not_canonical", block_hash=place.block_hash))


def other_chain(place: Anchored, node: dict[str, Any]) -> dict[str, Any]:
    """Return the answers of an anchor where the node is of another chain."""
    params = {"url": node["url"], "expected": place.chain_id, "actual": node["chain_id"]}
    return unanchored(logged(place.size), unchecked("node.other_chain", **params))


UNKNOWN_ANSWERS = dict.fromkeys(
    ("included", "anchored", "final", "time"), unchecked("evidence.unknown_type", type="rfc3161-token")
)
REMARK = {"type": "rfc3161-token", "answers": UNKNOWN_ANSWERS}


def shown(place: Anchored, answers: dict[str, Any]) -> dict[str, Any]:
    """Return an anchor of the type `evm-slot` as the verdict lists it."""
    chain = {"chain_id": place.chain_id, "development_chain": place.chain_id == LOCAL.chain_id}
    return {"type": "evm-slot", **chain, "answers": answers}


def verdict(
    chain: Anchored | None, below: dict[str, Any], anchors: list[dict[str, Any]], pinned: str | None = ADDRESS
) -> dict[str, Any]:
    """Return the whole verdict; `chain` is the one that the answers rest on."""
    signed = to_checksum_address(ACCOUNT)
    return {
        "digest": DIGEST,
        "kind": "Work",
        "registry": ADDRESS,
        "registry_pinned": pinned == ADDRESS,
        "chain_id": None if chain is None else chain.chain_id,
        "development_chain": chain is LOCAL,
        "answers": {
            "file": unchecked("file.not_given"),
            "author": yes("author.signed", "nobody", accounts=signed),
            "signatures": yes("signatures.all", "nobody", accounts=signed),
            "complete": yes("complete.all", "nobody", accounts=signed),
            **below,
            "standing": unchecked("standing.needs_registry"),
        },
        "anchors": anchors,
        "statement": TYPED_DATA["message"],
    }


def case(
    name: str, of: str, expected: dict[str, Any], *, registry: str | None = ADDRESS, hashes: Any = (), nodes: Any = ()
) -> dict[str, Any]:
    """Return a case: a bundle, what the user brings, and the verdict."""
    pins = {"registry": registry, "block_hashes": list(hashes), "nodes": list(nodes)}
    return {"name": name, "bundle": of, "pins": pins, "verdict": expected}


def single(name: str, answers: dict[str, Any], of: str = "one anchor", place: Anchored = PUBLIC, **pins: Any) -> Any:
    """Return a case of one anchor, whose answers are the bundle's."""
    return case(name, of, verdict(place, answers, [shown(place, answers)]), **pins)


def cases() -> list[dict[str, Any]]:
    """Return the cases."""
    unpinned = unchecked("registry.from_bundle", registry=to_checksum_address(ADDRESS))
    from_bundle = dict.fromkeys(("included", "anchored", "final", "time"), unpinned)
    refused = no("registry.other", expected=to_checksum_address(ANOTHER), actual=to_checksum_address(ADDRESS))
    elsewhere = {
        **dict.fromkeys(("included", "anchored"), refused),
        "final": unchecked("final.not_anchored"),
        "time": unchecked("time.not_anchored"),
    }
    without_pin = verdict(PUBLIC, from_bundle, [shown(PUBLIC, from_bundle)], None)
    without_pin["answers"]["complete"] = unpinned
    of_another = verdict(PUBLIC, elsewhere, [shown(PUBLIC, elsewhere), REMARK], ANOTHER)
    of_another["answers"]["complete"] = refused
    number = PUBLIC.number
    by_nodes = vouched(PUBLIC, "nodes", yes("final.nodes", "nodes", finalized=number))
    listed = ", ".join(map(str, REGISTRY["chains"]))
    unlisted = unanchored(logged(2), no("registry.chain_not_listed", chain_id=UNLISTED.chain_id, chains=listed))
    late = unanchored(logged(2), no("head.block_number", head=LATE.block_number, block=LATE.number))
    hasty = unanchored(logged(2), no("head.time", head=HASTY.time, block=HASTY.block_time))
    backwards = unanchored(logged(2), no("head.previous_size", size=2, previous_size=2))
    missing = unanchored(logged(2), no("patricia.node_missing", used=len(PUBLIC.anchor()["storage_proof"]) - 1))
    return [
        single("your word for the block", vouched(PUBLIC, "you"), hashes=[PUBLIC.block_hash]),
        single("a node's word, final", by_nodes, nodes=[PUBLIC.node(finalized=number)]),
        single(
            "a node's word, not final yet",
            vouched(PUBLIC, "nodes", unchecked("final.not_yet", block_number=number, finalized=number - 1)),
            nodes=[PUBLIC.node(finalized=number - 1)],
        ),
        single("the node has another block", contradicted(PUBLIC), nodes=[PUBLIC.node(block_hash=OTHER_BLOCK)]),
        single("only the registry", no_block(PUBLIC)),
        single("another block", other_block(PUBLIC), hashes=[OTHER_BLOCK], nodes=[PUBLIC.node(finalized=number)]),
        case("nothing is brought", "one anchor", without_pin, registry=None, hashes=[PUBLIC.block_hash]),
        case("another registry", "an unknown type beside it", of_another, registry=ANOTHER),
        single("proofs that do not hold", missing, "an anchor whose storage proof is cut", hashes=[PUBLIC.block_hash]),
        single(
            "a chain that is not listed, whoever vouches for its block",
            unlisted,
            "an anchor on a chain that is not listed",
            UNLISTED,
            hashes=[UNLISTED.block_hash],
            nodes=[UNLISTED.node(finalized=UNLISTED.number)],
        ),
        single(
            "a chain that is not listed, and its node",
            unlisted,
            "an anchor on a chain that is not listed",
            UNLISTED,
            nodes=[UNLISTED.node(finalized=UNLISTED.number)],
        ),
        case(
            "a chain that is not listed beside one that is",
            "a listed chain and one that is not",
            verdict(UNLISTED, unlisted, [shown(PUBLIC, vouched(PUBLIC, "you")), shown(UNLISTED, unlisted)]),
            hashes=[PUBLIC.block_hash, UNLISTED.block_hash],
        ),
        single("a head of a later block", late, "a head of a later block", LATE, hashes=[LATE.block_hash]),
        single("a head of a later time", hasty, "a head of a later time", HASTY, hashes=[HASTY.block_hash]),
        single(
            "a head that extends one as large",
            backwards,
            "a head that extends one as large",
            BACKWARDS,
            hashes=[BACKWARDS.block_hash],
        ),
        single(
            "a development chain is never final by a node",
            vouched(LOCAL, "nodes", unchecked("final.development_chain", chain_id=31337)),
            "an anchor on a development chain",
            LOCAL,
            nodes=[LOCAL.node(finalized=LOCAL.number)],
        ),
        case(
            "no anchor yet",
            "no anchor yet",
            verdict(None, unanchored(logged(2), unchecked("anchored.not_yet")), []),
            hashes=[PUBLIC.block_hash],
        ),
        case(
            "a checkpoint by another key",
            "a checkpoint by another key",
            verdict(None, unanchored(no("note.unsigned", name=ORIGIN), unchecked("anchored.not_yet")), []),
        ),
        *_unknown(),
        *_two_chains(),
    ]


def _unknown() -> list[dict[str, Any]]:
    yours = vouched(PUBLIC, "you")
    remark = UNKNOWN_ANSWERS["anchored"]
    hashes = [PUBLIC.block_hash]
    known = shown(PUBLIC, yours)
    lost = contradicted(PUBLIC)
    return [
        case(
            "an unknown type beside it",
            "an unknown type beside it",
            verdict(PUBLIC, yours, [known, REMARK]),
            hashes=hashes,
        ),
        case(
            "an unknown type before it",
            "an unknown type before it",
            verdict(PUBLIC, yours, [REMARK, known]),
            hashes=hashes,
        ),
        case(
            "an unknown type does not soften a no",
            "an unknown type before it",
            verdict(PUBLIC, lost, [REMARK, shown(PUBLIC, lost)]),
            nodes=[PUBLIC.node(block_hash=OTHER_BLOCK)],
        ),
        case(
            "only an unknown type",
            "only an unknown type",
            verdict(None, unanchored(remark, remark), [REMARK]),
            hashes=hashes,
        ),
        case(
            "an unknown type and a tlog-proof",
            "an unknown type and a tlog-proof",
            verdict(None, unanchored(logged(2), remark), [REMARK]),
        ),
    ]


def _two_chains() -> list[dict[str, Any]]:
    both = [PUBLIC.block_hash, LATER.block_hash]
    yours, later = vouched(PUBLIC, "you"), vouched(LATER, "you")
    contradicting = PUBLIC.node(block_hash=OTHER_BLOCK)
    lost, silent = contradicted(PUBLIC), other_chain(LATER, contradicting)
    final = vouched(LATER, "nodes", yes("final.nodes", "nodes", finalized=LATER.number))
    open_ = vouched(PUBLIC, "nodes", unchecked("final.not_yet", block_number=PUBLIC.number, finalized=1))
    seen = [PUBLIC.node(finalized=1), LATER.node(finalized=LATER.number, url="b")]
    broken = unanchored(logged(3), no("patricia.node_mismatch", position=0))
    return [
        case(
            "your word for both: the earlier one answers",
            "two chains, the other way round",
            verdict(PUBLIC, yours, [shown(LATER, later), shown(PUBLIC, yours)]),
            hashes=both,
        ),
        case(
            "your word for one",
            "two chains",
            verdict(LATER, later, [shown(PUBLIC, other_block(PUBLIC)), shown(LATER, later)]),
            hashes=both[1:],
        ),
        case(
            "by nodes: the final one answers",
            "two chains",
            verdict(LATER, final, [shown(PUBLIC, open_), shown(LATER, final)]),
            nodes=seen,
        ),
        case(
            "one contradicted, of the other nothing is known",
            "two chains",
            verdict(PUBLIC, lost, [shown(PUBLIC, lost), shown(LATER, silent)]),
            nodes=[contradicting],
        ),
        case(
            "the same, the other way round",
            "two chains, the other way round",
            verdict(PUBLIC, lost, [shown(LATER, silent), shown(PUBLIC, lost)]),
            nodes=[contradicting],
        ),
        case(
            "the proofs of one do not hold",
            "two chains, and the proofs of one do not hold",
            verdict(LATER, broken, [shown(PUBLIC, yours), shown(LATER, broken)]),
            hashes=both,
        ),
        case(
            "a development chain beside a public one",
            "a public chain and a development chain",
            verdict(PUBLIC, yours, [shown(LOCAL, vouched(LOCAL, "you")), shown(PUBLIC, yours)]),
            hashes=[LOCAL.block_hash, PUBLIC.block_hash],
        ),
    ]


def refused() -> list[dict[str, Any]]:
    """Return what is no bundle, and why."""
    good = PUBLIC.anchor()
    untyped = {name: value for name, value in good.items() if name != "type"}
    whole = bundle(good)
    type_ = "bundle.anchor_type"
    anchors = {
        "an anchor without a type": (untyped, "json.member_missing"),
        "a type in upper case": (good | {"type": "EVM-slot"}, type_),
        "an empty type": (good | {"type": ""}, type_),
        "a type of 65 characters": (UNKNOWN | {"type": "a" * 65}, type_),
        "a type that begins with a hyphen": (UNKNOWN | {"type": "-a"}, type_),
        "a type with a line feed behind": (UNKNOWN | {"type": "a\n"}, type_),
        "a type that does not print": (UNKNOWN | {"type": "a\u202e"}, type_),
        "a type that is a number": (UNKNOWN | {"type": 1}, type_),
        "a null type": (UNKNOWN | {"type": None}, type_),
        "an anchor that is a list": ([good], "json.not_an_object"),
        "a null deep in an unknown anchor": (UNKNOWN | {"more": [{"of": None}]}, "json.null"),
        "an unknown member in a known anchor": (good | {"token": "MIIB"}, "json.member_unknown"),
        "a known anchor without its header": (
            {name: value for name, value in good.items() if name != "header"},
            "json.member_missing",
        ),
        "the chain 0": (good | {"chain_id": 0}, "bundle.chain_id"),
        "a chain that is true": (good | {"chain_id": True}, "bundle.chain_id"),
        "a header of more than 64 KiB": (good | {"header": "0x" + "00" * (64 * 1024 + 1)}, "bundle.node_too_large"),
        "66 nodes": (good | {"account_proof": ["0x80"] * 66}, "list.length"),
        "a node of more than 16 KiB": (
            good | {"storage_proof": ["0x" + "00" * (16 * 1024 + 1)]},
            "bundle.node_too_large",
        ),
    }
    bundles: dict[str, tuple[dict[str, Any], str]] = {
        **{name: (bundle(anchor), code) for name, (anchor, code) in anchors.items()},
        "neither anchors nor a tlog-proof": (bundle(), "json.member_missing"),
        "no anchor in the list": (whole | {"anchors": []}, "list.length"),
        "17 anchors": (whole | {"anchors": [UNKNOWN] * 17}, "list.length"),
        "another version": (whole | {"version": 2}, "bundle.version"),
        "another about": (whole | {"about": whole["about"] + " "}, "bundle.about"),
        "a null tlog-proof": (whole | {"tlog_proof": None}, "json.null"),
        **{
            f"chains that are {name}": (whole | {"registry": REGISTRY | {"chains": chains}}, "registry.chains")
            for name, chains in {
                "none": [],
                "nine": [*range(1, 10)],
                "descending": [84532, 31337],
                "named twice": [84532, 84532],
                "zero": [0, 84532],
                "text": ["84532"],
                "true": [True],
                "no list": 84532,
            }.items()
        },
        "a registry without chains": (
            whole | {"registry": {name: value for name, value in REGISTRY.items() if name != "chains"}},
            "json.member_missing",
        ),
        "a member too many": (whole | {"title": "Mine"}, "json.member_unknown"),
    }
    return [{"name": name, "bundle": value, "code": code} for name, (value, code) in bundles.items()]


def main() -> None:
    """Write the file."""
    value = {
        "about": "`bundles` by name; `cases`: with these pins (the registry's address, hashes of blocks that the user "
        "says are final, answers of nodes) the bundle has exactly this verdict. `refused` are no bundles, and why. No "
        "file is given, and no maker's word is accepted.",
        "bundles": BUNDLES,
        "cases": cases(),
        "refused": refused(),
    }
    PATH.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
