"""The duties' roles of one account: their trust, their rights, and the boundaries that nobody passes.

Those of the duties foundation and platform are not among them: `infra/bootstrap` makes what deploys a stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.boundaries import BOUNDED_BY, DEPLOYING, Boundary, boundary_arn, boundary_name, boundary_policy
from interlock.duties.duty import Role
from interlock.duties.duty_policy import identity_policy
from interlock.duties.landscape import (
    BOUNDARY_PATH,
    DUTY_TAG,
    LIVE_STATE_TABLES,
    ROLE_PATH,
    ROLE_TAG,
    Landscape,
)
from interlock.duties.matrix import MATRIX
from interlock.duties.people import Assignments
from interlock.duties.rights import Account
from interlock.duties.trust import EMERGENCY_SECONDS, role_trust_policy

_LONGEST: Final = ("x" * 63, "x" * 63)
"""Names of buckets as long as they can be: what fits with these fits with any."""


class DutyRolesArgs(TypedDict):
    stack: str
    """Whose foundation this is; roles are `interlock-<stack>-<role>`."""
    home: str
    """`workload` or `evidence`: which of the stack's accounts this one is."""
    workload_account_id: str
    evidence_account_id: str
    audit_account_id: str
    regions: Sequence[str]
    """The primary one first."""
    vault_bucket_names: Sequence[pulumi.Input[str]]
    """Policies name the buckets, and are known in a preview if their names are."""
    staging_bucket_names: Sequence[pulumi.Input[str]]
    assignments: Assignments
    platform_stack: NotRequired[str]
    """The stack of the layer platform; the same unless given."""
    endpoint_names: NotRequired[Sequence[str]]
    """Whatever endpoints the platform's stack has unless given."""
    table_names: NotRequired[Sequence[str]]
    """Of live state; Pulumi's own names for them unless given."""


class DutyRoles(pulumi.ComponentResource):
    """The roles whose home is this account, and the boundaries of this account, under names known beforehand."""

    role_arns: pulumi.Output[dict[str, str]]
    """By role."""
    boundary_arns: pulumi.Output[dict[str, str]]
    """By boundary."""
    boundaries: list[pulumi.Resource]

    def __init__(self, name: str, args: DutyRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(DutyRolesArgs, f"DutyRoles {name}", args, _RULES)
        super().__init__("interlock:duties:DutyRoles", name, {}, opts)

        self._name = name
        self._home = Account(args["home"])
        self._assignments = args["assignments"]
        # Names and ARNs of roles and boundaries do not hang on the buckets', which a preview may not know.
        self._names = _landscape(args, _LONGEST, _LONGEST)
        self._land = pulumi.Output.all(
            pulumi.Output.all(*args["vault_bucket_names"]), pulumi.Output.all(*args["staging_bucket_names"])
        ).apply(lambda of: _landscape(args, of[0], of[1]))
        policies = {one: self._boundary(one) for one in _boundaries_of(self._home, self._names)}
        self.boundaries = list(policies.values())
        roles = {role: self._role(role, policies) for role in _roles_of(self._home, self._names)}

        self.role_arns = pulumi.Output.all(**{role.value: one.arn for role, one in roles.items()})
        self.boundary_arns = pulumi.Output.all(**{one.value: policy.arn for one, policy in policies.items()})
        self.register_outputs({"roleArns": self.role_arns, "boundaryArns": self.boundary_arns})

    def _boundary(self, boundary: Boundary) -> aws.iam.Policy:
        return aws.iam.Policy(
            f"{self._name}-boundary-{boundary.value}",
            name=boundary_name(boundary, self._names),
            path=BOUNDARY_PATH,
            description=f"The most that roles of kind {boundary.value} may ever do",
            policy=self._land.apply(lambda land: boundary_policy(boundary, land)),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _role(self, role: Role, boundaries: Mapping[Boundary, aws.iam.Policy]) -> aws.iam.Role:
        row, boundary = MATRIX[role], BOUNDED_BY[role]
        made = aws.iam.Role(
            f"{self._name}-{role.value}",
            name=self._names.role_name(role),
            path=ROLE_PATH,
            description=row.words,
            assume_role_policy=role_trust_policy(row, self._names, self._assignments, self._home),
            permissions_boundary=boundary_arn(boundary, self._names, self._home),
            max_session_duration=EMERGENCY_SECONDS,
            tags={DUTY_TAG: row.duty.value, ROLE_TAG: role.value},
            # By its name and not its output, which a preview does not know.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[boundaries[boundary]]),
        )
        aws.iam.RolePolicy(
            f"{self._name}-{role.value}-rights",
            name=self._names.role_name(role),
            role=made.name,
            policy=self._land.apply(lambda land: identity_policy(row, land)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return made


def _landscape(args: DutyRolesArgs, vaults: Sequence[str], staging: Sequence[str]) -> Landscape:
    return Landscape(
        stack=args["stack"],
        platform_stack=args.get("platform_stack", args["stack"]),
        workload=args["workload_account_id"],
        evidence=args["evidence_account_id"],
        audit=args["audit_account_id"],
        regions=tuple(args["regions"]),
        vaults=tuple(vaults),
        staging=tuple(staging),
        endpoints=tuple(args.get("endpoint_names", ())),
        tables=tuple(args.get("table_names", LIVE_STATE_TABLES)),
    )


def _roles_of(home: Account, land: Landscape) -> list[Role]:
    here = land.account_of(home)
    return [
        role
        for role, row in MATRIX.items()
        if role not in DEPLOYING and here in {land.account_of(one) for one in land.homes_of(role, row.home)}
    ]


def _boundaries_of(home: Account, land: Landscape) -> list[Boundary]:
    used = {BOUNDED_BY[role] for role in _roles_of(home, land)}
    # Services run where the platform does.
    needed = used | ({Boundary.SERVICE} if land.account_of(home) == land.workload else set())
    return [one for one in Boundary if one in needed]


_RULES: Final = {
    "stack": validation.name,
    "platform_stack": validation.name,
    "home": validation.one_of(*Account),
    "workload_account_id": validation.account_id,
    "evidence_account_id": validation.account_id,
    "audit_account_id": validation.account_id,
    "regions": validation.some(validation.region),
    "vault_bucket_names": validation.some(validation.bucket_name),
    "staging_bucket_names": validation.some(validation.bucket_name),
    "assignments": validation.Rule("who has which duty", lambda value: isinstance(value, Assignments)),
    "endpoint_names": validation.some(validation.endpoint_name, at_least=0),
    "table_names": validation.some(
        validation.text(r"[\w.*-]{3,255}", "a table's name, or a pattern with *"), at_least=0
    ),
}
