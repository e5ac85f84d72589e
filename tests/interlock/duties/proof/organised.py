"""The organization's policies as `infra/guardrails` writes them, above the accounts of a world."""

from __future__ import annotations

from typing import Any

from interlock.duties.organization import Controls, above_all, read_controls
from interlock.duties.world import World

ORGANIZATION = "o-exampleorgid"
MAKERS = {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/OrganizationAccountAccessRole"]}}
OUTSIDE = {
    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION},
    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
}


def denial(sid: str, actions: list[str], resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def guardrails(vaults: list[str]) -> dict[str, Any]:
    """Return the documents as the module's output has them; `vaults` are names of buckets."""
    objects = [f"arn:aws:s3:::{one}/*" for one in vaults]
    keys = ("approver-*", "builder", "deployer", "evidence", "log", "observer", "responder", "witness")
    names = [f"alias/interlock-*-{one}" for one in keys]
    aliases = {"ForAnyValue:StringLike": {"kms:ResourceAliases": names}}
    return {
        "service_control": {
            "vault": policy(
                denial("DenyRemoval", ["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"],
                       objects),
                denial("DenyEndingSigningKeys", ["kms:DeleteImportedKeyMaterial", "kms:DisableKey",
                                                 "kms:ScheduleKeyDeletion"], Condition=aliases),
                denial("DenyRenamingKeys", ["kms:DeleteAlias", "kms:UpdateAlias"],
                       [f"arn:aws:kms:*:*:{one}" for one in names], Condition=MAKERS),
            ),
            "trail": policy(
                denial("DenyStopping", ["cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors",
                                        "cloudtrail:StopLogging", "cloudtrail:UpdateTrail"], Condition=MAKERS),
                denial("DenyRemovingRecords", ["s3:BypassGovernanceRetention", "s3:DeleteObject",
                                               "s3:DeleteObjectVersion"], "arn:aws:s3:::interlock-*-trail-*/*"),
            ),
            "boundaries": policy(
                denial("DenyMakers", ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"],
                       "arn:aws:iam::*:role/OrganizationAccountAccessRole", Condition=MAKERS),
            ),
            "regions": policy(denial("DenyLeaving", ["account:CloseAccount", "organizations:LeaveOrganization"])),
        },
        "resource_control": {
            "perimeter": policy(
                denial("DenyOutsiders", ["kms:*", "s3:*", "secretsmanager:*", "sts:AssumeRole", "sts:SetSourceIdentity",
                                         "sts:TagSession"], Principal="*", Condition=OUTSIDE),
                denial("DenyPeopleInServices", ["sts:AssumeRole"], "arn:aws:iam::*:role/interlock/services/*",
                       Principal="*", Condition={"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}),
            ),
        },
    }  # fmt: skip


def organised(world: World, documents: dict[str, Any]) -> World:
    """Return the world with the documents above each of its accounts."""
    found = read_controls(documents, "guardrails")
    return above_all(world, Controls(found.scps, found.rcps, ORGANIZATION))
