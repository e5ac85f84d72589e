"""Settings that are right one by one and wrong together; found in what was written, so that nothing hides them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock.rules import Problem
from interlock.settings.contradictions import alarms, demands, duties, names, people, places, structure
from interlock.settings.contradictions.naming import problems_of_names


def contradictions(stack: str, written: Mapping[str, Any]) -> list[Problem]:
    """Return what contradicts itself in `written`, the settings of `stack` as parsed, whatever else is wrong."""
    modules = (structure, places, names, people, demands, duties, alarms)
    checks = [check for module in modules for check in module.CHECKS]
    return [*(problem for check in checks for problem in check(written)), *problems_of_names(stack, written)]
