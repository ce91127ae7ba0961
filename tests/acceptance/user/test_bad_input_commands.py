"""The table of bad input on the command line: each gets an error in both languages, and nothing is written.

`tests/support/tables/bad_input.py` is the table over HTTP; the operator's mistakes are in
`tests/acceptance/operator/test_bad_input_operator.py`.
"""

from __future__ import annotations

import json
import os
import threading
from types import SimpleNamespace

import httpx
import pytest
from ports import free_port
from support.faults.strange_server import answering
from support.worlds.chains.anvil import running_anvil
from support.worlds.commands.command_errors import refused
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.commands.folder_snapshot import unchanged

VIDEO = "我的视频.mp4"
OTHER = "0x" + "11" * 20
LARGE = 256 * 1024 * 1024


@pytest.fixture(scope="module")
def creator(tmp_path_factory, local, fork_server):
    """Somebody with a key, a registered video and its bundle."""
    person = CommandLineUser(tmp_path_factory.mktemp("creator"), fork_server)
    (person.folder / VIDEO).write_bytes(b"\x00\x00\x00\x18ftypmp42" + os.urandom(4096))
    (person.folder / "stick").mkdir()
    person.cheap_key()
    made = json.loads(person.run(*register(person, local, "--json")).stdout)
    fetched = person.run("prove", made["digest"], "-o", "my.deed", "--wait", "--url", local.url, "--json")
    assert fetched.returncode == 0, fetched.stderr
    return SimpleNamespace(person=person, folder=person.folder, **made)


def register(person, local, *more, video=VIDEO, url=None):
    return (
        *("register", video, "--title", "怎样 读论文", "--credited-as", "爱丽丝", "--yes", "--url", url or local.url),
        *("--passphrase-file", person.passphrase, *more),
    )


def registering(*more, video=VIDEO, url=None, **files):
    """Register another file than the one that is registered already: `files` are written first."""

    def arguments(creator, local):
        for name, content in files.items():
            (creator.folder / name.replace("__", ".")).write_bytes(content)
        return register(creator.person, local, *more, video=video, url=url)

    return arguments


def fresh(*more, url=None):
    return registering(*more, video="new.mp4", url=url, new__mp4=b"never registered")


def a_folder(creator, local):
    (creator.folder / "folder").mkdir(exist_ok=True)
    return register(creator.person, local, video="folder")


def a_pipe(creator, local):
    if not (creator.folder / "pipe").exists():
        os.mkfifo(creator.folder / "pipe")
    return register(creator.person, local, video="pipe")


def a_link_to_nothing(creator, local):
    link = creator.folder / "gone.mp4"
    if not link.is_symlink():
        link.symlink_to("vanished.mp4")
    return register(creator.person, local, video="gone.mp4")


def proving(*more, digest=None):
    def arguments(creator, local):
        return ("prove", digest or creator.digest, *more, "--url", local.url)

    return arguments


def verifying(change=None, *more):
    """Verify a bundle that is changed; None stands for a good one."""

    def arguments(creator, _local):
        data = (creator.folder / "my.deed").read_bytes()
        (creator.folder / "changed.deed").write_bytes(data if change is None else change(data))
        return ("verify", "changed.deed", *more)

    return arguments


def member(**changes):
    return lambda data: json.dumps({**json.loads(data), **changes}, ensure_ascii=False).encode()


def call(*arguments):
    return lambda _creator, _local: arguments


def a_registry_that_is_none(creator, local):
    return register(creator.person, local, video="new.mp4", url=f"{local.rpc_url}")


def another_passphrase(content):
    def arguments(creator, local):
        (creator.folder / "other passphrase").write_bytes(content)
        (creator.folder / "new.mp4").write_bytes(b"never registered")
        return register(creator.person, local, "--passphrase-file", "other passphrase", video="new.mp4")

    return arguments


def another_key(content):
    def arguments(creator, local):
        (creator.folder / "key.json").write_bytes(content)
        return register(creator.person, local, "--key", "./key.json")

    return arguments


