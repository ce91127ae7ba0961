"""A client that is older than its registry, and one whose registry sends bundles that do not hold."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.faults.slow_server import answer as http_answer
from support.faults.slow_server import speaking
from support.faults.strange_server import answering
from support.worlds.registries.registry_world import ALICE, identity, work

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.api.cli import cli
from deedlog.api.cli.words.before_signing import show_named
from deedlog.client import Countersignature, InvalidData, Registry, Unavailable
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import sign
from deedlog.registry.statements.typed_data import typed_data

IDENTITY = identity(Ed25519PrivateKey.from_private_bytes(bytes(32)))
AT = "2026-11-20T00:00:00Z"
NEW = b"\xab" * 32
BUNDLES = json.loads((Path(__file__).parents[2] / "vectors/bundles.json").read_text("utf-8"))["bundles"]


def body(value):
    return json.dumps(value, ensure_ascii=False).encode()


def known(statement):
    """Return what a registry answers about a statement that this version knows."""
    digest = statement.digest(domain_separator(IDENTITY.address))
    signature = sign(digest, ALICE)
    shown = {"account": to_checksum(signature.account), "scheme": "secp256k1"}
    return {
        "digest": to_hex(digest),
        "kind": statement.kind,
        "state": "anchored",
        "standing": {"code": "work.is_claimed", "params": {}},
        "typed_data": typed_data(statement, IDENTITY.address),
        "signatures": [{**shown, "signature": to_hex(signature.signature)}],
        "accepted_at": AT,
        "log_index": 7,
        "entry_time": AT,
        "references": [],
    }


def newer(**changes):
    """Return what a newer registry answers about a statement of a kind that this version does not know."""
    whole = known(work())
    data = whole["typed_data"] | {"primaryType": "Song", "types": {"Song": []}, "message": {"melody": "la"}}
    return whole | {"digest": to_hex(NEW), "kind": "Song", "typed_data": data} | changes


@contextlib.contextmanager
def registry(**answers):
    """Run a registry with these answers by the path's end, and a client of it."""

    def answered(_method, path, _body):
        if path == "/v1/registry":
            return 200, body({"identity": IDENTITY.to_json()})
        return 200, body(answers[path.split("?")[0].rsplit("/", 1)[1].replace("0x", "d")])

    with answering(answered) as url, Registry(url, pauses=()) as client:
        yield client


def test_a_statement_of_an_unknown_kind_does_not_hide_the_others():
    first, last = known(work()), known(work(content=b"another"))
    with registry(statements={"statements": [first, newer(), last], "next": None}) as client:
        found = list(client.statements())
    assert [(record.kind, record.known_kind) for record in found] == [("Work", True), ("Song", False), ("Work", True)]
    assert [record.statement for record in found] == [work(), None, work(content=b"another")]
    assert [to_hex(record.digest) for record in found] == [first["digest"], to_hex(NEW), last["digest"]]


def test_a_statement_of_an_unknown_kind_can_be_waited_for():
    with registry(**{f"d{NEW.hex()}": newer()}) as client:
        record = client.wait(NEW, "anchored")
    assert (record.kind, record.statement, record.known_kind) == ("Song", None, False)
    assert (record.state, record.log_index, record.digest) == ("anchored", 7, NEW)
    assert record.answer["typed_data"]["message"] == {"melody": "la"}


def test_a_withheld_statement_is_not_called_one_of_an_unknown_kind():
    with registry(statements={"statements": [known(work()) | {"typed_data": None}], "next": None}) as client:
        [record] = client.statements()
    assert (record.statement, record.known_kind) == (None, True)


def test_no_answer_is_taken_for_checked_under_another_kinds_name():
    """A kind that is known has to be that of the typed data, and an unknown one still names the digest asked for."""
    cases = {
        "a kind that the typed data are not of": (known(work()) | {"kind": "Upload"}, "registry.answered"),
        "typed data of an unknown kind": (newer(kind="Work"), "statement.unknown_kind"),
        "a kind that is no name": (newer(kind=7), "registry.answered"),
        "a kind that is a list": (newer(kind=[]), "registry.answered"),
    }
    for name, (shown, code) in cases.items():
        with (
            registry(statements={"statements": [shown], "next": None}) as client,
            pytest.raises((InvalidData, Unavailable)) as caught,
        ):
            list(client.statements())
        assert caught.value.code == code, name
    other = b"\xcd" * 32
    with registry(**{f"d{other.hex()}": newer()}) as client, pytest.raises(InvalidData, match=r"signing\.other_digest"):
        client.statement(other)


