"""Every type of resource that the stacks declare is one that a proof reads or knows to be harmless."""

from __future__ import annotations

import re
from pathlib import Path

from interlock.duties.plan_readable import HARMLESS, READ

ROOT = Path(__file__).resolve().parents[3]
_MADE = re.compile(r"\baws\.([a-z0-9_]+)\.([A-Z][A-Za-z0-9]+)\(")


def declared_types() -> set[str]:
    """Return the tokens of the resources that the code of components and stacks makes."""
    files = [path for room in ("components", "stacks") for path in (ROOT / room).rglob("*.py")]
    made = {found for path in files for found in _MADE.findall(path.read_text())}
    return {
        f"aws:{module.rstrip('_')}/{name[0].lower()}{name[1:]}:{name}"
        for module, name in made
        if not name.endswith(("Args", "ArgsDict"))
    }


def test_every_type_that_the_stacks_declare_is_read_or_known_to_be_harmless() -> None:
    types = declared_types()
    assert len(types) > 50
    assert types - READ - HARMLESS == set()
