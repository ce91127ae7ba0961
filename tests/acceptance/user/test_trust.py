"""Whose word a registry's address is: kept under a name, taken wherever an address is, said where nobody gave it."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest
from support.worlds.commands.command_line_user import CommandLineUser

from deedlog.registry.hexadecimal import to_checksum

OTHER = to_checksum(bytes.fromhex("ab" * 20))


@pytest.fixture
def person(tmp_path, fork_server):
    return CommandLineUser(tmp_path, fork_server)


def answer(done, code=0):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def error(done, code):
    return answer(done, code)["error"]


def test_a_name_is_added_listed_and_removed(person):
    path = person.folder / "home/registries.toml"
    assert str(path) in person.run("trust", "list").stdout
    assert answer(person.run("trust", "list", "--json")) == {"path": str(path), "registries": []}
    added = person.run("trust", "add", "studio", OTHER.lower(), "--url", "https://deeds.example.com/")
    assert added.returncode == 0, added.stderr
    assert OTHER in added.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = {"name": "studio", "address": OTHER, "url": "https://deeds.example.com"}
    assert answer(person.run("trust", "list", "--json"))["registries"] == [shown]
    assert person.run("trust", "list").stdout == f"studio  {OTHER}  https://deeds.example.com\n"
    again = answer(person.run("trust", "add", "studio", OTHER, "--json"))
    assert again == {**shown, "path": str(path), "changed": False, "replaced": None}
    assert "没有变化" in person.run("--lang", "zh", "trust", "add", "studio", OTHER).stdout
    assert answer(person.run("trust", "remove", "studio", "--json"))["address"] == OTHER
    assert error(person.run("trust", "remove", "studio", "--json"), 66)["code"] == "registries.unknown"
    assert answer(person.run("trust", "list", "--json"))["registries"] == []


def test_another_address_under_a_name_is_refused_and_both_are_shown(person):
    first = to_checksum(bytes.fromhex("11" * 20))
    assert person.run("trust", "add", "studio", first, "--url", "http://a").returncode == 0
    before = (person.folder / "home/registries.toml").read_bytes()
    refused = person.run("trust", "add", "studio", OTHER)
    assert refused.returncode == 77
    assert first in refused.stderr
    assert OTHER in refused.stderr
    assert (person.folder / "home/registries.toml").read_bytes() == before
    forced = person.run("trust", "add", "studio", OTHER, "--force")
    assert forced.returncode == 0, forced.stderr
    assert first in forced.stdout
    assert OTHER in forced.stdout
    [listed] = answer(person.run("trust", "list", "--json"))["registries"]
    assert listed == {"name": "studio", "address": OTHER, "url": None}, "the URL was the other registry's"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("0xabc", OTHER), "registries.name"),
        ((OTHER, OTHER), "registries.name"),
        (("a b", OTHER), "registries.name"),
        (("studio", "0x12"), "hex.length"),
        (("studio", "other"), "hex.malformed"),
        (("studio", "0x596ffe27E81cf2Aa1CD8d4e52F70F51c9373cC50"), "account.checksum"),
        (("studio", OTHER, "--url", "deeds.example.com"), "fetch.url"),
    ],
)
def test_what_cannot_be_trusted_is_wrong_usage(person, arguments, code):
    assert error(person.run("trust", "add", *arguments, "--json"), 64)["code"] == code
    assert not (person.folder / "home/registries.toml").exists()


def test_a_bad_file_is_named_with_its_line(person):
    path = person.folder / "home/registries.toml"
    path.parent.mkdir()
    path.write_text(f'[studio]\naddress = "{OTHER}"\n\n[other]\naddress = "0x12"\n', "utf-8")
    for call in (("list",), ("add", "third", OTHER), ("remove", "studio")):
        done = person.run("trust", *call)
        assert done.returncode == 78, done.stderr
        assert f"{path}, line 5" in done.stderr
    assert f"{path} 第 5 行" in person.run("--lang", "zh", "trust", "list").stderr
    assert person.run("audit", "http://127.0.0.1:1", "--registry", "studio").returncode == 78


def test_the_file_is_not_written_through_a_link(person):
    (person.folder / "home").mkdir()
    (person.folder / "elsewhere").write_text("", "utf-8")
    (person.folder / "home/registries.toml").symlink_to("../elsewhere")
    assert error(person.run("trust", "add", "studio", OTHER, "--json"), 73)["code"] == "file.link"
    assert (person.folder / "elsewhere").read_text("utf-8") == ""


def test_names_that_are_added_at_once_are_all_kept(person):
    environment = person.environment | {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "deedlog.api.cli", "trust", "add"]
    names = [f"n{number}" for number in range(4)]
    started = [subprocess.Popen([*command, name, OTHER], env=environment, stdout=subprocess.DEVNULL) for name in names]
    assert [process.wait() for process in started] == [0] * len(names)
    assert sorted(each["name"] for each in answer(person.run("trust", "list", "--json"))["registries"]) == names


@pytest.fixture(scope="module")
def creator(tmp_path_factory, local, fork_server):
    """Somebody with a key, a registered video and its bundle, who has named no registry yet."""
    person = CommandLineUser(tmp_path_factory.mktemp("trusting"), fork_server, DEEDLOG_URL=local.url)
    person.cheap_key()
    (person.folder / "mine.mp4").write_bytes(os.urandom(64))
    given = ("--title", "t", "--credited-as", "c", "--passphrase-file", "passphrase", "--yes", "--json")
    made = answer(person.run("register", "mine.mp4", *given))
    assert person.run("prove", made["digest"], "-o", "mine.deed", "--wait").returncode == 0
    return SimpleNamespace(person=person, run=person.run, folder=person.folder, **made)


@pytest.fixture
def trusting(creator):
    assert creator.run("trust", "add", "studio", creator.registry).returncode == 0
    yield creator
    assert creator.run("trust", "remove", "studio").returncode == 0


def printed(done):
    assert done.returncode == 0, done.stderr
    return [shlex.split(line)[1:] for line in done.stdout.splitlines() if line.startswith("  deedlog ")]


def test_nothing_that_is_printed_gives_the_registrys_own_word_for_its_address(creator):
    [verify] = printed(proved := creator.run("prove", creator.digest, "-o", "unpinned.deed"))
    assert verify[verify.index("--registry") + 1] == "ADDRESS"
    assert "proves nothing about which registry" in proved.stdout
    assert "another place than this registry" in proved.stdout
    assert "deedlog trust add NAME ADDRESS" in proved.stdout
    (creator.folder / "new.mp4").write_bytes(os.urandom(64))
    given = ("--title", "t", "--credited-as", "c", "--passphrase-file", "passphrase", "--yes")
    registered = creator.run("register", "new.mp4", *given)
    prove, verify = printed(registered)
    assert "--registry" not in prove
    assert verify[verify.index("--registry") + 1] == "ADDRESS"
    before_signing = registered.stdout.partition("Registered:")[0]
    assert "what the registry at" in before_signing, "whose word the address is, is said before one signs for it"


def test_the_trusted_name_is_printed(trusting):
    (trusting.folder / "named.mp4").write_bytes(os.urandom(64))
    given = ("--title", "t", "--credited-as", "c", "--passphrase-file", "passphrase", "--yes")
    for pinned in ((), ("--registry", "studio"), ("--registry", trusting.registry)):
        (trusting.folder / "again.deed").unlink(missing_ok=True)
        [verify] = printed(trusting.run("prove", trusting.digest, "-o", "again.deed", *pinned))
        assert verify[verify.index("--registry") + 1] == "studio"
        (trusting.folder / "named.mp4").write_bytes(os.urandom(64))
        registered = trusting.run("register", "named.mp4", *given, *pinned)
        assert f"studio ({trusting.registry})" in registered.stdout
        for call in printed(registered):
            assert call[call.index("--registry") + 1] == "studio"


def test_an_address_that_was_given_is_printed(creator):
    [verify] = printed(creator.run("prove", creator.digest, "-o", "given.deed", "--registry", creator.registry))
    assert verify[verify.index("--registry") + 1] == creator.registry
    proved = answer(creator.run("prove", creator.digest, "-o", "again.deed", "--force", "--json"))
    assert proved["registry_pinned"] is False


CHECKS = {
    "verify": (("verify", "mine.deed", "mine.mp4", "--require", "included"), "taken from the bundle itself"),
    "audit": (("audit", "URL"), "says of itself"),
}


@pytest.mark.parametrize(("call", "whose"), CHECKS.values(), ids=CHECKS)
def test_a_name_is_as_good_as_the_address(trusting, call, whose):
    call = [os.fsdecode(trusting.person.environment["DEEDLOG_URL"]) if word == "URL" else word for word in call]
    done = trusting.run(*call, "--registry", "studio")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "studio" in done.stdout
    assert whose not in done.stdout
    unpinned = trusting.run(*call)
    assert unpinned.returncode == 2, "a trusted registry that was not named is not checked either"
    assert whose in unpinned.stdout
    assert "--registry studio" in unpinned.stdout
    assert trusting.run(*call, "--registry", "nobody").returncode == 64


@pytest.mark.parametrize(("call", "whose"), CHECKS.values(), ids=CHECKS)
def test_without_one_it_is_said_whose_word_the_address_is(creator, call, whose):
    call = [os.fsdecode(creator.person.environment["DEEDLOG_URL"]) if word == "URL" else word for word in call]
    done = creator.run(*call)
    assert done.returncode == 2, done.stdout + done.stderr
    assert whose in done.stdout
    assert re.search(r"proves? nothing about which registry", done.stdout)
    assert "deedlog trust add NAME ADDRESS" in done.stdout
    assert "并不能证明它是哪一个登记处" in creator.run("--lang", "zh", *call).stdout


def test_a_name_brings_its_url(creator, local):
    assert creator.run("trust", "add", "there", creator.registry, "--url", local.url).returncode == 0
    try:
        prove = ("prove", creator.digest, "-o", "again.deed", "--force", "--registry", "there", "--json")
        assert creator.run(*prove, DEEDLOG_URL="http://127.0.0.1:1").returncode == 0
        assert creator.run(*prove, "--url", "http://127.0.0.1:1").returncode == 69, "what is typed goes before"
    finally:
        creator.run("trust", "remove", "there")


def test_another_registry_than_the_named_one_gets_no_signature(creator):
    assert creator.run("trust", "add", "other", OTHER).returncode == 0
    (creator.folder / "unsent.mp4").write_bytes(os.urandom(64))
    given = ("--title", "t", "--credited-as", "c", "--passphrase-file", "passphrase", "--yes")
    done = creator.run("register", "unsent.mp4", *given, "--registry", "other")
    assert done.returncode == 77
    assert OTHER in done.stderr
    assert creator.run("trust", "remove", "other").returncode == 0


def test_a_bad_file_does_not_stop_what_does_not_need_it(creator):
    path = creator.folder / "home/registries.toml"
    before = path.read_bytes() if path.exists() else None
    path.write_text("nonsense", "utf-8")
    try:
        done = creator.run("verify", "mine.deed", "mine.mp4")
        assert done.returncode == 2
        assert f"{path}, line 1" in done.stderr
        assert creator.run("verify", "mine.deed", "--registry", creator.registry).stderr == ""
    finally:
        path.unlink() if before is None else path.write_bytes(before)
