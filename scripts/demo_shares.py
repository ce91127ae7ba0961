"""The demo's second half: a contribution, an agreement, an amendment, two reports, and one party's payouts offline."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import httpx
from local_registry import run_deedlog

from deedlog.registry import keystore
from deedlog.registry.hexadecimal import to_checksum
from deedlog.registry.passphrases import read_passphrase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Step = Callable[[str], None]
    Require = Callable[[bool, str], None]

DAY = 24 * 3600
FIRST, SECOND = 1_000_003, 777_777
"""What the work earns in two periods, in fen."""


class Person:
    """A person with a key of their own, in a folder of their own."""

    def __init__(self, name: str, folder: Path, passphrase_file: Path) -> None:
        """Use a folder; make the person's key, `key.json`, there if it does not exist."""
        self.name = name
        self.folder = folder
        self._passphrase_file = passphrase_file
        self._environment = os.environ | {"DEEDLOG_HOME": str(folder), "DEEDLOG_LANG": "en"}
        key = folder / "key.json"
        if not key.exists():
            folder.mkdir(exist_ok=True)
            # A low scrypt cost, so that the demo is quick: an earlier step shows how a real key is made.
            keystore.write(key, keystore.new_key(), read_passphrase(passphrase_file), cost=2**4)
        self.account = to_checksum(keystore.account_or_open(key, lambda: read_passphrase(passphrase_file)))

    def run(self, *arguments: str, expect: int = 0) -> Any:
        """Run a command as this person; return its JSON."""
        return json.loads(run_deedlog((*arguments, "--json"), self._environment, expect))

    def sign(self, url: str, registry: str, *arguments: str, expect: int = 0) -> Any:
        """Print and run a command that signs; return its JSON."""
        words = " ".join(argument for argument in arguments[:3] if not argument.startswith("--"))
        print(f"   {self.name}: deedlog {words[:100]}", flush=True)
        key = ("--key", str(self.folder / "key.json"), "--passphrase-file", str(self._passphrase_file))
        asked = () if arguments[0] == "prove" else ("--yes",)  # nobody is there to answer
        return self.run(*arguments, *key, *asked, "--url", url, "--registry", registry, expect=expect)


