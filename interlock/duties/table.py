"""The duties' table in words, for people."""

from __future__ import annotations

from interlock.duties.matrix import MATRIX
from interlock.duties.rights import Bearer, Row

_BEARERS = {Bearer.PEOPLE: "people", Bearer.PIPELINE: "pipelines", Bearer.SERVICE: "a service"}


def markdown() -> str:
    """Return the table of all roles as Markdown."""
    head = [
        "| role | duty | does | assumed by | account | signs with | never |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *(_line(row) for row in MATRIX.values())])


def _line(row: Row) -> str:
    key = {None: "–", "approver-*": "their own key"}.get(row.signs_with, f"`{row.signs_with}`")
    cells = (
        row.role.value, row.duty.value, row.words, row.service or _BEARERS[row.bearer], row.home.value, key,
        "; ".join(never.words for never in row.nevers),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"
