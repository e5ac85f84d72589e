"""What the services that run our containers may do: trust policies and permissions, nothing beyond the need."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.duties.documents import Statement, document, statement


def trust_policy(service: str, account_id: str) -> str:
    """Return the trust policy of a role that AWS service `service` assumes on behalf of this account alone."""
    return document(
        statement(
            "AssumedByService",
            "Allow",
            ["sts:AssumeRole"],
            principal={"Service": service},
            conditions={"StringEquals": {"aws:SourceAccount": account_id}},
        )
    )


def flow_log_policy(log_group_arn: str) -> str:
    """Return what VPC flow logs need to write into one log group."""
    return document(
        statement(
            "WriteFlowLogs",
            "Allow",
            ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            [log_group_arn, f"{log_group_arn}:*"],
        )
    )


def task_start_policy(
    repository_arn: str, log_group_arn: str, secret_arns: Sequence[str], key_arns: Sequence[str]
) -> str:
    """Return what ECS needs to start a task: pull one image, read its secrets, if it has any, write one log group."""
    secrets = [
        statement("ReadSecrets", "Allow", ["secretsmanager:GetSecretValue"], sorted(set(secret_arns))),
        statement("DecryptSecrets", "Allow", ["kms:Decrypt"], sorted(set(key_arns))),
    ]
    return document(*_pull(repository_arn), _write_logs(log_group_arn), *(secrets if secret_arns else []))


def artifact_access_policy(bucket_arn: str, prefix: str, key_arn: str) -> str:
    """Return what the MLflow server needs of its artifact store."""
    return document(
        statement(
            "ListArtifacts",
            "Allow",
            ["s3:ListBucket"],
            [bucket_arn],
            conditions={"StringLike": {"s3:prefix": [prefix.rstrip("/"), f"{prefix}*"]}},
        ),
        statement(
            "UseArtifacts",
            "Allow",
            [
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
            ],
            [f"{bucket_arn}/{prefix}*"],
        ),
        statement("EncryptArtifacts", "Allow", ["kms:Decrypt", "kms:GenerateDataKey"], [key_arn]),
    )


def serving_policy(
    repository_arn: str,
    log_group_arn: str,
    vault_arn: str,
    prefixes: Sequence[str],
    vault_key_arn: str,
    volume_key_arn: str,
    subnet_ids: Sequence[str],
    capture_arn: str | None = None,
) -> str:
    """Return what SageMaker needs to serve releases: one repository, prefixes of the vault, one log group, subnets.

    `capture_arn` is the ARN of the prefix, with its last slash, that requests and answers are kept under.
    Source: SageMaker Developer Guide, "SageMaker roles", "CreateModel API: execution role permissions".
    """
    return document(
        *_pull(repository_arn),
        _write_logs(log_group_arn),
        statement(
            "ListReleases",
            "Allow",
            ["s3:ListBucket"],
            [vault_arn],
            conditions={"StringLike": {"s3:prefix": [f"{one}*" for one in prefixes]}},
        ),
        statement(
            "ReadReleases",
            "Allow",
            ["s3:GetObject", "s3:GetObjectVersion"],
            [f"{vault_arn}/{one}*" for one in prefixes],
        ),
        statement("DecryptReleases", "Allow", ["kms:Decrypt"], [vault_key_arn]),
        statement(
            "EncryptVolumes",
            "Allow",
            ["kms:CreateGrant"],
            [volume_key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        statement(
            "PutMetrics",
            "Allow",
            ["cloudwatch:PutMetricData"],
            ["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/Endpoints"]}},
        ),
        *_join(log_group_arn, subnet_ids),
        *(_capture(capture_arn, volume_key_arn) if capture_arn else []),
    )


def _join(arn_of_the_place: str, subnet_ids: Sequence[str]) -> list[Statement]:
    """Network interfaces in some subnets, which may be another account's that shares them.

    Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2".
    """
    partition, _, region, account_id = arn_of_the_place.split(":")[1:5]
    here = f"arn:{partition}:ec2:{region}:{account_id}"
    subnets = [f"arn:{partition}:ec2:{region}:*:subnet/{one}" for one in subnet_ids]
    return [
        statement(
            "JoinNetwork",
            "Allow",
            ["ec2:CreateNetworkInterface"],
            [f"{here}:network-interface/*", f"{here}:security-group/*", *subnets],
        ),
        statement(
            "UseInterfaces",
            "Allow",
            [
                "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
            ],
            [f"{here}:network-interface/*"],
        ),
        statement(
            "SeeNetwork",
            "Allow",
            [
                "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions",
                "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
            ],
            ["*"],
        ),
    ]  # fmt: skip


def _capture(capture_arn: str, key_arn: str) -> list[Statement]:
    # Source: SageMaker Developer Guide, "Data capture", "Set up prerequisites".
    return [
        statement("KeepCaptured", "Allow", ["s3:PutObject"], [f"{capture_arn}*"]),
        statement("EncryptCaptured", "Allow", ["kms:GenerateDataKey", "kms:Decrypt"], [key_arn]),
    ]


def endpoint_policy(account_id: str) -> str:
    """Return the policy of an interface endpoint: only principals of this account come through it."""
    return document(
        statement(
            "OwnPrincipals",
            "Allow",
            ["*"],
            ["*"],
            principal="*",
            conditions={"StringEquals": {"aws:PrincipalAccount": account_id}},
        )
    )


def storage_endpoint_policy(account_ids: Sequence[str], region: str) -> str:
    """Return the policy of the S3 gateway endpoint: buckets of these accounts, and the layers of images read-only.

    Source: Amazon ECR User Guide, "Minimum Amazon S3 bucket permissions for Amazon ECR".
    """
    return document(
        statement(
            "OwnBuckets",
            "Allow",
            ["s3:*"],
            ["*"],
            principal="*",
            conditions={
                "StringEquals": {"aws:ResourceAccount": account_ids[0] if len(account_ids) == 1 else list(account_ids)}
            },
        ),
        statement(
            "ImageLayers",
            "Allow",
            ["s3:GetObject"],
            [f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*"],
            principal="*",
        ),
    )


def repository_arn(image: str) -> str:
    """Return the ARN of the ECR repository that `image`, `<account>.dkr.ecr.<region>.<suffix>/<name>:<tag>`, is in."""
    host, _, rest = image.partition("/")
    account_id, _, _, region, *_ = host.split(".")
    name = rest.partition("@")[0].partition(":")[0]
    return f"arn:aws:ecr:{region}:{account_id}:repository/{name}"


def _pull(repository: str) -> list[Statement]:
    return [
        statement("EnterRegistry", "Allow", ["ecr:GetAuthorizationToken"], ["*"]),
        statement(
            "PullImage",
            "Allow",
            ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            [repository],
        ),
    ]


def _write_logs(log_group_arn: str) -> Statement:
    return statement(
        "WriteLogs",
        "Allow",
        ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
        [log_group_arn, f"{log_group_arn}:*"],
    )
