"""The documents of the roles that deploy: one source, whoever makes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interlock.duties.boundaries import BOUNDED_BY, DEPLOYING, boundary_policy
from interlock.duties.deploying import deploying_landscape, documents_of, templates, write
from interlock.duties.duty import Role
from interlock.duties.duty_policy import LARGEST_MANAGED, identity_policy
from interlock.duties.matrix import MATRIX
from tests.interlock.duties.landscapes import LAND

DOCUMENTS = Path(__file__).resolve().parents[3] / "infra" / "bootstrap" / "documents"
LANDS = (
    LAND,
    replace(LAND, evidence=LAND.workload),
    replace(LAND, regions=("eu-west-1",), vaults=(), staging=()),
    replace(LAND, stack="prod-foundation", platform_stack="prod", vaults=("a", "b", "c")),
)


def sets(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a document, with lists whose order tells nothing in order."""
    return [
        {
            key: sorted({*([value] if isinstance(value, str) else value)})
            if key in ("Action", "Resource", "NotResource")
            else value
            for key, value in one.items()
        }
        for one in document["Statement"]
    ]


def test_what_terraform_reads_is_what_the_generator_writes() -> None:
    assert {one.name: one.read_text() for one in DOCUMENTS.iterdir()} == templates()


def test_writing_takes_away_what_is_no_longer_a_template(tmp_path: Path) -> None:
    (tmp_path / "platform-9.json").write_text("{}")
    write(tmp_path)
    assert {one.name for one in tmp_path.iterdir()} == set(templates())


@pytest.mark.parametrize("role", DEPLOYING)
@pytest.mark.parametrize("land", LANDS)
def test_a_filled_in_template_says_what_the_table_says_of_that_stack(role: Role, land: Any) -> None:
    boundary, rights = documents_of(role, land)
    told = deploying_landscape(land)
    assert sets(boundary) == sets(json.loads(boundary_policy(BOUNDED_BY[role], told)))
    filled = [one for document in rights.values() for one in sets(document)]
    assert filled == sets(json.loads(identity_policy(MATRIX[role], told)))


def test_names_of_ones_own_are_covered_by_a_pattern_and_others_are_listed() -> None:
    land = replace(LAND, vaults=("interlock-prod-vault-1-eu", "elsewhere"))
    assert deploying_landscape(land).vaults == ("interlock-prod-vault-*", "elsewhere")


def test_every_document_fits_into_what_iam_takes() -> None:
    longest = replace(LAND, vaults=("v" * 63, "w" * 63), staging=("s" * 63, "t" * 63))
    for role in DEPLOYING:
        boundary, rights = documents_of(role, longest)
        for document in (boundary, *rights.values()):
            assert len(json.dumps(document, separators=(",", ":"))) <= LARGEST_MANAGED
