"""`tests/vectors/bundles.json`: whole bundles give exactly these verdicts, and what is no bundle is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.models.pinned import pins_of

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.procedure import verify

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/bundles.json").read_text("utf-8"))


def parsed(value):
    return bundles.parse(json.dumps(value, ensure_ascii=False).encode(), contracts())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_bundle_has_this_verdict(case):
    found = verify(parsed(VECTORS["bundles"][case["bundle"]]), pins_of(case["pins"])).to_json()
    assert found == case["verdict"]
    assert list(found["answers"]) == list(case["verdict"]["answers"])


@pytest.mark.parametrize("name", VECTORS["bundles"])
def test_a_bundle_is_written_as_it_was_read(name):
    value = VECTORS["bundles"][name]
    written = parsed(value).format()
    assert json.loads(written) == value
    assert bundles.parse(written, contracts()).format() == written


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_what_is_no_bundle_is_refused(case):
    with pytest.raises(bundles.BundleError) as caught:
        parsed(case["bundle"])
    assert caught.value.code == case["code"]


def test_every_bundle_is_used():
    assert {case["bundle"] for case in VECTORS["cases"]} == set(VECTORS["bundles"])
