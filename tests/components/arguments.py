"""The arguments of every component as its TypedDict and its rules declare them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from components.validation import Rule, Section
from policy.recording.answers import ACCOUNT, RECOVERY_REGION
from tests.components.programs import EXAMPLES, INSIDE, RECOVERY_KEY, SECRET, SUBNETS, elsewhere

WRONG = ("?!", -1.5)
"""No rule accepts both."""
ANY = "*"
SECTIONS: Mapping[tuple[str, str], dict[str, Any]] = {
    ("ArtifactStore", "replica"): {"account_id": ACCOUNT, "encryption_key_arn": RECOVERY_KEY, "bucket_name": "copies"},
    ("Network", "existing"): {
        "vpc_id": INSIDE["vpc_id"],
        "private_subnet_ids": SUBNETS,
        "route_table_ids": ["rtb-0123456789abcdef0"],
        "storage_prefix_list_id": "pl-6da54004",
    },
    ("TrackingDatabase", "standby"): {
        "region": RECOVERY_REGION,
        "vpc_id": INSIDE["vpc_id"],
        "subnet_ids": SUBNETS,
        "encryption_key_arn": RECOVERY_KEY,
    },
    ("TrackingDatabase", "existing"): {
        "identifier": "database-before",
        "address": "before.example.internal",
        "port": 5432,
        "secret_arn": SECRET,
        "client_security_group_id": "sg-0123456789abcdef0",
    },
}
"""Sections that the examples do without."""

PLACED = ("replica", "standby")
"""Sections with a provider, which is made anew for each program."""


class Argument(NamedTuple):
    """One argument of a component, or one value of a section of its arguments."""

    kind: str
    path: tuple[str, ...]
    hint: str
    """As written, without `NotRequired[…]`."""
    required: bool
    rule: Rule | None

    def __str__(self) -> str:
        return ".".join((self.kind, *self.path))


def arguments() -> Iterator[Argument]:
    """Yield every argument of every component, but not what is inside of sections."""
    for kind in sorted(EXAMPLES):
        module = importlib.import_module(EXAMPLES[kind].component.__module__)
        yield from _declared(kind, (), getattr(module, f"{kind}Args"), module._RULES)


def inner_arguments() -> Iterator[Argument]:
    """Yield the values of every section; `ANY` stands for the name of one of several."""
    for outer in arguments():
        if isinstance(outer.rule, Section):
            part = () if outer.rule.names is None else (ANY,)
            yield from _declared(outer.kind, (*outer.path, *part), outer.rule.kind, outer.rule.rules)


def section_of(kind: str, section: str, name: str) -> dict[str, Any]:
    """Return what a component that is named `name` accepts as a section of its arguments."""
    if (kind, section) not in SECTIONS:
        return dict(EXAMPLES[kind].arguments(name)[section])
    found = SECTIONS[kind, section]
    return {**found, "provider": elsewhere(name)} if section in PLACED else found


def wrong_for(rule: Rule) -> Any:
    """Return a value that `rule` refuses."""
    return next(value for value in WRONG if not rule.holds(value))


def _declared(
    kind: str, within: tuple[str, ...], declared: type[Mapping[str, Any]], rules: Mapping[str, Rule]
) -> Iterator[Argument]:
    for name, hint in declared.__annotations__.items():
        written = hint.__forward_arg__
        required = not written.startswith("NotRequired[")
        bare = written if required else written.removeprefix("NotRequired[").removesuffix("]")
        yield Argument(kind, (*within, name), bare, required, rules.get(name))
