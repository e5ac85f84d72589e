"""Taking on a role: the several permissions that one call asks for, and what the new session then carries.

Sources: IAM User Guide, "Monitor and control actions taken with assumed roles" and "Pass session tags in AWS STS";
STS API Reference, AssumeRole and AssumeRoleWithWebIdentity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from interlock.duties.evaluator.decision import Decision, decide
from interlock.duties.evaluator.request import Layers, Principal, PrincipalKind, Request, role_session

_ACTIONS: Final = {PrincipalKind.IDENTITY_PROVIDER: "sts:AssumeRoleWithWebIdentity"}
_SOURCE_IDENTITY: Final = "aws:sourceidentity"


@dataclass(frozen=True)
class Assumption:
    """One call that takes on a role.

    `context` holds what else the call says (MFA, time, an identity provider's claims) and, for a session that goes
    on to another role, the source identity and principal tags that it has. `saml` says that the identity provider
    speaks SAML.
    """

    principal: Principal
    role_arn: str
    session_name: str
    source_identity: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: Sequence[str] = ()
    external_id: str = ""
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    complete: bool = True
    saml: bool = False

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every permission that the call needs on the role; AWS refuses the call if any is missing."""
        kind = self.principal.kind
        first = "sts:AssumeRoleWithSAML" if self.saml else _ACTIONS.get(kind, "sts:AssumeRole")
        actions = [
            first,
            *(["sts:SetSourceIdentity"] if self.source_identity or self.carried else []),
            *(["sts:TagSession"] if self.tags else []),
        ]
        said = self._said
        return tuple(Request(self.principal, action, self.role_arn, said, self.complete) for action in actions)

    @property
    def session(self) -> Principal:
        """Who acts once the role is taken on."""
        return role_session(self.role_arn, self.session_name)

    @property
    def session_context(self) -> Mapping[str, tuple[str, ...]]:
        """What every later request of the session says: tags, and the source identity, which no later role changes."""
        identity = self.carried or self.source_identity
        tags = {f"aws:principaltag/{key.lower()}": (value,) for key, value in self.tags.items()}
        return {**({_SOURCE_IDENTITY: (identity,)} if identity else {}), **tags}

    @property
    def carried(self) -> str:
        """The source identity that the caller's own session already has, or an empty text."""
        given = {key.lower(): value for key, value in self.context.items()}.get(_SOURCE_IDENTITY, "")
        return given if isinstance(given, str) else next(iter(given), "")

    @property
    def _said(self) -> Mapping[str, str | Sequence[str]]:
        said: dict[str, str | Sequence[str]] = {"sts:rolesessionname": self.session_name}
        if self.source_identity or self.carried:
            said["sts:sourceidentity"] = self.source_identity or self.carried
        if self.external_id:
            said["sts:externalid"] = self.external_id
        if self.tags:
            said["aws:tagkeys"] = tuple(self.tags)
        if self.transitive_tags:
            said["sts:transitivetagkeys"] = tuple(self.transitive_tags)
        return {**{f"aws:requesttag/{key}": value for key, value in self.tags.items()}, **said, **self.context}


def decide_assumption(assumption: Assumption, layers: Layers) -> Decision:
    """Return the first refusal among the permissions that the call needs, else the permission of the call itself.

    `layers` are those of the principal, with the role's trust policy as the resource's. A source identity that is
    already set cannot become another one, whatever the policies say.
    """
    carried = assumption.carried
    if carried and assumption.source_identity not in ("", carried):
        return Decision(
            False,
            f"denied: the session's source identity is {carried!r} and cannot become {assumption.source_identity!r}",
        )
    decisions = [decide(request, layers) for request in assumption.requests]
    return next((decision for decision in decisions if not decision.allowed), decisions[0])
