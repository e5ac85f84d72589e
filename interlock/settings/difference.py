"""How the settings of two stacks differ, in words: defaults count as if they had been written."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from interlock.settings.model import Settings
from interlock.settings.section import Means, Section

STACK: Final = "stack"
"""The group of settings that stand in no section."""
GIVEN: Final = "given"
"""The value of a section that may be missing and is not."""


@dataclass(frozen=True)
class Setting:
    """One setting as it is: `value` is plain data, None where the settings say nothing and there is no default."""

    value: Any
    means: str


@dataclass(frozen=True)
class Difference:
    """One setting in which two stacks differ."""

    path: str
    section: str
    first: Any
    second: Any
    words: str


def differences(names: tuple[str, str], first: Settings, second: Settings) -> list[Difference]:
    """Return in what two stacks of these names differ, in the order of the settings."""
    here, there = dict(_leaves(first)), dict(_leaves(second))
    found = []
    for path in _in_order(here, there):
        one, other = here.get(path), there.get(path)
        values = (one.value if one else None, other.value if other else None)
        # A section that is missing lacks what the other leaves empty just as well.
        same = values[0] == values[1] or (None in (one, other) and not any(values))
        if not same:
            means = one.means if one else other.means if other else ""
            found.append(Difference(path, _section(path), *values, words=_words(means, names, values)))
    return found


def shown(value: Any) -> str:
    """Return a setting's value as it is written in a file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(one)}" for key, one in value.items()) + "}"
    return "[" + ", ".join(map(shown, value)) + "]" if isinstance(value, list) else str(value)


def _words(means: str, names: tuple[str, str], values: tuple[Any, Any]) -> str:
    first, second = values
    if all(isinstance(one, bool | list | Mapping) or one in (None, GIVEN) for one in values) and bool(first) != bool(
        second
    ):
        return f"{means} only in {names[0] if first else names[1]}"
    here, there = _amount(first), _amount(second)
    if here is not None and there is not None and here != there:
        return f"{means}: {abs(there - here)} {'more' if there > here else 'fewer'} in {names[1]}"
    return means


def _amount(value: Any) -> int | None:
    if isinstance(value, list | Mapping):
        return len(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _leaves(section: BaseModel, path: str = "") -> Iterator[tuple[str, Setting]]:
    for name, field in type(section).model_fields.items():
        yield from _of_field(field, getattr(section, name), f"{path}.{name}" if path else name)


def _of_field(field: FieldInfo, value: Any, path: str) -> Iterator[tuple[str, Setting]]:
    means = next((one.words for one in field.metadata if isinstance(one, Means)), "")
    if _holds_section(field.annotation):
        if means:
            # A section that may be missing decides something by being there.
            yield path, Setting(GIVEN if value is not None else None, means)
        if isinstance(value, Section):
            yield from _leaves(value, path)
    elif get_origin(field.annotation) is list and _holds_section(get_args(field.annotation)[0]):
        for one in value:
            yield from _of_element(one, means, path)
    else:
        yield path, Setting(_plain(value), means)


def _of_element(element: Any, means: str, path: str) -> Iterator[tuple[str, Setting]]:
    # By its name and not its position: the order of a list decides nothing.
    inside = f"{path}[{element.name}]"
    yield inside, Setting(GIVEN, f"{means}: {element.name}")
    yield from ((where, one) for where, one in _leaves(element, inside) if where != f"{inside}.name")


def _holds_section(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _holds_section(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_holds_section(one) for one in get_args(annotation))
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {_plain(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _in_order(first: Mapping[str, Setting], second: Mapping[str, Setting]) -> Sequence[str]:
    order = {name: number for number, name in enumerate(Settings.model_fields)}
    return sorted(dict.fromkeys((*first, *second)), key=lambda path: order[path.partition(".")[0].partition("[")[0]])


def _section(path: str) -> str:
    top = path.partition(".")[0].partition("[")[0]
    return STACK if top == path and not _is_section(top) else top


def _is_section(name: str) -> bool:
    annotation = Settings.model_fields[name].annotation
    return _holds_section(annotation)
