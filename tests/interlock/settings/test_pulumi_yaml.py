"""A file means what Pulumi takes it for: what is read here is what `pulumi preview` hands to a program."""

from __future__ import annotations

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from interlock.settings.pulumi_yaml import dumped, loaded

HANDED_OVER: dict[str, Any] = {
    "yes": "yes", "on": "on", "NO": "NO", "y": "y", "True": True, "FALSE": False,
    "012": 10, "010": 8, "0o17": 15, "09": 9, "0123456789": 123456789, "-012": -10, "+5": 5, "0x1F": 31, "0b11": 3,
    "1_000": 1000, "1e3": 1000, "1.0": 1, ".5": 0.5, "30.5": 30.5, "12:30:00": "12:30:00", "1.2.3": "1.2.3",
    "~": None, "": None, "null": None, '"012"': "012", "'yes'": "yes", "eu-west-1": "eu-west-1", "-": "-",
}  # fmt: skip
"""By a scalar as written: what Pulumi 3.259.0 handed to a program."""


@pytest.mark.parametrize("written", HANDED_OVER)
def test_a_scalar_is_what_pulumi_takes_it_for(written: str) -> None:
    read = loaded(f"a: {{b: {written}}}")["a"]["b"]
    assert (read, type(read)) == (HANDED_OVER[written], type(HANDED_OVER[written]))


@pytest.mark.parametrize("written", ["2026-11-22", "2026-11-22T10:00:00Z", ".inf", "-.Inf", ".nan"])
def test_what_pulumi_makes_something_else_of_is_refused_with_its_line(written: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError) as refused:
        loaded(f"a:\n  b: {written}\n")
    assert refused.value.problem_mark.line == 1


@pytest.mark.parametrize(
    "text", ["098765432109", "012", "1e3", "true", "2026-01-01", "", "~", "0x1F", "yes", "eu-west-1"]
)
def test_text_is_written_so_that_it_is_read_as_text(text: str) -> None:
    assert loaded(dumped({"a": text})) == {"a": text}
