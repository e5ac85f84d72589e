"""What an emergency looks like in the record."""

from __future__ import annotations

from typing import Any


def emergency_pattern(role_arn: str) -> dict[str, Any]:
    """Return the EventBridge pattern of every attempt to assume the role of break-glass, refused ones too.

    Source: AWS CloudTrail User Guide, "CloudTrail record contents"; IAM User Guide, "Logging IAM and AWS STS API calls
    with AWS CloudTrail".
    """
    return {
        "source": ["aws.sts"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["sts.amazonaws.com"],
            "eventName": ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"],
            "requestParameters": {"roleArn": [role_arn]},
        },
    }
