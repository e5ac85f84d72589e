"""Permission boundaries: the most that a role may ever do, whatever its own policies come to say."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal

from interlock.duties.bucket_policy import REMOVAL
from interlock.duties.documents import Statement, document, statement
from interlock.duties.duty import Role, SigningDuty
from interlock.duties.emergency_duties import ALARM_RULE, ALARM_TOPIC, ROLLBACK_FUNCTION
from interlock.duties.foundation_rights import FUNCTIONS
from interlock.duties.key_policy import TAKING_AWAY
from interlock.duties.landscape import (
    BOUNDARY_PATH,
    LEDGER_ROLES,
    REPLICATION_ROLE_PATH,
    ROLE_PATH,
    SERVICE_ROLE_PATH,
    Landscape,
    reach,
)
from interlock.duties.matrix import MATRIX
from interlock.duties.repository_policy import REGISTRY, STORING, UNFASTENING
from interlock.duties.rights import Account, Kind


class Boundary(StrEnum):
    """For whom a boundary is."""

    DUTY = "duty"
    """Every duty's role but the two below."""
    FOUNDATION = "foundation"
    PLATFORM = "platform"
    SERVICE = "service"
    """Roles that the layer platform makes for services."""


BOUNDED_BY: Final = {
    role: {Role.FOUNDATION: Boundary.FOUNDATION, Role.PLATFORM: Boundary.PLATFORM}.get(role, Boundary.DUTY)
    for role in Role
}

DEPLOYING: Final = (Role.FOUNDATION, Role.PLATFORM)
"""The roles that deploy a layer: `infra/bootstrap` makes them, because the first `pulumi up` already needs them."""

SERVICES_ACTIONS: Final = (
    "cloudwatch:PutMetricData",
    "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission", "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
    "ec2:UnassignPrivateIpAddresses",
    "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer",
    "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
    "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents",
    "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:GetObjectLegalHold", "s3:GetObjectRetention",
    "s3:GetObjectVersion", "s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging",
    "s3:GetReplicationConfiguration", "s3:ListBucket", "s3:ListMultipartUploadParts", "s3:PutObject",
    "s3:ReplicateObject", "s3:ReplicateTags",
    "secretsmanager:DescribeSecret", "secretsmanager:GetRandomPassword", "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
)  # fmt: skip
"""What servers, functions and AWS's own services need of the roles that we hand them."""

FOUNDATIONS_SERVICES: Final = (
    "cloudwatch", "ecr", "events", "iam", "kms", "lambda", "logs", "s3", "sns", "ssm", "sts",
)  # fmt: skip
PLATFORMS_SERVICES: Final = (
    "acm", "application-autoscaling", "budgets", "cloudwatch", "dynamodb", "ec2", "ecr", "ecs",
    "elasticloadbalancing", "iam", "kms", "lambda", "logs", "rds", "s3", "sagemaker", "secretsmanager", "sns", "ssm",
    "sts", "tag",
)  # fmt: skip
"""A boundary grants nothing: it names services, and the role's own policy names the actions."""

STATES_KEY: Final = "alias/interlock-*-secrets"
"""Of the key that `infra/bootstrap` encrypts the states with."""
UNBINDING: Final = ("iam:DeleteRolePermissionsBoundary",)
BINDING: Final = (
    "iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary",
)  # fmt: skip
"""Allowed only on a role in the boundary of services: the actions that know the key `iam:PermissionsBoundary`."""
ROLE_CHANGES: Final = (
    "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
)  # fmt: skip
OTHER_IDENTITIES: Final = (
    "iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateGroup",
    "iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:CreateLoginProfile",
    "iam:CreateOpenIDConnectProvider", "iam:CreateSAMLProvider", "iam:CreateUser", "iam:DeactivateMFADevice",
    "iam:DeleteUserPermissionsBoundary", "iam:DeleteUserPolicy", "iam:DetachUserPolicy",
    "iam:PutGroupPolicy", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy",
    "iam:UpdateAccessKey", "iam:UpdateLoginProfile", "iam:UpdateOpenIDConnectProviderThumbprint",
    "iam:AddClientIDToOpenIDConnectProvider", "iam:UpdateSAMLProvider",
)  # fmt: skip
"""What makes a way in beside the roles."""
POLICY_CHANGES: Final = (
    "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
)  # fmt: skip
TRAFFIC: Final = ("sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities")
UNLOCKING: Final = ("s3:PutObjectLegalHold",)
RECORD: Final = (
    "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail",
    "config:DeleteConfigurationRecorder", "config:StopConfigurationRecorder",
)  # fmt: skip


