"""Chinese file names on a console whose encoding is GBK, and names that are no text in any encoding."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.worlds.commands.command_line_user import CommandLineUser

VIDEO = "我的视频 第一集.mp4"
TITLE = "怎样读论文"
UNKNOWN = "\N{CLAPPER BOARD}"
"""What GBK has no bytes for."""

ILL_FORMED = b"\xff\xfe video.mp4"
"""A name that is neither UTF-8 nor GBK."""


@dataclass
class Console:
    """A folder, and commands whose arguments and output are bytes in the console's encoding."""

    folder: Path
    environment: dict[str, str]
    encoding: str

    def run(self, *arguments):
        given = [part if isinstance(part, bytes) else str(part).encode(self.encoding) for part in arguments]
        return subprocess.run(
            [os.fsencode(sys.executable), b"-m", b"deedlog.api.cli", *given],
            env=self.environment,
            capture_output=True,
            check=False,
            cwd=self.folder,
        )

    def done(self, *arguments, expect=0):
        done = self.run(*arguments)
        output, errors = done.stdout.decode("gbk"), done.stderr.decode("gbk")
        assert done.returncode == expect, output + errors
        assert "Traceback" not in errors
        return output, errors

    def path(self, name):
        return os.fsencode(self.folder) + b"/" + (name if isinstance(name, bytes) else name.encode(self.encoding))


def _console(_request, folder, environment):
    """Only the output is GBK, as where `chcp 936` is set: names are UTF-8, as the file system has them."""
    return Console(folder, environment | {"PYTHONIOENCODING": "gbk"}, "utf-8")


def _locale(request, folder, environment):
    """All is GBK: arguments, names of files, output."""
    locales = request.getfixturevalue("locales")
    for name in ("LC_ALL", "PYTHONIOENCODING"):
        environment.pop(name, None)
    return Console(folder, environment | {"LOCPATH": str(locales), "LANG": "zh_CN.GBK", "PYTHONUTF8": "0"}, "gbk")


@pytest.fixture(scope="module")
def locales(tmp_path_factory):
    """The folder of a GBK locale."""
    locales = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef") is None:
        pytest.skip("no localedef here; the other console is tested everywhere")
    made = subprocess.run(
        ["localedef", "-i", "zh_CN", "-f", "GBK", locales / "zh_CN.GBK"], capture_output=True, check=False
    )
    if not (locales / "zh_CN.GBK").exists():
        pytest.skip(f"no sources of locales here; the other console is tested everywhere: {made.stderr!r}")
    return locales


@pytest.fixture(params=[_console, _locale], ids=["a GBK console", "a GBK locale"])
def console(request, tmp_path, local):
    person = CommandLineUser(tmp_path)
    person.cheap_key()
    environment = person.environment | {"DEEDLOG_LANG": "zh", "DEEDLOG_URL": local.url}
    made = request.param(request, tmp_path, environment)
    for name in (VIDEO, ILL_FORMED):
        with open(made.path(name), "wb") as file:  # noqa: PTH123 - Path takes no bytes
            file.write(os.urandom(100))
    return made


def register(console, video, *more):
    title = (b"--title", TITLE.encode(console.encoding), b"--credited-as", "爱丽丝".encode(console.encoding))
    return ("register", video, *title, "--yes", "--passphrase-file", "passphrase", *more)


def test_a_video_is_registered_proven_and_verified(console):
    said, _ = console.done(*register(console, VIDEO))
    assert "已登记" in said
    assert f"标题 (title): {TITLE}" in said
    assert VIDEO in said  # in the command to run next
    again = json.loads(console.done(*register(console, VIDEO, "--json"))[0])
    assert again["outcome"] == "known"
    bundle = "我的存证.deed"
    said, _ = console.done("prove", again["digest"], "-o", bundle, "--wait")
    assert f"已写入 {bundle}" in said
    pins = ("--registry", again["registry"])
    said, _ = console.done("verify", bundle, VIDEO, *pins, expect=2)
    assert TITLE in said
    assert "文件字节与签署时完全一致" in said
    shown = json.loads(console.done("verify", bundle, VIDEO, *pins, "--json", expect=2)[0])
    assert shown["answers"]["file"]["answer"] == "yes"
    console.done("verify", bundle, VIDEO, *pins, "--report", "结论.html", expect=2)
    with open(console.path("结论.html"), "rb") as file:  # noqa: PTH123 - Path takes no bytes
        page = file.read().decode("utf-8")
    assert TITLE in page
    assert VIDEO in page


def test_errors_name_the_file(console):
    _, errors = console.done(*register(console, "没有这个文件.mp4"), expect=66)
    assert "无法读取 没有这个文件.mp4" in errors
    shown, errors = console.done("verify", VIDEO, "--json", expect=65)
    assert json.loads(shown)["error"]["code"] == "json.not_utf8"
    shown, _ = console.done("verify", "没有.deed", "--json", expect=66)
    assert json.loads(shown)["error"]["params"]["path"] == "没有.deed"
    _, errors = console.done("verify", expect=64)
    assert errors


def test_a_name_that_is_no_text_is_a_name(console, local):
    said, _ = console.done(*register(console, ILL_FORMED))
    assert "已登记" in said
    digest = json.loads(console.done(*register(console, ILL_FORMED, "--json"))[0])["digest"]
    bundle = b"\xff.deed"
    local.await_logged(digest)
    console.done("prove", digest, "-o", bundle)
    console.done("verify", bundle, ILL_FORMED, "--json", expect=2)
    console.done("verify", bundle, ILL_FORMED, "--report", b"\xfe.html", expect=2)
    assert b"Deedlog" in open(console.path(b"\xfe.html"), "rb").read()  # noqa: PTH123, SIM115 - Path takes no bytes
    for arguments in (("verify", b"\xff none", "--json"), ("verify", bundle, b"\xff none")):
        console.done(*arguments, expect=66)
    # A title that is no text is another thing: it would be signed.
    fresh = console.path(b"\xfd other.mp4")
    with open(fresh, "wb") as file:  # noqa: PTH123 - Path takes no bytes
        file.write(b"another")
    _, errors = console.done(*register(console, b"\xfd other.mp4"), "--title", b"\xff", expect=64)
    assert "请发送完整的字符" in errors


def test_a_name_that_the_system_reads_and_cannot_write_is_an_error(console):
    done = console.run("verify", b"\x80.deed", "--json")
    assert done.returncode in (64, 66)
    assert b"Traceback" not in done.stderr
    code = json.loads(done.stdout)["error"]["code"]
    assert code == ("file.name_encoding" if console.encoding == "gbk" else "file.unreadable")


def test_what_the_console_has_no_character_for_is_shown_as_an_escape():
    done = subprocess.run(
        [sys.executable, "-m", "deedlog.api.cli", "--lang", "zh", "verify", f"{UNKNOWN}.deed"],
        env=os.environ | {"PYTHONIOENCODING": "gbk"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 66
    assert "无法读取 \\U0001f3ac.deed" in done.stderr.decode("gbk")
