"""The commands of shares as people type them: each once as it is meant, and the mistakes that are made with it."""

from __future__ import annotations

import json
import secrets
import time
from types import SimpleNamespace

import httpx
import pytest
from support.worlds.commands.command_errors import refused
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.registries.shares_world import DAY, Sharing, upload
from support.worlds.registries.site_world import Site

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.registry import keystore
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.signatures import account_of_private_key

LOST = "0x" + "ab" * 32


class Somebody(CommandLineUser):
    """Somebody with a cheap key, at one registry."""

    def __init__(self, folder, fork_server, local):
        folder.mkdir()
        super().__init__(folder, fork_server)
        self.cheap_key()
        self.key = self.opened("default")
        self.account = account_of_private_key(self.key)
        self.shown = to_checksum(self.account)
        self.local = local

    def opened(self, name):
        return keystore.read(self.folder / f"home/keys/{name}.json", self.passphrase.read_text("utf-8").strip())

    def more_keys(self, *names):
        """Make more keys that are cheap; return their accounts."""
        passphrase = self.passphrase.read_text("utf-8").strip()
        (self.folder / "home/keys").mkdir(parents=True, exist_ok=True)
        for name in names:
            keystore.write(self.folder / f"home/keys/{name}.json", keystore.new_key(), passphrase, cost=2**4)
        return [account_of_private_key(self.opened(name)) for name in names]

    def sign(self, *arguments, language="en", given=None, yes=True):
        """Run a command that signs."""
        asked = ("--yes",) if yes else ()
        how = ("--url", self.local.url, "--passphrase-file", self.passphrase)
        return self.run("--lang", language, *arguments, *how, *asked, given=given)

    def does(self, *arguments):
        """Run a command that signs and succeeds; return its JSON."""
        done = self.sign(*arguments, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)

    def says(self, *arguments, language="en"):
        """Run a command that signs and succeeds; return what it tells a person."""
        done = self.sign(*arguments, language=language)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def kept(self):
        return {path.name for path in (self.folder / "home/statements").rglob("*.json")}


@pytest.fixture(scope="module")
def scene(tmp_path_factory, local, fork_server):
    """Four people; a work of two of them, an agreement of three, a report, and a part that is confirmed."""
    folder = tmp_path_factory.mktemp("people")
    anna, ben, cleo, payer = (Somebody(folder / name, fork_server, local) for name in ("anna", "ben", "cleo", "payer"))
    (anna.folder / "film.mp4").write_bytes(secrets.token_bytes(1000))
    begin = int(time.time()) - 90 * DAY
    names = ("--title", "电影 A film", "--credited-as", "安娜 Anna", "--creator", ben.shown.lower())
    made = anna.does("register", "film.mp4", *names)
    accepted = ben.says("agreement", "accept", made["digest"])
    lines = [f"{anna.shown}:500000:producer", f"{ben.shown}:125000:editing", f"{cleo.shown}:375000:presenter"]
    terms = ("--work", made["digest"], *(part for line in lines for part in ("--share", line)))
    terms += ("--payer", payer.shown, "--from", begin, "--accept-by", begin + 91 * DAY)
    proposing = ("agreement", "propose", *terms)
    proposed = anna.says(*proposing)
    again = anna.does(*proposing)
    again_said = anna.says(*proposing)
    digest = again["digest"]
    shown = ben.says("agreement", "show", digest, language="zh")
    second = ben.does("agreement", "accept", digest)
    third = cleo.says("agreement", "accept", digest)
    period = ("--start", begin, "--end", begin + 10 * DAY, "--currency", "CNY", "--amount", "1000003")
    reported = payer.does("report", made["digest"], *period)
    return SimpleNamespace(
        anna=anna,
        ben=ben,
        cleo=cleo,
        payer=payer,
        begin=begin,
        names=names,
        work=made["digest"],
        made=made,
        accepted=accepted,
        proposing=proposing,
        proposed=proposed,
        again=again,
        again_said=again_said,
        agreement=digest,
        shown=shown,
        second=second,
        third=third,
        period=period,
        report=reported,
    )


def standing(scene, digest):
    return httpx.get(f"{scene.anna.local.url}/v1/statements/{digest}").json()["standing"]["code"]


