"""Nobody signs blind: what a statement says, what it names and what it changes is read before the question."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from types import SimpleNamespace

import pytest
from support.worlds.commands.command_line_user import CommandLineUser

from deedlog.registry import keystore

DAY = 24 * 3600
LOST = "0x" + "ab" * 32


class Person(CommandLineUser):
    """Somebody with a key, at one registry."""

    def __init__(self, folder, fork_server, local):
        folder.mkdir()
        super().__init__(folder, fork_server, DEEDLOG_URL=local.url)
        self.cheap_key()
        self.account = json.loads(self.run("key", "show", "--json").stdout)["account"]

    def sign(self, *arguments, language="en", given=None):
        return self.run("--lang", language, *arguments, "--passphrase-file", self.passphrase, given=given)

    def does(self, *arguments, code=0):
        done = self.sign(*arguments, "--json", *(("--yes",) if arguments[0] not in ("show", "terms") else ()))
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def signs(self, *arguments, language="en"):
        done = self.sign(*arguments, "--yes", language=language)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def scene(tmp_path_factory, local, fork_server):
    """A creator and an editor, with a work, a part in it, and the draft of an agreement with terms."""
    folder = tmp_path_factory.mktemp("signing")
    anna, ben = (Person(folder / name, fork_server, local) for name in ("anna", "ben"))
    (anna.folder / "film.mp4").write_bytes(os.urandom(64))
    work = anna.does("register", "film.mp4", "--title", "A film", "--credited-as", "Anna")["digest"]
    part = ben.does("contribute", work, "--role", "editing", "--credited-as", "Ben the editor")["digest"]
    (anna.folder / "terms.txt").write_text("Nobody pays before June.\n", "utf-8")
    begin = int(time.time())
    shares = ("--share", f"{anna.account}:600000:producer", "--share", f"{ben.account}:400000:editing")
    how = ("--work", work, *shares, "--payer", anna.account, "--from", begin, "--accept-by", begin + DAY)
    proposed = anna.signs("agreement", "propose", *how, "--terms", "terms.txt")
    draft = anna.does("agreement", "propose", *how, "--terms", "terms.txt")["digest"]
    return SimpleNamespace(
        anna=anna, ben=ben, work=work, part=part, begin=begin, proposed=proposed, draft=draft, shares=shares
    )


def before_question(done):
    assert done.returncode == 130, (done.returncode, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize("answer", ["\n", "n\n", ""], ids=["only Enter", "no", "nothing"])
def test_only_yes_is_a_yes(scene, answer):
    (scene.anna.folder / "other.mp4").write_bytes(b"other")
    given = ("register", "other.mp4", "--title", "t", "--credited-as", "c")
    done = scene.anna.sign(*given, given=answer)
    assert "[y/N]" in before_question(done)
    assert not [path for path in (scene.anna.folder / "home").rglob("*.json") if "t" in path.read_text("utf-8").split()]


def test_json_alone_is_no_yes(scene):
    done = scene.anna.sign("countersign", scene.part, "--json", given="\n")
    assert done.returncode == 130
    assert done.stdout == "", "what is shown and asked is on the error stream"
    assert "Ben the editor" in done.stderr
    assert "[y/N]" in done.stderr


def test_a_countersignature_shows_what_it_confirms(scene):
    said = before_question(scene.anna.sign("countersign", scene.part, given="n\n"))
    for word in (scene.part, "Ben the editor", "editing", scene.ben.account.lower(), "(creditedAs)"):
        assert word in said
    assert "title: A film" in said, "what the contribution is to"
    chinese = before_question(scene.anna.sign("countersign", scene.part, language="zh", given="n\n"))
    assert "其内容为" in chinese
    assert "Ben the editor" in chinese


def test_what_the_registry_does_not_show_is_said(scene):
    said = before_question(scene.anna.sign("countersign", LOST, given="n\n"))
    assert "does not show you" in said
    assert LOST in said


def test_a_contribution_shows_the_work(scene):
    given = ("contribute", scene.work, "--role", "music", "--credited-as", "Cleo")
    assert "A film" in before_question(scene.anna.sign(*given, given="n\n"))


def test_the_terms_and_their_salt_are_mentioned(scene):
    for said in ("terms.txt", "terms.txt.salt", "belong together", f"deedlog terms check FILE {scene.draft}"):
        assert said in scene.proposed
    unseen = before_question(scene.ben.sign("agreement", "accept", scene.draft, given="n\n"))
    assert "not shown here" in unseen
    assert f"deedlog terms check FILE {scene.draft}" in unseen
    assert "A film" in unseen, "the work that it covers"
    assert f"Digest, which is what you sign: {scene.draft}" in unseen


@pytest.fixture
def received(scene):
    """What Ben got from Anna: the text and its salt."""
    for name in ("terms.txt", "terms.txt.salt"):
        shutil.copy(scene.anna.folder / name, scene.ben.folder / name)
    return scene.ben


def test_a_party_checks_the_terms(scene, received):
    check = ("terms", "check", "terms.txt", scene.draft, "--key", "default")
    assert "Yes" in (done := received.sign(*check)).stdout
    assert done.returncode == 0
    content = (received.folder / "terms.txt").read_bytes()
    salt = bytes.fromhex((received.folder / "terms.txt.salt").read_text().strip()[2:])
    found = received.does(*check)
    assert found["hash"] == found["named"] == "0x" + hashlib.sha256(salt + content).hexdigest()
    accepting = before_question(received.sign("agreement", "accept", scene.draft, "--terms", "terms.txt", given="n\n"))
    assert "Yes: terms.txt is the text that the agreement names. Keep it together with terms.txt.salt." in accepting
    no_agreement = received.sign("agreement", "accept", scene.work, "--terms", "terms.txt", "--yes")
    assert no_agreement.returncode == 64
    assert "only an agreement names a text" in no_agreement.stderr
    shown = received.does("terms", "check", "terms.txt", code=2)
    assert (shown["hash"], shown["named"]) == (found["hash"], None)
    (received.folder / "terms.txt").write_text("Nobody pays before July.\n", "utf-8")
    other = received.sign(*check)
    assert other.returncode == 1
    assert found["hash"] in other.stdout
    assert "不是" in received.sign(*check, language="zh").stdout
    refused = received.sign("agreement", "accept", scene.draft, "--terms", "terms.txt", "--yes")
    assert refused.returncode == 77
    assert "Nothing was signed" in refused.stderr
    (received.folder / "terms.txt.salt").unlink()
    missing = received.sign(*check)
    assert missing.returncode == 66
    assert "terms.txt.salt" in missing.stderr
    (received.folder / "terms.txt.salt").write_text("0x12\n")
    assert received.sign(*check).returncode == 65


def test_terms_that_are_missing_leave_no_salt(scene):
    given = ("--work", scene.work, *scene.shares, "--payer", scene.anna.account, "--terms", "none.txt")
    assert scene.anna.sign("agreement", "propose", *given, "--yes").returncode == 66
    assert not (scene.anna.folder / "none.txt.salt").exists()


def test_show_by_digest_and_from_files(scene):
    shown = scene.ben.run("show", scene.work)
    assert shown.returncode == 0, shown.stderr
    assert "title: A film" in shown.stdout
    assert "A film" in scene.ben.run("--lang", "zh", "show", scene.work.upper().replace("X", "x", 1)).stdout
    assert scene.ben.run("show", LOST).returncode == 66
    assert scene.ben.run("show", scene.draft).returncode == 66, "a draft is for its parties"
    draft = scene.ben.sign("show", scene.draft, "--key", "default")
    assert f"{scene.anna.account}  signed" in draft.stdout
    assert "600,000 ppm producer" in draft.stdout
    assert scene.anna.run("prove", scene.work, "-o", "film.deed").returncode == 0
    [kept] = [path for path in (scene.anna.folder / "home").rglob("*.json") if '"Work"' in path.read_text("utf-8")]
    for path in (scene.anna.folder / "film.deed", kept):
        filed = scene.anna.run("show", path)
        assert filed.returncode == 0, filed.stderr
        for said in ("title: A film", scene.work, f"Signed by {scene.anna.account}."):
            assert said in filed.stdout
        found = json.loads(scene.anna.run("show", path, "--json").stdout)
        assert (found["digest"], found["signed_by"]) == (scene.work, [scene.anna.account])
    forged = scene.anna.folder / "forged.json"
    forged.write_text(kept.read_text("utf-8").replace("A film", "No film"), "utf-8")
    assert scene.anna.run("show", forged).returncode == 65, "the signature is over something else"
    typed = scene.anna.folder / "typed.json"
    typed.write_text(json.dumps(json.loads(kept.read_text("utf-8"))["typed_data"]), "utf-8")
    assert "no signature" in scene.anna.run("show", typed).stdout
    for name, data in (("none", "{}"), ("text", "hello"), ("list", "[]"), ("bad", '{"entry": 1}')):
        (scene.anna.folder / name).write_text(data, "utf-8")
        assert scene.anna.run("show", name).returncode == 65, name
    assert scene.anna.run("show", "none at all").returncode == 66


def test_an_amendment_shows_what_it_changes(scene):
    assert scene.ben.does("agreement", "accept", scene.draft)["outcome"] == "accepted"
    assert scene.ben.run("show", scene.draft).returncode == 77, "an agreement is for its parties too"
    shares = ("--share", f"{scene.anna.account}:500000:producer", "--share", f"{scene.ben.account}:500000:editing")
    amend = ("agreement", "amend", scene.draft, *shares, "--from", scene.begin + 60, "--accept-by", scene.begin + DAY)
    said = before_question(scene.anna.sign(*amend, given="n\n"))
    assert f"{scene.anna.account} 600,000 ppm producer -> {scene.anna.account} 500,000 ppm producer" in said
    assert f"deedlog terms check FILE {scene.draft}" in said, "the registry does not have the amendment yet"
    differences = said.partition("Differences to it:")[2]
    assert "(payer)" not in differences.partition("You agree")[0], "what does not differ is not listed"
    proposed = scene.anna.does(*amend)["digest"]
    accepting = before_question(scene.ben.sign("agreement", "accept", proposed, language="zh", given="n\n"))
    assert "与它的不同之处" in accepting
    assert f"{scene.ben.account} 400,000 ppm editing -> {scene.ben.account} 500,000 ppm editing" in accepting


def test_what_a_rotation_does_is_said_with_json_too(scene):
    keys = scene.ben.folder / "home/keys"
    keystore.write(keys / "next.json", keystore.new_key(), scene.ben.passphrase.read_text("utf-8").strip(), cost=2**4)
    rotate = ("key", "rotate", "--to", "next", "--to-passphrase-file", scene.ben.passphrase, "--json")
    done = scene.ben.sign(*rotate, given="\n")
    assert done.returncode == 130
    assert done.stdout == ""
    assert f"{keystore.account(keys / 'next.json').hex()}" in done.stderr.lower()
    assert "This cannot be undone." in done.stderr


def test_a_correction_shows_what_it_corrects(scene):
    period = ("--start", scene.begin, "--end", scene.begin + 1, "--currency", "CNY")
    done = scene.anna.sign("report", scene.work, *period, "--amount", "200", "--corrects", LOST, given="n\n")
    assert "does not show you" in before_question(done)
