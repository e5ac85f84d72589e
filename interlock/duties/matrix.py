"""The duties' table as data: who may do what on which resources, and what nobody may ever.

From it come the roles' policies, their boundaries and their trust; the proof asks of the whole what each row says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interlock.duties import emergency_duties, governing_duties, release_duties
from interlock.duties.duty import Duty, Role
from interlock.duties.people import WHY_EXCLUDED
from interlock.duties.rights import Row

MATRIX: Final[Mapping[Role, Row]] = {
    row.role: row for row in (*release_duties.ROWS, *emergency_duties.ROWS, *governing_duties.ROWS)
}
"""By role; each duty has the role of its own name."""

EXCLUDES: Final[frozenset[frozenset[Duty]]] = frozenset(WHY_EXCLUDED)
"""Pairs of duties that no person may have together, nor reach the one from the other."""


def rows_of(duty: Duty) -> list[Row]:
    """Return the rows of the roles that carry out a duty, its own first."""
    return sorted((row for row in MATRIX.values() if row.duty is duty), key=lambda row: row.role.value != duty.value)