def test_a_work_of_two_is_registered_by_both(scene):
    assert scene.made["outcome"] == "proposed"
    assert scene.made["missing"] == [scene.ben.shown]
    assert f"Registered: Work {scene.work}" in scene.accepted
    assert "title: 电影 A film" in scene.accepted, "what is signed is shown"
    assert standing(scene, scene.work) == "standing.counts"


def test_an_agreement_is_proposed_shown_and_accepted(scene):
    assert f"{scene.ben.shown} 125,000 ppm editing" in scene.proposed
    assert "Your signature stays valid until" in scene.proposed
    assert "deedlog agreement cancel" in scene.proposed
    assert "Each of these accounts depends on a single key" in scene.proposed
    assert "Still to sign: " in scene.proposed
    assert scene.again["outcome"] == "known", "the same command sends the same statement"
    assert sorted(scene.again["missing"]) == sorted([scene.ben.shown, scene.cleo.shown])
    assert scene.agreement in scene.proposed
    assert f"{scene.anna.shown}  已签名" in scene.shown
    assert f"{scene.cleo.shown}  尚未签名" in scene.shown
    assert "You had already signed this" in scene.again_said
    assert (scene.second["outcome"], scene.second["missing"]) == ("signed", [scene.cleo.shown])
    assert f"Registered: Agreement {scene.agreement}" in scene.third
    assert standing(scene, scene.agreement) == "agreement.is_in_force"
    assert scene.cleo.does("agreement", "accept", scene.agreement)["outcome"] == "known"
    assert "In force since" in scene.payer.says("agreement", "show", scene.agreement)


def test_nothing_is_signed_without_a_yes(scene):
    before = scene.anna.kept()
    changed = (*scene.proposing[:-1], scene.begin + 92 * DAY)
    done = scene.anna.sign(*changed, given="n\n", yes=False)
    assert done.returncode == 130
    assert "Sign and send?" in done.stdout
    assert scene.anna.kept() == before


def test_a_part_is_claimed_and_confirmed(scene):
    part = ("contribute", scene.work, "--role", "camera", "--credited-as", "克莱奥")
    said = scene.cleo.says(*part, language="zh")
    digest = scene.cleo.does(*part)["digest"]
    assert digest in said
    assert standing(scene, digest) == "claim.claimed"
    confirmed = scene.ben.does("countersign", digest)
    assert confirmed["kind"] == "Countersignature"
    assert scene.ben.does("countersign", digest) == {**confirmed, "outcome": "known"}
    assert standing(scene, digest) == "claim.confirmed"
    refused(
        scene.cleo.sign("contribute", scene.work, "--role", "king", "--credited-as", "C", "--json", language="zh"),
        *("word.unknown", "viewer-contribution", "viewer-contribution"),
    )


def test_an_upload_is_claimed_confirmed_and_verified_with_both_beside_it(scene):
    local, payer, cleo = scene.payer.local, scene.payer, scene.cleo
    identity = RegistryIdentity.from_json(json.loads((local.data / "identity.json").read_text("utf-8")), contracts())
    secret = json.loads(local.deedlog("api-key", "new", "platform", "--scope", "upload", "--json"))["secret"]
    with httpx.Client(base_url=local.url, headers={"Authorization": f"Bearer {secret}"}) as platform:
        site = Site(local, identity, platform, platform)
        uploaded = to_hex(Sharing(site).register(upload(payer), payer))
    claimed = cleo.does("claim", uploaded, "--credited-as", "Cleo")["digest"]
    assert cleo.does("claim", uploaded, "--credited-as", "Cleo")["outcome"] == "known"
    word = payer.does("countersign", claimed)["digest"]
    for name, digest in (("upload", uploaded), ("claim", claimed), ("word", word)):
        fetched = cleo.run("prove", digest, "-o", f"{name}.deed", "--wait", "--url", local.url, "--json")
        assert fetched.returncode == 0, fetched.stderr
    pins = ("--registry", to_checksum(identity.address))
    alone = json.loads(cleo.run("verify", "upload.deed", *pins, "--with", "claim.deed", "--json").stdout)
    assert alone["answers"]["author"]["code"] == "author.platform_only"
    both = ("--with", "claim.deed", "--with", "word.deed")
    verdict = json.loads(cleo.run("verify", "upload.deed", *pins, *both, "--json").stdout)
    assert verdict["answers"]["author"]["code"] == "author.claimed"
    assert verdict["answers"]["author"]["params"]["accounts"] == cleo.shown
    shown = cleo.run("--lang", "zh", "verify", "upload.deed", *pins, *both)
    assert cleo.shown in shown.stdout
    assert shown.returncode == 2, "no block is vouched for"


