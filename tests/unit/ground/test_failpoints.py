"""The list of steps is what the code reaches and what the document says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from deedlog.registry.failpoints import STEPS

ROOT = Path(__file__).resolve().parents[3]


def test_the_code_reaches_each_step_at_one_place_and_no_other_step():
    sources = [path for package in ("registry", "anchor", "api") for path in (ROOT / package).rglob("*.py")]
    reached = Counter(
        step for path in sources for step in re.findall(r"\bfailpoint\(\"([^\"]+)\"\)", path.read_text("utf-8"))
    )
    assert reached == dict.fromkeys(STEPS, 1)


def test_the_architecture_says_of_each_step_what_the_list_says():
    document = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = document[document.index("## What a crash leaves") :].split("\n## ", 1)[0]
    assert dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.MULTILINE)) == STEPS
    assert list(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == list(STEPS)
