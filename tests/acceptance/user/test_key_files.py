"""Keys, their backups and passphrases: what is written opens again, and what is no backup is said to be none."""

from __future__ import annotations

import json
import stat

import pytest
from support.faults.small_disk import mounted
from support.worlds.commands.command_errors import refused
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.commands.folder_snapshot import unchanged


@pytest.fixture
def person(tmp_path, fork_server):
    person = CommandLineUser(tmp_path, fork_server, HOME=str(tmp_path / "my home"))
    (tmp_path / "my home").mkdir()
    (tmp_path / "stick").mkdir()
    (tmp_path / "new passphrase").write_text("另外 四个 互不 相关的词\n", "utf-8")
    person.cheap_key()
    return person


KEY = "home/keys/default.json"
OPENED = ("--passphrase-file", "passphrase")
CHANGED = ("--new-passphrase-file", "new passphrase")


def said(done, code=0):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def account(person):
    return said(person.run("key", "show", "--json"))["account"]


def test_a_home_folder_is_a_home_folder_wherever_a_path_is_typed(person):
    made = said(person.run("key", "new", "--name", "~/key.json", "--backup=~/copy.json", *OPENED, "--json"))
    home = person.folder / "my home"
    assert (made["path"], made["backup"]) == (str(home / "key.json"), str(home / "copy.json"))
    asked = person.run("key", "new", "--name", "second", *OPENED, given="~/second.json\n")
    assert asked.returncode == 0, asked.stderr
    assert (home / "second.json").exists()
    assert not (person.folder / "~").exists()
    done = person.run("--lang", "zh", "verify", "~/none.deed", "~/none.mp4", "--json")
    refused(done, "file.unreadable", "Check the path", "请检查路径", 66)
    assert said(done, 66)["error"]["params"]["path"] == str(home / "none.deed")
    listed = said(person.run("key", "list", "--json", DEEDLOG_HOME="~/other"))
    assert listed == {"keys": []}
    assert str(home / "other") in person.run("key", "list", DEEDLOG_HOME="~/other").stdout


def test_a_name_that_begins_like_a_home_folder_of_nobody_is_a_name(person):
    done = person.run("verify", "~nobody at all/x.deed", "--json")
    assert said(done, 66)["error"]["params"]["path"] == "~nobody at all/x.deed"


@pytest.mark.parametrize("backup", ["no stick/", "no stick/copy.json"])
def test_a_stick_that_is_not_mounted_does_not_become_a_file_or_folder(person, backup):
    with unchanged(person.folder):
        done = person.run("--lang", "zh", "key", "new", "--name", "second", "--backup", backup, *OPENED, "--json")
    refused(done, "file.no_folder", "is mounted", "请", 73)


def test_a_backup_on_the_same_disk_is_said(person):
    done = person.run("key", "new", "--name", "second", "--backup", "stick/", *OPENED)
    assert "on the same disk" in done.stdout
    with mounted(person.folder / "disk", "64k"):
        done = person.run("key", "new", "--name", "third", "--backup", "disk/", *OPENED)
        assert done.returncode == 0, done.stderr
        assert "on the same disk" not in done.stdout
        made = said(person.run("key", "new", "--name", "fourth", "--backup", "disk/", *OPENED, "--json"))
        assert made["same_disk"] is False


@pytest.mark.parametrize("weak", ["a", "password", "elevenchars", "aaaaaaaaaaaaaaaa", "abcabcabcabcabc", "三个字"])
def test_a_passphrase_that_is_soon_guessed_is_refused_with_the_reason(person, weak):
    person.passphrase.write_text(weak, "utf-8")
    with unchanged(person.folder):
        done = person.run("--lang", "zh", "key", "new", "--name", "second", "--backup", "stick/", *OPENED, "--json")
    refused(done, "key.weak_passphrase", "can try passphrases for as long as they want", "无限次尝试", 64)


@pytest.mark.parametrize("good", ["twelve chars", "四个汉字", "correct horse battery staple"])
def test_a_passphrase_of_some_words_is_taken(person, good):
    person.passphrase.write_text(good, "utf-8")
    made = said(person.run("key", "new", "--name", "second", "--backup", "stick/", *OPENED, "--json"))
    for path in (made["path"], made["backup"]):
        assert said(person.run("key", "check", "--name", person.folder / path, *OPENED, "--json"))


def test_keys_are_listed_whatever_is_in_the_folder(person):
    keys = person.folder / "home/keys"
    nameless = json.loads((keys / "default.json").read_text("utf-8"))
    del nameless["address"]
    (keys / "cast.json").write_text(json.dumps(nameless), "utf-8")
    (keys / "none.json").write_text("{}", "utf-8")
    rows = {row["name"]: row for row in said(person.run("key", "list", "--json"))["keys"]}
    assert list(rows) == ["cast", "default", "none"]
    assert rows["default"]["account"] == account(person)
    assert (rows["cast"]["account"], rows["cast"]["error"]) == (None, None)
    assert rows["none"]["error"] == "key.not_a_keystore"
    shown = person.run("key", "list").stdout
    assert "deedlog key check --name cast" in shown
    assert account(person) in shown
    assert "没有密钥" in person.run("--lang", "zh", "key", "list", DEEDLOG_HOME="none").stdout