def test_a_party_opens_their_line_and_recomputes_their_payouts_offline(scene):
    ben, local = scene.ben, scene.ben.local
    reading = ("--wait", "--key", "default", "--passphrase-file", ben.passphrase, "--url", local.url, "--json")
    opened = ben.run("prove", scene.agreement, "-o", "mine.deed", "--open", "mine", *reading)
    assert opened.returncode == 0, opened.stderr
    registry = json.loads(opened.stdout)["registry"]
    text = (ben.folder / "mine.deed").read_text("utf-8")
    assert text.count('"ppm":') == 1
    assert ben.run("prove", scene.report["digest"], "-o", "report.deed", *reading).returncode == 0
    verified = ben.run("verify", "mine.deed", "--registry", registry)
    assert "125,000 ppm" in verified.stdout
    assert "All 3 parties signed" in verified.stdout
    pins = ("--registry", registry)
    checked = json.loads(ben.run("payout", "check", "mine.deed", "report.deed", *pins, "--json").stdout)
    assert (checked["to_date"], checked["ppm"], checked["currency"], checked["registry_pinned"]) == (
        *("125000", 125_000, "CNY"),
        True,
    )
    unpinned = ben.run("--lang", "zh", "payout", "check", "mine.deed", "report.deed")
    assert unpinned.returncode == 2, "unpinned, nothing is checked against an address that anybody trusts"
    assert "125,000" in unpinned.stdout
    assert "--registry" in unpinned.stdout, "unpinned, it says where the address came from"
    assert "取自存证包本身，并不能证明" in unpinned.stdout
    shown = ben.says("payout", "show", scene.agreement)
    assert f"{ben.shown}  125000" in shown
    assert "1000003 CNY, carried 1" in shown
    found = scene.payer.does("payout", "show", scene.agreement)
    assert [period["paid"][ben.shown] for period in found["reports"]] == ["125000"]
    refused(
        ben.run("--lang", "zh", "payout", "check", "report.deed", "report.deed", "--json"),
        *("payout_check.no_agreement", "", ""),
    )
    refused(
        ben.run("--lang", "zh", "payout", "check", "mine.deed", "report.deed", "report.deed", "--json"),
        *("report.overlaps", "another period", "", 1),
    )


def test_an_amendment_keeps_what_is_not_said_and_a_termination_ends_it(scene):
    anna, ben, cleo, payer = scene.anna, scene.ben, scene.cleo, scene.payer
    (anna.folder / "short.mp4").write_bytes(secrets.token_bytes(1000))
    made = anna.does("register", "short.mp4", "--title", "Short", "--credited-as", "Anna")["digest"]
    (anna.folder / "terms.txt").write_text("我们如此约定", "utf-8")
    lines = [part for who in (anna, ben) for part in ("--share", f"{who.shown}:500000:producer")]
    end = scene.begin + 400 * DAY
    terms = ("--payer", payer.shown, "--terms", "terms.txt", "--from", scene.begin, "--until", end)
    first = anna.does("agreement", "propose", "--work", made, *lines, *terms)["digest"]
    assert (anna.folder / "terms.txt.salt").exists()
    ben.does("agreement", "accept", first)
    stays = ("--share", f"{anna.shown}:400000:producer", "--share", f"{cleo.shown}:600000:music")
    amending = ("agreement", "amend", first, *stays, "--from", scene.begin + DAY)
    second = anna.does(*amending)
    assert anna.does(*amending)["digest"] == second["digest"]
    assert sorted(second["missing"]) == sorted([ben.shown, cleo.shown])
    message = [anna.does("agreement", "show", each)["typed_data"]["message"] for each in (first, second["digest"])]
    for member in ("works", "payer", "termsHash", "effectiveUntil"):
        assert message[0][member] == message[1][member], member
    assert message[1]["leaving"] == [ben.shown.lower()]
    for person in (ben, cleo):
        person.does("agreement", "accept", second["digest"])
    assert standing(scene, first) == "agreement.is_superseded"
    ending = ("agreement", "terminate", second["digest"], "--reason", "到此为止")
    ended = cleo.does(*ending)
    assert (ended["kind"], ended["outcome"], ended["missing"]) == ("Termination", "proposed", [anna.shown])
    assert cleo.does(*ending)["digest"] == ended["digest"]
    assert f"Registered: Termination {ended['digest']}" in anna.says("agreement", "accept", ended["digest"])
    assert standing(scene, second["digest"]) == "agreement.is_terminated"


