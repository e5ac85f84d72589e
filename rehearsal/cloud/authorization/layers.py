"""Every document that has a say about a caller: its own, its boundary, its session's, and the organization's.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, ManagedPolicy, Role, User, iam_backends
from moto.organizations.models import OrganizationsBackend, organizations_backends

from interlock.duties.evaluator.policy import Policy, PolicyKind
from interlock.duties.evaluator.request import Grant, Layers, Principal, PrincipalKind
from rehearsal.cloud.accounts import MANAGEMENT
from rehearsal.cloud.authorization.documents import document_text, read
from rehearsal.cloud.authorization.sessions import NOTHING_CARRIED, SessionFacts

_PARTITION = "aws"
_CONTROL = {PolicyKind.SCP: "SERVICE_CONTROL_POLICY", PolicyKind.RCP: "RESOURCE_CONTROL_POLICY"}


def layers_of(
    principal: Principal,
    owner: str,
    resource: Policy | None = None,
    grants: tuple[Grant, ...] = (),
    facts: SessionFacts = NOTHING_CARRIED,
) -> Layers:
    """Return what has a say when `principal` acts on something of the account `owner`.

    Raises PolicyError or NotModelled for a document that cannot be evaluated.
    """
    holder = _holder(principal)
    return Layers(
        identity=tuple(read(text, PolicyKind.IDENTITY, name) for name, text in _identity(holder)),
        resource=resource,
        boundary=_boundary(holder),
        session=tuple(read(text, PolicyKind.SESSION, name) for name, text in facts.policies.items()),
        scps=_control(PolicyKind.SCP, principal.account),
        rcps=_control(PolicyKind.RCP, owner),
        grants=grants,
        management_account=MANAGEMENT,
    )


def role_of(arn: str) -> Role | None:
    """Return a role of any account, None if there is none."""
    account_id = arn.split(":")[4]
    try:
        found: Role = _iam(account_id).get_role_by_arn(arn)
    except NotFoundException:
        return None
    return found


def trust_of(role: Role) -> Policy:
    """Return a role's trust policy. Raises PolicyError or NotModelled."""
    return read(document_text(role.assume_role_policy_document), PolicyKind.TRUST, f"trust policy of {role.name}")


def managed_policy(account_id: str, arn: str) -> str:
    """Return the text of a managed policy of an account or of AWS's, empty if there is none."""
    managed = _iam(account_id).managed_policies.get(arn)
    return _current(managed) if managed is not None else ""


def _iam(account_id: str) -> IAMBackend:
    backend: IAMBackend = iam_backends[account_id][_PARTITION]
    return backend


def _holder(principal: Principal) -> Role | User | None:
    """Return the user or role whose policies a principal acts under."""
    if principal.kind is PrincipalKind.ROLE_SESSION:
        return role_of(principal.entity)
    if principal.kind is PrincipalKind.USER:
        users: dict[str, User] = _iam(principal.account).users
        return users.get(principal.name.rpartition("/")[2])
    return None


def _identity(holder: Role | User | None) -> Iterator[tuple[str, str]]:
    if holder is None:
        return
    yield from _inline_and_attached(holder)
    if isinstance(holder, User):
        for group in list(_iam(holder.account_id).groups.values()):
            if holder in group.users:
                yield from _inline_and_attached(group)


def _inline_and_attached(holder: Any) -> Iterator[tuple[str, str]]:
    for name, document in list(holder.policies.items()):
        yield f"{holder.name}/{name}", document_text(document)
    for arn, managed in list(holder.managed_policies.items()):
        yield arn, _current(managed)


def _boundary(holder: Role | User | None) -> Policy | None:
    arn = getattr(holder, "permissions_boundary_arn", None)
    if holder is None or not arn:
        return None
    managed = _iam(holder.account_id).managed_policies.get(arn)
    if managed is None:
        # A boundary that was deleted leaves nothing allowed.
        return Policy(arn, PolicyKind.BOUNDARY, (), "2012-10-17")
    return read(_current(managed), PolicyKind.BOUNDARY, arn)


def _current(policy: ManagedPolicy) -> str:
    return document_text(next(version.document for version in policy.versions if version.is_default))


def _control(kind: PolicyKind, account_id: str) -> tuple[tuple[Policy, ...], ...]:
    """Return an account's control policies by level, the organization's root first."""
    backend: OrganizationsBackend = organizations_backends[MANAGEMENT][_PARTITION]
    account = next((one for one in backend.accounts if one.id == account_id), None)
    levels: list[Any] = []
    node = account
    while node is not None:
        levels.append(node)
        parent = node.parent_id if hasattr(node, "parent_id") else None
        node = next((unit for unit in backend.ou if unit.id == parent), None)
    return tuple(
        tuple(
            read(document_text(policy.content), kind, policy.name)
            for policy in list(level.attached_policies)
            if policy.type == _CONTROL[kind]
        )
        for level in reversed(levels)
    )