CASES = {
    # The file
    "a file that is not there": (registering(video="无.mp4"), "file.unreadable", "Check the path", "请检查路径"),
    "a file that vanished": (a_link_to_nothing, "file.unreadable", "Check the path", "请检查路径"),
    "a path through a file": (registering(video=f"{VIDEO}/x"), "file.unreadable", "Check the path", "请检查路径"),
    "a file that fails when it is read": (
        registering(video="/proc/self/mem"),
        *("file.unreadable", "Check the path", "请检查路径"),
    ),
    "a folder": (a_folder, "file.unreadable", "Check the path", "请检查路径"),
    "a pipe": (a_pipe, "file.not_a_file", "Give the path of a regular file", "请给出普通文件的路径"),
    "a device without end": (
        registering(video="/dev/zero"),
        "file.not_a_file",
        "Give the path of a regular file",
        "请给出普通文件的路径",
    ),
    "a file of 0 bytes": (
        registering(video="empty.mp4", empty__mp4=b""),
        *("file.empty", "Give the whole file", "提供完整文件"),
    ),
    # What is signed
    "a title of 0": (fresh("--title", ""), "text.empty", "Write at least one", "请至少填写一个"),
    "a title of 201": (fresh("--title", "论" * 201), "text.too_long", "Shorten it", "请缩短"),
    "a title with an escape": (fresh("--title", "a\x1b[2Jb"), "text.control", "Remove it", "请删除"),
    "a title that turns": (fresh("--title", "a\u202eb"), "text.bidirectional", "Remove it", "请删除"),
    "a title that is not NFC": (fresh("--title", "e\u0301"), "text.not_nfc", "Normalise it and sign again", "请规范化"),
    "a title in GBK": (fresh("--title", os.fsdecode("论文".encode("gbk"))), "text.surrogate", "whole", "完整的字符"),
    "an unassigned code point": (fresh("--credited-as", "\u0378"), "text.unassigned", "Remove it", "请删除"),
    "another basis": (fresh("--basis", "theft"), "word.unknown", "own, employment, commission", "必须是以下之一"),
    "another media type": (fresh("--media-type", "VIDEO"), "text.pattern", "This must match", "必须符合"),
    "made after time": (fresh("--made-at", str(2**64)), "integer.range", "from 0 to", "0 到"),
    # Keys and passphrases
    "a wrong passphrase": (
        another_passphrase(b"wrong\n"),
        "key.wrong_passphrase",
        "Check the passphrase",
        "请检查口令",
    ),
    "an empty passphrase": (another_passphrase(b""), "key.wrong_passphrase", "Check the passphrase", "请检查口令"),
    "a passphrase in GBK": (
        another_passphrase("口令".encode("gbk")),
        *("key.passphrase_encoding", "Save the file as UTF-8", "请将文件保存为 UTF-8"),
    ),
    "no passphrase file": (fresh("--passphrase-file", "none"), "file.unreadable", "Check the path", "请检查路径"),
    "a key that is not there": (fresh("--key", "nobody"), "file.unreadable", "Check the path", "请检查路径"),
    "a key file that is none": (another_key(b"{}"), "key.not_a_keystore", "from its backup", "从备份恢复"),
    "a key file that is no JSON": (another_key(b"\xff"), "key.not_a_keystore", "from its backup", "从备份恢复"),
    "a key that exists": (
        call("key", "new", "--backup", "stick/"),
        "file.exists",
        "Choose another name",
        "或移走原文件",
    ),
    "a new key with an empty passphrase": (
        call("key", "new", "--name", "second", "--backup", "stick/", "--passphrase-file", "/dev/null"),
        *("key.empty_passphrase", "Choose one of several words", "请使用由多个词组成的口令"),
    ),
    # Registries
    "no registry": (
        fresh(url=f"http://127.0.0.1:{free_port()}"),
        "fetch.unreachable",
        "run the same command again",
        "再运行同一命令",
    ),
    "no URL": (fresh(url="http://["), "fetch.url", "Write http(s)://HOST", "请写作 http(s)://主机"),
    "a URL of something else": (a_registry_that_is_none, "registry.answered", "Check the URL", "请检查网址"),
    "another registry": (fresh("--registry", OTHER), "registry.other", "Check --registry", "请检查 --registry"),
    "half an address": (fresh("--registry", "0x12"), "hex.length", "Copy it completely", "请完整复制"),
    "a mistyped address": (
        fresh("--registry", "0x596ffe27E81cf2Aa1CD8d4e52F70F51c9373cC50"),
        *("account.checksum", "Copy the address again", "请重新复制"),
    ),
    # Bundles
    "half a digest": (proving("-o", "x.deed", digest="0x12"), "hex.length", "Copy it completely", "请完整复制"),
    "an unknown digest": (
        proving("-o", "x.deed", digest="0x" + "00" * 32),
        *("statement.unknown", "Check the digest", "请检查摘要"),
    ),
    "the bundle of another registry": (
        proving("-o", "x.deed", "--registry", OTHER),
        *("registry.other", "Check --registry", "请检查 --registry"),
    ),
    "a bundle over another file": (proving("-o", VIDEO), "file.exists", "Choose another name", "或移走原文件"),
    "a bundle in a folder that is a file": (
        proving("-o", f"{VIDEO}/x.deed"),
        *("file.unwritable", "choose another place", "换个位置"),
    ),
    "a bundle that is not there": (call("verify", "无.deed"), "file.unreadable", "Check the path", "请检查路径"),
    "a video for a bundle": (
        call("verify", VIDEO),
        "json.not_utf8",
        "Give a bundle exactly as it was fetched",
        "存证包请原样提供",
    ),
    "an empty bundle": (verifying(lambda _data: b""), "json.malformed", "as it was fetched", "存证包请原样提供"),
    "a bundle cut off": (
        verifying(lambda data: data[:-9]),
        "json.malformed",
        "Give a bundle exactly as it was fetched",
        "存证包请原样提供",
    ),
    "a bundle with a tail": (verifying(lambda data: data + b"{}"), "json.malformed", "as it was fetched", "原样提供"),
    "JSON that is no bundle": (
        verifying(lambda _data: b"{}"),
        "json.member_missing",
        "every member is required",
        "请补上",
    ),
    "a bundle of version 2": (verifying(member(version=2)), "bundle.version", "Use a newer deedlog", "请使用更新版本"),
    "a bundle with another word on itself": (
        verifying(member(about="x")),
        "bundle.about",
        "Fetch a fresh",
        "请重新获取",
    ),
    "a bundle with a member more": (verifying(member(more="x")), "json.member_unknown", "Remove it", "请删除"),
    "a bundle nested 10,000 deep": (verifying(lambda _data: b"[" * 10_000), "json.too_deep", "nested", "嵌套过深"),
    "an enormous bundle": (
        verifying(lambda _data: b" " * 40_000_000),
        "file.too_large",
        "Check the path",
        "请检查路径",
    ),
    "a requirement that there is not": (
        verifying(None, "--require", "truth"),
        "verify.unknown_question",
        "Choose from",
        "可选",
    ),
    "half a block hash": (verifying(None, "--block-hash", "0x12"), "hex.length", "Copy it completely", "请完整复制"),
    "a report in no folder": (
        verifying(None, "--report", f"{VIDEO}/x"),
        "file.unwritable",
        "another place",
        "换个位置",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_named_in_both_languages_and_nothing_is_written(creator, local, name):
    arguments, code, english, chinese = CASES[name]
    given = arguments(creator, local)
    size = httpx.get(f"{local.url}/readyz").json()["log_size"]
    with unchanged(creator.folder):
        refused(creator.person.run("--lang", "zh", *given, "--json"), code, english, chinese)
    assert httpx.get(f"{local.url}/readyz").json()["log_size"] == size


def test_a_file_that_grows_while_it_is_hashed_is_not_signed(creator, local):
    growing = creator.folder / "growing.mp4"
    with growing.open("wb") as file:
        file.truncate(LARGE)
    done = threading.Event()

    def grow():
        with growing.open("ab", buffering=0) as file:
            while not done.wait(0.01):
                file.write(b"more")

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        answer = creator.person.run("--lang", "zh", *register(creator.person, local, "--json", video=growing))
        refused(answer, "file.changed", "Wait until no program writes to it, and try", "请等其他程序写完后重试")
    finally:
        done.set()
        thread.join()
    assert not list((creator.folder / "home").rglob("*.part"))


VERDICTS = {
    "no node": (lambda: f"http://127.0.0.1:{free_port()}", "node.unreachable", "Check the URL", "请检查网址"),
    "no URL of a node": (lambda: "http://[", "node.unreachable", "Check the URL", "请检查网址"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_a_node_that_cannot_be_asked_is_named_and_nothing_is_a_yes_by_it(creator, name):
    url, code, english, chinese = VERDICTS[name]
    _by_node(creator, url(), code, english, chinese)


def _by_node(creator, url, code, english, chinese):
    with unchanged(creator.folder):
        given = ("verify", "my.deed", "--registry", creator.registry, "--rpc", url)
        shown = creator.person.run(*given, "--json")
        assert shown.returncode == 2
        assert json.loads(shown.stdout)["answers"]["anchored"]["code"] == code
        assert english in creator.person.run(*given).stdout
        assert chinese in creator.person.run("--lang", "zh", *given).stdout


def test_a_node_of_another_chain_is_named(creator):
    with running_anvil("--chain-id", "11155111") as chain:
        _by_node(creator, chain.url, "node.other_chain", "a node of that chain", "该链的节点")


def test_something_that_is_no_node_is_named(creator):
    with answering(lambda *_request: (200, b"<html>")) as url:
        _by_node(creator, url, "node.unreadable", "Check the URL", "请检查网址")


def test_a_bundle_of_another_registry_than_the_pinned_one_is_no_yes(creator):
    for language, text in (("en", "Check --registry"), ("zh", "请检查 --registry")):
        done = creator.person.run("--lang", language, "verify", "my.deed", "--registry", OTHER)
        assert done.returncode == 1
        assert text in done.stdout
    answers = json.loads(creator.person.run("verify", "my.deed", "--registry", OTHER, "--json").stdout)["answers"]
    assert answers["included"]["code"] == "registry.other"
    assert {answers[name]["answer"] for name in ("complete", "included", "anchored")} == {"no"}