def test_a_draft_is_declined_and_cancelled(scene):
    anna, ben = scene.anna, scene.ben
    (ben.folder / "other.mp4").write_bytes(secrets.token_bytes(1000))
    made = ben.does("register", "other.mp4", "--title", "Other", "--credited-as", "Ben")["digest"]
    lines = [part for who in (anna, ben) for part in ("--share", f"{who.shown}:500000:producer")]
    draft = ben.does("agreement", "propose", "--work", made, *lines, "--payer", scene.payer.shown)["digest"]
    declined = anna.says("agreement", "decline", draft, language="zh")
    assert draft in declined
    assert "declined" in ben.says("agreement", "show", draft)
    cancelled = ben.does("agreement", "cancel", draft, "--reason", "改主意了")
    assert cancelled["kind"] == "Cancellation"
    assert ben.does("agreement", "cancel", draft, "--reason", "改主意了")["digest"] == cancelled["digest"]
    assert ben.does("agreement", "show", draft)["state"] == "cancelled"
    refused(anna.sign("agreement", "accept", draft, "--json", language="zh"), "agreement.cancelled", "cancelled", "")


def test_whoever_cancels_what_is_not_here_is_told_to_look_at_the_digest(scene):
    said = scene.cleo.says("agreement", "cancel", LOST, "--reason", "I signed that elsewhere")
    assert f"no draft {LOST} that you may read" in said
    assert "Registered: Cancellation" in said


def test_what_each_would_get_is_shown_before_anybody_signs(scene):
    shares = ("--share", f"{scene.anna.shown}:999999:producer", "--share", f"{scene.ben.shown}:1:editing")
    revenue = ("--revenue", "1000003", "--revenue", "-3")
    shown = scene.anna.run("agreement", "simulate", *shares, *revenue)
    assert shown.returncode == 0, shown.stderr
    [anna_line] = [line for line in shown.stdout.splitlines() if line.startswith(scene.anna.shown)]
    assert "#" * 29 in anna_line
    assert anna_line.endswith("999,999 ppm  999,999")
    found = json.loads(scene.anna.run("--lang", "zh", "agreement", "simulate", *shares, *revenue, "--json").stdout)
    assert [period["revenue"] for period in found["periods"]] == ["1000003", "-3"]
    assert found["periods"][0]["paid"] == {scene.anna.shown: "1000001", scene.ben.shown: "1"}
    assert found["periods"][0]["carried"] == "1"
    assert sum(map(int, found["closing"].values())) == int(found["periods"][-1]["carried"])


def test_a_key_is_handed_over(scene, tmp_path_factory, fork_server, local):
    person = Somebody(tmp_path_factory.mktemp("dora") / "dora", fork_server, local)
    successor, _ = person.more_keys("next", "spare")
    handing = ("key", "rotate", "--to", "next", "--to-passphrase-file", person.passphrase)
    said = person.says(*handing)
    assert f"{to_checksum(successor)} acts for {person.shown}" in said
    again = person.does(*handing)
    assert (again["kind"], again["outcome"]) == ("Rotation", "known")
    refused(
        person.sign("contribute", scene.work, "--role", "music", "--credited-as", "D", "--json", language="zh"),
        *("account.rotated_away", to_checksum(successor), to_checksum(successor)),
    )
    spare = ("key", "rotate", "--to", "spare", "--to-passphrase-file", person.passphrase, "--json")
    refused(person.sign(*spare, language="zh"), "account.rotated_away", "Sign with", "")
    refused(person.sign("key", "rotate", "--to", "nobody", "--json", language="zh"), "file.unreadable", "", "")


