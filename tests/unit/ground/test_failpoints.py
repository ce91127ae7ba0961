"""The list of failpoints is what the document says. That each is reached, and no other, is shown in `tests/crash`."""

from __future__ import annotations

import re
from pathlib import Path

from deedlog.registry.failpoints import STEPS

ROOT = Path(__file__).resolve().parents[3]


def test_the_architecture_says_of_each_step_what_the_list_says():
    document = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = document[document.index("## What a crash leaves") :].split("\n## ", 1)[0]
    assert dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.MULTILINE)) == STEPS
    assert list(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == list(STEPS)
