"""The benchmarks and docs/benchmarks.md name the same lines, peers and aims, and the lines say what they measured."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from urllib.request import urlopen

import pytest
from benchmarks import NAMES
from benchmarks.figure import AIMS, Figure
from benchmarks.http_servers import create_registry, registry_rate

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs/benchmarks.md").read_text("utf-8")
TABLE = re.search(r"<!-- figures: begin.*?-->(.*)<!-- figures: end -->", DOCUMENT, re.DOTALL)[1]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines() if line.startswith("| `")]
"""Of each: name, figure, peer, ratio, aims, met, what."""

WITHOUT_AIM = ("agreement", "fold", "fold-memory")


def number(text):
    return float(text.replace(",", "").split()[0])


def figure(row):
    peer, _, value = row[2].rpartition(": ")
    return Figure(row[0].strip("`"), number(row[1]), row[1].split()[1], peer or None, number(value) if value else None)


def test_every_benchmark_has_its_file_and_every_file_its_name():
    modules = {name: importlib.import_module(f"benchmarks.measures.{name.replace('-', '_')}") for name in NAMES}
    assert all(callable(module.measure) for module in modules.values())
    files = {path.stem for path in (ROOT / "scripts/benchmarks/measures").glob("[!_]*.py")}
    assert files == {name.replace("-", "_") for name in NAMES}


def test_the_document_has_a_row_for_every_aim_and_an_aim_for_every_row():
    figures = [figure(row) for row in ROWS]
    for aim in AIMS:
        assert [it for it in figures if aim.concerns(it)], f"no row for {aim.name} {aim}"
    for it, row in zip(figures, ROWS, strict=True):
        aims = [aim for aim in AIMS if aim.concerns(it)]
        assert bool(aims) != (it.name in WITHOUT_AIM), f"no aim for {it.name}"
        assert row[4] == ", ".join(map(str, aims))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[2]}")
def test_the_document_says_of_each_row_whether_its_aims_are_met(row):
    it = figure(row)
    if it.name in WITHOUT_AIM:
        assert row[4:6] == ["", ""]
        return
    # Rounded for print: a value on the very bound may fall to either side.
    met = all(aim.met(it) for aim in AIMS if aim.concerns(it))
    assert row[5] == ("yes" if met else "NO")
    assert float(row[3]) == pytest.approx(it.ratio, rel=0.02)


def test_every_name_measures_a_line_of_the_document():
    names = {figure(row).name for row in ROWS}
    for name in NAMES:
        assert [line for line in names if line == name or line.startswith(f"{name}-")], name


def test_the_registry_whose_rate_is_measured_is_one_that_serve_accepts(tmp_path):
    def status(port):
        with urlopen(f"http://127.0.0.1:{port}/v1/registry", timeout=60) as answer:
            return answer.status

    create_registry(tmp_path / "template")
    assert registry_rate(tmp_path / "template", status, statements=0) == 200
