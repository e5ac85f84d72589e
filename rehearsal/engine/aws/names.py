"""How a Terraform name may read in Pulumi. Names are looked up among those that exist, never made up backwards."""

from __future__ import annotations

import re
from collections.abc import Iterator

_IRREGULAR = {"index": "indices", "matrix": "matrices", "vertex": "vertices", "child": "children"}


def camel(name: str) -> str:
    """Return a snake_case name in camelCase."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def snake(name: str) -> str:
    """Return a CamelCase name in snake_case, a run of capitals as one word (`MLTransform`: `ml_transform`)."""
    text = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()


def plurals(name: str) -> Iterator[str]:
    """Yield the spellings that the plural of a camelCase name may have, likeliest first."""
    head, last = re.fullmatch(r"(.*?)([A-Z]?[a-z0-9]*)", name).groups()  # type: ignore[union-attr]
    lower = last.lower()
    if lower in _IRREGULAR:
        plural = _IRREGULAR[lower]
        yield head + (plural.capitalize() if last[:1].isupper() else plural)
    if name.endswith("y"):
        yield name[:-1] + "ies"
    if name.endswith("sis"):
        yield name[:-2] + "es"
    if name.endswith(("s", "x", "z", "ch", "sh")):
        yield name + "es"
    if name.endswith("um"):
        yield name[:-2] + "a"
    yield name + "s"
    yield name + "es"