class Shares:
    """The people of the story, and their agreements."""

    def __init__(self, folder: Path, passphrase_file: Path, url: str, registry: str, work: str) -> None:
        """Use the demo's folder, which has the creator's key, and the work."""
        self.folder = folder
        self.url, self.registry, self.work = url, registry, work
        self.creator = Person("creator", folder / "creator", passphrase_file)
        self.editor = Person("editor", folder / "editor", passphrase_file)
        self.presenter = Person("presenter", folder / "presenter", passphrase_file)
        self.payer = Person("platform", folder / "payer", passphrase_file)
        self.now = int(time.time())
        self.agreement = self.amendment = ""
        self.reports: list[str] = []

    def tell(self, step: Step, require: Require) -> None:
        """Run this half of the story, while the registry is up."""
        step("A co-creator claims a part in the work; it is shown as claimed until the creator countersigns")
        claimed = self._sign(
            self.editor, "contribute", self.work, "--role", "editing", "--credited-as", "剪辑 / Editor"
        )
        require(self._standing(claimed["digest"]) == "claim.claimed", "the part is shown as claimed")
        self._sign(self.creator, "countersign", claimed["digest"])
        require(self._standing(claimed["digest"]) == "claim.confirmed", "the part is confirmed")

        step("Three propose how what the work brings is shared: it binds nobody until all three have signed")
        terms = ("--payer", self.payer.account, "--accept-by", str(self.now + DAY))
        lines = self._lines({self.creator: 500_000, self.editor: 125_000, self.presenter: 375_000})
        first = ("--work", self.work, *lines, *terms, "--from", str(self.now - 90 * DAY))
        proposed = self._sign(self.creator, "agreement", "propose", *first)
        self.agreement = proposed["digest"]
        require(len(proposed["missing"]) == 2, "two have still to sign")  # noqa: PLR2004 - of three
        self._sign(self.editor, "agreement", "accept", self.agreement)
        require(self._sign(self.editor, "agreement", "show", self.agreement)["state"] == "proposed", "it is a draft")
        done = self._sign(self.presenter, "agreement", "accept", self.agreement)
        require(done["outcome"] == "accepted", "with the last signature it is accepted")
        require(self._standing(self.agreement) == "agreement.is_in_force", "it is in force")

        step("The platform reports a period's revenue; what each gets is computed to the last fen")
        self._report(self.now - 90 * DAY, self.now - 60 * DAY, FIRST)

        step("The presenter leaves: an amendment, signed by all three")
        stays = self._lines({self.creator: 700_000, self.editor: 300_000})
        amended = (self.agreement, *stays, "--accept-by", str(self.now + DAY), "--from", str(self.now - 60 * DAY))
        self.amendment = self._sign(self.creator, "agreement", "amend", *amended)["digest"]
        self._sign(self.presenter, "agreement", "accept", self.amendment)
        done = self._sign(self.editor, "agreement", "accept", self.amendment)
        require(done["outcome"] == "accepted", "all of both have signed")
        require(self._standing(self.agreement) == "agreement.is_superseded", "the first is superseded")
        require(self._standing(self.amendment) == "agreement.is_in_force", "the amendment is in force")

        step("A second report, under the amendment")
        self._report(self.now - 60 * DAY, self.now - 30 * DAY, SECOND)
        for agreement, expected in ((self.agreement, FIRST), (self.amendment, SECOND)):
            self._show_payouts(agreement, expected, require)

    def prove(self, until_anchored: Callable[[str], None]) -> str:
        """Fetch the editor's bundles, with the editor's own line open; return a hash of the block that proves them."""
        block_hash = ""
        for name, digest, line in (
            ("agreement", self.agreement, ("--open", "mine")),
            ("amendment", self.amendment, ("--open", "mine")),
            ("report-1", self.reports[0], ()),
            ("report-2", self.reports[1], ()),
        ):
            until_anchored(digest)
            path = str(self.folder / f"{name}.deed")
            found = self._sign(self.editor, "prove", digest, "-o", path, *line)
            block_hash = found["block_hash"]
        return block_hash

    def check_offline(self, require: Require) -> None:
        """With the registry stopped, verify the editor's line and recompute the editor's payouts."""
        for name, report, ppm, amount in (
            ("agreement", "report-1", 125_000, FIRST),
            ("amendment", "report-2", 300_000, SECOND),
        ):
            bundle, reported = self.folder / f"{name}.deed", self.folder / f"{report}.deed"
            text = bundle.read_text(encoding="utf-8")
            require(text.count('"ppm":') == 1, "one line can be read, the others are hidden")
            pins = ("--registry", self.registry)
            verdict = self.editor.run("verify", str(bundle), *pins, expect=2)
            complete = verdict["answers"]["complete"]
            require(complete["code"] == "complete.some_lines", "all have signed, and one line is shown")
            print(f"   {name}: {complete['params']['lines']}")
            own = self.editor.run("payout", "check", str(bundle), str(reported), *pins)
            require(own["to_date"] == str(amount * ppm // 1_000_000), "the payout is floor(revenue x ppm / 1,000,000)")
            print(f"     of {amount:,} fen: {int(own['to_date']):,} fen")

    def _report(self, start: int, end: int, amount: int) -> None:
        period = ("--start", str(start), "--end", str(end), "--currency", "CNY", "--amount", str(amount))
        self.reports.append(self._sign(self.payer, "report", self.work, *period)["digest"])

    def _show_payouts(self, agreement: str, expected: int, require: Require) -> None:
        found = self._sign(self.editor, "payout", "show", agreement)
        for report in found["reports"]:
            paid = sum(int(amount) for amount in report["paid"].values())
            require(paid + int(report["carried"]) == expected, "payouts and what is carried are the amount")
            print(f"   {expected:,} fen: " + ", ".join(f"{int(fen):,}" for fen in report["paid"].values()), flush=True)
            print(f"   carried: {report['carried']}")

    def _standing(self, digest: str) -> str:
        # A public request: no key, no session.
        code: str = httpx.get(f"{self.url}/v1/statements/{digest}").json()["standing"]["code"]
        return code

    def _sign(self, person: Person, *arguments: str) -> Any:
        return person.sign(self.url, self.registry, *arguments)

    @staticmethod
    def _lines(shares: dict[Person, int]) -> list[str]:
        return [part for who, ppm in shares.items() for part in ("--share", f"{who.account}:{ppm}:producer")]
