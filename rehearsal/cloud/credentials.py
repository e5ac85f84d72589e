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

from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from interlock.duties.evaluator.request import service
from rehearsal.cloud.authorization.assuming import decide_service
from rehearsal.cloud.authorization.layers import role_of
from rehearsal.cloud.authorization.sessions import SessionFacts, remember

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_LIFETIME = timedelta(hours=6)


class RoleNotFound(LookupError):
    """There is no such role, or its trust policy does not let the service in."""


def assume_as_service(cloud: CloudContext, service_name: str, role_arn: str, session: str, **context: str) -> Any:
    """Return a session of a role that an AWS service has taken on, as moto keeps it. Raises RoleNotFound.

    `context` is what each request of the session says; its names are condition keys.
    """
    demand(cloud, service_name, role_arn, session)
    backend = sts_backends[role_arn.split(":")[4]][get_partition(cloud.region)]
    with cloud.turn("sts"):
        made = backend.assume_role(
            region_name=cloud.region,
            role_session_name=session,
            role_arn=role_arn,
            policy="",
            duration=int(_LIFETIME.total_seconds()),
            external_id="",
        )
    remember(made, SessionFacts({key: (value,) for key, value in context.items()}))
    return made


def demand(cloud: CloudContext, service_name: str, role_arn: str, session: str) -> None:
    """Raise RoleNotFound unless a service may take on a role."""
    with cloud.turn("iam"):
        role = role_of(role_arn)
        if role is None or not decide_service(cloud, service(service_name), role, session).allowed:
            raise RoleNotFound(role_arn)


class RoleCredentials:
    """A server on loopback that gives each container the short-lived credentials of its own role, and no other's."""

    def __init__(self, cloud: CloudContext, service_name: str) -> None:
        self._cloud = cloud
        self._service = service_name
        self._granted: dict[str, tuple[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="role-credentials", daemon=True).start()

    def grant(self, role_arn: str, session_name: str) -> dict[str, str]:
        """Return the environment with which a container gets `role_arn`'s credentials. Raises RoleNotFound."""
        self.demand(role_arn, session_name)
        token = secrets.token_urlsafe(32)
        self._granted[token] = (role_arn, session_name)
        # `localhost` by name: SDKs refuse plain HTTP to any other name but a few link-local addresses.
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://localhost:{self._server.server_port}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
        }

    def assume(self, role_arn: str, session_name: str, **context: str) -> dict[str, str]:
        """Return credentials of `role_arn` as boto3's client takes them. Raises RoleNotFound."""
        role = assume_as_service(self._cloud, self._service, role_arn, session_name, **context)
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
        try:
            role = assume_as_service(self._cloud, self._service, role_arn, session_name)
        except RoleNotFound:
            return None
        return {
            "RoleArn": role_arn,
            "AccessKeyId": role.access_key_id,
            "SecretAccessKey": role.secret_access_key,
            "Token": role.session_token,
            "Expiration": (self._cloud.now() + _LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def demand(self, role_arn: str, session_name: str) -> None:
        """Raise RoleNotFound unless the service may take on a role."""
        demand(self._cloud, self._service, role_arn, session_name)

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
