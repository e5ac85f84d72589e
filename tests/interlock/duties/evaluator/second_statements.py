"""Principals, actions and resources of a statement, for the second implementation.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html,
.../reference_policies_elements_notprincipal.html, .../reference_policies_elements_action.html,
.../reference_policies_elements_resource.html, .../reference_identifiers.html
"""

from collections.abc import Mapping
from typing import Any

from tests.interlock.duties.evaluator.second_conditions import (
    Answer,
    Context,
    Pattern,
    conditions_hold,
    every,
    filled_in,
    like,
    many,
    opposite,
    some,
)

By = Mapping[str, str]


def account_of(by: By) -> str:
    """The caller's account; empty for services, identity providers and the anonymous."""
    if "root" in by:
        return by["root"]
    arn = by.get("user") or by.get("role") or by.get("federated") or ""
    return arn.split(":")[4] if arn else ""


def session_arn(by: By) -> str:
    """A role session's ARN, which has the role's name without its path."""
    _, partition, _, _, account, role = by["role"].split(":", 5)
    return f"arn:{partition}:sts::{account}:assumed-role/{role.split('/')[-1]}/{by['session']}"


def own_names(by: By) -> list[str]:
    """The names that mean exactly this caller."""
    if "role" in by:
        return [session_arn(by)]
    return [by[kind] for kind in ("user", "federated", "service", "provider") if kind in by]


def entity_names(by: By) -> list[str]:
    """The names of the role or user whose session this is."""
    return [by["role"]] if "role" in by else [by["issuer"]] if "issuer" in by else []


def account_names(by: By) -> list[str]:
    """The two forms that name the caller's account."""
    account = account_of(by)
    return [account, f"arn:aws:iam::{account}:root"] if account else []


def names_in(element: Any) -> list[str]:
    """All names of a Principal or NotPrincipal element."""
    return ["*"] if element == "*" else [name for written in element.values() for name in many(written)]


def how_named(element: Any, by: By) -> str:
    """How a Principal element means the caller: "itself", "entity", "account" or not at all ("")."""
    names = names_in(element)
    if "*" in names or any(name in names for name in own_names(by)):
        return "itself"
    if any(name in names for name in entity_names(by)):
        return "entity"
    if any(name in names for name in account_names(by)):
        return "itself" if "root" in by else "account"
    return ""


def excepted(element: Any, by: By) -> Answer:
    """Whether NotPrincipal leaves the caller out: the session, its role and the account have all to be listed."""
    names = names_in(element)
    listed = [
        any(name in names for name in group) for group in (own_names(by), entity_names(by), account_names(by)) if group
    ]
    if "federated" in by and any(listed) and not all(listed):
        return None
    return bool(listed) and all(listed)


def resource_like(pattern: Pattern, text: str, colons: int = 0) -> bool:
    """Wildcards stay within one part of the ARN, but for an asterisk that ends its part."""
    if not pattern:
        return not text
    (character, wild), rest = pattern[0], pattern[1:]
    free = colons >= 5
    if wild and character == "*":
        ends = not rest or rest[0][0] == ":"
        if resource_like(rest, text, colons):
            return True
        return text != "" and (free or ends or text[0] != ":") and resource_like(pattern, text[1:], colons)
    if wild:
        return text != "" and (free or text[0] != ":") and resource_like(rest, text[1:], colons)
    return text != "" and text[0] == character and resource_like(rest, text[1:], colons + (character == ":"))


def resource_matches(written: str, version: str, context: Context, resource: str) -> Answer:
    """One resource element; an incomplete ARN is completed with asterisks."""
    pattern = filled_in(written, version, context)
    if pattern is None:
        return None
    while written != "*" and sum(character == ":" for character, _ in pattern) < 5:
        pattern = [*pattern, (":", False), ("*", True)]
    return resource_like(pattern, resource)


def action_matches(written: str, action: str) -> bool:
    """Service prefix and name of an action are compared without regard to case."""
    return like([(character, character in "*?") for character in written.lower()], action.lower())


def applies(statement: Mapping[str, Any], version: str, action: str, resource: str, context: Context) -> Answer:
    """Whether a statement is about this action on this resource in these conditions, whoever the principal is."""
    listed = many(statement.get("Action") or statement.get("NotAction"))
    if any(action_matches(written, action) for written in listed) != ("Action" in statement):
        return False
    answers: list[Answer] = []
    for element in ("Resource", "NotResource"):
        if element in statement:
            matched = some(resource_matches(r, version, context, resource) for r in many(statement[element]))
            answers.append(matched if element == "Resource" else opposite(matched))
    answers.append(conditions_hold(statement.get("Condition", {}), version, context))
    return every(answers)
