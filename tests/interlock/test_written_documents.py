from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from interlock.written_documents import LARGEST_BYTES, InvalidDocument, read_document, read_yaml


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    threshold: int


class _Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    named: dict[str, _Inner]
    listed: tuple[_Inner, ...] = ()
    title: str | None = None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "received nothing; accepted: a mapping"),
        ("- 1", "received a list; accepted: a mapping"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' a second time"),
        ("a: &x [1]\nb: *x", "an anchor or an alias"),
        ("a: !!python/object/apply:os.system [id]", "line 1: a tag"),
        ("1: 2", "the key '1', which is no text"),
        ("? [a]\n: 2", "which is no text"),
        ("<<: {a: 1}", "the key '<<', which is no text"),
        ("[" * 100_000, "more than 40 levels"),
        ("a: [1", "line 1: expected ',' or ']'"),
        ("a: 2026-13-45", "month must be in 1..12"),
        ("a: " + "9" * 5000, "5000 digits"),
        ("a: 1\n---\nb: 2", "but found another document"),
        ("a: \0", "special characters are not allowed"),
    ],
)
def test_what_means_more_than_it_says_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        read_yaml(text.encode())
    assert said in str(refused.value)


def test_bytes_that_are_no_text_and_documents_that_are_too_large_are_refused() -> None:
    with pytest.raises(InvalidDocument, match="no UTF-8"):
        read_yaml(b"a: \xff")
    with pytest.raises(InvalidDocument, match="at most"):
        read_yaml(b"#" * (LARGEST_BYTES + 1))


def test_all_that_is_wrong_is_said_at_once_by_path_with_what_was_received() -> None:
    content = b"named: {a: {treshold: 1}, b: {threshold: many}}\nlisted: [{threshold: 1}, {limit: 2}]\ntitel: x"
    with pytest.raises(InvalidDocument) as refused:
        read_document(content, _Outer)
    said = {problem.path: problem for problem in refused.value.problems}
    assert set(said) == {
        "named.a.threshold", "named.a.treshold", "named.b.threshold",
        "listed.1.threshold", "listed.1.limit", "titel",
    }  # fmt: skip
    assert said["named.a.treshold"].accepted == "no such key; there are threshold; did you mean threshold?"
    assert said["titel"].accepted.endswith("did you mean title?")
    assert said["named.b.threshold"].received == "'many'"
    assert said["named.a.threshold"].received == "nothing"


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail_otherwise_than_by_saying_why(text: str) -> None:
    with contextlib.suppress(InvalidDocument):
        read_document(text.encode("utf-8", "surrogatepass"), _Outer)
