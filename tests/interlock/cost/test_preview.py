from __future__ import annotations

from typing import Any

import pytest

from interlock.cost.plan import PreviewError, read_preview
from tests.interlock.cost.previews import UNKNOWN, keys, preview, step


def test_a_resource_lies_where_it_says_else_where_its_provider_does() -> None:
    (own, inherited) = [
        one
        for one in read_preview(
            preview(step("aws:kms/key:Key", "own", {}), step("aws:kms/key:Key", "inherited", {}, region=None))
        ).resources
        if one.type == "aws:kms/key:Key"
    ]
    assert (own.region, inherited.region) == ("eu-west-1", "eu-central-1")


def test_a_region_that_nobody_names_is_not_guessed() -> None:
    document = preview(step("aws:kms/key:Key", "key", {"region": UNKNOWN}, region=None))
    document["steps"][1]["newState"]["inputs"] = {}
    (key,) = [one for one in read_preview(document).resources if one.name == "key"]
    assert key.region is None


def test_stack_and_environment_are_read() -> None:
    plan = read_preview(preview(*keys(1)))
    assert (plan.stack, plan.environment) == ("prod", "prod")


def test_a_preview_that_leaves_unchanged_resources_out_is_refused() -> None:
    with pytest.raises(PreviewError, match=r"leaves out 4 resources that stay as they are.*--show-sames"):
        read_preview(preview(*keys(1), same=4))


@pytest.mark.parametrize("document", [None, [], {}, {"steps": "none"}, {"steps": [3]}, {"steps": []}])
def test_what_is_no_preview_is_refused(document: Any) -> None:
    with pytest.raises(PreviewError):
        read_preview(document)
