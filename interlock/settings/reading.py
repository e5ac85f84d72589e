"""Reads a stack's configuration as settings, or says all that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from interlock import rules
from interlock.rules import Problem
from interlock.settings.contradictions import contradictions
from interlock.settings.model import Settings
from interlock.settings.refusals import problems_of
from interlock.settings.section import PREFIX

_BOOLEANS: Final = {"true": True, "false": False}


class SettingsError(ValueError):
    """Settings that cannot be used; `problems` holds every one of what is wrong, by path."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


def read_settings(stack: str, config: Mapping[str, str]) -> Settings:
    """Return the settings that stack `stack` is configured with. Raises SettingsError with all that is wrong.

    `config` holds texts as Pulumi hands them to a program: sections and lists as JSON.
    """
    written = parse(config)
    problems = {*problems_of(Settings, written, PREFIX), *contradictions(stack, written), *_problems_of_name(stack)}
    if problems:
        raise SettingsError(sorted(problems, key=lambda problem: (problem.path, problem.accepted)))
    return Settings.model_validate(written)


def parse(config: Mapping[str, str]) -> dict[str, Any]:
    """Return what `interlock:*` keys of a stack's configuration hold; sections are JSON objects or lists."""
    return {
        name: _value(name, text)
        for name, text in (
            # A key of another namespace is another program's business.
            (key.removeprefix(PREFIX), text)
            for key, text in config.items()
            if key.startswith(PREFIX)
        )
    }


def _value(name: str, text: str) -> Any:
    if text[:1] not in ("{", "["):
        return _scalar(name, text)
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _scalar(name: str, text: str) -> str | int:
    """Return what stands at the top as what it is declared: Pulumi writes all that stands there as text."""
    field = Settings.model_fields.get(name)
    kind = field.annotation if field is not None else str
    if kind is bool and text in _BOOLEANS:
        return _BOOLEANS[text]
    return int(text) if kind is int and text.isascii() and text.isdecimal() else text


def _problems_of_name(stack: str) -> list[Problem]:
    # Endpoints, aliases and the database are named after the stack, and take no other characters.
    rule = rules.name
    return [] if rule.holds(stack) else [Problem("the stack's name", repr(stack), rule.accepted)]