def test_who_was_rotated_is_amended_reported_and_paid_as_who_speaks_for_them(
    scene, tmp_path_factory, fork_server, local
):
    folder = tmp_path_factory.mktemp("rotated")
    dora, paul = (Somebody(folder / name, fork_server, local) for name in ("dora", "paul"))
    anna, begin = scene.anna, scene.begin
    (anna.folder / "rotated.mp4").write_bytes(secrets.token_bytes(1000))
    of = anna.does("register", "rotated.mp4", "--title", "R", "--credited-as", "A")["digest"]
    shares = ("--share", f"{anna.shown}:600000:script", "--share", f"{dora.shown}:400000:music")
    first = anna.does("agreement", "propose", "--work", of, *shares, "--payer", paul.shown, "--from", begin)["digest"]
    dora.does("agreement", "accept", first)
    rotations, successors = [], []
    for person in (dora, paul):
        successors += [to_checksum(account) for account in person.more_keys("next", "last")]
        for before, after in (("default", "next"), ("next", "last")):
            handing = ("key", "rotate", "--key", before, "--to", after, "--to-passphrase-file", person.passphrase)
            rotations.append(person.does(*handing)["digest"])
    period = ("--start", begin, "--end", begin + DAY, "--currency", "CNY", "--amount", "1001")
    reported = paul.does("report", of, *period, "--key", "last")["digest"]
    amended = anna.does("agreement", "amend", first, "--from", begin + DAY)
    assert amended["missing"] == [successors[1]]
    message = anna.does("agreement", "show", amended["digest"])["typed_data"]["message"]
    assert message["payer"] == successors[3].lower()
    assert {share["party"]: share["ppm"] for share in message["shares"]} == {
        anna.shown.lower(): 600_000,
        successors[1].lower(): 400_000,
    }
    assert dora.does("agreement", "accept", amended["digest"], "--key", "last")["outcome"] == "accepted"

    reading = ("--wait", "--key", "last", "--passphrase-file", dora.passphrase, "--url", local.url, "--json")
    for name, digest in (("report", reported), ("rotation", rotations[2]), ("another", rotations[3])):
        assert dora.run("prove", digest, "-o", f"{name}.deed", *reading).returncode == 0
    mine = ("prove", first, "-o", "mine.deed", "--open", dora.shown)
    done = dora.run(*mine, *reading)
    assert done.returncode == 0, done.stderr
    check = ("payout", "check", "mine.deed", "report.deed", "--json")
    refused(dora.run("--lang", "zh", *check), "payout_check.other_agreement", "rotation", "")
    refused(dora.run("--lang", "zh", *check, "rotation.deed"), "payout_check.other_agreement", "rotation", "")
    checked = dora.run(*check, "another.deed", "rotation.deed")
    assert json.loads(checked.stdout)["to_date"] == "400"


def agreeing(*shares, work=None, payer=True):
    def arguments(scene):
        lines = [part for share in shares for part in ("--share", share.format(**people_of(scene)))]
        by = ("--payer", scene.payer.shown) if payer else ()
        return "anna", ("agreement", "propose", "--work", work or scene.work, *lines, *by)

    return arguments


def people_of(scene):
    return {name: getattr(scene, name).shown for name in ("anna", "ben", "cleo", "payer")}


def by(name, *arguments):
    """Run a command as somebody of the scene; what stands in braces is the scene's."""

    def made(scene):
        known = {"work": scene.work, "agreement": scene.agreement, "report": scene.report["digest"], **people_of(scene)}
        return name, [argument.format(**known) for argument in arguments]

    return made


HALF = ("{anna}:500000:producer", "{ben}:500000:editing")

