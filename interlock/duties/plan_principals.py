"""The roles and boundaries of a preview, with every document that decides what they may do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlock.cost.plan import is_unknown
from interlock.duties.landscape import DUTY_TAG
from interlock.duties.plan_world import Declared, Plan, name_of
from interlock.duties.world import Document, NamedDocument, Principal

ROLE: Final = "aws:iam/role:Role"
POLICY: Final = "aws:iam/policy:Policy"
INLINE: Final = "aws:iam/rolePolicy:RolePolicy"
ATTACHED: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_USUAL_SESSION: Final = 3600
_LONGEST_SESSION: Final = 43200
"""Seconds. Source: IAM API Reference, "CreateRole", MaxSessionDuration."""
EVERYTHING: Final[Document] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "NotKnownYet", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
"""What a policy that is not known yet is taken for, inside of a boundary that is."""


class Principals:
    """The principals of a preview. `problems` names each document that has to be known and is not."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.problems: list[str] = []
        self.taken_for_everything: list[str] = []
        """Policies that are not known yet, taken for all that their roles' boundaries allow."""
        self._policies = {arn_of(one, "policy"): one for one in plan.of_type(POLICY)}
        self.principals = tuple(self._principal(one) for one in plan.of_type(ROLE))

    def boundaries(self) -> tuple[NamedDocument, ...]:
        """Return the managed policies that some role of the preview has for a boundary, or is meant to have."""
        found = (self._managed(arn) for arn in self._policies if ":policy/interlock/boundaries/" in arn)
        return tuple(one for one in found if one is not None)

    def arn(self, user: Declared, key: str) -> str | None:
        """Return the ARN of the role that a property names, by its ARN or by its name in the same account."""
        known = user.text(key)
        if known is not None and known.startswith("arn:"):
            return known
        if known is not None:
            roles = (arn_of(one, "role") for one in self._plan.of_type(ROLE) if one.account_id == user.account_id)
            return next((arn for arn in roles if arn.rpartition("/")[2] == known), None)
        role = self._plan.source(user, key, ROLE)
        return arn_of(role, "role") if role is not None else None

    def _principal(self, role: Declared) -> Principal:
        arn = arn_of(role, "role")
        trust = role.document("assumeRolePolicy")
        if trust is None:
            self.problems.append(f"{role.name}: its trust policy is not known before it is made")
        boundary_arn = role.text("permissionsBoundary")
        boundary = self._managed(boundary_arn) if boundary_arn else None
        if boundary is None and "permissionsBoundary" in role.inputs:
            self.problems.append(f"{role.name}: its boundary, {boundary_arn or 'not known yet'}, is not in the preview")
        tags = role.inputs.get("tags") or {}
        if not isinstance(tags, Mapping) or any(is_unknown(one) for one in tags.values()):
            self.problems.append(f"{role.name}: its tags, which say whose role it is, are not known before it is made")
            tags = {}
        return Principal(
            arn=arn,
            duty=tags.get(DUTY_TAG),
            trust=trust,
            identity=tuple(self._identity(role, bounded=boundary is not None)),
            boundary=boundary,
            tags={key: value for key, value in tags.items() if isinstance(value, str)},
            longest_session_seconds=_session_seconds(role.inputs.get("maxSessionDuration")),
            source=role.urn,
        )

    def _identity(self, role: Declared, *, bounded: bool) -> Iterator[NamedDocument]:
        for one in self._plan.of_type(INLINE):
            if self._plan.is_of(one, "role", role, "name"):
                yield NamedDocument(name=one.name, document=self._or_everything(one, one.document("policy"), bounded))
        for one in self._plan.of_type(ATTACHED):
            if self._plan.is_of(one, "role", role, "name"):
                yield self._attached(one, bounded)

        yield from self._of_the_role_itself(role, bounded)

    def _of_the_role_itself(self, role: Declared, bounded: bool) -> Iterator[NamedDocument]:
        """Yield the policies that the role's own inputs give it; one that is not known is taken for everything."""
        for key in ("managedPolicyArns", "inlinePolicies"):
            if is_unknown(role.inputs.get(key)):
                yield NamedDocument(name=f"{role.name} {key}", document=self._or_everything(role, None, bounded))
        for arn in _listed(role, "managedPolicyArns"):
            managed = self._managed(arn) if isinstance(arn, str) else None
            yield managed or NamedDocument(name=f"{role.name} {arn}", document=self._or_everything(role, None, bounded))
        for one in _listed(role, "inlinePolicies"):
            if not isinstance(one, Mapping) or not one.get("policy"):
                continue
            yield NamedDocument(
                name=f"{role.name} {one.get('name') or 'inline'}",
                document=self._or_everything(role, role.read("inlinePolicies", one["policy"]), bounded),
            )

    def _attached(self, one: Declared, bounded: bool) -> NamedDocument:
        source = self._plan.source(one, "policyArn", POLICY)
        arn = one.text("policyArn") or (arn_of(source, "policy") if source else "")
        managed = self._managed(arn)
        if managed is not None:
            return managed
        return NamedDocument(name=one.name, document=self._or_everything(one, None, bounded), editable_arn=arn or None)

    def _managed(self, arn: str) -> NamedDocument | None:
        policy = self._policies.get(arn)
        document = policy.document("policy") if policy is not None else None
        if policy is None or document is None:
            return None
        return NamedDocument(name=policy.text("name") or policy.name, document=document, editable_arn=arn)

    def _or_everything(self, one: Declared, document: Document | None, bounded: bool) -> Document:
        if document is not None:
            return document
        if bounded:
            self.taken_for_everything.append(one.name)
        else:
            self.problems.append(f"{one.name}: its policy is not known before it is made, and its role has no boundary")
        return json.loads(json.dumps(EVERYTHING))  # type: ignore[no-any-return]


def _session_seconds(given: Any) -> int:
    """Return how long a role's sessions last at most, as AWS has it: an hour unless said, and never over twelve."""
    if given is None:
        return _USUAL_SESSION
    return int(given) if isinstance(given, int | float) else _LONGEST_SESSION


def _listed(role: Declared, key: str) -> Sequence[Any]:
    found = role.inputs.get(key)
    return found if isinstance(found, list) else ()


def arn_of(one: Declared, kind: str) -> str:
    """Return the ARN of a role or a managed policy, which its account, path and name tell beforehand."""
    path = one.text("path") or "/"
    return f"arn:aws:iam::{one.account_id}:{kind}{path}{name_of(one)}"
