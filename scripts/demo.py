"""The whole story of one video, ending with a verification while registry and chain are switched off.

Exits 0 only if every step succeeded. All files are in a new folder, which is not removed, so you can look at them.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import interruption
from demo_shares import Shares
from demo_video import make_rendition, make_video
from forgery import forge
from local_registry import LocalRegistry, run_deedlog
from ports import free_port

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.client import Receipt, Registry, Rendition
from deedlog.registry.hashing import digest_file
from deedlog.registry.keystore import new_key

PASSPHRASE = "only for the demo"  # noqa: S105 - its key signs nothing of value
TITLE = "演示：怎样读一篇论文 / Demo: how to read a paper"
NAME = "演示作者 / Demo author"
PROVEN = ("file", "author", "signatures", "complete", "included", "anchored", "time")


class Story:
    """One run: its folder, its registry, and its progress."""

    def __init__(self, folder: Path) -> None:
        """Use an empty folder."""
        self.folder = folder
        self.local = LocalRegistry(
            folder / "registry", port=free_port(), chain_port=free_port(), anchor_interval=2, quiet=False
        )
        self.step_number = 0
        self.passphrase_file = folder / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE + "\n", encoding="utf-8")
        self.key_file = folder / "creator" / "key.json"
        self.backup = folder / "stick" / "backup.json"
        for path in (self.key_file, self.backup):  # `key new` makes no folder that it is given
            path.parent.mkdir()
        # The person's folder is separate from the registry's: the registry gets only what the person sends.
        self.person = os.environ | {"DEEDLOG_HOME": str(folder / "creator"), "DEEDLOG_LANG": "en"}

    def step(self, text: str) -> None:
        """Print the next step's number and text."""
        interruption.check()
        self.step_number += 1
        print(f"\n{self.step_number}. {text}", flush=True)

    def deedlog(self, *arguments: str, expect: int = 0) -> Any:
        """Run a command as the person; return its JSON."""
        print(f"   $ deedlog {' '.join(_shown(argument) for argument in arguments)}", flush=True)
        return json.loads(run_deedlog((*arguments, "--json"), self.person, expect))

    def tell(self, video: Path | None) -> None:
        """Run the story; exit with a message if a step fails."""
        self.step("A registry: local chain, contract, log, web process and worker")
        identity = self.local.start()
        registry = "0x" + identity.address.hex()
        print(f"   the registry's address, where all trust starts: {registry}")

        self.step("A video")
        film = self.folder / f"film{video.suffix if video else '.mp4'}"
        if video is None:
            make_video(film)
            print(f"   made {film.name}, {film.stat().st_size:,} bytes of MP4")
        else:
            shutil.copyfile(video, film)
            print(f"   took {video}, {film.stat().st_size:,} bytes")

        self.step("A creator's key, encrypted, with its backup")
        made = self.deedlog(
            *("key", "new", "--name", str(self.key_file), "--backup", str(self.backup)),
            *("--passphrase-file", str(self.passphrase_file)),
        )
        print(f"   account {made['account']}")

        self.step("The creator hashes the video, signs a Work and registers it; the file is not sent")
        work = self.deedlog(
            *("register", str(film), "--title", TITLE, "--credited-as", NAME, "--yes", "--key", str(self.key_file)),
            *("--passphrase-file", str(self.passphrase_file), "--url", self.local.url, "--registry", registry),
        )
        print(f"   the statement's name is its digest: {work['digest']}")

        self.step("The platform registers a rendition, a smaller file, on its own word")
        smaller = self.folder / "smaller.mp4"
        try:
            make_rendition(film, smaller)
        except (OSError, ValueError, IndexError):
            # The given file cannot be decoded as a video, so write a placeholder that says so.
            smaller.write_bytes(b"a rendition of " + film.read_bytes()[:4096])
        rendition, platform = self._register_rendition(registry, work["digest"], smaller)
        print(f"   {rendition}")

        shares = Shares(self.folder, self.passphrase_file, self.local.url, registry, work["digest"])
        shares.tell(self.step, _require)

        self.step("All is logged, and the log's head is anchored in the contract")
        bundle_file, rendition_file = self.folder / "film.deed", self.folder / "smaller.deed"
        proven = {}
        for digest, path in ((work["digest"], bundle_file), (rendition, rendition_file)):
            self._until_anchored(digest)
            proven[path] = self.deedlog(
                "prove", digest, "-o", str(path), "--url", self.local.url, "--registry", registry
            )
        shown = httpx.get(f"{self.local.url}/v1/statements/{work['digest']}").json()
        _require(shown["state"] in ("anchored", "final"), "the statement is anchored")
        block_hash = proven[bundle_file]["block_hash"]
        print(f"   state: {shown['state']}, log index {shown['log_index']}; proven in block {block_hash}")

        self.step("The editor fetches their proofs: of the agreements only their own line can be read in them")
        shares.prove(self._until_anchored)

        self.step("Registry and chain are stopped")
        self.local.stop()
        for url in (self.local.url, self.local.rpc_url):
            try:
                httpx.get(url, timeout=2)
            except httpx.TransportError:
                print(f"   {url} does not answer any more")
            else:
                sys.exit(f"{url} still answers")

        self.step("The bundle and the video, checked offline with that address and that block hash")
        pins = ("--registry", registry, "--block-hash", block_hash)
        report = self.folder / "verdict.html"
        verdict = self.deedlog("verify", str(bundle_file), str(film), *pins, "--report", str(report))
        answers = _show(verdict)
        for name in PROVEN:
            _require(answers[name] == "yes", f"{name} is yes")
        _require(report.stat().st_size > 0, "the report is written")
        with_rendition = (str(bundle_file), str(smaller), *pins, "--rendition", str(rendition_file))
        verdict = self.deedlog("verify", *with_rendition, expect=2)
        _require(
            verdict["answers"]["file"]["code"] == "file.rendition_of_another", "a platform's word is not the creator's"
        )
        verdict = self.deedlog("verify", *with_rendition, "--maker", platform)
        _require(verdict["answers"]["file"]["code"] == "file.rendition", "the smaller file is a registered rendition")
        print("   and the smaller file is a registered rendition of it, on the platform's word")

        self.step("The editor's line is verified, and their payouts are recomputed from it and the reports, offline")
        shares.check_offline(_require)

        self.step("One byte of the video is changed: only `file` turns to no")
        changed = self.folder / "changed.mp4"
        data = bytearray(film.read_bytes())
        data[len(data) // 2] ^= 1
        changed.write_bytes(data)
        after = _show(self.deedlog("verify", str(bundle_file), str(changed), *pins, expect=1))
        _require(after == answers | {"file": "no"}, "only file turned to no")

        self.step("Forged bundles of the same statement: never a yes for included or anchored")
        self._forgeries(bundle_file, film, pins)
        print(f"\nEvery step held. All of it is in {self.folder}; the verdict for people is {report.name}.")

    def _register_rendition(self, registry: str, source: str, path: Path) -> tuple[str, str]:
        """Register a rendition as a platform; return its digest and the platform's account."""
        made = json.loads(
            self.local.deedlog("api-key", "new", "demo platform", "--scope", "upload", "--scope", "batch", "--json")
        )
        file = digest_file(path)
        with Registry(self.local.url, address=registry, key=new_key(), api_key=made["secret"]) as client:
            rendition = Rendition(
                source=bytes.fromhex(source[2:]),
                contentHash=file.content_hash,
                contentLength=file.content_length,
                mediaType="video/mp4",
                tool="PyAV, half width",
                maker=client.account,
                madeAt=int(time.time()),
                salt=secrets.token_bytes(32),
            )
            [result] = client.batch([client.sign(rendition, reference="demo-rendition-1")])
        if not isinstance(result, Receipt) or result.outcome != "accepted":
            sys.exit(f"the rendition is not accepted: {result}")
        return "0x" + result.digest.hex(), "0x" + rendition.maker.hex()

    def _until_anchored(self, digest: str) -> None:
        for _ in range(600):
            interruption.check()
            state = httpx.get(f"{self.local.url}/v1/statements/{digest}").json()["state"]
            if state in ("anchored", "final"):
                return
            print("   waiting for the anchor …", end="\r", flush=True)
            time.sleep(0.2)
        sys.exit("not anchored within two minutes")

    def _forgeries(self, bundle_file: Path, film: Path, pins: tuple[str, ...]) -> None:
        forger = LocalRegistry(self.folder / "forger", chain_port=free_port(), quiet=True)
        try:
            forger.start_chain()
            forged = forge(bundles.parse(bundle_file.read_bytes(), contracts()), forger.rpc_url)
        finally:
            forger.stop()
        for number, (trick, bundle) in enumerate(forged.items()):
            path = self.folder / f"forged-{number}.deed"
            path.write_bytes(bundle.format())
            print(f"   {trick}")
            command = ["verify", str(path), str(film), *pins, "--json"]
            verdict = json.loads(run_deedlog(command, self.person, expect=1))
            for name in ("included", "anchored"):
                answer = verdict["answers"][name]
                print(f"     {name}: {answer['answer']} ({answer['code']})")
                _require(answer["answer"] != "yes", f"{name} is not yes")


def _show(verdict: dict[str, Any]) -> dict[str, str]:
    for name, answer in verdict["answers"].items():
        print(f"     {name:<11} {answer['answer']:<12} {answer['code']}")
    return {name: answer["answer"] for name, answer in verdict["answers"].items()}


def _require(held: bool, what: str) -> None:  # noqa: FBT001 - the claim comes first, as in an assertion
    if not held:
        sys.exit(f"this did not hold: {what}")


def _shown(argument: str) -> str:
    return f'"{argument}"' if " " in argument else argument


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="scripts/run --demo")
    parser.add_argument("video", type=Path, nargs="?", help="a video of your own; default: one made on the spot")
    options = parser.parse_args()
    if options.video is not None and not options.video.is_file():
        sys.exit(f"{options.video} is not a file")
    interruption.listen()
    folder = Path(tempfile.mkdtemp(prefix="deedlog-demo-"))
    story = Story(folder)
    try:
        story.tell(options.video)
    except interruption.Interrupted as told:
        print("\nstopped before its end", flush=True)
        return told.exit_code
    finally:
        story.local.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
