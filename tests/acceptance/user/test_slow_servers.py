"""Every command that asks a server ends within its total time, whatever the server does, and says what was wrong.

Of each kind of bad server one stands for all here; `tests/unit/ground/test_bounded_http.py` has them all.
"""

from __future__ import annotations

import json
import time

import httpx
import pytest
from support.faults.slow_server import ENDLESS, SLOW, WRONG, answer, speaking
from support.worlds.commands.command_line_user import CommandLineUser

TOTALS = {"fetch.too_slow": "1.5"}
"""Seconds given to a request (`DEEDLOG_TIMEOUT`) by what its error will be; the others are known at once."""

HANG = 60
"""Seconds after which a command is hanging, on any machine."""

DIGEST = "0x" + "11" * 32

BAD = {
    "headers": (SLOW["headers without end"], "fetch.too_slow"),
    "body": (SLOW["a body of known length that drips"], "fetch.too_slow"),
    "never": (SLOW["never answers"], "fetch.too_slow"),
    "endless": (ENDLESS["a body without end"], "fetch.too_long"),
    "gzip bomb": (ENDLESS["gzip that opens to a thousandfold"], "fetch.too_long"),
    "cut": (WRONG["less than the length says"], "fetch.cut_off"),
    "two lengths": (WRONG["two lengths"], "fetch.cut_off"),
    "elsewhere": (lambda _: iter([answer(b"", 302, Location="http://127.0.0.1:1/")]), "fetch.redirected"),
    "in a circle": (lambda _: iter([answer(b"", 307, Location="/")]), "fetch.redirected"),
}

OF_NODES = {
    "fetch.too_slow": "node.too_slow",
    "fetch.redirected": "node.redirected",
    "fetch.too_long": "node.unreadable",
    "fetch.cut_off": "node.unreachable",
}


@pytest.fixture
def person(tmp_path, fork_server):
    (tmp_path / "film.mp4").write_bytes(b"not quite a video")
    somebody = CommandLineUser(tmp_path, fork_server)
    somebody.cheap_key()
    return somebody


def ended(person, *arguments):
    """Run a command; return its exit code and what it says to programs."""
    start = time.monotonic()
    done = person.run(*arguments, "--json")
    assert time.monotonic() - start < HANG
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def registry_answer(local):
    return answer(httpx.get(f"{local.url}/v1/registry").content)


def before(registry_answer, script, but=b"/v1/registry"):
    """Answer one path honestly, as the registry does, and be a bad server to all others."""
    return speaking(lambda head: iter([registry_answer]) if head.split()[1] == but else script(head))


@pytest.mark.parametrize("kind", BAD)
def test_prove(person, registry_answer, kind):
    script, code = BAD[kind]
    person.environment["DEEDLOG_TIMEOUT"] = TOTALS.get(code, "60")
    with before(registry_answer, script) as url:
        assert ended(person, "prove", DIGEST, "-o", "my.deed", "--url", url)[1]["error"]["code"] == code
    assert not (person.folder / "my.deed").exists()


@pytest.mark.parametrize("kind", ["headers", "elsewhere"])
def test_the_commands_of_those_who_sign(person, registry_answer, kind):
    script, code = BAD[kind]
    person.environment["DEEDLOG_TIMEOUT"] = TOTALS.get(code, "60")
    register = ("register", "film.mp4", "--title", "t", "--credited-as", "c", "--yes")
    with before(registry_answer, script) as url:
        for arguments in (register, ("agreement", "show", DIGEST), ("prove", DIGEST, "-o", "my.deed", "--wait")):
            given = (*arguments, "--url", url, "--passphrase-file", person.passphrase)
            assert ended(person, *given)[1]["error"]["code"] == code


@pytest.mark.parametrize("kind", BAD)
def test_audit(person, registry_answer, kind):
    script, code = BAD[kind]
    person.environment["DEEDLOG_TIMEOUT"] = TOTALS.get(code, "60")
    with speaking(script) as url:  # not even its identity can be read
        exit_code, said = ended(person, "audit", url)
        assert (exit_code, said["error"]["code"]) == (2, code)
    with before(registry_answer, script) as url:
        exit_code, said = ended(person, "audit", url)
        expected = "audit.too_long" if code == "fetch.too_long" else code
        assert (exit_code, said["error"]["code"]) == (2, expected)  # what came is no log's: it accuses nobody


@pytest.mark.parametrize("kind", BAD)
def test_nodes_of_audit_and_verify(person, local, proven, kind):
    script, code = BAD[kind]
    if code == "fetch.too_slow":
        person.environment["DEEDLOG_TIMEOUT"] = "5"  # the registry, which is asked first, must not be too slow too
    bundle = person.folder / "my.deed"
    bundle.write_bytes(proven.bundle.format())
    with speaking(script) as node:
        exit_code, said = ended(person, "audit", local.url, "--rpc", node)
        assert (exit_code, said["error"]["code"]) == (2, OF_NODES[code])
        address = "0x" + proven.registry.hex()
        exit_code, said = ended(person, "verify", bundle, "--registry", address, "--rpc", node)
        assert said["answers"]["anchored"]["answer"] == "not checked"
        assert said["answers"]["anchored"]["code"] == OF_NODES[code]


def test_the_words_say_what_to_do(person, registry_answer):
    person.environment["DEEDLOG_TIMEOUT"] = "1.5"
    with before(registry_answer, SLOW["never answers"]) as url:
        done = person.run("prove", DIGEST, "-o", "my.deed", "--url", url)
        assert f"{url} did not send a complete answer within 1.5 s." in done.stderr
        assert "DEEDLOG_TIMEOUT" in done.stderr
        done = person.run("--lang", "zh", "prove", DIGEST, "-o", "my.deed", "--url", url)
        assert f"{url} 未能在 1.5 秒内完整响应" in done.stderr


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "a minute"])
def test_a_time_limit_that_is_none(person, seconds):
    person.environment["DEEDLOG_TIMEOUT"] = seconds
    _, said = ended(person, "prove", DIGEST, "-o", "my.deed", "--url", "http://127.0.0.1:1")
    assert (said["error"]["code"], said["error"]["field"]) == ("cli.timeout", "DEEDLOG_TIMEOUT")
