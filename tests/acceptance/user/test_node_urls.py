"""The URL of a node, which often carries a secret, is shown as scheme, host and port by every command given one."""

from __future__ import annotations

import json

import pytest
from support.worlds.commands.command_line_user import CommandLineUser

SECRET = "s3cr3t"


@pytest.fixture
def person(tmp_path, proven, fork_server):
    (tmp_path / "my.deed").write_bytes(proven.bundle.format())
    return CommandLineUser(tmp_path, fork_server)


def test_a_verdict_and_its_report_hold_no_nodes_secret(person, proven):
    host = proven.url.removeprefix("http://")
    registry = "0x" + proven.registry.hex()
    for url, answer in (
        (f"http://somebody:{SECRET}@{host}/?key={SECRET}", "yes"),
        (f"http://{SECRET}@127.0.0.1:1/{SECRET}", "not checked"),
        (f"no-url-{SECRET}", "not checked"),
    ):
        given = ("verify", "my.deed", "--registry", registry, "--rpc", url, "--report", "out.html")
        for more in ((), ("--json",), ("--lang",)):
            done = person.run(*(("--lang", "zh", *given) if more == ("--lang",) else (*given, *more)))
            report = (person.folder / "out.html").read_text("utf-8")
            assert SECRET not in done.stdout + done.stderr + report
            if more == ("--json",):
                assert json.loads(done.stdout)["answers"]["anchored"]["answer"] == answer
            assert "--rpc 1" in report
            if "127.0.0.1" in url:
                assert url.rpartition("@")[2].partition("/")[0] in report


def test_an_error_about_a_node_holds_no_secret_of_its_url(person, local):
    for url in (f"http://{SECRET}@127.0.0.1:1/{SECRET}", f"{local.url}/{SECRET}"):
        audited = person.run("audit", local.url, "--rpc", url, "--json")
        checked = person.run("fsck", "--json", **(local.environment() | {"DEEDLOG_RPC_URL": url, "DEEDLOG_LANG": "en"}))
        for done in (audited, checked):
            assert json.loads(done.stdout)["error"]["code"] in ("node.unreachable", "node.unreadable")
            assert SECRET not in done.stdout + done.stderr
            assert "http://127.0.0.1:" in done.stderr
