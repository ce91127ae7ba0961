"""People outside: some register all the time, one reads the checkpoint all the time. They keep all that they are told.

A statement that got no answer is sent again until it has one, as the command line does it.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import threading
import time
from dataclasses import dataclass, field

import httpx
from support.worlds.registries.registry_world import ALICE, BOB, salt, work

from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import sign
from deedlog.registry.statements.typed_data import typed_data

PAUSE = 0.1
_numbers = itertools.count()


@dataclass
class Told:
    """What one statement's sender was told: how often it got no answer, then what."""

    digest: str
    unanswered: int = 0
    outcome: str | None = None
    again: list[str] = field(default_factory=list)


@dataclass
class Witness:
    """All that was seen from outside."""

    told: dict[str, Told] = field(default_factory=dict)
    checkpoints: set[bytes] = field(default_factory=set)
    proofs: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[str]:
        """The digests of the statements that were acknowledged, in the order in which they were."""
        return [digest for digest, told in list(self.told.items()) if told.outcome is not None]


class Public:
    """Sends and reads, in threads, while it is entered. It can be entered again."""

    def __init__(self, url: str, identity, secret: str, witness: Witness) -> None:
        self._url = url
        self._identity = identity
        self._separator = domain_separator(identity.address)
        self._secret = secret
        self.witness = witness
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self):
        self._stopping.clear()
        loops = (self._send_single, self._send_batches, self._send_and_wait, self._read)
        self._threads = [threading.Thread(target=self._loop, args=(loop,)) for loop in loops]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _loop(self, loop) -> None:
        with httpx.Client(base_url=self._url, timeout=10) as client:
            loop(client)

    def statement(self, key: bytes = ALICE):
        """Return a new statement's digest and the body of the request that registers it."""
        number = next(_numbers)
        made = work(key, b"content %d" % number, salt=salt(f"crash {number}"))
        signature = sign(made.digest(self._separator), key)
        return to_hex(made.digest(self._separator)), {
            "typed_data": typed_data(made, self._identity.address),
            "signatures": [{"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}],
        }

    def post(self, client: httpx.Client, digest: str, body, *, tries: int = 1_000_000) -> Told:
        """Send a statement until it is acknowledged, or so often."""
        told = self.witness.told.setdefault(digest, Told(digest))
        for _ in range(tries):
            answer = self._ask(client, "/v1/statements", body)
            if answer is not None and answer.is_success:
                self._take(told, answer.json())
                break
            told.unanswered += 1
            time.sleep(PAUSE)
        return told

    def _ask(self, client: httpx.Client, path: str, body, **headers: str) -> httpx.Response | None:
        with contextlib.suppress(httpx.TransportError):
            answer = client.post(path, json=body, headers=headers)
            if not answer.is_success:
                self.witness.problems.append(f"{answer.status_code} {answer.text[:300]}")
            return answer
        return None

    def _take(self, told: Told, answer) -> None:
        assert answer["digest"] == told.digest, (answer, told)
        if told.outcome is None:
            told.outcome = answer["outcome"]
        else:
            told.again.append(answer["outcome"])

    def _send_single(self, client: httpx.Client) -> None:
        sent = []
        while not self._stopping.wait(PAUSE):
            sent.append(self.statement())
            self.post(client, *sent[-1])
            if len(sent) % 5 == 0:
                self.post(client, *sent[len(sent) // 2])

    def _send_batches(self, client: httpx.Client) -> None:
        while not self._stopping.wait(4 * PAUSE):
            batch = [self.statement(BOB) for _ in range(4)]
            told = [self.witness.told.setdefault(digest, Told(digest)) for digest, _ in batch]
            body = {"statements": [item for _, item in batch]}
            while True:
                answer = self._ask(client, "/v1/statements:batch", body, Authorization=f"Bearer {self._secret}")
                if answer is not None and answer.is_success:
                    break
                for item in told:
                    item.unanswered += 1
                time.sleep(PAUSE)
            for item, result in zip(told, answer.json()["results"], strict=True):
                self._take(item, result)

    def _send_and_wait(self, client: httpx.Client) -> None:
        """Ask for the tlog-proof at once; where it does not come in time, the statement is sent again without."""
        client.timeout = httpx.Timeout(2)
        while not self._stopping.wait(2 * PAUSE):
            digest, body = self.statement()
            answer = None
            with contextlib.suppress(httpx.TransportError):
                answer = client.post("/v1/statements?wait=logged", json=body)
            if answer is None or not answer.is_success:
                self.post(client, digest, body).unanswered += 1
                continue
            told = self.witness.told.setdefault(digest, Told(digest))
            self._take(told, answer.json())
            self.witness.proofs.append((digest, answer.json()["tlog_proof"]))

    def _read(self, client: httpx.Client) -> None:
        while not self._stopping.wait(0.02):
            with contextlib.suppress(httpx.TransportError):
                answer = client.get("/log/checkpoint")
                if answer.is_success:
                    self.witness.checkpoints.add(answer.content)


def checkpoint_of(proof: str) -> bytes:
    """Return the checkpoint inside a tlog-proof."""
    return proof.split("\n\n", 1)[1].encode()


def nodes_of(proof: str) -> tuple[int, list[bytes]]:
    """Return (index, hashes) of a tlog-proof."""
    lines = proof.split("\n\n", 1)[0].split("\n")
    return int(lines[1].removeprefix("index ")), [base64.b64decode(line) for line in lines[2:]]
