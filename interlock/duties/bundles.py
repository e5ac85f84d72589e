"""Rights that several duties have in common."""

from __future__ import annotations

from typing import Final

from interlock.duties.duty import Role
from interlock.duties.landscape import LEDGER_ROLES, MANIFEST_PREFIX
from interlock.duties.rights import Kind, Never, Right, Task

READING: Final = ("s3:GetObject", "s3:GetObjectVersion")
IN_PARTS: Final = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
SEEING_ENDPOINTS: Final = (
    Right("SeeEndpoints", ("sagemaker:DescribeEndpoint",), Kind.ENDPOINT),
    Right("SeeConfigurations", ("sagemaker:DescribeEndpointConfig",), Kind.CONFIGURATION),
    Right("SeeHolding", ("sagemaker:DescribeEndpointConfig",), Kind.HOLDING),
    Right("SeeHoldingModel", ("sagemaker:DescribeModel",), Kind.HOLDING_MODEL),
    Right("SeeModels", ("sagemaker:DescribeModel",), Kind.MODEL),
)
# Metrics are no resources.
MEASURING: Final = (Right("Measure", ("cloudwatch:GetMetricData",), Kind.ANY),)
FINDING_THE_STACK: Final = (
    Right("FindStack", ("ssm:GetParameter",), Kind.PARAMETER),
    Right("ReadManifest", READING, Kind.STAGED, MANIFEST_PREFIX),
    Right("Decrypt", ("kms:Decrypt",), Kind.EVIDENCE_KEY),
)
LIVE_STATE: Final = (
    Right(
        "KeepLiveState",
        ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        Kind.TABLE,
    ),
    Right("UseKeyOfLiveState", ("kms:Decrypt",), Kind.PLATFORM_KEY),
)  # fmt: skip


def reading(*prefixes: str) -> tuple[Right, ...]:
    """Return what reading and verifying takes, of objects of the vault under these prefixes."""
    return (
        Right("ListVault", ("s3:ListBucket", "s3:ListBucketVersions"), Kind.VAULT),
        *(Right(f"Read{_word(one)}", (*READING, "s3:GetObjectRetention"), Kind.OBJECTS, one) for one in prefixes),
        # Signatures are verified where they are read, with the public key.
        Right("VerifySignatures", ("kms:GetPublicKey",), Kind.SIGNING_KEY, "*"),
    )


def writing(*prefixes: str) -> tuple[Right, ...]:
    """Return what adding objects under these prefixes of the vault takes."""
    return (
        *(Right(f"Add{_word(one)}", ("s3:PutObject",), Kind.OBJECTS, one) for one in prefixes),
        Right("Encrypt", ("kms:GenerateDataKey",), Kind.EVIDENCE_KEY),
    )


def adding_in_parts(prefix: str) -> tuple[Right, ...]:
    """Return what it takes to go on with, or to give up, large objects of the vault that were begun in parts."""
    return (
        Right("SeeUploads", ("s3:ListBucketMultipartUploads",), Kind.VAULT),
        Right("AddInParts", IN_PARTS, Kind.OBJECTS, prefix),
    )


def locking(*prefixes: str) -> tuple[Right, ...]:
    """Return what locking objects under these prefixes of the vault for longer takes."""
    return tuple(Right(f"Lock{_word(one)}", ("s3:PutObjectRetention",), Kind.OBJECTS, one) for one in prefixes)


def signing(key: str) -> tuple[Right, ...]:
    """Return what signing with one key takes; `approver-*` is whichever the key's policy gives to the person."""
    return (Right("Sign", ("kms:Sign",), Kind.SIGNING_KEY, key),)


def tracking_user(duty: str) -> tuple[Right, ...]:
    """Return what reading the password of a duty's user of MLflow takes."""
    return (
        Right("ReadTrackingUser", ("secretsmanager:GetSecretValue",), Kind.SECRET, duty),
        Right("DecryptTrackingUser", ("kms:Decrypt",), Kind.PLATFORM_KEY),
    )


def writing_logs(name: str) -> tuple[Right, ...]:
    """Return what a function takes to write its own log group; a task's is written for it by ECS."""
    return (Right("WriteLogs", ("logs:CreateLogStream", "logs:PutLogEvents"), Kind.LOG_GROUP, name),)


