"""The rows of those who take a release to production and keep its record: from creator to auditor."""

from __future__ import annotations

from typing import Final

from interlock.duties.bundles import (
    APPROVE,
    APPROVE_BY_KEY,
    CHANGE_DUTIES,
    DECRYPT,
    ENCRYPT,
    EVERYBODYS_NEVERS,
    FIND_STACK,
    FINDING_THE_STACK,
    IN_PARTS,
    LIVE_STATE,
    LOOK,
    MEASURE,
    MEASURING,
    MOVE_TRAFFIC,
    PASS_DUTIES,
    PUSH_IMAGES,
    READ_MANIFEST,
    READING,
    SEEING_ENDPOINTS,
    SIGN,
    VERIFY,
    WRITE_EVIDENCE,
    WRITE_VAULT,
    adding_in_parts,
    adds,
    locking,
    locks,
    reading,
    reads,
    running_for_the_ledger,
    signing,
    signs,
    tracking_user,
    writing,
)
from interlock.duties.duty import Duty, Role
from interlock.duties.prefixes import (
    APPROVALS,
    DECISIONS,
    FINDINGS,
    IMAGES,
    LEDGER,
    OWN_SUBMISSIONS,
    PINS,
    RELEASES,
    SUBMISSIONS,
    TRUST,
    WITNESSED,
)
from interlock.duties.rights import Account, Bearer, Kind, Right, Row, Task

_COMMON: Final = (*EVERYBODYS_NEVERS, CHANGE_DUTIES, PUSH_IMAGES)
_READS_TRACKING_USER: Final = "read the password of its user of MLflow"

CREATOR: Final = Row(
    Role.CREATOR, Duty.CREATOR, "logs and registers models, submits a request for release",
    Account.WORKLOAD, Bearer.PEOPLE,
    rights=(
        *FINDING_THE_STACK,
        *tracking_user("creator"),
        # What is asked to be released is read back, and a folder of large files goes on where it was interrupted.
        Right("Submit", ("s3:PutObject", *READING, *IN_PARTS), Kind.STAGED, OWN_SUBMISSIONS),
        Right("SeeUploads", ("s3:ListBucketMultipartUploads",), Kind.STAGING),
        Right(
            "SeeSubmissions", ("s3:ListBucketVersions",), Kind.STAGING,
            conditions={"StringLike": {"s3:prefix": f"{OWN_SUBMISSIONS}*"}},
        ),
        Right("EncryptSubmissions", ("kms:GenerateDataKey",), Kind.EVIDENCE_KEY),
    ),
    tasks=(
        FIND_STACK, READ_MANIFEST, DECRYPT,
        Task(_READS_TRACKING_USER, "secretsmanager:GetSecretValue", Kind.SECRET, "creator"),
        Task("submit a request", "s3:PutObject", Kind.STAGED, OWN_SUBMISSIONS),
        Task(
            "see own requests", "s3:ListBucketVersions", Kind.STAGING, "",
            {"s3:prefix": (f"{OWN_SUBMISSIONS}request",)},
        ),
        Task("read an own request back", "s3:GetObjectVersion", Kind.STAGED, OWN_SUBMISSIONS),
    ),
    nevers=(*_COMMON, SIGN, WRITE_VAULT, MOVE_TRAFFIC, PASS_DUTIES),
)  # fmt: skip

