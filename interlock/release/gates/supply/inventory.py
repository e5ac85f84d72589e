"""The inventory of an environment: which distributions are there, under which licences, and what each one needs.

`interlock release inventory` writes it where the model will serve; the gate reads it as a document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from packaging.utils import canonicalize_name
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from interlock.release.gates.files.requirements import Pinned
from interlock.release.times import Moment

_Name = Annotated[str, AfterValidator(canonicalize_name), Field(min_length=1, max_length=200)]


class Distribution(BaseModel):
    """An installed distribution; `requires` names those that it needs in this environment, without extras."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    version: Annotated[str, Field(min_length=1, max_length=100)]
    licence: Annotated[str, Field(max_length=300)] | None = None
    """An SPDX expression, or None where its metadata says nothing that can be read as one."""
    requires: tuple[_Name, ...] = ()


class Inventory(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    taken_at: Moment
    python: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+")]
    distributions: Annotated[tuple[Distribution, ...], Field(max_length=10_000)]

    @property
    def by_name(self) -> Mapping[str, Distribution]:
        return {one.name: one for one in self.distributions}


@dataclass(frozen=True)
class Closure:
    """All that the pinned distributions bring along, themselves included, and what is missing for saying so."""

    distributions: tuple[Distribution, ...]
    problems: tuple[str, ...]


def closure_of(pinned: Iterable[Pinned], inventory: Inventory) -> Closure:
    """Return what is installed for the pinned distributions' sake; each version must be the one that was pinned."""
    known = inventory.by_name
    problems: list[str] = []
    waiting: list[str] = []
    for one in pinned:
        installed = known.get(one.name)
        if installed is None:
            problems.append(f"the inventory lacks {one.name}, which the model asks for")
        elif installed.version != one.version:
            problems.append(f"the inventory holds {one.name} {installed.version}; the model asks for {one.version}")
        waiting.append(one.name)
    found: dict[str, Distribution] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name not in known:
            continue
        found[name] = known[name]
        missing = [one for one in known[name].requires if one not in known]
        problems += [f"the inventory lacks {one}, which {name} needs" for one in missing]
        waiting += known[name].requires
    return Closure(tuple(found[one] for one in sorted(found)), tuple(dict.fromkeys(problems)))
