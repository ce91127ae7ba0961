"""Agreements of four parties over HTTP, from proposal to last signature, against registering works. All are durable."""

from __future__ import annotations

from hashlib import sha256
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import http_load, http_servers
from benchmarks.figure import Figure
from benchmarks.measures.log import IDENTITY
from benchmarks.measures.register import SINGLE
from benchmarks.place import data_folder
from benchmarks.submissions import CREATORS, encoded, submission
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import Agreement, Share
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import from_typed_data, typed_data
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 3
AGREEMENTS = 1_000
PARTIES = 4
FAR = 4_000_000_000
"""A time that is later than the end of the benchmark."""

DRAFTS = "/v1/drafts"


def measure() -> Iterator[Figure]:
    """Register works one by one; then propose an agreement about each, and let the three other parties sign."""
    registered: list[float] = []
    separator = domain_separator(IDENTITY.address)
    works = [submission(number, IDENTITY.address) for number in range(AGREEMENTS)]
    agreements = [_agreement(number, work, separator) for number, work in enumerate(works)]
    with data_folder() as folder:
        client = http_load.compiled(folder)
        template = folder / "template"
        authorization = http_servers.create_registry(template)
        rounds = [[encoded(signed[turn]) for signed in agreements] for turn in range(PARTIES)]

        def sender(name: str, bodies: list[bytes], target: str) -> Callable[[int], float]:
            requests = folder / name
            http_load.write_requests(requests, bodies, target, authorization)
            return lambda port: http_load.rate(client, port, SINGLE.connections, 1, requests, SINGLE.status)

        register = sender("works", [encoded(work) for work in works], SINGLE.target)
        turns = [sender(f"turn-{turn}", bodies, DRAFTS) for turn, bodies in enumerate(rounds)]

        def measured(port: int) -> float:
            registered.append(register(port))
            # One turn after the other: a draft must be proposed before others can sign it.
            return 1 / sum(1 / turn(port) for turn in turns)

        agreed = [http_servers.registry_rate(template, measured, 2 * AGREEMENTS) for _ in range(ROUNDS)]
    yield Figure(
        "agreement",
        median(agreed),
        "agreements/s",
        "register",
        median(registered),
        f"{PARTIES} parties, a request each; {SINGLE.connections} connections; medians of {ROUNDS} rounds of "
        f"{AGREEMENTS:,}, full fsync",
    )


def _agreement(number: int, work: dict[str, Any], separator: bytes) -> list[dict[str, Any]]:
    """Return the parties' requests in order: the work's creator proposes, the others sign."""
    creator = sha256(b"creator %d" % (number % CREATORS)).digest()
    keys = [creator, *(sha256(b"party %d" % party).digest() for party in range(1, PARTIES))]
    by_account = {account_of_private_key(key): key for key in keys}
    parties = tuple(sorted(by_account))
    digest = from_typed_data(work["typed_data"], IDENTITY.address).digest(separator)
    agreement = Agreement(
        works=(digest,),
        parties=parties,
        leaving=(),
        shares=tuple(
            Share(party=party, role="producer", ppm=WHOLE // PARTIES, salt=sha256(party + digest).digest())
            for party in parties
        ),
        termsHash=NONE,
        payer=parties[0],
        acceptBy=FAR,
        effectiveFrom=0,
        effectiveUntil=0,
        supersedes=NONE,
        salt=sha256(digest).digest(),
    )
    signatures = [sign(agreement.digest(separator), key) for key in keys]
    return [
        {
            "typed_data": typed_data(agreement, IDENTITY.address),
            "signatures": [{"account": to_hex(signed.account), "signature": to_hex(signed.signature)}],
        }
        for signed in signatures
    ]
