"""Comes as a person into one of their roles: what an AWS profile of a session runs to get credentials.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from rehearsal.totp import code_at

SESSION_SECONDS = 3600


@dataclass(frozen=True)
class Entrance:
    """One person's way into one role: their user's key, their second factor, and the name that they give."""

    role_arn: str
    source_identity: str
    access_key_id: str
    secret_access_key: str
    device: str
    """Serial number of their virtual MFA device."""
    seed: str
    """Of the device, in base 32."""

    def come(self) -> Mapping[str, Any]:
        """Assume the role for an hour, and return what STS gives. Raises botocore's ClientError."""
        sts = boto3.client("sts", aws_access_key_id=self.access_key_id, aws_secret_access_key=self.secret_access_key)
        answer: Mapping[str, Any] = sts.assume_role(
            RoleArn=self.role_arn,
            RoleSessionName=self.source_identity,
            SourceIdentity=self.source_identity,
            DurationSeconds=SESSION_SECONDS,
            SerialNumber=self.device,
            TokenCode=code_at(self.seed, datetime.now(UTC)),
        )["Credentials"]
        return answer


def write_entrances(file: Path, entrances: Mapping[str, Entrance]) -> None:
    """Write the entrances of a session by the name of their profile, for its owner alone."""
    file.touch(mode=0o600)
    file.write_text(json.dumps({name: asdict(one) for name, one in entrances.items()}))


def main(arguments: Sequence[str]) -> int:
    """Print credentials for a profile's entrance, as a `credential_process` does."""
    file, name = arguments
    # Whoever is asked by a profile must not ask by it again.
    os.environ.pop("AWS_PROFILE", None)
    given = Entrance(**json.loads(Path(file).read_text())[name]).come()
    told = {key: given[key] for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    print(json.dumps({"Version": 1, **told, "Expiration": given["Expiration"].isoformat()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
