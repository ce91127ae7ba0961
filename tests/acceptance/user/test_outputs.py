"""Every output of every command, in every situation: nothing of anybody's is lost, and no half file is left.

A full disk is in `test_full_disk`; how files are written is in `tests/unit/ground/test_files.py`.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.faults.small_disk import mounted
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.commands.folder_snapshot import unchanged


@pytest.fixture(scope="module")
def creator(tmp_path_factory, local, fork_server):
    """Somebody with two registered videos, and the bundles of both."""
    person = CommandLineUser(tmp_path_factory.mktemp("outputs"), fork_server)
    person.cheap_key()
    digests = {}
    for name in ("mine", "other"):
        (person.folder / f"{name}.mp4").write_bytes(os.urandom(64))
        given = ("register", f"{name}.mp4", "--title", name, "--credited-as", "c", "--yes", "--url", local.url)
        done = person.run(*given, "--passphrase-file", person.passphrase, "--json")
        digests[name] = json.loads(done.stdout)["digest"]
    for name, digest in digests.items():
        done = person.run("prove", digest, "-o", f"{name}.deed", "--wait", "--url", local.url)
        assert done.returncode == 0, done.stderr
    return SimpleNamespace(person=person, folder=person.folder, digest=digests["mine"], url=local.url)


# Each output: the command that writes it, and an input of that command.


def report(_creator, path, *more):
    return ("verify", "mine.deed", "mine.mp4", "--report", path, *more)


def bundle(creator, path, *more):
    key = ("--key", "./input", "--passphrase-file", "passphrase")
    return ("prove", creator.digest, "-o", path, "--url", creator.url, *key, *more)


def backup(_creator, path, *more):
    return ("key", "new", "--name", "fresh", "--backup", path, "--passphrase-file", "passphrase", *more)


def key_file(_creator, path, *more):
    given = path if os.sep in str(path) else f"./{path}"
    return ("key", "new", "--name", given, "--backup", "backup.json", "--passphrase-file", "passphrase", *more)


REPLACES = {"report": report, "bundle": bundle}
"""Outputs that `--force` replaces."""

LASTING = {"backup": backup, "key file": key_file}
"""Outputs that must be a new file, which can be opened again."""

OUTPUTS = REPLACES | LASTING
INPUT = {"report": "mine.mp4", "bundle": "input", "backup": "passphrase", "key file": "passphrase"}

every_output = pytest.mark.parametrize("name", OUTPUTS)
replacing = pytest.mark.parametrize("name", REPLACES)
lasting = pytest.mark.parametrize("name", LASTING)


@pytest.fixture(autouse=True)
def tidy(creator):
    """Give each test the same folder: what a test adds is removed after it."""
    (creator.folder / "input").write_bytes((creator.folder / "home/keys/default.json").read_bytes())
    before = set(creator.folder.rglob("*"))
    yield
    for path in sorted(set(creator.folder.rglob("*")) - before, reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def refused(creator, name, path, code, *more):
    """Claim that the output is refused with this code, in both languages, and that nothing changes."""
    with unchanged(creator.folder):
        done = creator.person.run("--lang", "zh", *OUTPUTS[name](creator, path, *more, "--json"))
    assert done.returncode not in (0, 2), done.stdout
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == code, done.stdout
    return done


@every_output
def test_a_video_is_not_replaced(creator, name):
    refused(creator, name, "other.mp4", "file.exists")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("report", "file.exists"),
        ("bundle", "prove.other_bundle"),
        ("backup", "file.exists"),
        ("key file", "file.exists"),
    ],
)
def test_the_bundle_of_another_statement_is_not_replaced(creator, name, code):
    refused(creator, name, "other.deed", code)


def _as_hard_link(creator, given):
    os.link(creator.folder / given, creator.folder / "hard")
    return "hard"


def _through_a_folder(creator, given):
    (creator.folder / "folder").symlink_to(".")
    return f"folder/{given}"


NAMES = {
    "itself": lambda _creator, given: given,
    "absolute": lambda creator, given: creator.folder / given,
    "relative": lambda creator, given: f"../{creator.folder.name}/./{given}",
    "hard link": _as_hard_link,
    "through a folder that is a link": _through_a_folder,
}


@pytest.mark.parametrize("other_name", NAMES)
@replacing
def test_an_input_is_never_replaced_under_any_name_even_by_force(creator, name, other_name):
    path = NAMES[other_name](creator, INPUT[name])
    for more in ((), ("--force",)):
        refused(creator, name, path, "file.is_input", *more)


@pytest.mark.parametrize("other_name", NAMES)
@lasting
def test_an_input_is_never_replaced_by_a_key(creator, name, other_name):
    refused(creator, name, NAMES[other_name](creator, INPUT[name]), "file.is_input")


@pytest.mark.parametrize("given", ["mine.deed", "with.deed", "rendition.deed"])
def test_each_bundle_that_verify_reads_is_an_input(creator, given):
    for name in ("with", "rendition"):
        (creator.folder / f"{name}.deed").write_bytes((creator.folder / "other.deed").read_bytes())
    refused(
        creator, "report", given, "file.is_input", "--with", "with.deed", "--rendition", "rendition.deed", "--force"
    )


@every_output
def test_a_symbolic_link_is_not_followed(creator, name):
    (creator.folder / "link").symlink_to("nothing")
    (creator.folder / "link to a video").symlink_to("other.mp4")
    for path in ("link", "link to a video"):
        for more in ((), ("--force",)) if name in REPLACES else ((),):
            refused(creator, name, path, "file.link", *more)


@every_output
def test_a_missing_folder_is_not_made(creator, name):
    refused(creator, name, "missing/output", "file.no_folder")


@every_output
def test_a_read_only_disk_is_named(creator, name):
    with mounted(creator.folder / "disk", "64k") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk.folder], check=True)
        assert "请" in refused(creator, name, "disk/output", "file.unwritable").stderr


@every_output
def test_a_folder_is_not_a_file(creator, name):
    (creator.folder / "folder").mkdir()
    (creator.folder / "folder" / "fresh.json").mkdir()  # a backup's folder may be given
    refused(creator, name, "folder", "file.unwritable")


@replacing
def test_a_dash_is_standard_output_and_nothing_else_is_printed_there(creator, name):
    with unchanged(creator.folder):
        done = creator.person.run(*OUTPUTS[name](creator, "-"))
    assert done.stderr.strip()
    _is_whole(name, done.stdout)
    both = creator.person.run(*OUTPUTS[name](creator, "-", "--json"))
    assert (both.returncode, both.stdout) == (64, "")
    assert "--json" in both.stderr


def _is_whole(name, written):
    if name == "bundle":
        assert json.loads(written)["version"] == 1
    else:
        assert written.startswith("<!doctype html>")
        assert written.rstrip().endswith("</html>")


@replacing
def test_the_device_of_standard_output_is_the_same(creator, name):
    done = creator.person.run(*OUTPUTS[name](creator, "/dev/stdout"))
    _is_whole(name, done.stdout)


@replacing
def test_a_device_is_written_to(creator, name):
    before = Path(os.devnull).stat()
    done = creator.person.run(*OUTPUTS[name](creator, os.devnull, "--json"))
    assert done.returncode in (0, 2), done.stderr
    after = Path(os.devnull).stat()
    assert (after.st_mode, after.st_rdev) == (before.st_mode, before.st_rdev)


@replacing
def test_a_pipe_gets_the_whole_output(creator, name):
    os.mkfifo(creator.folder / "pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((creator.folder / "pipe").read_text("utf-8")))
    reader.start()
    done = creator.person.run(*OUTPUTS[name](creator, "pipe", "--json"))
    assert done.returncode in (0, 2), done.stderr
    reader.join()
    _is_whole(name, got[0])
    assert stat.S_ISFIFO((creator.folder / "pipe").stat().st_mode)


@pytest.mark.parametrize("path", ["-", "/dev/null", "/dev/stdout", "pipe"])
def test_a_backup_can_be_opened_again(creator, path):
    os.mkfifo(creator.folder / "pipe")
    refused(creator, "backup", path, "file.not_lasting")


@replacing
def test_force_replaces_a_file_that_is_no_input(creator, name):
    there = creator.folder / "there"
    there.write_bytes(b"a video")
    refused(creator, name, "there", "file.exists")
    done = creator.person.run(*OUTPUTS[name](creator, "there", "--force", "--json"))
    assert done.returncode in (0, 2), done.stderr
    _is_whole(name, there.read_text("utf-8"))


def test_a_report_replaces_a_report_on_the_same_statement_only(creator):
    for _ in range(2):
        assert creator.person.run(*report(creator, "page.html")).returncode == 2
    with unchanged(creator.folder):
        done = creator.person.run("verify", "other.deed", "--report", "page.html", "--json")
    assert json.loads(done.stdout)["error"]["code"] == "file.exists"


def test_a_bundle_replaces_an_older_state_and_never_a_more_complete_one(creator):
    path = creator.folder / "state.deed"
    anchored = (creator.folder / "mine.deed").read_bytes()
    older = json.loads(anchored)
    [anchor, *_] = older.pop("anchors")
    older["tlog_proof"] = anchor["tlog_proof"]
    path.write_text(json.dumps(older, ensure_ascii=False), "utf-8")
    assert creator.person.run(*bundle(creator, "state.deed")).returncode == 0
    assert path.read_bytes() == anchored
    # With an anchor on a chain of which the registry knows nothing.
    more = json.loads(anchored)
    more["anchors"].append(anchor | {"chain_id": 1})
    path.write_text(json.dumps(more, ensure_ascii=False), "utf-8")
    refused(creator, "bundle", "state.deed", "prove.fewer_anchors")
    # With another block's header on the same chain: which of the two is true, nobody can tell without a trusted block.
    other = json.loads(anchored)
    header = other["anchors"][0]["header"]
    other["anchors"][0]["header"] = header[:-2] + f"{int(header[-2:], 16) ^ 1:02x}"
    path.write_text(json.dumps(other, ensure_ascii=False), "utf-8")
    refused(creator, "bundle", "state.deed", "prove.fewer_anchors")
    assert creator.person.run(*bundle(creator, "state.deed", "--force")).returncode == 0
    assert path.read_bytes() == anchored


def test_what_needed_a_key_is_for_its_owner_alone_and_so_is_a_report_on_it(creator):
    assert creator.person.run(*bundle(creator, "private.deed")).returncode == 0
    assert creator.person.run("verify", "private.deed", "--report", "private.html").returncode == 2
    assert creator.person.run("verify", "mine.deed", "--report", "public.html").returncode == 2
    # What comes through a pipe may be private, and its mode tells nothing.
    os.mkfifo(creator.folder / "pipe")
    data = (creator.folder / "private.deed").read_bytes()
    writer = threading.Thread(target=lambda: (creator.folder / "pipe").write_bytes(data))
    writer.start()
    assert creator.person.run("verify", "pipe", "--report", "piped.html").returncode == 2
    writer.join()
    for name in ("private.deed", "private.html", "piped.html"):
        assert stat.S_IMODE((creator.folder / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE((creator.folder / "public.html").stat().st_mode) & 0o044


@lasting
def test_a_key_and_its_backup_are_for_their_owner_alone(creator, name):
    done = creator.person.run(*OUTPUTS[name](creator, "new.json", "--json"))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for path in ("path", "backup"):
        written = creator.folder / said[path]
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
        written.unlink()
