"""What ships has no more than the design has. That it is what the sources compile to, `scripts/test` asks first."""

from __future__ import annotations

import functools
import json
import operator
import re
from pathlib import Path

from eth_utils import keccak
from eth_utils.abi import abi_to_signature

from deedlog.anchor.contract import rights_anchor
from deedlog.anchor.evm.identity import CREATION_CODE_HASHES

ROOT = Path(__file__).resolve().parents[2]


def test_its_hash_is_the_one_that_verifiers_know():
    artifact = rights_anchor()
    found = "0x" + keccak(hexstr=artifact["creation_code"]).hex()
    assert found == artifact["creation_code_hash"] == CREATION_CODE_HASHES[artifact["version"]]


def test_the_input_that_ships_is_what_a_compiler_takes():
    """A block explorer compiles it: the same sources, under the same settings as the artifact."""
    given = json.loads((ROOT / "anchor/contract/RightsAnchor.input.json").read_text(encoding="utf-8"))
    assert set(given) == {"language", "settings", "sources"}
    settings = {name: value for name, value in given["settings"].items() if name != "outputSelection"}
    assert settings == rights_anchor()["compiler"]["settings"]
    for path, source in given["sources"].items():
        assert source["content"] == (ROOT / path).read_text(encoding="utf-8")


def test_it_says_its_version_and_its_interfaces(contract):
    assert contract.read("version") == rights_anchor()["version"]
    selectors = [
        int.from_bytes(keccak(text=abi_to_signature(item))[:4], "big")
        for item in rights_anchor()["abi"]
        if item["type"] == "function" and item["name"] != "supportsInterface"
    ]
    ours = functools.reduce(operator.xor, selectors).to_bytes(4, "big")
    formats = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    assert f"`0x{ours.hex()}`" in formats
    for interface, supported in ((ours, True), ("01ffc9a7", True), ("ffffffff", False), ("00000000", False)):
        value = bytes.fromhex(interface) if isinstance(interface, str) else interface
        assert contract.read("supportsInterface", value) is supported


def test_ape_compiles_with_the_same_settings(project):
    settings, ours = rights_anchor()["compiler"]["settings"], project.config.solidity
    assert (ours.version, ours.evm_version) == (rights_anchor()["compiler"]["version"], settings["evmVersion"])
    assert (ours.optimize, ours.optimization_runs) == (settings["optimizer"]["enabled"], settings["optimizer"]["runs"])


def test_the_functions_are_those_of_the_design():
    """No upgrade, no pause, no way to remove a head."""
    abi = rights_anchor()["abi"]
    writing = {item["name"] for item in abi if item.get("stateMutability") == "nonpayable" and "name" in item}
    reading = {item["name"] for item in abi if item.get("stateMutability") in ("view", "pure")}
    assert writing == {"anchor", "setOperator", "setLogKey", "transferOwnership", "acceptOwnership"}
    assert reading == {
        *("head", "headOf", "verifyInclusion", "verifyEntry"),
        *("origin", "logKey", "owner", "pendingOwner", "operator", "version", "supportsInterface"),
    }
    assert not {item["type"] for item in abi} - {"function", "event", "error", "constructor"}  # no fallback, no receive


def test_the_code_cannot_leave_itself_or_run_anothers(contract, evm):
    """No SELFDESTRUCT, DELEGATECALL, CALLCODE, CALL or CREATE: it stays what it is, and calls precompiles only."""
    code = evm.code(contract.address)
    code = code[: -2 - int.from_bytes(code[-2:], "big")]  # without the CBOR that names the compiler
    opcodes, at = set(), 0
    while at < len(code):
        opcodes.add(code[at])
        at += 1 + max(0, code[at] - 0x5F) if code[at] <= 0x7F else 1  # PUSH1 to PUSH32 carry bytes
    assert {0x55, 0xFA} <= opcodes  # SSTORE and STATICCALL: the walk sees instructions
    assert not opcodes & {0xF0, 0xF1, 0xF2, 0xF4, 0xF5, 0xFF}


def test_every_member_of_the_interface_is_explained():
    text = (ROOT / "contracts" / "IRightsAnchor.sol").read_text(encoding="utf-8")
    members = re.findall(r"(?<=\n)    (?:function|event|error) (\w+)", text)
    assert len(members) == len(rights_anchor()["abi"]) - 1  # but the constructor
    for member in members:
        assert re.search(rf"(?:///.*\n    )+(?:function|event|error) {member}\b", text), member
