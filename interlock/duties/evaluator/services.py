"""In what services differ: whose resource policy is required, and which of them heed resource control policies."""

from __future__ import annotations

import re
from typing import Final

from interlock.duties.evaluator.request import Principal, PrincipalKind, Request

UNCONTROLLED: Final = frozenset({"sts:getcalleridentity"})
"""Actions that no policy can allow or deny.

Source: AWS STS API Reference, GetCallerIdentity.
"""
TRUSTED_ACTIONS: Final = frozenset(
    {
        "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity",
        "sts:setsourceidentity", "sts:tagsession",
    }
)  # fmt: skip
"""What a role's trust policy decides about.

Source: IAM User Guide, "Monitor and control actions taken with assumed roles" and "Pass session tags in AWS STS".
"""
_HEEDING: Final = """
aoss appconfig appstream autoscaling autoscaling-plans budgets clouddirectory cloudfront cloudsearch
cloudtrail-data codeartifact codebuild codecommit codepipeline cognito-identity cognito-idp comprehend
comprehendmedical compute-optimizer cost-optimization-hub dax dsql dynamodb ecr ecr-public events firehose fis fms
gamelift health inspector-scan kendra kinesisvideo kms logs memorydb networkmonitor notifications opensearch
pca-connector-ad personalize polly pricing resource-groups rolesanywhere s3 secretsmanager servicediscovery signin
sqs sts support swf textract timestream-influxdb transcribe transfer translate wafv2 workspaces xray
"""
HEEDS_RESOURCE_CONTROL: Final = frozenset(_HEEDING.split())
"""The prefixes of the services whose resources are subject to resource control policies.

Source: Organizations User Guide, "List of AWS services that support RCPs",
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""
_EXEMPT_FROM_RESOURCE_CONTROL: Final = frozenset({"kms:retiregrant"})
KEYS_ABROAD: Final = frozenset(
    f"kms:{name}".lower()
    for name in (
        "CreateGrant", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encrypt", "GenerateDataKey",
        "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac",
        "GetKeyRotationStatus", "GetPublicKey", "ListGrants", "ReEncryptFrom", "ReEncryptTo", "RetireGrant",
        "RevokeGrant", "Sign", "Verify", "VerifyMac",
    )
)  # fmt: skip
"""All that may be done with a key of another account, in lower case: "if you give external accounts permission for
other operations, those permissions have no effect".

Source: KMS Developer Guide, "Allowing users in other accounts to use a KMS key",
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""
_KEYLESS: Final = frozenset(
    f"kms:{name}".lower()
    for name in (
        "ConnectCustomKeyStore", "CreateCustomKeyStore", "CreateKey", "DeleteCustomKeyStore",
        "DescribeCustomKeyStores", "DisconnectCustomKeyStore", "GenerateRandom", "ListAliases", "ListKeys",
        "ListRetirableGrants", "UpdateCustomKeyStore",
    )
)  # fmt: skip
"""What KMS does on no key. Source: KMS Developer Guide, "AWS KMS permissions", the column Resources."""
_OF_KEYS: Final = KEYS_ABROAD | frozenset(
    f"kms:{name}".lower()
    for name in (
        "CancelKeyDeletion", "Decapsulate", "DeleteImportedKeyMaterial", "DisableKey", "DisableKeyRotation",
        "EnableKey", "EnableKeyRotation", "Encapsulate", "GetKeyLastUsage", "GetKeyPolicy",
        "GetParametersForImport", "ImportKeyMaterial", "ListKeyPolicies", "ListKeyRotations",
        "ListResourceTags", "PutKeyPolicy", "ReplicateKey", "RotateKeyOnDemand", "ScheduleKeyDeletion",
        "SynchronizeMultiRegionKey", "TagResource", "UntagResource", "UpdateKeyDescription",
        "UpdatePrimaryRegion",
    )
)  # fmt: skip
"""What KMS does on keys and on nothing else. Source: as above."""
_KEY: Final = re.compile(r"arn:[^:]+:kms:[^:]*:[^:]*:key/.+")
_ROLE: Final = re.compile(r"arn:[^:]+:iam::[^:]*:role/.+")


def requires_resource_policy(request: Request) -> bool:
    """Say whether the resource's own policy must allow: a key's and a role's trust policy, even in one account.

    Source: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access".
    """
    return is_on_key(request) or is_about_trust(request)


def refused_by_aws(action: str, resource: str, principal: Principal, owner: str) -> str:
    """Return why AWS refuses something whatever policies say, or nothing.

    Sources: KMS Developer Guide as above; AWS STS API Reference, AssumeRole: "You cannot use AWS account root user
    credentials to call AssumeRole".
    """
    name = action.lower()
    if name == "sts:assumerole" and principal.kind is PrincipalKind.ROOT:
        return "an account's root user assumes no role"
    abroad = bool(principal.account) and principal.account != owner
    if abroad and name.startswith("kms:") and _KEY.fullmatch(resource) and name not in KEYS_ABROAD:
        return "KMS lets other accounts use a key, and not administer it"
    return ""


def is_of_keys(action: str) -> bool:
    """Say whether an action is on keys and on nothing else."""
    return action.lower() in _OF_KEYS


def is_beside_keys(action: str) -> bool:
    """Say whether an action of KMS is asked of what is no key: of an alias, or of who knows what if nobody knows it."""
    name = action.lower()
    return name.startswith("kms:") and name not in _KEYLESS and name not in _OF_KEYS


def is_on_key(request: Request) -> bool:
    return request.service == "kms" and _KEY.fullmatch(request.resource) is not None


def is_about_trust(request: Request) -> bool:
    return request.action.lower() in TRUSTED_ACTIONS and _ROLE.fullmatch(request.resource) is not None


def heeds_resource_control(action: str) -> bool:
    """Say whether resource control policies restrict an action on its resource.

    A service that is not listed heeds none: a guardrail that AWS does not enforce must not be relied upon.
    """
    name = action.lower()
    return name.partition(":")[0] in HEEDS_RESOURCE_CONTROL and name not in _EXEMPT_FROM_RESOURCE_CONTROL
