"""Hands role credentials to containers, as the agent of ECS does at AWS_CONTAINER_CREDENTIALS_FULL_URI.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import json
import secrets
import threading
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_LIFETIME = timedelta(hours=6)


class RoleNotFound(LookupError):
    """There is no such role to be assumed."""


class RoleCredentials:
    """A server on loopback that gives each container the short-lived credentials of its own role, and no other's."""

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud
        self._granted: dict[str, tuple[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="role-credentials", daemon=True).start()

    def grant(self, role_arn: str, session_name: str) -> dict[str, str]:
        """Return the environment with which a container gets `role_arn`'s credentials. Raises RoleNotFound."""
        self.demand(role_arn)
        token = secrets.token_urlsafe(32)
        self._granted[token] = (role_arn, session_name)
        # `localhost` by name: SDKs refuse plain HTTP to any other name but a few link-local addresses.
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://localhost:{self._server.server_port}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
        }

    def assume(self, role_arn: str, session_name: str) -> dict[str, str]:
        """Return credentials of `role_arn` as boto3's client takes them. Raises RoleNotFound."""
        self.demand(role_arn)
        role = self._assumed(role_arn, session_name)
        return {
            "aws_access_key_id": role.access_key_id,
            "aws_secret_access_key": role.secret_access_key,
            "aws_session_token": role.session_token,
        }

    def revoke(self, environment: dict[str, str]) -> None:
        """Answer no longer to the container that got `environment`."""
        self._granted.pop(environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", ""), None)

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, token: str) -> dict[str, str] | None:
        if token not in self._granted:
            return None
        role_arn, session_name = self._granted[token]
        role = self._assumed(role_arn, session_name)
        return {
            "RoleArn": role_arn,
            "AccessKeyId": role.access_key_id,
            "SecretAccessKey": role.secret_access_key,
            "Token": role.session_token,
            "Expiration": (self._cloud.now() + _LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def demand(self, role_arn: str) -> None:
        """Raise RoleNotFound if there is no such role."""
        account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        with self._cloud.turn("iam"):
            roles = list(iam_backends[account][get_partition(self._cloud.region)].roles.values())
        if not any(role.name == name for role in roles):
            raise RoleNotFound(role_arn)

    def _assumed(self, role_arn: str, session_name: str) -> Any:
        backend = sts_backends[role_arn.split(":")[4]][get_partition(self._cloud.region)]
        with self._cloud.turn("sts"):
            return backend.assume_role(
                region_name=self._cloud.region,
                role_session_name=session_name,
                role_arn=role_arn,
                policy="",
                duration=int(_LIFETIME.total_seconds()),
                external_id="",
            )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = answer(self.headers.get("Authorization", ""))
                body = json.dumps(found or {"code": "AccessDenied", "message": "unknown authorization token"}).encode()
                self.send_response(HTTPStatus.OK if found else HTTPStatus.FORBIDDEN)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Requests are nobody's news."""

        return Handler
