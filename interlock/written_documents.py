"""Documents that people write: YAML taken literally, and all that is wrong with one said at once, by path."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from interlock.rules import Problem, shown

LARGEST_BYTES: Final = 4 * 1024**2
DEEPEST: Final = 40
"""Levels of nesting: more than any document of ours has, fewer than Python's stack."""

_TEXT: Final = "tag:yaml.org,2002:str"

_Document = TypeVar("_Document", bound=BaseModel)


class InvalidDocument(ValueError):
    """A document that cannot be used; `problems` holds all that is wrong, by path."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


def read_document(content: bytes, model: type[_Document]) -> _Document:
    """Return the `model` that is written in a YAML or JSON file's bytes. Raises InvalidDocument."""
    return validated(read_yaml(content), model)


def validated(document: Mapping[str, Any], model: type[_Document]) -> _Document:
    """Return `document` as a `model`. Raises InvalidDocument with all that is wrong with it."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidDocument([_problem(model, one) for one in error.errors(include_url=False)]) from None


def read_yaml(content: bytes) -> dict[str, Any]:
    """Return the mapping that a YAML file's bytes hold, all of whose keys are text.

    What YAML lets mean more than is written there is refused: a key that stands twice, of which it would keep the
    last; anchors and aliases, of which a few lines unfold to gigabytes; merged keys; tags. Raises InvalidDocument.
    """
    if len(content) > LARGEST_BYTES:
        raise _invalid(f"{len(content)} bytes", f"at most {LARGEST_BYTES}")
    try:
        document = yaml.load(content.decode("utf-8"), Loader=_StrictLoader)  # noqa: S506 (a SafeLoader of ours)
    except UnicodeDecodeError as error:
        raise _invalid(f"bytes that are no UTF-8 (at {error.start})", "YAML") from None
    except yaml.YAMLError as error:
        raise _invalid(_told(error), "YAML, each key once, without anchors, aliases and tags") from None
    except ValueError as error:
        # PyYAML lets through what a date or a number that is none makes Python say.
        raise _invalid(str(error), "YAML") from None
    if not isinstance(document, dict):
        raise _invalid("nothing" if document is None else f"a {type(document).__name__}", "a mapping")
    return document


def _invalid(received: str, accepted: str) -> InvalidDocument:
    return InvalidDocument([Problem("document", received, accepted)])


def _told(error: Any) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark is not None else ""
    return where + " ".join(str(getattr(error, "problem", None) or error).split())


class _StrictLoader(yaml.SafeLoader):  # type: ignore[misc]
    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.events.AliasEvent) or event.anchor is not None:
            raise _refused("an anchor or an alias", event)
        if getattr(event, "tag", None) is not None:
            raise _refused("a tag", event)
        self._depth += 1
        if self._depth > DEEPEST:
            raise _refused(f"more than {DEEPEST} levels", event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if key.tag != _TEXT:
                raise _refused(f"the key {shown(key.value)}, which is no text", key)
            if key.value in seen:
                raise _refused(f"the key {key.value!r} a second time", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _refused(what: str, where: Any) -> Exception:
    error: Exception = yaml.constructor.ConstructorError(None, None, what, where.start_mark)
    return error


def _problem(model: type[BaseModel], error: ErrorDetails) -> Problem:
    location = [str(part) for part in error["loc"] if part != "[key]"]
    path = ".".join(location) or "document"
    if error["type"] == "missing":
        return Problem(path, "nothing", "a value: the key has no default")
    if error["type"] == "extra_forbidden":
        return Problem(path, shown(error["input"]), _known_keys(model, location))
    accepted = error["msg"]
    for start in ("Value error, ", "accepted is ", "Input should be "):
        accepted = accepted.removeprefix(start)
    return Problem(path, shown(_plain(error["input"])), accepted)


def _known_keys(model: type[BaseModel], location: Sequence[str]) -> str:
    names = sorted(_fields(model, location[:-1]))
    close = get_close_matches(location[-1], names, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"no such key; there are {', '.join(names)}{hint}" if names else "no such key"


def _fields(model: type[BaseModel], location: Sequence[str]) -> set[str]:
    """Return the names of the fields that a model has at `location`, which pydantic has walked before."""
    current: Any = model
    for part in location:
        found = next((one for one in _models(current) if part in one.model_fields), None)
        current = found.model_fields[part].annotation if found is not None else _element(current)
    return {name for one in _models(current) for name in one.model_fields}


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for one in get_args(annotation) for inner in _alternatives(one)]
    return [annotation]


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [one for one in _alternatives(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]


def _element(annotation: Any) -> Any:
    """Return the type of what a mapping or a sequence holds."""
    arguments = [
        [part for part in get_args(one) if part is not Ellipsis] for one in _alternatives(annotation) if get_args(one)
    ]
    return arguments[0][-1] if arguments else None


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value.value if isinstance(value, Enum) else value
