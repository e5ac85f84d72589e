"""YAML as Pulumi reads it: with yaml.v3 for Go, which takes fewer words for Booleans and more for numbers than PyYAML.

Source: github.com/go-yaml/yaml v3, resolve.go.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

_NULL, _BOOL, _INT, _FLOAT, _DATE, _MERGE = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "timestamp", "merge")
)
_RESOLVED: Final = (
    (_NULL, r"~|null|Null|NULL|", "~nN"),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_INT, r"[-+]?(?:0|[1-9][0-9_]*|0o?[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)", "-+0123456789"),
    (_FLOAT, r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    (_FLOAT, r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    (_DATE, r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9].*)?", "0123456789"),
    (_MERGE, r"<<", "<"),
)
"""Tag, pattern, and the characters that a plain scalar of it begins with; the first that matches holds."""


class _Resolving:
    yaml_implicit_resolvers: Final = {
        first: [(tag, re.compile(rf"(?:{pattern})\Z")) for tag, pattern, firsts in _RESOLVED if first in firsts]
        for first in ["", *sorted({one for *_, firsts in _RESOLVED for one in firsts})]
    }
    """By a scalar's first character, as PyYAML looks them up; an empty scalar has none."""


class _Loader(_Resolving, yaml.SafeLoader):  # type: ignore[misc]
    """Refuses a mapping that says one thing twice: which of the two Pulumi goes by, no reader could tell."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if isinstance(key, Hashable) and lines.setdefault(key, line) != line:
                raise yaml.MarkedYAMLError(
                    problem=f"{key} is there already, in line {lines[key]}", problem_mark=key_node.start_mark
                )
        return super().construct_mapping(node, deep)

    def number(self, node: Any) -> int | float:
        text = self.construct_scalar(node).replace("_", "").lower()
        digits = text.lstrip("-+")
        if digits in (".inf", ".nan"):
            raise yaml.MarkedYAMLError(problem=f"{text} is no number of a setting", problem_mark=node.start_mark)
        if node.tag == _FLOAT:
            value = float(text)
            return int(value) if value.is_integer() else value
        octal = digits.startswith("0") and digits.isdigit() and len(digits) > 1
        return int(text.replace(digits, f"0o{digits}") if octal else text, 0)

    def date(self, node: Any) -> None:
        raise yaml.MarkedYAMLError(
            problem=f"Pulumi reads {node.value} as a point in time; put it in quotes", problem_mark=node.start_mark
        )


class _Dumper(_Resolving, yaml.SafeDumper):  # type: ignore[misc]
    """Puts in quotes what Pulumi would take for something else than text."""


_Loader.add_constructor(_INT, _Loader.number)
_Loader.add_constructor(_FLOAT, _Loader.number)
_Loader.add_constructor(_DATE, _Loader.date)


def loaded(text: str) -> Any:
    """Return what a document holds. Raises yaml.YAMLError, and ValueError or RecursionError for what none can hold."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def dumped(value: Any) -> str:
    """Return a document that Pulumi reads as `value`, its keys in their order."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=1000))
