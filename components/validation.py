"""Checks a component's arguments: all of them at once where they are known, the others when they become known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, ForwardRef, TypeVar, cast

import pulumi
import pulumi_aws as aws

from interlock.rules import *  # noqa: F403  components name a rule by `validation.<rule>`
from interlock.rules import Problem, Rule, shown

_Args = TypeVar("_Args", bound=Mapping[str, Any])

provider: Final = Rule("a provider of pulumi_aws", lambda value: isinstance(value, aws.Provider))


class ArgumentError(pulumi.RunError):
    """Arguments that a component or the program refuses; `problems` holds every one of them.

    Pulumi shows a RunError's text alone, without a traceback; of a ValueError its SDK makes another error.
    """

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} wrong {'value' if len(problems) == 1 else 'values'}"
        super().__init__("\n".join([f"{subject}: {count}", *(f"  {problem}" for problem in problems)]))


@dataclass(frozen=True)
class Section(Rule):
    """A TypedDict of its own inside of a component's arguments, or several by name."""

    kind: type[Mapping[str, Any]]
    rules: Mapping[str, Rule]
    names: Rule | None

    def parts(self, value: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        """Return the sections that `value` is or has, by the path from it."""
        return {"": value} if self.names is None else {f".{name}": one for name, one in value.items()}


def section(kind: type[Mapping[str, Any]], rules: Mapping[str, Rule], *, names: Rule | None = None) -> Section:
    """Accept a `kind`, or a mapping from `names` to such; what is in it is held to `rules` together with the rest."""

    def holds(value: Any) -> bool:
        if not isinstance(value, Mapping):
            return False
        return names is None or all(names.holds(name) and isinstance(one, Mapping) for name, one in value.items())

    within = "a section with " + ", ".join(kind.__annotations__)
    accepted = within if names is None else f"a mapping from {names.accepted} to {within}"
    return Section(accepted, holds, kind, rules, names)


def checked(kind: type[_Args], subject: str, args: _Args, rules: Mapping[str, Rule]) -> _Args:
    """Return `args` with every value held to its rule.

    `kind` is the TypedDict that `args` is of. Raises ArgumentError with all that is wrong now: missing arguments,
    unknown ones, values that break their rule. A value that is an output is held to its rule when it becomes known,
    and fails the deployment then.
    """
    problems = _all_problems(kind, subject, args, rules)
    if problems:
        raise ArgumentError(subject, problems)
    return cast(_Args, _held_later(subject, args, rules))


def _all_problems(
    kind: type[Mapping[str, Any]], subject: str, args: Mapping[str, Any], rules: Mapping[str, Rule]
) -> list[Problem]:
    hints = {name: _written(hint) for name, hint in kind.__annotations__.items()}
    required = {name for name, hint in hints.items() if not hint.startswith("NotRequired[")}
    problems = [
        Problem(f"{subject}.{name}", "nothing", _accepted(rules, name)) for name in sorted(required - set(args))
    ]
    problems += [
        Problem(f"{subject}.{name}", shown(args[name]), "no such argument; there are " + ", ".join(hints))
        for name in sorted(set(args) - set(hints))
    ]
    for name, value in args.items():
        rule = rules.get(name)
        if rule is None or isinstance(value, pulumi.Output):
            continue
        path = f"{subject}.{name}"
        own = _problems(path, value, rule)
        problems += own
        if isinstance(rule, Section) and not own:
            for inner, part in rule.parts(value).items():
                problems += _all_problems(rule.kind, path + inner, part, rule.rules)
    return problems


def _held_later(subject: str, args: Mapping[str, Any], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return `args` with every output in it held to its rule when it becomes known."""
    held = dict(args)
    for name, rule in rules.items():
        value, path = args.get(name), f"{subject}.{name}"
        if isinstance(value, pulumi.Output):
            held[name] = _when_known(subject, name, value, rule)
        elif isinstance(rule, Section) and value is not None:
            parts = {inner: _held_later(path + inner, part, rule.rules) for inner, part in rule.parts(value).items()}
            held[name] = parts[""] if rule.names is None else {inner[1:]: part for inner, part in parts.items()}
    return held


def _written(hint: object) -> str:
    # Neither __required_keys__, which overlooks NotRequired in a module with postponed annotations, nor
    # get_type_hints, which cannot resolve the names inside of pulumi.Input.
    return hint.__forward_arg__ if isinstance(hint, ForwardRef) else str(hint).rpartition("typing.")[2]


def _accepted(rules: Mapping[str, Rule], name: str) -> str:
    return rules[name].accepted if name in rules else "a value"


def _problems(path: str, value: object, rule: Rule) -> list[Problem]:
    return [] if rule.holds(value) else [Problem(path, shown(value), rule.told(value))]


def _when_known(subject: str, name: str, value: pulumi.Output[Any], rule: Rule) -> pulumi.Output[Any]:
    def hold(known: Any) -> Any:
        problems = _problems(f"{subject}.{name}", known, rule)
        if problems:
            raise ArgumentError(subject, problems)
        return known

    return value.apply(hold)


def either(subject: str, args: Mapping[str, Any], rules: Mapping[str, Rule], *names: str) -> None:
    """Raise ArgumentError unless exactly one of the arguments `names` is given."""
    given = [name for name in names if name in args]
    if not given:
        accepted = " or ".join(f"{name} ({rules[name].accepted})" for name in names)
        raise ArgumentError(subject, [Problem(f"{subject}.{names[0]}", "nothing", accepted)])
    if len(given) > 1:
        accepted = f"nothing, as {given[0]} is given"
        raise ArgumentError(subject, [Problem(f"{subject}.{name}", shown(args[name]), accepted) for name in given[1:]])
