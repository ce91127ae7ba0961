"""The file of trusted registries: what is refused, with its line, and what an edit leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from deedlog.api.client import trusted
from deedlog.api.client.trusted import TrustedRegistry
from deedlog.registry.errors import DeedlogError

PATH = Path("registries.toml")
ONE, TWO = bytes.fromhex("11" * 20), bytes.fromhex("22" * 20)
ADDRESS = f'address = "0x{"11" * 20}"'


@pytest.mark.parametrize(
    "name", ["studio", "a", "7", "deeds.example.com", "my-registry_2", "工作室", "x" * 64, "decade"]
)
def test_a_name(name):
    assert trusted.check_name(name) == name
    assert not trusted.looks_like_address(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "0x", "0xabc", "0X" + "11" * 20, "11" * 20, "ab" * 16, "0x" + "11" * 20, "x" * 65),
        *("-x", ".x", "a b", "a\nb", "a/b", "\uff10x12", "\uff41", "e\u0301", "a\u202eb", "a\0", "studio\u200b"),
    ],
)
def test_no_name(name):
    with pytest.raises(DeedlogError) as caught:
        trusted.check_name(name, "NAME")
    assert (caught.value.code, caught.value.field) == ("registries.name", "NAME")


BAD = {
    "no TOML": ("[a]\n" + ADDRESS + "\nurl\n", "registries.syntax", 3),
    "the same name twice": (f"[a]\n{ADDRESS}\n[a]\n{ADDRESS}\n", "registries.syntax", 3),
    "an open string": (f'[a]\n{ADDRESS}\nurl = """x\n', "registries.syntax", 4),
    "very deep": ("a = " + "[" * 100_000, "registries.syntax", 1),
    "half an address": ('# mine\n\n[a]\nurl = "http://x"\naddress = "0x1234"\n', "registries.entry", 5),
    "a wrong checksum": ('[a]\naddress = "0x596ffe27E81cf2Aa1CD8d4e52F70F51c9373cC50"', "registries.entry", 2),
    "a number for an address": ("[a]\naddress = 0x1111\n", "registries.entry", 2),
    "no address": (f"[a]\n{ADDRESS}\n\n[b]\nurl = 'http://x'\n", "registries.entry", 4),
    "an unknown member": (f"[a]\n{ADDRESS}\nadress = 'x'\n", "registries.entry", 3),
    "no URL": (f"[a]\n{ADDRESS}\nurl = 'deeds.example.com'\n", "registries.entry", 3),
    "a number for a URL": (f"[a]\n{ADDRESS}\nurl = 7\n", "registries.entry", 3),
    "an address for a name": (f"[b]\n{ADDRESS}\n[0x12]\n{ADDRESS}\n", "registries.entry", 3),
    "no section": (f"# x\na = '0x{'11' * 20}'\n", "registries.entry", 2),
    "Windows line ends": (f"[a]\r\n{ADDRESS}\r\nurl = 7\r\n", "registries.entry", 3),
    "a comment with odd breaks": ("# \u2028\x0c\n[a]\naddress = 1\n".replace("\x0c", "\u0085"), "registries.entry", 3),
}


@pytest.mark.parametrize(("text", "code", "line"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_line(text, code, line):
    with pytest.raises(DeedlogError) as caught:
        trusted.parse(text, PATH)
    assert (caught.value.code, caught.value.params["line"]) == (code, line), caught.value.params


def test_what_is_not_utf_8_is_refused_with_its_line(tmp_path):
    path = tmp_path / "registries.toml"
    path.write_bytes(b"# a\n# \xff\n")
    with pytest.raises(DeedlogError) as caught:
        trusted.read(path)
    assert (caught.value.code, caught.value.params["line"]) == ("registries.syntax", 2)


def test_there_may_be_no_file_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "registries.toml"
    assert trusted.read(path) == {}
    path.write_bytes(b"\xef\xbb\xbf" + f"[a]\r\n{ADDRESS}\r\n".encode())
    assert trusted.read(path) == {"a": TrustedRegistry("a", ONE)}


WRITTEN = f"""# Where I got them: the notary's letter.

[studio]  # the one in Shanghai
{ADDRESS}

# Ben's
["deeds.example.com"]
url = "https://deeds.example.com"
address = "0x{"22" * 20}"
# the end
"""


def test_an_edit_leaves_alone_what_it_does_not_concern():
    added = trusted.with_registry(WRITTEN, TrustedRegistry("工作室", TWO, "http://x/y"), PATH)
    assert added.startswith(WRITTEN)
    assert list(trusted.parse(added, PATH)) == ["studio", "deeds.example.com", "工作室"]
    removed = trusted.without_registry(added, "studio", PATH)
    assert removed == added.replace(f"[studio]  # the one in Shanghai\n{ADDRESS}\n", "")
    replaced = trusted.with_registry(WRITTEN, TrustedRegistry("deeds.example.com", ONE), PATH)
    for line in ("# Where I got them", "# Ben's", "# the end", "[studio]  # the one in Shanghai"):
        assert line in replaced
    assert trusted.parse(replaced, PATH) == {
        "studio": TrustedRegistry("studio", ONE),
        "deeds.example.com": TrustedRegistry("deeds.example.com", ONE),
    }


@pytest.mark.parametrize(
    "text",
    [
        f'studio = {{ address = "0x{"11" * 20}" }}\nother = {{ address = "0x{"22" * 20}" }}',
        f'studio.address = "0x{"11" * 20}"\nother.address = "0x{"22" * 20}"\n',
        f'[studio]\naddress = """\\\n  0x{"11" * 20}"""\n[other]\naddress = "0x{"22" * 20}"\n',
    ],
    ids=["inline", "dotted", "over several lines"],
)
def test_other_ways_to_write_it_are_edited_too(text):
    assert trusted.parse(trusted.without_registry(text, "studio", PATH), PATH) == {
        "other": TrustedRegistry("other", TWO)
    }
    both = trusted.parse(trusted.with_registry(text, TrustedRegistry("studio", TWO), PATH), PATH)
    assert both == {name: TrustedRegistry(name, TWO) for name in ("other", "studio")}


def test_the_first_registry_begins_the_file():
    text = trusted.with_registry(None, TrustedRegistry("studio", ONE, 'http://x/"\\'), PATH)
    assert text.startswith("# Registries whose addresses you trust")
    assert trusted.parse(text, PATH) == {"studio": TrustedRegistry("studio", ONE, 'http://x/"\\')}
