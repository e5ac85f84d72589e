"""Elastic Container Registry: which digest a tag names, and the password with which a container engine pushes."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import error_code, outside
from interlock.failures import BadInput

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

_HOST = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


@dataclass(frozen=True)
class Repository:
    """A repository by its URL, `<account>.dkr.ecr.<region>.amazonaws.com/<name>`."""

    host: str
    account_id: str
    region: str
    name: str

    @classmethod
    def parse(cls, url: str) -> Repository:
        """Read a repository's URL. Raises BadInput."""
        host, _, name = url.partition("/")
        found = _HOST.fullmatch(host)
        if found is None or not name:
            accepted = "<account>.dkr.ecr.<region>.amazonaws.com/<name>"
            raise BadInput(f"repository: received {url!r}; accepted is {accepted}")
        return cls(host, found["account"], found["region"], name)

    @property
    def url(self) -> str:
        return f"{self.host}/{self.name}"


@dataclass(frozen=True)
class Login:
    """What a container engine presents to the registry; valid for twelve hours."""

    username: str
    password: str


class ImageRegistry:
    """Reads one registry."""

    def __init__(self, ecr: ECRClient) -> None:
        self._ecr = ecr

    def digest_of(self, repository: Repository, tag: str) -> str | None:
        """Return the digest (64 hexadecimal digits) that `tag` names, or None. Raises OutsideFailure."""
        return self._found(repository, tag=tag)

    def holds(self, repository: Repository, digest: str) -> bool:
        """Say whether the repository has the image of this digest. Raises OutsideFailure."""
        return self._found(repository, digest=digest) is not None

    def login(self) -> Login:
        """Return credentials for pushing with the caller's own rights. Raises OutsideFailure."""
        try:
            answer = self._ecr.get_authorization_token()["authorizationData"][0]
        except (ClientError, BotoCoreError) as error:
            raise outside("get a password for the image registry", error) from error
        username, _, password = base64.b64decode(answer["authorizationToken"]).decode().partition(":")
        return Login(username, password)

    def _found(self, repository: Repository, *, tag: str | None = None, digest: str | None = None) -> str | None:
        try:
            details = self._ecr.describe_images(
                registryId=repository.account_id,
                repositoryName=repository.name,
                imageIds=[{"imageTag": tag} if tag is not None else {"imageDigest": f"sha256:{digest}"}],
            )["imageDetails"]
        except ClientError as error:
            if error_code(error) == "ImageNotFoundException":
                return None
            raise outside(f"look into {repository.url}", error) from error
        except BotoCoreError as error:
            raise outside(f"look into {repository.url}", error) from error
        return details[0]["imageDigest"].removeprefix("sha256:") if details else None
