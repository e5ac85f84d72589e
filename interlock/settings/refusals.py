"""Turns wrong settings into one error that names each of them, the value received and what would be accepted."""

from __future__ import annotations

import ipaddress
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Annotated, Any, Final, NoReturn, Union, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from interlock.rules import Problem, Rule, overlapping, shown

KEY: Final = "[key]"
"""How pydantic marks, at the end of a path, that a mapping's key is wrong and not its value."""


@dataclass(frozen=True)
class Must:
    """Holds a setting to a rule: `Annotated[str, Must(rule)]`."""

    rule: Rule

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def hold(value: Any) -> Any:
            if not self.rule.holds(value):
                refuse(self.rule.told(value))
            return value

        def whole(value: Any) -> Any:
            if isinstance(value, float):
                refuse(f"{self.rule.accepted}; in quotes, as 1.10 without them is the number 1.1")
            return value

        schema = handler(source)
        if source is int:
            return core_schema.no_info_after_validator_function(hold, core_schema.int_schema(strict=True))
        held = core_schema.no_info_after_validator_function(hold, schema)
        return core_schema.no_info_before_validator_function(whole, held) if source is str else held


def refuse(accepted: str) -> NoReturn:
    """Refuse the value under validation, because only `accepted` would do."""
    raise PydanticCustomError("refused", "{accepted}", {"accepted": accepted})


def not_overlapping(blocks: Mapping[str, str]) -> None:
    """Refuse named CIDR blocks of which two share an address."""
    pairs = overlapping(list(blocks.values()))
    if pairs:
        words = "; ".join(f"{one} overlaps {other}" for one, other in pairs)
        refuse(f"CIDR blocks that do not overlap ({words})")


def contained(blocks: Mapping[str, str], whole: str) -> None:
    """Refuse named CIDR blocks that are not all inside of `whole`."""
    around = ipaddress.IPv4Network(whole)
    outside = [block for block in blocks.values() if not ipaddress.IPv4Network(block).subnet_of(around)]
    if outside:
        refuse(f"CIDR blocks inside of {whole}, unlike {', '.join(outside)}")


def problems_of(model: type[BaseModel], values: Mapping[str, Any], prefix: str) -> list[Problem]:
    """Return all that is wrong with `values` as a `model`, by path; paths begin with `prefix`."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return [_problem(model, one, prefix) for one in error.errors(include_url=False)]
    return []


def _problem(model: type[BaseModel], error: Any, prefix: str) -> Problem:
    location = [str(part) for part in error["loc"] if part != KEY]
    accepted = (
        _described(_key_annotation(model, location[:-1])) or error["msg"]
        if error["loc"][-1] == KEY
        else _accepted(model, location, error["type"], error.get("ctx", {}).get("accepted"), error["msg"])
    )
    received = "nothing" if error["type"] == "missing" else shown(_plain(error["input"]))
    return Problem(prefix + _path(location), received, accepted + _hint(error["type"], error["input"]))


def _accepted(model: type[BaseModel], location: Sequence[str], kind: str, accepted: str | None, message: str) -> str:
    if kind == "extra_forbidden":
        parent = _annotation(model, location[:-1])
        names = list(parent.model_fields) if isinstance(parent, type) and issubclass(parent, BaseModel) else []
        close = get_close_matches(location[-1], names, n=1)
        return (
            f"no such setting; did you mean {close[0]}?" if close else "no such setting; there are " + ", ".join(names)
        )
    return accepted or _described(_annotation(model, location)) or message


def _hint(kind: str, value: Any) -> str:
    """Return what is to be said of a value that would do without its quotes."""
    plain = {"bool_type": ("true", "false"), "int_type": (value,) if str(value).isdecimal() else ()}
    return ", without quotes" if value in plain.get(kind, ()) else ""


def _described(annotation: Any) -> str | None:
    """Return in words what a setting of type `annotation` accepts, if its type or rule can tell."""
    for one in _alternatives(annotation):
        rules = [part.rule for part in _metadata(one) if isinstance(part, Must)]
        if rules:
            return rules[0].accepted
        one = _bare(one)
        if isinstance(one, type) and issubclass(one, Enum):
            return "one of " + ", ".join(str(member.value) for member in one)
        if isinstance(one, type) and issubclass(one, BaseModel):
            return "a section with " + ", ".join(one.model_fields)
        if one is bool:
            return "true or false"
        if get_origin(one) is list:
            return f"a list, each {_described(get_args(one)[0]) or 'a text'}"
        if get_origin(one) is dict:
            return f"a mapping, each {_described(get_args(one)[1]) or 'a text'}"
    return None


def _annotation(model: type[BaseModel], location: Sequence[str]) -> Any:
    current: Any = model
    for part in location:
        for one in _alternatives(current):
            bare = _bare(one)
            if isinstance(bare, type) and issubclass(bare, BaseModel) and part in bare.model_fields:
                field = bare.model_fields[part]
                current = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
                break
            if get_origin(bare) in (list, dict):
                current = get_args(bare)[-1]
                break
        else:
            return None
    return current


def _key_annotation(model: type[BaseModel], location: Sequence[str]) -> Any:
    mappings = [one for one in map(_bare, _alternatives(_annotation(model, location))) if get_origin(one) is dict]
    return get_args(mappings[0])[0] if mappings else None


def _alternatives(annotation: Any) -> Sequence[Any]:
    bare = _bare(annotation)
    if get_origin(bare) in (Union, types.UnionType):
        return [one for one in get_args(bare) if one is not type(None)]
    return [annotation]


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _metadata(annotation: Any) -> Sequence[Any]:
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def _path(location: Sequence[str]) -> str:
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in location).removeprefix(".")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Enum):
        return value.value
    return [_plain(one) for one in value] if isinstance(value, list) else value
