"""The identity of a registry: only a contract that is known, with its very code, makes an address."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from vectors.generate.bundle_evidence import ADDRESS, REGISTRY

from deedlog.anchor.contract import contracts, current
from deedlog.anchor.evm.identity import Contract, RegistryIdentity
from deedlog.registry.errors import InvalidData

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/registry.json").read_text("utf-8"))


def named(case):
    return case["name"]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=named)
def test_a_registry_has_this_address(case):
    identity = RegistryIdentity.from_json(case["registry"], contracts())
    assert "0x" + identity.constructor_arguments().hex() == case["arguments"]
    assert "0x" + identity.address.hex() == case["address"]
    assert identity.to_json() == case["registry"]


@pytest.mark.parametrize("case", VECTORS["refused"], ids=named)
def test_what_is_no_registry_is_refused(case):
    with pytest.raises(InvalidData) as caught:
        RegistryIdentity.from_json(case["registry"], contracts())
    assert caught.value.code == case["code"]


def test_the_vectors_have_the_creation_code_of_each_version():
    codes = {str(version): "0x" + contract.creation_code.hex() for version, contract in contracts().items()}
    assert codes == VECTORS["creation_codes"]


def test_the_address_follows_from_what_is_handed_in():
    identity = RegistryIdentity.from_json(REGISTRY, contracts())
    assert "0x" + identity.address.hex() == ADDRESS
    assert identity.to_json() == REGISTRY


@pytest.mark.parametrize("damage", [lambda code: code[:-1], lambda code: code + b"\0", lambda code: b"\1" + code[1:]])
def test_a_damaged_contract_is_refused(damage):
    with pytest.raises(InvalidData, match=r"registry\.artifact_damaged"):
        Contract(1, damage(current().creation_code))


def test_a_version_that_is_not_known_is_refused():
    with pytest.raises(InvalidData, match=r"registry\.version"):
        Contract(2, current().creation_code)
    for known, version in ((contracts(), 2), ({}, 1), (contracts(), True), (contracts(), "1")):
        with pytest.raises(InvalidData, match=r"registry\.version"):
            RegistryIdentity.from_json(REGISTRY | {"version": version}, known)
