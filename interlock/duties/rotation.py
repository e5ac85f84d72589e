"""What the function that rotates the database's users may do."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.duties.documents import document, statement


def rotation_policy(
    function_arn: str, rotated_secret_arns: Sequence[str], read_secret_arns: Sequence[str], key_arn: str, log_arn: str
) -> str:
    """Return what the rotation needs: its own secrets, the key they are under, one log group, and a network interface.

    The interfaces are Lambda's own business, and denied to the function's code; nobody knows their names beforehand.
    Source: Secrets Manager User Guide, "Permissions for rotation"; Lambda Developer Guide, "Giving Lambda functions
    access to resources in an Amazon VPC", "Security best practices".
    """
    partition, _, region, account_id = log_arn.split(":")[1:5]
    looking = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    joining = [
        "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]  # fmt: skip
    network = f"arn:{partition}:ec2:{region}:{account_id}"
    places = [f"{network}:{kind}/*" for kind in ("network-interface", "subnet", "security-group")]
    return document(
        statement(
            "RotateSecrets",
            "Allow",
            [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            rotated_secret_arns,
        ),
        statement("ReadSecrets", "Allow", ["secretsmanager:GetSecretValue"], read_secret_arns),
        statement("DrawPasswords", "Allow", ["secretsmanager:GetRandomPassword"], ["*"]),
        statement("EncryptSecrets", "Allow", ["kms:Decrypt", "kms:GenerateDataKey"], [key_arn]),
        statement("WriteLogs", "Allow", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_arn}:*"]),
        statement("SeeNetwork", "Allow", looking, ["*"]),
        statement("JoinNetwork", "Allow", joining, places),
        statement(
            "DenyInterfacesToTheCode",
            "Deny",
            [*looking, *joining],
            ["*"],
            conditions={"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
        ),
    )


def read_secret_policy(secret_arn: str, key_arn: str) -> str:
    """Return what a server needs to read one secret again and again."""
    return document(
        statement("ReadSecret", "Allow", ["secretsmanager:GetSecretValue"], [secret_arn]),
        statement("DecryptSecret", "Allow", ["kms:Decrypt"], [key_arn]),
    )
