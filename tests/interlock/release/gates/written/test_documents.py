"""A required document is there, has a date that holds, and says something under each heading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.documents import DocumentsGate
from interlock.release.gates.written.markdown import NoDocument, read_markdown
from interlock.release.manifest import manifest_of
from tests.interlock.release.gates.given import document, evidence, found, inputs

LIMIT = {"missing_documents": {"at_most": 0}}
SECTIONS = ("Intended use", "Training data", "Evaluation", "Limitations", "Owner")
SENTENCE = "These are more than five words of it."


def card(*, head: str = "Date: 2026-11-20\n", **sections: str | None) -> str:
    said: dict[str, str | None] = {**dict.fromkeys(SECTIONS, SENTENCE), **sections}
    return f"# A model\n{head}\n" + "".join(
        f"## {name}\n\n{text}\n\n" for name, text in said.items() if text is not None
    )


def judged(text: str | None, **required: Any) -> Evidence:
    documents = {} if text is None else {"model_card": document(text)}
    parameters = {"required": required} if required else {}
    return evidence(DocumentsGate(), inputs(documents=documents), LIMIT, **parameters)


def test_a_card_with_a_date_and_all_sections_passes() -> None:
    said = judged(card())
    assert said.outcome is Outcome.PASSED, said.reasons
    assert said.data["model_card"] == document(card()).sha256


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "is missing"),
        ("", "has no date"),
        (card(head=""), "has no date"),
        (card(head="Date: 2025-11-21\n"), "366 days old; accepted are 365"),
        (card(head="Date: 2026-11-23\n"), "which is yet to come"),
        (card(head="Date: 2026-02-30\n"), "is dated '2026-02-30'"),
        (card(Owner=None), "has no section 'Owner'"),
        (card(Owner=""), "says nothing under 'Owner': 0 words"),
        (card(Owner="TODO TBD n/a … todo, xxx"), "says nothing under 'Owner': 0 words"),
        (card(Owner="one two three four"), "says nothing under 'Owner': 4 words"),
        (card(Owner=f"<!-- {SENTENCE} -->"), "says nothing under 'Owner': 0 words"),
        (card(Owner=f"<!-- {SENTENCE}"), "says nothing under 'Owner': 0 words"),
        (card(Limitations=f"{SENTENCE}\n```\n## Owner\n```\n", Owner=None), "has no section 'Owner'"),
        ("---\ndate: [\n---\n" + card(), "cannot be read"),
    ],
)
def test_what_is_missing_of_a_card_is_told(text: str | None, reason: str) -> None:
    said = judged(text)
    assert said.outcome is Outcome.FAILED
    assert any(reason in one for one in said.reasons), said.reasons
    assert found(said, "missing_documents").value == 1


@pytest.mark.parametrize(
    "text",
    [
        card(head="Date: 2025-11-22\n"),
        card(head="Date: 2026-11-22\n"),
        card(head="**Last updated:** 2026-11-20\n"),
        "---\ndate: 2026-11-20\n---\n" + card(head=""),
        "---\nupdated: '2026-11-20'\n---\n" + card(head=""),
        card().replace("## Owner", "#### 5. **OWNER**:"),
        card().replace("## Owner\n", "Owner\n-----\n"),
        card().replace("\n", "\r\n"),
        "\ufeff" + card(),
        card(Owner=f"### Team\n\n{SENTENCE}"),
        card(Owner="one two three four five"),
    ],
)
def test_a_card_may_be_written_in_several_ways(text: str) -> None:
    said = judged(text)
    assert said.outcome is Outcome.PASSED, said.reasons


def test_a_document_may_lie_in_the_release_itself(tmp_path: Path) -> None:
    (tmp_path / "model_card.md").write_text(card())
    whole = replace(inputs(tmp_path), manifest=manifest_of(tmp_path))
    assert evidence(DocumentsGate(), whole, LIMIT).outcome is Outcome.PASSED


def test_a_policy_may_require_other_documents() -> None:
    rule = {"sections": ["Legal basis"], "least_words": 1, "newest_days": 10}
    said = judged(card(), model_card={}, data_protection=rule)
    assert said.reasons[0].startswith("data_protection is missing: it is neither given as a document nor in the")
    assert found(said, "required_documents").value == 2


def test_bytes_that_are_no_text_are_no_document() -> None:
    with pytest.raises(NoDocument):
        read_markdown(b"\xff\xfe")


@generated(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        written = read_markdown(text.encode("utf-8", "replace"))
    except NoDocument:
        return
    assert all(words <= max(written.words, words) for words in written.sections.values())


@generated(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 9)), max_size=8))
def test_a_section_holds_the_words_up_to_the_next_of_its_level(parts: list[tuple[int, int]]) -> None:
    text = "".join(f"{'#' * level} part {number}\n{'word ' * words}\n" for number, (level, words) in enumerate(parts))
    sections = read_markdown(text.encode()).sections
    for number, (level, _) in enumerate(parts):
        later = next((at for at in range(number + 1, len(parts)) if parts[at][0] <= level), len(parts))
        assert sections[f"part {number}"] == sum(words for _, words in parts[number:later])
