"""What a session of a role carries from the call that began it, which moto forgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from moto.sts.models import AssumedRole


@dataclass(frozen=True)
class SessionFacts:
    """`context` is what each request of the session says: source identity, tags, MFA, an identity provider's claims.

    `policies` are the texts of its session policies by name; `transitive_tags` go on to the next role.
    """

    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    policies: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: Mapping[str, str] = field(default_factory=dict)


NOTHING_CARRIED = SessionFacts()
_FACTS: WeakKeyDictionary[AssumedRole, SessionFacts] = WeakKeyDictionary()


def remember(session: AssumedRole, facts: SessionFacts) -> None:
    """Keep what a session carries for as long as moto keeps the session."""
    _FACTS[session] = facts


def facts_of(session: AssumedRole) -> SessionFacts:
    """Return what a session carries; one that AWS's services began themselves carries nothing."""
    return _FACTS.get(session, NOTHING_CARRIED)
