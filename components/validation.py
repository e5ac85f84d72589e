"""Checks a component's arguments: all of them at once where they are known, the others when they become known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def checked(kind: type[_Args], subject: str, args: _Args, rules: Mapping[str, Rule]) -> _Args:
    """Return `args` with every value held to its rule.

    `kind` is the TypedDict that `args` is of. Raises ArgumentError with all that is wrong now: missing arguments,
    unknown ones, values that break their rule. A value that is an output is held to its rule when it becomes known,
    and fails the deployment then.
    """
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
        if rule is not None and not isinstance(value, pulumi.Output):
            problems += _problems(f"{subject}.{name}", value, rule)
    if problems:
        raise ArgumentError(subject, problems)
    later = {
        name: _when_known(subject, name, value, rules[name])
        for name, value in args.items()
        if isinstance(value, pulumi.Output) and name in rules
    }
    return cast(_Args, {**args, **later})


def _written(hint: object) -> str:
    # Neither __required_keys__, which overlooks NotRequired in a module with postponed annotations, nor
    # get_type_hints, which cannot resolve the names inside of pulumi.Input.
    return hint.__forward_arg__ if isinstance(hint, ForwardRef) else str(hint).rpartition("typing.")[2]


def _accepted(rules: Mapping[str, Rule], name: str) -> str:
    return rules[name].accepted if name in rules else "a value"


def _problems(path: str, value: object, rule: Rule) -> list[Problem]:
    return [] if rule.holds(value) else [Problem(path, shown(value), rule.accepted)]


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
