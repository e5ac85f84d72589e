"""The rotation operations of Secrets Manager in place of moto's, which wait for the function and ignore its failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from moto.core.exceptions import JsonRESTError
from moto.secretsmanager.exceptions import OperationNotPermittedOnReplica, SecretNotFoundException
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

from rehearsal.cloud.errors import json_error
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.lambda_ import Lambda
from rehearsal.cloud.services.lambda_.permissions import lets_service_invoke
from rehearsal.cloud.services.secretsmanager_rotation import schedule, stages
from rehearsal.cloud.services.secretsmanager_rotation.rotations import PRINCIPAL, STEPS, Rotations

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_API = "https://docs.aws.amazon.com/secretsmanager/latest/apireference"
_GUIDE = "https://docs.aws.amazon.com/secretsmanager/latest/userguide"
_INCOMPLETE = "A previous rotation isn't complete. That rotation will be reattempted."


class SecretRotation(Service):
    """Rotations on request and by schedule."""

    name: ClassVar[str] = "secretsmanager-rotation"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._rotations = Rotations(cloud)

    def start(self) -> None:
        """Begin to keep schedules."""
        self._rotations.start()

    def stop(self) -> None:
        """Begin no rotation any more."""
        self._rotations.close()

    @correction("secretsmanager-rotation.rotation", f"{_API}/API_RotateSecret.html")
    def _rotate(self, patches: Patches) -> None:
        """A rotation invokes the function's four steps in the background; a failure leaves the pending version."""

        def rotate_secret(
            backend: SecretsManagerBackend,
            secret_id: str,
            client_request_token: str | None = None,
            rotation_lambda_arn: str | None = None,
            rotation_rules: dict[str, Any] | None = None,
            rotate_immediately: bool = True,
        ) -> str:
            secret = _own(backend, secret_id)
            rules = self._checked(secret, client_request_token, rotation_lambda_arn, rotation_rules)
            token, now = client_request_token or str(uuid4()), self.cloud.now()
            pending = stages.holder(secret, stages.PENDING)
            is_incomplete = pending is not None and pending != stages.holder(secret, stages.CURRENT)
            if is_incomplete and rotate_immediately:
                assert pending is not None
                self._rotations.begin(secret, pending)
                raise json_error("InvalidRequestException", _INCOMPLETE)
            if rotation_lambda_arn:
                secret.rotation_lambda_arn = rotation_lambda_arn
            if rules is not None:
                secret.rotation_rules = rules
            secret.rotation_requested = secret.rotation_enabled = True
            stages.plan(secret, now)
            if rotate_immediately:
                stages.add_pending(secret, token, now)
                self._rotations.begin(secret, token)
            elif not is_incomplete:
                current = stages.holder(secret, stages.CURRENT)
                stages.add_pending(secret, token, now, stages.value_of(secret, current) if current else None)
                self._rotations.begin(secret, token, (STEPS[2],))
            answer: str = secret.to_short_dict(version_id=token)
            return answer

        patches.replace(SecretsManagerBackend, "rotate_secret", rotate_secret)

    @correction("secretsmanager-rotation.rotation-described", f"{_API}/API_DescribeSecret.html")
    def _describe(self, patches: Patches) -> None:
        """A secret tells all rules of its rotation, and when it was and will be rotated."""
        describe: Any = None

        def to_dict(secret: Any) -> dict[str, Any]:
            told: dict[str, Any] = describe(secret)
            if secret.rotation_requested:
                told["RotationEnabled"] = secret.rotation_enabled
                told["RotationRules"] = getattr(secret, "rotation_rules", schedule.Rules()).described()
                told["NextRotationDate"] = secret.next_rotation_date if secret.rotation_enabled else None
            return told

        describe = patches.replace(FakeSecret, "to_dict", to_dict)

    @correction("secretsmanager-rotation.current-version", f"{_GUIDE}/rotate-secrets_lambda-functions.html")
    def _move_stages(self, patches: Patches) -> None:
        """The version that AWSCURRENT is moved to is what callers get, and is pending no longer."""
        move: Any = None

        def update_secret_version_stage(
            backend: SecretsManagerBackend, secret_id: str, version_stage: str, **moved: Any
        ) -> Any:
            answer = move(backend, secret_id=secret_id, version_stage=version_stage, **moved)
            target = moved.get("move_to_version_id")
            if version_stage == stages.CURRENT and target:
                secret: Any = backend.secrets[secret_id]
                secret.set_default_version_id(target)
                labels = secret.versions[target]["version_stages"]
                if stages.PENDING in labels:
                    labels.remove(stages.PENDING)
            return answer

        move = patches.replace(SecretsManagerBackend, "update_secret_version_stage", update_secret_version_stage)

    @correction("secretsmanager-rotation.pending-version", f"{_API}/API_PutSecretValue.html")
    def _keep_values(self, patches: Patches) -> None:
        """A version that has a value keeps it, pending or not."""
        put: Any = None

        def put_secret_value(
            backend: SecretsManagerBackend,
            secret_id: str,
            secret_string: Any,
            secret_binary: Any,
            *rest: Any,
            **named: Any,
        ) -> Any:
            token = named.get("client_request_token", rest[0] if rest else None)
            secret: Any = backend.secrets.get(secret_id)
            known = secret.versions.get(token, {}) if secret is not None and token else {}
            held = (known.get("secret_string"), known.get("secret_binary"))
            if held != (None, None) and held != (secret_string, secret_binary):
                raise json_error(
                    "ResourceExistsException",
                    f"You can't use ClientRequestToken {token} because that value is already in use for a version of "
                    f"secret {secret.arn}.",
                )
            return put(backend, secret_id, secret_string, secret_binary, *rest, **named)

        put = patches.replace(SecretsManagerBackend, "put_secret_value", put_secret_value)

    def _checked(
        self, secret: Any, token: str | None, function_arn: str | None, rules: dict[str, Any] | None
    ) -> schedule.Rules | None:
        if token is not None and not 32 <= len(token) <= 64:
            raise json_error("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")
        arn = function_arn or secret.rotation_lambda_arn
        if not arn:
            raise json_error(
                "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."
            )
        self._check_function(arn, secret)
        try:
            return schedule.read(rules) if rules else None
        except schedule.WrongRules as wrong:
            raise json_error("InvalidParameterException", str(wrong)) from wrong

    def _check_function(self, arn: str, secret: Any) -> None:
        if not re.fullmatch(r"arn:aws[\w-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w$-]+)?", arn):
            raise json_error("InvalidParameterException", f"Invalid Lambda function ARN: {arn}")
        try:
            function = self.cloud.service(Lambda).find(arn)
        except JsonRESTError as missing:
            raise json_error("ResourceNotFoundException", f"Resource not found for ARN '{arn}'.") from missing
        if not lets_service_invoke(
            function.policy.statements, PRINCIPAL, secret.arn, secret.arn.split(":")[4], function.function_arn
        ):
            raise json_error(
                "AccessDeniedException",
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
                f"access to the principal {PRINCIPAL}.",
            )


def _own(backend: SecretsManagerBackend, secret_id: str) -> Any:
    """Return a secret that can be rotated here. Raises moto's errors."""
    if secret_id not in backend.secrets:
        raise SecretNotFoundException
    secret = backend.secrets[secret_id]
    if not isinstance(secret, FakeSecret):
        raise OperationNotPermittedOnReplica
    if secret.is_deleted():
        raise json_error(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    return secret