def running_for_the_ledger(role: Role) -> tuple[Right, ...]:
    """Return what a function of the ledger takes to run under its role: its own settings and its log group."""
    return (
        Right("ReadSettings", ("kms:Decrypt",), Kind.LEDGER_KEY),
        Right("WriteLogs", ("logs:CreateLogStream", "logs:PutLogEvents"), Kind.LEDGER_LOG_GROUP, role.value),
    )


SIGN: Final = Never("sign as a duty", ("kms:Sign",), Kind.SIGNING_KEY, "*")
TAKE_KEYS_AWAY: Final = Never(
    "take a key away or give one to others",
    ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy", "kms:CreateGrant", "kms:ReplicateKey"),
    Kind.SIGNING_KEY, "*",
)  # fmt: skip
REMOVE_EVIDENCE: Final = Never(
    "remove, hide or unlock evidence",
    ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectLegalHold"),
    Kind.OBJECTS, "",
)  # fmt: skip
MOVE_TRAFFIC: Final = Never(
    "move traffic", ("sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"), Kind.ENDPOINT
)
CHANGE_DUTIES: Final = Never(
    "change a duty's role",
    ("iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRolePermissionsBoundary",
     "iam:PutRolePermissionsBoundary", "iam:DeleteRole"),
    Kind.DUTY_ROLE, "*",
)  # fmt: skip
PASS_DUTIES: Final = Never("hand a duty's role to a service", ("iam:PassRole",), Kind.DUTY_ROLE, "*")
PASS_OTHER_DUTIES: Final = Never(
    "hand a duty's role to a service, but the ledger's to their functions", ("iam:PassRole",), Kind.DUTY_ROLE, "*",
    but=tuple(role.value for role in LEDGER_ROLES),
)  # fmt: skip
PUSH_IMAGES: Final = Never("push an image that may run", ("ecr:PutImage",), Kind.REPOSITORY)
EVERYBODYS_NEVERS: Final = (TAKE_KEYS_AWAY, REMOVE_EVIDENCE)
WRITE_EVIDENCE: Final = Never("write evidence", ("s3:PutObject",), Kind.OBJECTS, "releases/")
APPROVE: Final = Never("write an approval", ("s3:PutObject",), Kind.OBJECTS, "approvals/")
APPROVE_BY_KEY: Final = Never("sign as a person", ("kms:Sign",), Kind.SIGNING_KEY, "approver-*")
WRITE_VAULT: Final = Never("write to the vault", ("s3:PutObject",), Kind.OBJECTS, "")

FIND_STACK: Final = Task("find the stack's manifest", "ssm:GetParameter", Kind.PARAMETER)
VERIFY: Final = Task("verify a signature", "kms:GetPublicKey", Kind.SIGNING_KEY, "builder")
LOOK: Final = Task("look at an endpoint", "sagemaker:DescribeEndpoint", Kind.ENDPOINT)
MEASURE: Final = Task("measure", "cloudwatch:GetMetricData", Kind.ANY)
READ_MANIFEST: Final = Task("read the stack's manifest", "s3:GetObjectVersion", Kind.STAGED, MANIFEST_PREFIX)

DECRYPT: Final = Task("decrypt evidence", "kms:Decrypt", Kind.EVIDENCE_KEY)
ENCRYPT: Final = Task("encrypt evidence", "kms:GenerateDataKey", Kind.EVIDENCE_KEY)


def reads(prefix: str) -> Task:
    """Return the task of reading an object of the vault."""
    return Task(f"read {prefix or 'the vault'} by version", "s3:GetObjectVersion", Kind.OBJECTS, prefix)


def adds(prefix: str) -> Task:
    """Return the task of adding an object to the vault, under the conditions that the vault sets."""
    return Task(
        f"add to {prefix}", "s3:PutObject", Kind.OBJECTS, prefix,
        {"s3:if-none-match": ("*",), "s3:objectcreationoperation": ("true",)},
    )  # fmt: skip


def locks(prefix: str) -> Task:
    """Return the task of locking an object of the vault for longer; for how many days at most, the vault says."""
    return Task(
        f"lock {prefix} for longer", "s3:PutObjectRetention", Kind.OBJECTS, prefix,
        {"s3:object-lock-mode": ("COMPLIANCE",)},
    )  # fmt: skip


def signs(key: str) -> Task:
    """Return the task of signing with a key."""
    return Task(f"sign as {key}", "kms:Sign", Kind.SIGNING_KEY, key)


def _word(prefix: str) -> str:
    return "".join(part.capitalize() for part in prefix.rstrip("/").split("-")) if prefix else "Vault"
