"""Key policies: who administers a key, who uses it, and that nobody else can take it away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from interlock.duties.documents import Principal, Statement, account_root, account_roots, document, statement

ADMINISTRATION: Final = (
    "kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias", "kms:UpdateKeyDescription",
    "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
    "kms:ListResourceTags", "kms:TagResource", "kms:UntagResource",
    "kms:EnableKey", "kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion",
    "kms:ReplicateKey", "kms:UpdatePrimaryRegion",
)  # fmt: skip
SIGNING: Final = ("kms:Sign",)
READING: Final = ("kms:DescribeKey", "kms:GetPublicKey", "kms:Verify")

TAKING_AWAY: Final = (
    "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DisableKeyRotation", "kms:DeleteImportedKeyMaterial",
    "kms:ImportKeyMaterial", "kms:PutKeyPolicy", "kms:ReplicateKey", "kms:UpdatePrimaryRegion",
    "kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:UpdateKeyDescription",
    "kms:TagResource", "kms:UntagResource",
)  # fmt: skip
"""What ends a key's use, lets another key pass for it, or could be used to grant the right to do so.

A replica has a policy of its own; IAM policies may go by a key's aliases and tags.
"""
ENDING_GRANTS: Final = ("kms:RevokeGrant", "kms:RetireGrant")


def signing_key_policy(
    account_id: str,
    administrators: Sequence[str],
    signers: Sequence[str],
    shared_with: Sequence[str] = (),
    roles: Sequence[str] = (),
) -> str:
    """Return the policy of one duty's signing key.

    `administrators` and `signers` are ARNs of IAM principals. Without
    signers, IAM policies decide who signs: those of the key's account and of the accounts `shared_with`, which may
    verify in any case. Nobody may make grants: a grant is a signature's way around this policy.

    `roles` are the ARNs of the duty's roles, which alone sign in place of both. A condition names them, not a
    principal: KMS would refuse a role that is not there yet, and forget one that is made anew.
    """
    roots = account_roots([account_id, *shared_with])
    if roles:
        use = _signed_by(roles, roots)
    elif signers:
        use = [statement("Sign", "Allow", SIGNING, ["*"], principal={"AWS": list(signers)})]
    else:
        use = [statement("SignByIamPolicy", "Allow", SIGNING, ["*"], principal=roots)]
    return document(*_signing(account_id, administrators, shared_with, use))


def approver_key_policy(
    account_id: str,
    administrators: Sequence[str],
    source_identity: str,
    shared_with: Sequence[str] = (),
    roles: Sequence[str] = (),
) -> str:
    """Return the policy of one person's signing key: only sessions that bear their `source_identity` sign.

    With `roles`, the ARNs of the approvers' roles, only sessions of those.

    A source identity is set when a role is first assumed, and no later role of the chain can change it.
    Source: IAM User Guide, "Monitor and control actions taken with assumed roles".
    """
    roots = account_roots([account_id, *shared_with])
    own = {"aws:SourceIdentity": source_identity}
    use = [
        statement("SignAsThisPerson", "Allow", SIGNING, ["*"], principal=roots, conditions={"StringEquals": own}),
        # A session without any source identity is another's too: a negated condition holds when the key is missing.
        statement("DenyOthers", "Deny", SIGNING, ["*"], principal="*", conditions={"StringNotEquals": own}),
        *([_deny_other_roles(roles)] if roles else []),
    ]
    return document(*_signing(account_id, administrators, shared_with, use))


def _signed_by(roles: Sequence[str], principal: Principal) -> list[Statement]:
    own = {"ArnEquals": {"aws:PrincipalArn": list(roles)}}
    return [
        statement("SignAsThisDuty", "Allow", SIGNING, ["*"], principal=principal, conditions=own),
        _deny_other_roles(roles),
    ]


def _deny_other_roles(roles: Sequence[str]) -> Statement:
    others = {"ArnNotEquals": {"aws:PrincipalArn": list(roles)}}
    return statement("DenyOtherRoles", "Deny", SIGNING, ["*"], principal="*", conditions=others)


def _signing(
    account_id: str, administrators: Sequence[str], shared_with: Sequence[str], use: Sequence[Statement]
) -> Sequence[Statement]:
    return [
        statement("Administer", "Allow", ADMINISTRATION, ["*"], principal=account_root(account_id)),
        statement("Read", "Allow", READING, ["*"], principal=account_roots([account_id, *shared_with])),
        *use,
        *_deny_taking_away(administrators),
        statement("DenyGrants", "Deny", ["kms:CreateGrant"], ["*"], principal="*"),
    ]


def data_key_policy(
    account_id: str,
    region: str,
    administrators: Sequence[str],
    *,
    for_logs: bool,
    for_budgets: bool = False,
    for_alarms: bool = False,
    shared_with: Sequence[str] = (),
    dns_suffix: str = "amazonaws.com",
) -> str:
    """Return the policy of a symmetric key that encrypts data at rest in one region.

    With `for_logs`, CloudWatch Logs may use it for log groups of this account and region alone; with `for_budgets`,
    AWS Budgets for what it publishes on behalf of this account; with `for_alarms`, CloudWatch for what alarms of this
    account and region publish, and EventBridge for topics of theirs. The accounts `shared_with` use it through S3
    alone, for objects of buckets that are shared with them.
    Sources: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS"; AWS Cost Management User
    Guide, "Creating an Amazon SNS topic for budget notifications"; Amazon SNS Developer Guide, "Managing Amazon SNS
    encryption keys and costs".
    """
    logs = statement(
        "EncryptLogs",
        "Allow",
        [
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:DescribeKey",
        ],
        ["*"],
        principal={"Service": f"logs.{region}.{dns_suffix}"},
        conditions={
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account_id}:log-group:*"}
        },
    )
    through_s3 = {"kms:ViaService": f"s3.{region}.{dns_suffix}"}
    uses = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
    shared = [
        statement(
            "ShareThroughS3", "Allow", uses, ["*"],
            principal=account_roots(shared_with), conditions={"StringEquals": through_s3},
        )
    ] if shared_with else []  # fmt: skip
    return document(
        statement("DelegateToIam", "Allow", ["kms:*"], ["*"], principal=account_root(account_id)),
        *([logs] if for_logs else []),
        *([_publish_budgets(account_id)] if for_budgets else []),
        *(_publish_alarms(account_id, region) if for_alarms else []),
        *shared,
        *_deny_taking_away(administrators),
    )


def _publish_budgets(account_id: str) -> Statement:
    return statement(
        "PublishBudgets",
        "Allow",
        ["kms:GenerateDataKey*", "kms:Decrypt"],
        ["*"],
        principal={"Service": "budgets.amazonaws.com"},
        conditions={
            "StringEquals": {"aws:SourceAccount": account_id},
            "ArnLike": {"aws:SourceArn": f"arn:aws:budgets::{account_id}:*"},
        },
    )


def _publish_alarms(account_id: str, region: str) -> Sequence[Statement]:
    uses = ["kms:GenerateDataKey*", "kms:Decrypt"]
    # SNS gives the topic as encryption context. EventBridge says nothing of a rule's account or ARN to KMS: delivery
    # would fail with conditions on them, so the topic's own policy has these.
    topics = {"kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{region}:{account_id}:*"}
    source = {"aws:SourceArn": f"arn:aws:cloudwatch:{region}:{account_id}:alarm:*"}
    return [
        statement(
            "PublishAlarms", "Allow", uses, ["*"], principal={"Service": "cloudwatch.amazonaws.com"},
            conditions={"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": source},
        ),
        statement(
            "PublishEvents", "Allow", uses, ["*"], principal={"Service": "events.amazonaws.com"},
            conditions={"ArnLike": topics},
        ),
    ]  # fmt: skip


def _deny_taking_away(administrators: Sequence[str]) -> Sequence[Statement]:
    others = {"ArnNotLike": {"aws:PrincipalArn": list(administrators)}}
    # A database or a function lives on a grant, which its service makes, and ends with it.
    by_themselves = {"Null": {"kms:ViaService": "true"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    return [
        statement("DenyTakingAway", "Deny", TAKING_AWAY, ["*"], principal="*", conditions=others),
        statement(
            "DenyEndingGrants", "Deny", ENDING_GRANTS, ["*"], principal="*", conditions={**others, **by_themselves}
        ),
    ]
