"""Steps in which the builder runs the gates that the tier demands, and signs what they measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from interlock.building.checking import Check, Checked
from interlock.building.inputs import read_inputs
from interlock.duties.duty import Role
from rehearsal.story.candidates import CHALLENGER, CHAMPION, REFUSED
from rehearsal.story.card import write_card
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected
from rehearsal.story.tables import write_tables

ADVISORIES: Final = Path(__file__).with_name("advisories.json")
FAILING: Final = {REFUSED: {"fairness"}, CHAMPION: set[str](), CHALLENGER: set[str]()}
"""By candidate, which gates must fail, and no others."""


def check(index: int, *only: str) -> Callable[[Context], Seen]:
    """Run the gates of a candidate that were not run yet, or `only` these."""

    def checked(context: Context) -> Seen:
        digest = context.pins[index].digest
        inputs = read_inputs(written_inputs(context, index))
        clients, trust = context.clients_of(Role.BUILDER), context.trust(Role.BUILDER)
        found = Check(clients, trust, inputs, lambda: datetime.now(UTC), context.busy).run(digest, only)
        failed = {one.gate for one in found.failed}
        if failed != FAILING[index] or found.missing:
            expected = ", ".join(sorted(FAILING[index])) or "no gate"
            raise Unexpected(f"{expected} of {context.models[index].title} to fail", _said(found))
        return Seen(_summary(context, index, found), {"checked": {"release": digest, "gates": _told(found)}})

    return checked


def written_inputs(context: Context, index: int) -> Path:
    """Write what a candidate is measured on, and return the file that names it."""
    assert context.data is not None
    folder = context.session.directory / "measured" / str(index)
    document: dict[str, Any] = {"tables": write_tables(folder, context.data, context.models[index])}
    document["documents"] = {"osv": _snapshot(context, folder).name, "inventory": _inventory(context, folder).name}
    document["documents"]["model_card"] = write_card(folder / "model_card.md", context.models[index]).name
    file = folder / "check.yaml"
    # JSON is YAML too.
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return file


def _snapshot(context: Context, folder: Path) -> Path:
    """Write a snapshot of known vulnerabilities: a rehearsal reaches no database, and looks one advisory up."""
    file = folder / "osv.json"
    known = json.loads(ADVISORIES.read_text(encoding="utf-8"))
    taken_at = context.installed.taken_at.isoformat()
    newest = {"id": "REHEARSAL-1", "modified": taken_at, "summary": "stands for a database's newest record"}
    snapshot = {"taken_at": taken_at, "vulnerabilities": [*known, newest]}
    file.write_text(json.dumps(snapshot), encoding="utf-8")
    return file


def _inventory(context: Context, folder: Path) -> Path:
    """Write what is installed here, where the model will be served as well."""
    file = folder / "inventory.json"
    file.write_text(context.installed.model_dump_json(), encoding="utf-8")
    return file


def _summary(context: Context, index: int, found: Checked) -> str:
    title = context.models[index].title
    if not found.failed:
        return f"{title}: {len(found.standings)} gates passed"
    return f"{title}: {found.failed[0].gate} failed: {found.failed[0].reasons[0]}"


def _said(found: Checked) -> str:
    failed = [f"{one.gate}: {'; '.join(one.reasons)}" for one in found.failed]
    return "; ".join([*failed, *(f"{gate}: {why}" for gate, why in found.missing.items())]) or "none failed"


def _told(found: Checked) -> list[dict[str, Any]]:
    return [{"gate": one.gate, "passed": one.passed, "reasons": list(one.reasons)} for one in found.standings]