BUILDER: Final = Row(
    Role.BUILDER, Duty.BUILDER, "pins bytes, runs gates, writes evidence",
    Account.WORKLOAD, Bearer.PIPELINE,
    rights=(
        *FINDING_THE_STACK,
        *tracking_user("builder"),
        # Of decisions, because those say with which release another one is compared.
        *reading(RELEASES, APPROVALS, DECISIONS, TRUST, IMAGES),
        *writing(RELEASES, IMAGES),
        *adding_in_parts(RELEASES),
        *signing("builder"),
        Right("ReadSubmissions", READING, Kind.STAGED, SUBMISSIONS),
        Right("SeeStaged", ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"), Kind.STAGING),
        Right(
            "Stage", ("s3:PutObject", *READING, *IN_PARTS, "s3:DeleteObjectVersion"),
            Kind.STAGED, PINS,
        ),
    ),
    tasks=(
        FIND_STACK, READ_MANIFEST, DECRYPT, reads(RELEASES), reads(DECISIONS), ENCRYPT, adds(RELEASES), adds(IMAGES),
        signs("builder"),
        Task(_READS_TRACKING_USER, "secretsmanager:GetSecretValue", Kind.SECRET, "builder"),
        Task("read a request", "s3:GetObjectVersion", Kind.STAGED, SUBMISSIONS),
        Task("stage what is to be locked", "s3:PutObject", Kind.STAGED, PINS),
        Task("read what is staged", "s3:GetObjectVersion", Kind.STAGED, PINS),
        Task("take away what was staged", "s3:DeleteObjectVersion", Kind.STAGED, PINS),
        reads(TRUST),
        VERIFY,
    ),
    nevers=(*_COMMON, APPROVE, APPROVE_BY_KEY, MOVE_TRAFFIC, PASS_DUTIES),
    signs_with="builder",
)  # fmt: skip

APPROVER: Final = Row(
    Role.APPROVER, Duty.APPROVER, "reads everything, approves with a key of their own",
    Account.EVIDENCE, Bearer.PEOPLE,
    rights=(*reading(""), *writing(APPROVALS), *locking(RELEASES, APPROVALS), *signing("approver-*"),
            FINDING_THE_STACK[2],
            Right("ReadManifest", ("s3:GetObject", "s3:GetObjectVersion"), Kind.STAGED, "stacks/")),
    tasks=(
        READ_MANIFEST, DECRYPT, reads(RELEASES), reads(LEDGER), reads(TRUST), ENCRYPT, adds(APPROVALS),
        locks(RELEASES), locks(APPROVALS), signs("approver-*"), VERIFY,
    ),
    nevers=(*_COMMON, WRITE_EVIDENCE, MOVE_TRAFFIC, PASS_DUTIES),
    signs_with="approver-*",
)  # fmt: skip

DEPLOYER: Final = Row(
    Role.DEPLOYER, Duty.DEPLOYER, "moves traffic to releases that verify: the controller",
    Account.WORKLOAD, Bearer.SERVICE,
    rights=(
        *FINDING_THE_STACK, *tracking_user("deployer"),
        *reading(RELEASES, APPROVALS, DECISIONS, FINDINGS, LEDGER, WITNESSED, TRUST, IMAGES),
        *writing(DECISIONS), *signing("deployer"), *SEEING_ENDPOINTS, *MEASURING, *LIVE_STATE,
        Right("MakeModels", ("sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:AddTags"), Kind.MODEL),
        Right(
            "MakeConfigurations",
            ("sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig", "sagemaker:AddTags"),
            Kind.CONFIGURATION,
        ),
        Right(
            "MoveTraffic",
            ("sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"),
            Kind.ENDPOINT,
        ),
        # Update takes the new configuration as a resource too.
        Right("UseConfigurations", ("sagemaker:UpdateEndpoint",), Kind.CONFIGURATION),
        Right(
            "Scale",
            ("application-autoscaling:RegisterScalableTarget", "application-autoscaling:DeregisterScalableTarget",
             "application-autoscaling:PutScalingPolicy", "application-autoscaling:DeleteScalingPolicy"),
            Kind.SCALABLE_TARGET,
            conditions={"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        ),
        Right(
            "SeeScaling",
            ("application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"),
            Kind.ANY,
        ),
        Right(
            "HandOverServingRole", ("iam:PassRole",), Kind.SERVICE_ROLE,
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
    ),
    tasks=(
        FIND_STACK, READ_MANIFEST, DECRYPT, reads(RELEASES), reads(APPROVALS), reads(LEDGER), reads(WITNESSED),
        reads(TRUST), reads(IMAGES), ENCRYPT, adds(DECISIONS), signs("deployer"),
        Task(_READS_TRACKING_USER, "secretsmanager:GetSecretValue", Kind.SECRET, "deployer"),
        Task("make a model", "sagemaker:CreateModel", Kind.MODEL),
        Task("make a configuration", "sagemaker:CreateEndpointConfig", Kind.CONFIGURATION),
        Task("change what an endpoint serves", "sagemaker:UpdateEndpoint", Kind.ENDPOINT),
        Task("move traffic", "sagemaker:UpdateEndpointWeightsAndCapacities", Kind.ENDPOINT),
        Task("hold a lease", "dynamodb:PutItem", Kind.TABLE),
        Task(
            "hand the serving role to SageMaker", "iam:PassRole", Kind.SERVICE_ROLE, "",
            {"iam:passedtoservice": ("sagemaker.amazonaws.com",)},
        ),
        MEASURE,
    ),
    nevers=(*_COMMON, WRITE_EVIDENCE, APPROVE, APPROVE_BY_KEY, PASS_DUTIES),
    service="ecs-tasks.amazonaws.com",
    signs_with="deployer",
)  # fmt: skip

OBSERVER: Final = Row(
    Role.OBSERVER, Duty.OBSERVER, "watches registry, endpoints and drift, records findings",
    Account.WORKLOAD, Bearer.SERVICE,
    rights=(
        *FINDING_THE_STACK, *tracking_user("observer"),
        *reading(RELEASES, APPROVALS, DECISIONS, FINDINGS, LEDGER, WITNESSED, TRUST, IMAGES), *writing(FINDINGS),
        *signing("observer"), *SEEING_ENDPOINTS, *MEASURING,
    ),
    tasks=(
        FIND_STACK, DECRYPT, reads(RELEASES), reads(APPROVALS), reads(FINDINGS), reads(LEDGER), reads(TRUST),
        reads(IMAGES), ENCRYPT, adds(FINDINGS), signs("observer"),
        Task(_READS_TRACKING_USER, "secretsmanager:GetSecretValue", Kind.SECRET, "observer"),
        LOOK,
        MEASURE,
    ),
    nevers=(*_COMMON, WRITE_EVIDENCE, APPROVE, APPROVE_BY_KEY, MOVE_TRAFFIC, PASS_DUTIES),
    service="ecs-tasks.amazonaws.com",
    signs_with="observer",
)  # fmt: skip

SEQUENCER: Final = Row(
    Role.SEQUENCER, Duty.SEQUENCER, "appends leaves to the ledger, signs checkpoints",
    Account.EVIDENCE, Bearer.SERVICE,
    rights=(
        *reading(""), FINDING_THE_STACK[2], *writing(LEDGER), *signing("log"), *running_for_the_ledger(Role.SEQUENCER)
    ),
    tasks=(
        DECRYPT, reads(RELEASES), reads(APPROVALS), reads(DECISIONS), reads(LEDGER), reads(TRUST),
        ENCRYPT, adds(LEDGER), signs("log"), VERIFY,
    ),
    nevers=(*_COMMON, WRITE_EVIDENCE, APPROVE, APPROVE_BY_KEY, MOVE_TRAFFIC, PASS_DUTIES),
    service="lambda.amazonaws.com",
    signs_with="log",
)  # fmt: skip

WITNESS: Final = Row(
    Role.WITNESS, Duty.WITNESS, "co-signs checkpoints from the other region",
    Account.EVIDENCE, Bearer.SERVICE,
    rights=(
        *reading(LEDGER, WITNESSED, TRUST), FINDING_THE_STACK[2], *writing(WITNESSED), *signing("witness"),
        *running_for_the_ledger(Role.WITNESS),
    ),
    tasks=(DECRYPT, reads(LEDGER), reads(TRUST), ENCRYPT, adds(WITNESSED), signs("witness")),
    nevers=(*_COMMON, WRITE_EVIDENCE, APPROVE, APPROVE_BY_KEY, MOVE_TRAFFIC, PASS_DUTIES),
    service="lambda.amazonaws.com",
    signs_with="witness",
)  # fmt: skip

AUDITOR: Final = Row(
    Role.AUDITOR, Duty.AUDITOR, "reads and exports",
    Account.WORKLOAD, Bearer.PEOPLE,
    rights=(*FINDING_THE_STACK, *tracking_user("auditor"), *reading(""), *SEEING_ENDPOINTS, *MEASURING),
    tasks=(
        FIND_STACK, READ_MANIFEST, DECRYPT, reads(RELEASES), reads(LEDGER), reads(TRUST), LOOK, MEASURE,
        VERIFY,
        Task("read a lock", "s3:GetObjectRetention", Kind.OBJECTS, RELEASES),
        Task(_READS_TRACKING_USER, "secretsmanager:GetSecretValue", Kind.SECRET, "auditor"),
    ),
    nevers=(*_COMMON, SIGN, WRITE_VAULT, MOVE_TRAFFIC, PASS_DUTIES),
)  # fmt: skip

ROWS: Final = (CREATOR, BUILDER, APPROVER, DEPLOYER, OBSERVER, SEQUENCER, WITNESS, AUDITOR)
