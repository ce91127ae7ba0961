"""Signatures: made as eth-account makes them, recovered as it recovers them, and taken in one form only."""

from __future__ import annotations

import hashlib

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from support.worlds.registries.registry_world import ALICE, BOB, PLATFORM_KEY, salt

from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.statements.signatures import (
    HALF_ORDER,
    ORDER,
    SECP256K1,
    Signature,
    account_of,
    account_of_private_key,
    ascending,
    check,
    check_complete,
    recover,
    sign,
)

DIGEST = salt("digest")
keys = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
digests = st.binary(min_size=32, max_size=32)


def parts(signature):
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]


def join(r, s, v):
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def refusal(call, *arguments, error=VerificationError):
    with pytest.raises(error) as caught:
        call(*arguments)
    return caught.value


def test_the_accounts_that_everybody_publishes():
    # EIP-155's example key; the first account of the mnemonic "test test … junk"; the key 1.
    published = {
        "46" * 32: "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f",
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80": "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "00" * 31 + "01": "7e5f4552091a69125d5dfcb7b8c2659029395bdf",
    }
    for key, account in published.items():
        assert account_of_private_key(bytes.fromhex(key)).hex() == account


def test_rfc_6979_as_everybody_publishes_it():
    # The secp256k1 values that libraries share, for the key 1 and SHA-256 of this text.
    text = "All those moments will be lost in time, like tears in rain. Time to die..."
    r, s, _ = parts(sign(hashlib.sha256(text.encode()).digest(), (1).to_bytes(32, "big")).signature)
    assert f"{r:064x}" == "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b"
    assert f"{s:064x}" == "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21"


@given(keys, digests)
def test_signatures_are_eth_accounts(key, digest):
    signature = sign(digest, key)
    theirs = Account.unsafe_sign_hash(digest, key)
    assert signature == Signature(bytes.fromhex(Account.from_key(key).address[2:]), bytes(theirs.signature), SECP256K1)
    check(signature, digest)


@given(st.integers(0, ORDER + 2), st.integers(0, ORDER + 2), st.sampled_from([27, 28]), digests)
def test_what_is_recovered_is_what_eth_account_recovers(r, s, v, digest):
    # Any r that is on the curve gives some account: recovering must agree where nobody ever signed.
    s = min(s, ORDER - s) if s < ORDER else s
    signature = join(r, s, v)
    try:
        ours = recover(digest, signature)
    except VerificationError as error:
        ours = error.code
    try:
        theirs = bytes.fromhex(Account._recover_hash(digest, signature=signature)[2:])
    except Exception:  # noqa: BLE001 - eth-account refuses in many ways
        theirs = "signature.high_s" if s > HALF_ORDER else "signature.range"
    assert ours == theirs


@given(keys, digests)
def test_the_twin_is_refused_though_it_recovers_the_same_account(key, digest):
    r, s, v = parts(sign(digest, key).signature)
    assert s <= HALF_ORDER
    twin = join(r, ORDER - s, 55 - v)
    assert bytes.fromhex(Account._recover_hash(digest, signature=twin)[2:]) == account_of_private_key(key)
    assert refusal(recover, digest, twin).code == "signature.high_s"


def test_half_the_order_is_the_last_s():
    r, _, v = parts(sign(DIGEST, ALICE).signature)
    assert HALF_ORDER == 0x7FFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_5D576E73_57A4501D_DFE92F46_681B20A0
    assert len(recover(DIGEST, join(r, HALF_ORDER, v))) == 20
    assert refusal(recover, DIGEST, join(r, HALF_ORDER + 1, v)).code == "signature.high_s"


def test_v_is_27_or_28():
    made = sign(DIGEST, ALICE).signature
    for v in set(range(256)) - {27, 28}:
        error = refusal(recover, DIGEST, made[:64] + bytes([v]))
        assert (error.code, error.params) == ("signature.v", {"actual": v})


@pytest.mark.parametrize("size", [0, 1, 32, 64, 66, 130])
def test_signatures_have_65_bytes(size):
    error = refusal(recover, DIGEST, (sign(DIGEST, ALICE).signature * 2)[:size])
    assert (error.code, error.params) == ("signature.length", {"expected": 65, "actual": size})


def test_no_changed_bit_leaves_the_signer():
    signature = sign(DIGEST, ALICE)
    for at in range(65 * 8):
        number = int.from_bytes(signature.signature, "big") ^ 1 << at
        changed = Signature(signature.account, number.to_bytes(65, "big"))
        code = refusal(check, changed, DIGEST).code
        assert code in {"signature.signer", "signature.range", "signature.high_s", "signature.v"}, at


def test_the_signer_is_the_account_that_is_named():
    signature = Signature(account_of_private_key(BOB), sign(DIGEST, ALICE).signature)
    error = refusal(check, signature, DIGEST)
    assert error.code == "signature.signer"
    assert error.params == {
        "named": "0x" + account_of_private_key(BOB).hex(),
        "actual": "0x" + account_of_private_key(ALICE).hex(),
    }
    assert refusal(check, sign(DIGEST, ALICE), salt("another digest")).code == "signature.signer"


def test_other_schemes_are_refused_by_name():
    signature = Signature(account_of_private_key(ALICE), sign(DIGEST, ALICE).signature, "p256" * 20)
    error = refusal(check, signature, DIGEST)
    assert (error.code, error.params) == ("signature.scheme", {"scheme": "p256" * 8, "expected": "secp256k1"})


def test_an_account_is_of_an_uncompressed_key():
    generator = bytes.fromhex(
        "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
    )
    assert account_of(generator) == account_of_private_key((1).to_bytes(32, "big"))


def test_signatures_ascend_and_an_account_signs_once():
    signatures = [sign(DIGEST, key) for key in (ALICE, BOB, PLATFORM_KEY)]
    ordered = ascending(signatures)
    assert ordered == ascending(signatures[::-1])
    assert [item.account for item in ordered] == sorted(map(account_of_private_key, (ALICE, BOB, PLATFORM_KEY)))
    error = refusal(ascending, [*signatures, sign(salt("another digest"), ALICE)], error=InvalidData)
    assert (error.code, error.params) == (
        "signature.account_twice",
        {"account": "0x" + account_of_private_key(ALICE).hex()},
    )


def test_exactly_the_signers_have_signed():
    alice, bob = (sign(DIGEST, key) for key in (ALICE, BOB))
    check_complete([alice, bob], [bob.account, alice.account])
    for given_, signers, code, account in (
        ([alice], [alice.account, bob.account], "signature.missing", bob),
        ([], [alice.account], "signature.missing", alice),
        ([alice, bob], [alice.account], "signature.not_a_signer", bob),
        ([bob], [alice.account], "signature.missing", alice),
    ):
        error = refusal(check_complete, given_, signers, error=InvalidData)
        assert (error.code, error.params) == (code, {"account": "0x" + account.account.hex()})