def test_a_key_is_checked_by_a_signature(person):
    checked = said(person.run("key", "check", *OPENED, "--json"))
    assert checked["account"] == account(person)
    assert "a signature made with this key was checked" in person.run("key", "check", *OPENED).stdout
    done = person.run("--lang", "zh", "key", "check", "--passphrase-file", "new passphrase", "--json")
    refused(done, "key.wrong_passphrase", "Check the passphrase", "请检查口令", 77)
    damaged = json.loads((person.folder / KEY).read_text("utf-8")) | {"address": "11" * 20}
    (person.folder / "damaged.json").write_text(json.dumps(damaged), "utf-8")
    done = person.run("--lang", "zh", "key", "check", "--name", "./damaged.json", *OPENED, "--json")
    refused(done, "key.other_account", "Restore it", "备份", 65)
    assert person.run("key", "check", "--name", "nobody").returncode == 66


def test_a_key_is_restored_from_its_backup(person):
    mine = account(person)
    key, backup = person.folder / KEY, person.folder / "stick/copy.json"
    backup.write_bytes(key.read_bytes())
    with unchanged(person.folder):
        done = person.run("--lang", "zh", "key", "restore", "stick/copy.json", *OPENED, "--json")
    refused(done, "file.exists", "Choose another name", "或移走原文件", 73)
    key.unlink()
    key.parent.rmdir()
    wrong = ("--passphrase-file", "new passphrase", "--json")
    with unchanged(person.folder):
        done = person.run("--lang", "zh", "key", "restore", "stick/copy.json", *wrong)
    refused(done, "key.wrong_passphrase", "Check the passphrase", "请检查口令", 77)
    restored = said(person.run("key", "restore", "stick/copy.json", *OPENED, "--json"))
    assert (restored["account"], restored["path"]) == (mine, str(key))
    assert key.read_bytes() == backup.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert said(person.run("key", "check", *OPENED, "--json"))["account"] == mine
    done = person.run(
        "--lang", "zh", "key", "restore", "stick/copy.json", "--name", "stick/copy.json", *OPENED, "--json"
    )
    refused(done, "file.is_input", "Choose another name", "请换一个名称", 73)


def test_a_passphrase_is_changed_with_the_backup(person):
    mine = account(person)
    key, backup = person.folder / KEY, person.folder / "stick/copy.json"
    backup.write_bytes(key.read_bytes())
    key.chmod(0o644)
    done = person.run("key", "passphrase", *OPENED, *CHANGED, "--backup", "stick/copy.json")
    assert done.returncode == 0, done.stderr
    assert mine in done.stdout
    assert "Every other copy still opens with the old passphrase" in done.stdout
    for path in (key, backup):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        opens = said(person.run("key", "check", "--name", path, "--passphrase-file", "new passphrase", "--json"))
        assert opens["account"] == mine
        assert person.run("key", "check", "--name", path, *OPENED).returncode == 77


def test_a_change_that_was_interrupted_after_the_backup_is_finished_by_the_same_command(person):
    key = person.folder / KEY
    before = key.read_bytes()
    (person.folder / "stick/copy.json").write_bytes(before)
    changing = ("key", "passphrase", *OPENED, *CHANGED, "--backup", "stick/copy.json")
    assert person.run(*changing).returncode == 0
    key.write_bytes(before)  # as if only the backup had been written
    done = person.run(*changing)
    assert done.returncode == 0, done.stderr
    for path in (key, person.folder / "stick/copy.json"):
        assert person.run("key", "check", "--name", path, "--passphrase-file", "new passphrase").returncode == 0


def _another_key(person):
    done = person.run("key", "new", "--name", "other", "--backup", "stick/copy.json", *OPENED)
    assert done.returncode == 0, done.stderr


REFUSED_CHANGES = {
    "a wrong passphrase": (("--passphrase-file", "new passphrase", *CHANGED), "key.wrong_passphrase", 77),
    "a weak passphrase": ((*OPENED, "--new-passphrase-file", "weak"), "key.weak_passphrase", 64),
    "a backup that is another file": ((*OPENED, *CHANGED, "--backup", "video.mp4"), "key.other_backup", 73),
    "a backup that is another key": ((*OPENED, *CHANGED, "--backup", "stick/copy.json"), "key.other_backup", 73),
    "a backup that is the key": ((*OPENED, *CHANGED, "--backup", KEY), "file.is_input", 73),
    "a backup in no folder": ((*OPENED, *CHANGED, "--backup", "none/copy.json"), "file.no_folder", 73),
    "a backup that is a device": ((*OPENED, *CHANGED, "--backup", "/dev/null"), "file.not_lasting", 73),
}


@pytest.mark.parametrize("name", REFUSED_CHANGES)
def test_a_change_that_is_refused_changes_nothing(person, name):
    given, code, exit_code = REFUSED_CHANGES[name]
    (person.folder / "weak").write_text("a\n", "utf-8")
    (person.folder / "video.mp4").write_bytes(b"a video")
    _another_key(person)
    with unchanged(person.folder):
        done = person.run("--lang", "zh", "key", "passphrase", *given, "--json")
    assert said(done, exit_code)["error"]["code"] == code


def test_a_change_on_a_full_disk_leaves_the_old_file(person):
    with mounted(person.folder / "disk", "64k") as disk:
        (disk.folder / "key.json").write_bytes((person.folder / KEY).read_bytes())
        disk.fill()
        done = person.run("key", "passphrase", "--name", "disk/key.json", *OPENED, *CHANGED, "--json")
        assert said(done, 74)["error"]["code"] == "file.unwritable"
        assert said(person.run("key", "check", "--name", "disk/key.json", *OPENED, "--json"))
