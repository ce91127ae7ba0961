"""The table of exit codes: one in the code, the same in the documents, and only codes that errors have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deedlog.api.cli import exit_codes
from deedlog.api.cli.exit_codes import Ending, ExitCode, ending, exit_code_of
from deedlog.api.texts import catalogue
from deedlog.registry.errors import InvalidData, Refused, Unavailable, VerificationError

PAGE = (Path(__file__).resolve().parents[3] / "docs/exit-codes.md").read_text("utf-8")


def test_the_page_lists_each_code_once():
    rows = re.findall(r"^\| (\d+) \| ([a-z/ ]+) \|", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in rows] == [int(code) for code in ExitCode]


def test_each_error_of_the_table_has_a_text_and_stands_there_once():
    listed = [code for codes in exit_codes._BY_CODE.values() for code in codes]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(catalogue("en"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InvalidData("hex.length", field="--registry"), ExitCode.USAGE),
        (InvalidData("hex.length", field="DIGEST"), ExitCode.USAGE),
        (InvalidData("hex.length", field="registry"), ExitCode.DATA),
        (VerificationError("hex.length", field="--registry"), ExitCode.DATA),
        (Refused("report.not_over", field="--registry"), ExitCode.REFUSED),
        (Refused("statement.unknown"), ExitCode.NOT_FOUND),
        (Unavailable("quota.exceeded"), ExitCode.UNAVAILABLE),
        (InvalidData("settings.invalid"), ExitCode.SETTINGS),
        (Ending(InvalidData("hex.length"), ExitCode.NO), ExitCode.NO),
    ],
)
def test_an_error_ends_with_the_code_of_its_kind(error, expected):
    assert exit_code_of(error) is expected


@pytest.mark.parametrize("error", [InvalidData("payout_check.which"), Refused("statement.unknown")])
def test_a_refusal_or_a_mistake_in_calling_is_no_no(error):
    with pytest.raises(InvalidData) as caught, ending(ExitCode.NO):
        raise error
    assert exit_code_of(caught.value) is not ExitCode.NO


def test_what_was_found_wrong_keeps_its_code_and_parameters():
    with pytest.raises(InvalidData) as caught, ending(ExitCode.NO):
        raise InvalidData("file.empty", field="size", path="x")
    assert (caught.value.code, caught.value.field, caught.value.params) == ("file.empty", "size", {"path": "x"})
    assert exit_code_of(caught.value) is ExitCode.NO
