"""The verifier's canonical JSON, judged by the `rfc8785` package; and what it must not import."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.release.audit import verify

characters = st.characters(exclude_categories=["Cs"])
documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(characters, max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(documents)
def test_the_form_is_that_of_rfc_8785(document: Any) -> None:
    assert verify.canonical_json(document) == rfc8785.dumps(document)


@pytest.mark.parametrize("number", [1e21, 1e-7, 123456789012345680000.0, 5e-324, 1.7976931348623157e308, -0.0, 1e20])
def test_floats_at_the_ends_of_notations_are_written_as_ecmascript_does(number: float) -> None:
    assert verify.canonical_json(number) == rfc8785.dumps(number)


@pytest.mark.parametrize("content", [b'{"a":1,"a":2}', b"[NaN]", b"\xff", b"[" * 100_000, b"", b"{} x"])
def test_json_that_readers_could_take_in_two_ways_is_refused(content: bytes) -> None:
    with pytest.raises(verify.Broken):
        verify.parse_json(content, "statement-malformed")


def test_another_layout_of_the_same_document_is_not_canonical() -> None:
    with pytest.raises(verify.Broken, match="canonical form"):
        verify.parse_canonical(json.dumps({"b": 1, "a": 2}).encode(), "root-refused")


def test_the_verifier_is_one_file_that_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(verify.__file__).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names
    assert imported.isdisjoint({"socket", "urllib", "http", "subprocess", "ctypes"})
