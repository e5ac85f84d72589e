"""What the settings of two stacks say of each other, where both are to be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.rules import Problem
from interlock.settings.model import Settings
from interlock.settings.section import PREFIX

_OWNER, _OTHERS = f"{PREFIX}images.replicated_by", f"{PREFIX}images.replicates"


def problems_between(stack: str, settings: Settings, others: Mapping[str, Settings]) -> Iterator[Problem]:
    """Tell what `settings` of `stack` say of other stacks and theirs deny; `others` are those that are known, by name.

    Of a stack that is not known nothing is told: its settings may lie in another checkout.
    """
    owner = settings.images.replicated_by
    if owner == stack:
        yield Problem(_OWNER, repr(owner), "another stack, or nothing")
    elif owner is not None and owner in others:
        if stack not in others[owner].images.replicates:
            accepted = f"a stack whose images.replicates names {stack}; {owner}'s does not"
            yield Problem(_OWNER, repr(owner), accepted)
        yield from _elsewhere(_OWNER, settings, owner, others[owner])
    for other in settings.images.replicates:
        if other == stack:
            yield Problem(_OTHERS, repr(other), "other stacks: its own images are copied anyway")
        elif other in others and others[other].images.replicated_by != stack:
            accepted = f"stacks whose images.replicated_by is {stack}; {other}'s is not"
            yield Problem(_OTHERS, repr(other), accepted)


def _elsewhere(path: str, settings: Settings, name: str, other: Settings) -> Iterator[Problem]:
    own, theirs = _registry(settings), _registry(other)
    if own != theirs:
        words = "account {} from {} to {}"
        accepted = f"a stack that copies images of {words.format(*own)}; {name} copies those of {words.format(*theirs)}"
        yield Problem(path, repr(name), accepted)


def _registry(settings: Settings) -> tuple[str, str, str]:
    account = settings.accounts.evidence.account_id if settings.accounts.evidence else settings.account_id
    return account, settings.region, settings.recovery.region if settings.recovery else "no region"
