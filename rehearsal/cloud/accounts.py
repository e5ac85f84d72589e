"""The accounts of an organization that are there from the start, and the role by which the first reaches the others.

Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

WORKLOAD = "123456789012"
EVIDENCE = "210987654321"
AUDIT = "321098765432"
MANAGEMENT = "432109876543"
"""The organization's own, whom none of its policies restrains."""
ADMINISTRATOR = "administrator"
"""The IAM user of the workload account who is there from the start, and may do everything there."""
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105
"""What that administrator signs with; nothing outside this machine accepts it."""
REGION = "eu-west-1"
RECOVERY_REGION = "eu-central-1"
ORGANIZATION_ROLE = "OrganizationAccountAccessRole"
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"


def accounts(workload: str) -> Mapping[str, str]:
    """Return the ids of all accounts by what they are for; the administrator's key belongs to `workload`."""
    return {"workload": workload, "evidence": EVIDENCE, "audit": AUDIT, "management": MANAGEMENT}


def organization_role(account_id: str) -> str:
    """Return the ARN of the role that administers an account which the organization made."""
    return f"arn:aws:iam::{account_id}:role/{ORGANIZATION_ROLE}"


def organization_trust(workload: str) -> str:
    """Return the trust policy of that role."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{workload}:root"},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def credentials(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the credentials in an answer of AssumeRole as boto3's client takes them."""
    given = answer["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