def boundary_name(boundary: Boundary | Literal["*"], land: Landscape) -> str:
    """Return the name of a boundary's managed policy; `*` stands for any."""
    return f"{land.prefix}-{boundary}"


def boundary_arn(boundary: Boundary, land: Landscape, home: Account = Account.WORKLOAD) -> str:
    """Return the ARN of a boundary's managed policy in one account."""
    return f"arn:aws:iam::{land.account_of(home)}:policy{BOUNDARY_PATH}{boundary_name(boundary, land)}"


def boundary_policy(boundary: Boundary, land: Landscape) -> str:
    """Return the document of a boundary; the same in each account.

    Source: IAM User Guide, "Permissions boundaries for IAM entities".
    """
    statements = {
        Boundary.DUTY: _of_duties,
        Boundary.SERVICE: _of_services,
        Boundary.FOUNDATION: _of_the_foundation,
        Boundary.PLATFORM: _of_the_platform,
    }[boundary](land)
    return document(*statements)


def _of_duties(land: Landscape) -> Sequence[Statement]:
    actions = {
        action
        for role, row in MATRIX.items()
        if BOUNDED_BY[role] is Boundary.DUTY
        for right in row.rights
        for action in right.actions
    }
    return [
        statement("Most", "Allow", sorted(actions), ["*"]),
        _deny_duties("DenyOtherDuties", ("sts:AssumeRole",), land),
        _deny("DenyRemoval", (*REMOVAL, *UNLOCKING), [*_vaults(land), *_objects(land)]),
    ]


