"""Comes into a role as a person, a pipeline or a service: what an AWS profile of a session runs to get credentials.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

import contextlib
import http.client
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from rehearsal.totp import code_at

SESSION_SECONDS = 3600


class NotTheirs(Exception):
    """Nobody who is here may come as that role."""


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


@dataclass(frozen=True)
class TokenEntrance:
    """A pipeline's way into a role, by a token that its issuer signs anew each time."""

    role_arn: str
    name: str
    issuer: str
    audience: str
    subject: str

    def come(self) -> Mapping[str, Any]:
        """Assume the role for an hour, and return what STS gives. Raises botocore's ClientError."""
        token = page("token", issuer=self.issuer, audience=self.audience, subject=self.subject)["token"]
        # The token alone tells who comes: nobody signs the call.
        sts = boto3.client("sts", config=Config(signature_version=UNSIGNED))
        answer: Mapping[str, Any] = sts.assume_role_with_web_identity(
            RoleArn=self.role_arn,
            RoleSessionName=self.name,
            WebIdentityToken=token,
            DurationSeconds=SESSION_SECONDS,
        )["Credentials"]
        return answer


@dataclass(frozen=True)
class ServiceEntrance:
    """A service's way into the role that it runs under: what AWS would hand to its process."""

    role_arn: str
    name: str
    service: str

    def come(self) -> Mapping[str, Any]:
        """Return the credentials. Raises NotTheirs."""
        given = page("service-session", role=self.role_arn, service=self.service, name=self.name)
        if "refused" in given:
            raise NotTheirs(given["refused"])
        return {**given, "Expiration": datetime.fromisoformat(given["Expiration"])}


AnyEntrance = Entrance | TokenEntrance | ServiceEntrance

_KINDS: Final[dict[str, type[AnyEntrance]]] = {
    "person": Entrance,
    "pipeline": TokenEntrance,
    "service": ServiceEntrance,
}


def write_entrances(file: Path, entrances: Mapping[str, AnyEntrance]) -> None:
    """Write the entrances of a session by the name of their profile, for its owner alone."""
    kinds = {made: name for name, made in _KINDS.items()}
    file.touch(mode=0o600)
    file.write_text(json.dumps({name: [kinds[type(one)], asdict(one)] for name, one in entrances.items()}))


def page(asked: str, /, **parameters: str) -> Mapping[str, Any]:
    """Ask for one of the cloud's own pages. Raises OSError."""
    connection = http.client.HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", f"/_interlock/{asked}?{urlencode(parameters)}")
        document: Mapping[str, Any] = json.load(connection.getresponse())
    return document


def main(arguments: Sequence[str]) -> int:
    """Print credentials for a profile's entrance, as a `credential_process` does."""
    file, name = arguments
    # Whoever is asked by a profile must not ask by it again.
    os.environ.pop("AWS_PROFILE", None)
    kind, fields = json.loads(Path(file).read_text())[name]
    given = _KINDS[kind](**fields).come()
    told = {key: given[key] for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    print(json.dumps({"Version": 1, **told, "Expiration": given["Expiration"].isoformat()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