MISTAKES = {
    "no payer": (agreeing(*HALF, payer=False), "agreement.no_payer", "--payer"),
    "no share": (agreeing(), "agreement.no_shares", "--share"),
    "a share without a role": (agreeing("{anna}:1000000"), "share.malformed", "ACCOUNT:PPM:ROLE"),
    "a share of 5000 digits": (agreeing("{anna}:" + "9" * 5000 + ":producer"), "share.malformed", "ACCOUNT:PPM:ROLE"),
    "a share in per cent": (agreeing("{anna}:50%:producer", HALF[1]), "share.malformed", "ACCOUNT:PPM:ROLE"),
    "a party twice": (agreeing(HALF[0], HALF[0]), "share.twice", ""),
    "a role that there is not": (agreeing("{anna}:500000:king", HALF[1]), "word.unknown", "viewer-contribution"),
    "one part too few": (agreeing("{anna}:499999:producer", HALF[1]), "agreement.sum", "1000000"),
    "without a creator": (
        agreeing("{anna}:500000:producer", "{cleo}:500000:music"),
        *("agreement.creator_missing", "every creator of a work must be a party"),
    ),
    "a second agreement": (agreeing(*HALF), "agreement.stale", "Supersede it"),
    "an unknown work": (agreeing(*HALF, work=LOST), "work.unknown", "Check the digest"),
    "accept what is not there": (by("ben", "agreement", "accept", LOST), "statement.unknown", "digest"),
    "show what is not there": (by("ben", "agreement", "show", LOST), "statement.unknown", "digest"),
    "decline what is not there": (by("ben", "agreement", "decline", "{agreement}"), "draft.unknown", "no draft"),
    "cancel what is complete": (
        by("ben", "agreement", "cancel", "{agreement}", "--reason", "no"),
        *("cancellation.complete", "Termination"),
    ),
    "amend what is no agreement": (
        by("anna", "agreement", "amend", "{work}"),
        "agreement.unknown",
        "A draft counts only once everybody has signed",
    ),
    "terminate what is no agreement": (
        by("anna", "agreement", "terminate", "{work}", "--reason", "no"),
        *("agreement.unknown", "A draft counts only once everybody has signed"),
    ),
    "terminate as a stranger": (
        by("payer", "agreement", "terminate", "{agreement}", "--reason", "no"),
        *("signature.not_a_signer", ""),
    ),
    "report as a party": (
        by("anna", "report", "{work}", "--start", "1", "--end", "2", "--currency", "CNY", "--amount", "1"),
        *("report.not_the_payer", "names as payer"),
    ),
    "report in small letters": (
        by("payer", "report", "{work}", "--start", "1", "--end", "2", "--currency", "cny", "--amount", "1"),
        *("text.pattern", "This must match"),
    ),
    "report an empty period": (
        by("payer", "report", "{work}", "--start", "2", "--end", "2", "--currency", "CNY", "--amount", "1"),
        *("report.period", "later periodEnd"),
    ),
    "payouts as of a work": (
        by("anna", "payout", "show", "{work}"),
        "agreement.unknown",
        "A draft counts only once everybody has signed",
    ),
    "claim a work": (
        by("cleo", "claim", "{work}", "--credited-as", "C"),
        "claim.unknown_upload",
        "register the upload",
    ),
    "countersign a work": (by("anna", "countersign", "{work}"), "countersignature.nothing_to_confirm", ""),
    "a creator who is no account": (
        by("anna", "register", "film.mp4", "--title", "T", "--credited-as", "A", "--creator", "0x12"),
        *("hex.length", "20 bytes"),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_in_both_languages_and_leaves_nothing_to_be_sent_again(scene, name):
    make, code, english = MISTAKES[name]
    who, arguments = make(scene)
    person = getattr(scene, who)
    before = person.kept()
    refused(person.sign(*arguments, "--json", language="zh"), code, english, "")
    assert person.kept() == before


def test_terms_are_not_proven_to_whom_they_do_not_concern(scene):
    url = ("--url", scene.anna.local.url, "--json")
    scene.anna.local.await_logged(scene.agreement)
    nobody = scene.anna.run("--lang", "zh", "prove", scene.agreement, "-o", "x.deed", *url)
    refused(nobody, "statement.withheld", "", "")
    reading = ("--key", "default", "--passphrase-file", scene.payer.passphrase, *url)
    no_line = scene.payer.run("--lang", "zh", "prove", scene.agreement, "-o", "x.deed", "--open", "mine", *reading)
    refused(no_line, "statement.no_line", "Name an account that has one", "")
    assert not (scene.payer.folder / "x.deed").exists()