def _of_services(land: Landscape) -> Sequence[Statement]:
    return [
        statement("Most", "Allow", SERVICES_ACTIONS, ["*"]),
        # S3 replicates the vault with roles of its own; the servers have nothing to write there.
        _deny("DenyVault", ("s3:PutObject", "s3:DeleteObject"), _objects(land)),
        statement(
            "DenyGrantsToOthers", "Deny", ["kms:CreateGrant"], ["*"],
            conditions={"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}},
        ),
        # Whoever changes such a role's trust may let a session in that bears a person's name; AWS keeps the name.
        statement(
            "DenyPeople", "Deny", ["*"], ["*"], conditions={"Null": {"aws:SourceIdentity": "false"}}
        ),
    ]  # fmt: skip


def _of_the_foundation(land: Landscape) -> Sequence[Statement]:
    roles = [f"arn:aws:iam::*:role{ROLE_PATH}{land.role_name(one)}" for one in DEPLOYING]
    policies = [
        *(f"arn:aws:iam::*:policy{BOUNDARY_PATH}{boundary_name(BOUNDED_BY[one], land)}" for one in DEPLOYING),
        *(f"arn:aws:iam::*:policy{ROLE_PATH}{land.role_name(one)}-*" for one in DEPLOYING),
    ]
    bound = {
        "StringNotLike": {"iam:PermissionsBoundary": f"arn:aws:iam::*:policy{BOUNDARY_PATH}{boundary_name('*', land)}"}
    }
    return [
        statement("Most", "Allow", _all_of(FOUNDATIONS_SERVICES), ["*"]),
        # Whoever applies infra/bootstrap keeps these, and nobody who deploys.
        _deny("DenyDeployRoles", (*ROLE_CHANGES, *UNBINDING), roles),
        _deny("DenyDeployPolicies", POLICY_CHANGES, policies),
        statement("DenyUnbound", "Deny", BINDING, ["*"], conditions=bound),
        _deny("DenyUnbinding", UNBINDING, ["*"]),
        # It goes on to its own role in the stack's other account.
        _deny_elsewhere("DenyActingAsOthers", ("sts:AssumeRole",), roles[:1]),
        # Whoever hands over a duty's role acts as the duty: but for the ledger's, whose functions are its own.
        _deny_elsewhere("DenyHandingOver", ("iam:PassRole",), [*_REPLICATING, *_ledgers(land)]),
        statement(
            "DenyHandingElsewhere",
            "Deny",
            ["iam:PassRole"],
            _ledgers(land),
            conditions={"StringNotEquals": {"iam:PassedToService": FUNCTIONS}},
        ),
        _deny_elsewhere("DenyOtherFunctions", ("lambda:*",), reach(Kind.LEDGER_FUNCTION, "", land).resources),
        _deny("DenyOtherIdentities", OTHER_IDENTITIES, ["*"]),
        _deny_keys("DenySigning", ("kms:Sign", "kms:CreateGrant"), land),
        _deny("DenyRemoval", (*REMOVAL, *UNLOCKING), _objects(land)),
    ]


def _of_the_platform(land: Landscape) -> Sequence[Statement]:
    services = [f"arn:aws:iam::*:role{SERVICE_ROLE_PATH}*"]
    bound = {"StringNotEquals": {"iam:PermissionsBoundary": boundary_arn(Boundary.SERVICE, land)}}
    return [
        statement("Most", "Allow", _all_of(PLATFORMS_SERVICES), ["*"]),
        _deny_elsewhere("DenyForeignRoles", (*ROLE_CHANGES, "iam:PassRole"), services),
        statement("DenyUnbound", "Deny", BINDING, ["*"], conditions=bound),
        _deny("DenyUnbinding", UNBINDING, ["*"]),
        _deny("DenyPolicies", POLICY_CHANGES, ["*"]),
        _deny("DenyOtherIdentities", OTHER_IDENTITIES, ["*"]),
        _deny_duties("DenyDuties", ("sts:AssumeRole",), land),
        _deny("DenyServices", ("sts:AssumeRole",), services),
        _deny_keys("DenyKeys", ("kms:Sign", "kms:CreateGrant", *TAKING_AWAY), land, STATES_KEY),
        _deny("DenyAliases", ("kms:DeleteAlias", "kms:UpdateAlias", "kms:CreateAlias"), _aliases(land)),
        _deny("DenyVault", ("s3:*",), [*_vaults(land), *_objects(land)]),
        # AWS Lambda asks whether whoever makes a function of an image of another account may pull it.
        _deny("DenyImages", (*STORING, *UNFASTENING, *REGISTRY, "ecr:SetRepositoryPolicy"), ["*"]),
        _deny("DenyTraffic", TRAFFIC, ["*"]),
        # Whoever changes the function's code signs as the responder.
        _deny("DenyRollback", ("lambda:*",), [
            *land.each_region(
                f"arn:aws:lambda:{{region}}:{land.workload}:function:{land.platform_prefix}-{ROLLBACK_FUNCTION}*"),
            *reach(Kind.LEDGER_FUNCTION, "", land).resources,
        ]),
        _deny("DenyAlarm", ("events:*", "sns:*"), [
            f"arn:aws:events:*:{land.workload}:rule/{land.prefix}-{ALARM_RULE}",
            f"arn:aws:sns:*:{land.workload}:{ALARM_TOPIC}-*",
        ]),
        _deny("DenyRecord", RECORD, ["*"]),
    ]  # fmt: skip


_REPLICATING: Final = (
    f"arn:aws:iam::*:role{REPLICATION_ROLE_PATH}*", "arn:aws:iam::*:role/vault-*-recovery-role-*",
)  # fmt: skip


def _ledgers(land: Landscape) -> list[str]:
    return [land.role_arn(one, Account.EVIDENCE) for one in LEDGER_ROLES]


def _all_of(services: Sequence[str]) -> list[str]:
    return [f"{service}:*" for service in services]


def _deny(sid: str, actions: Sequence[str], resources: Sequence[str]) -> Statement:
    return statement(sid, "Deny", actions, resources)


def _deny_elsewhere(sid: str, actions: Sequence[str], resources: Sequence[str]) -> Statement:
    listed = statement(sid, "Deny", actions)
    return {**listed, "NotResource": list(resources) if len(resources) > 1 else resources[0]}


def _deny_duties(sid: str, actions: Sequence[str], land: Landscape) -> Statement:
    # Those of every stack: the duties of one environment are no way into another's.
    return _deny(
        sid, actions, [f"arn:aws:iam::{one}:role{ROLE_PATH}*" for one in sorted({land.workload, land.evidence})]
    )


def _deny_keys(sid: str, actions: Sequence[str], land: Landscape, *others: str) -> Statement:
    aliases = [*(land.key_alias(one) for one in _keys()), *others]
    return statement(
        sid, "Deny", sorted(set(actions)), ["*"],
        conditions={"ForAnyValue:StringLike": {"kms:ResourceAliases": aliases}},
    )  # fmt: skip


def _aliases(land: Landscape) -> list[str]:
    own = [f"arn:aws:kms:*:{land.evidence}:{land.key_alias(one)}" for one in _keys()]
    return [*own, f"arn:aws:kms:*:*:{STATES_KEY}"]


def _keys() -> list[str]:
    return [*(duty.value for duty in SigningDuty), "approver-*", "evidence"]


def _vaults(land: Landscape) -> list[str]:
    return [f"arn:aws:s3:::{one}" for one in land.vaults]


def _objects(land: Landscape) -> list[str]:
    return [f"arn:aws:s3:::{one}/*" for one in land.vaults]