def draft(shown, **changes):
    return {name: shown[name] for name in ("digest", "kind", "typed_data")} | {
        "state": "proposed",
        "parties": [],
        "proposed_at": AT,
        **changes,
    }


def test_a_draft_of_an_unknown_kind_does_not_hide_the_others():
    listed = {"drafts": [draft(newer()), draft(known(work()))], "next": None}
    with registry(drafts=listed) as client:
        found = list(client.drafts())
    assert [(one.kind, one.statement, one.known_kind) for one in found] == [
        ("Song", None, False),
        ("Work", work(), True),
    ]
    with (
        registry(drafts={"drafts": [draft(known(work()), typed_data=None)], "next": None}) as client,
        pytest.raises(Unavailable, match=r"registry\.answered"),
    ):
        list(client.drafts())


def test_a_named_statement_of_an_unknown_kind_is_said_to_be_one_before_signing(capsys):
    naming = Countersignature(statement=NEW, account=b"\x11" * 20, madeAt=1, salt=bytes(32))
    with registry(**{f"d{NEW.hex()}": newer()}) as client:
        show_named(client, naming, "en")
    said = capsys.readouterr().out
    assert to_hex(NEW) in said
    assert "of a kind that this version of deedlog cannot read" in said


# Bundles with a no in them


def parsed(name):
    return bundles.parse(body(BUNDLES[name]), contracts())


def judged(name):
    """Return the address of a bundle's registry, its digest, and which answers about it are no."""
    bundle = parsed(name)
    address = bundle.registry.address
    verdict = verify(bundle, Pins(registry=address))
    answers = [verdict.findings, *(anchor.findings for anchor in verdict.anchors)]
    noes = {(name, found.code) for each in answers for name, found in each.items() if found.answer is Answer.NO}
    return verdict.digest, noes


@contextlib.contextmanager
def serving_bundle(name):
    """Run a registry that is the bundle's and serves it for its digest."""
    bundle = BUNDLES[name]
    digest = judged(name)[0]
    shown = known(work()) | {"digest": to_hex(digest), "typed_data": None}

    def answered(_method, path, _body):
        if path == "/v1/registry":
            return 200, body({"identity": bundle["registry"]})
        return 200, body(bundle if path.endswith("/bundle") else shown)

    with answering(answered) as url:
        yield url, digest


def test_the_vectors_have_bundles_of_both_sorts():
    assert judged("an anchor whose storage proof is cut")[1] == {("anchored", "patricia.node_missing")}
    assert any(not judged(name)[1] for name in BUNDLES)


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_is_returned_only_if_no_answer_about_it_is_no(name, tmp_path):
    _, noes = judged(name)
    output = tmp_path / "my.deed"
    with serving_bundle(name) as (url, digest):
        done = CliRunner().invoke(cli, ["--lang", "en", "prove", to_hex(digest), "-o", str(output), "--url", url])
        with Registry(url, pauses=()) as client:
            if not noes:
                assert client.prove(digest).data == body(BUNDLES[name])
            else:
                with pytest.raises(InvalidData, match=r"prove\.bad_bundle") as caught:
                    client.prove(digest)
                assert (caught.value.params["question"], caught.value.params["reason"]) in noes
    assert output.exists() == (not noes)
    if noes:
        assert getattr(done.exception, "code", None) == "prove.bad_bundle"
    else:
        assert done.exception is None, done.exc_info
        assert output.read_bytes() == body(BUNDLES[name])


# A registry that asks to wait


@pytest.mark.parametrize(
    ("after", "language", "said"),
    [
        (4, "en", "Waiting 4 s before the next try."),
        (4, "zh", "等待 4 秒后重试"),
        (1, "en", None),
    ],
)
def test_the_command_line_says_that_it_waits(tmp_path, capsys, after, language, said):
    asked = []

    def script(head):
        asked.append(head)
        refusal = body({"code": "statement.unknown", "params": {"digest": to_hex(NEW)}, "field": None})
        return iter([http_answer(b"", 503, Retry_After=after) if len(asked) == 1 else http_answer(refusal, 404)])

    with speaking(script) as url:
        given = ["--lang", language, "prove", to_hex(NEW), "-o", str(tmp_path / "my.deed"), "--url", url]
        with pytest.raises(InvalidData, match=r"statement\.unknown"):
            cli.main(given, standalone_mode=False)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err if said else shown.err == ""
