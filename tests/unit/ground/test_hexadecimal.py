"""Hex: one form in, one form out; what people paste is taken in any letter case unless its EIP-55 case is wrong."""

from __future__ import annotations

import pytest
from eth_utils import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import account_from_any_case, from_hex, to_checksum, to_hex

accounts = st.binary(min_size=20, max_size=20)

# The examples of EIP-55, in its order: all upper, all lower, and normal.
EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


def refusal(call, *arguments):
    with pytest.raises(InvalidData) as caught:
        call(*arguments, "at")
    assert caught.value.field == "at"
    return caught.value


@given(st.binary(max_size=100))
def test_what_is_written_is_read(data):
    assert from_hex(to_hex(data), len(data), None) == from_hex(to_hex(data), None, None) == data
    assert to_hex(data) == f"0x{data.hex()}"


@given(st.text(st.sampled_from("0xX1aAfFgG \n٠"), max_size=8))
def test_what_is_read_is_written_so(text):
    try:
        data = from_hex(text, None, "at")
    except InvalidData as error:
        code = error.code
    else:
        code = None
        assert to_hex(data) == text
    assert (code is None) == (text[:2] == "0x" and len(text) % 2 == 0 and set(text[2:]) <= set("01af"))


@pytest.mark.parametrize(
    "text", ["", "0", "00", "0X00", "0x0", "0x0g", "0xAB", "0xaB", " 0x00", "0x00 ", "0x00\n", "0x\uff10\uff10", "0x 0"]
)
def test_other_forms_are_malformed(text):
    assert refusal(from_hex, text, None).code == "hex.malformed"


@pytest.mark.parametrize("value", [None, 0, True, b"0x00", ["0x00"], 1.0])
def test_only_text_is_hex(value):
    assert refusal(from_hex, value, None).code == "hex.malformed"
    assert refusal(account_from_any_case, value).code == "hex.malformed"


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_lengths_are_exact(size):
    error = refusal(from_hex, "0x" + "00" * size, 32)
    assert (error.code, error.params) == ("hex.length", {"expected": 32, "actual": size})


@pytest.mark.parametrize("text", EIP_55)
def test_accounts_are_shown_as_eip_55_shows_them(text):
    account = bytes.fromhex(text[2:])
    assert to_checksum(account) == text
    for given_ in (text, text.lower(), "0x" + text[2:].upper()):
        assert account_from_any_case(given_, "at") == account


@given(accounts)
def test_accounts_are_shown_as_eth_utils_shows_them(account):
    assert to_checksum(account) == to_checksum_address(account)


@given(accounts, st.data())
def test_a_letter_of_the_wrong_case_is_noticed(account, data):
    shown = to_checksum(account)
    at = data.draw(st.integers(2, 41))
    changed = shown[:at] + shown[at].swapcase() + shown[at + 1 :]
    digits = changed[2:]
    if changed == shown or digits in (digits.lower(), digits.upper()):
        assert account_from_any_case(changed, "at") == account
    else:
        assert refusal(account_from_any_case, changed).code == "account.checksum"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0X52908400098527886E0F7030069857D2E4169EE7", "hex.malformed"),
        ("52908400098527886E0F7030069857D2E4169EE7", "hex.malformed"),
        ("alice.eth", "hex.malformed"),
        ("0x52908400098527886E0F7030069857D2E4169E", "hex.length"),
        ("0x" + "00" * 32, "hex.length"),
        ("0x", "hex.length"),
        ("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "account.checksum"),
    ],
)
def test_what_is_no_account_and_why(text, code):
    assert refusal(account_from_any_case, text).code == code
