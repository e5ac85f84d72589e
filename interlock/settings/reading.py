"""Reads a stack's configuration as settings, or says all that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from interlock import rules
from interlock.rules import Problem
from interlock.settings.contradictions import contradictions
from interlock.settings.model import Settings
from interlock.settings.refusals import problems_of
from interlock.settings.section import PREFIX


class SettingsError(ValueError):
    """Settings that cannot be used; `problems` holds every one of what is wrong, by path."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


def read_settings(stack: str, config: Mapping[str, str]) -> Settings:
    """Return the settings that stack `stack` is configured with. Raises SettingsError with all that is wrong.

    `config` holds texts as Pulumi hands them to a program: sections and lists as JSON.
    """
    written = parse(config)
    problems = {*problems_of(Settings, written, PREFIX), *contradictions(written), *_problems_of_name(stack)}
    if problems:
        raise SettingsError(sorted(problems, key=lambda problem: (problem.path, problem.accepted)))
    return Settings.model_validate(written)


def parse(config: Mapping[str, str]) -> dict[str, Any]:
    """Return what `interlock:*` keys of a stack's configuration hold; sections are JSON objects or lists."""
    return {
        key.removeprefix(PREFIX): _value(text)  # a key of another namespace is another program's business
        for key, text in config.items()
        if key.startswith(PREFIX)
    }


def _value(text: str) -> Any:
    # Scalars stay text: an account's id is digits, and no number.
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _problems_of_name(stack: str) -> list[Problem]:
    # Endpoints, aliases and the database are named after the stack, and take no other characters.
    rule = rules.name
    return [] if rule.holds(stack) else [Problem("the stack's name", repr(stack), rule.accepted)]
