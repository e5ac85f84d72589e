"""The Lambda service: moto's records of functions, with processes behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse

from rehearsal.cloud.credentials import RoleCredentials
from rehearsal.cloud.errors import json_error
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.lambda_ import invoking, permissions, requests, states
from rehearsal.cloud.services.lambda_.fleet import Fleet
from rehearsal.cloud.services.lambda_.records import Outcome
from rehearsal.cloud.services.lambda_.runtime_api import Invocation

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_API = "https://docs.aws.amazon.com/lambda/latest/api"
_GUIDE = "https://docs.aws.amazon.com/lambda/latest/dg"


class NotPermitted(PermissionError):
    """The function's policy does not let the service invoke it."""


class Lambda(Service):
    """Functions that run."""

    name: ClassVar[str] = "lambda"
    concurrent: ClassVar[frozenset[str]] = frozenset({"lambda"})

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._credentials = RoleCredentials(cloud, "lambda.amazonaws.com")
        self.fleet = Fleet(cloud, self._credentials)

    def stop(self) -> None:
        """End every function's processes."""
        self.fleet.close()
        self._credentials.close()

    def inventory(self) -> Sequence[str]:
        """Return the functions."""
        return [
            str(function.function_arn)
            for _, _, backend in lambda_backends.iter_backends()
            for function in backend.list_functions()
        ]

    def find(self, arn: str) -> Any:
        """Return moto's record of the function `arn` names, with or without a qualifier. Raises moto's not-found."""
        parts = arn.split(":")
        return lambda_backends[parts[4]][parts[3]].get_function(arn)

    def invoke_as_service(self, arn: str, service: str, source_arn: str, event: Any) -> Outcome:
        """Invoke a function as AWS service `service` does on behalf of the resource `source_arn`.

        Raises NotPermitted, Throttled, or moto's error for a function that does not exist.
        """
        function = self.find(arn)
        account = source_arn.split(":")[4]
        if not permissions.lets_service_invoke(function.policy.statements, service, source_arn, account, arn):
            raise NotPermitted(arn)
        invocation = Invocation(str(uuid4()), arn, json.dumps(event).encode())
        return self.fleet.invoke(invoking.spec_of(function), invocation, invoking.reserved(function))

    def send_as_service(self, arn: str, service: str, source_arn: str, event: Any) -> None:
        """Have a function invoked later, as AWS service `service` does on behalf of the resource `source_arn`.

        Raises NotPermitted, or moto's error for a function that does not exist.
        """
        function = self.find(arn)
        account = source_arn.split(":")[4]
        if not permissions.lets_service_invoke(function.policy.statements, service, source_arn, account, arn):
            raise NotPermitted(arn)
        content = json.dumps(event).encode()
        self.fleet.invoke_later(
            invoking.spec_of(function),
            lambda: Invocation(str(uuid4()), arn, content),
            invoking.reserved(function),
            invoking.retries(function),
        )

    @correction("lambda.invoke", f"{_API}/API_Invoke.html")
    def _invoke(self, patches: Patches) -> None:
        """An invocation runs the function's image in a process, within its time, memory and concurrency."""
        invoker = invoking.Invoker(self.fleet)
        patches.replace(LambdaResponse, "invoke", lambda response: invoker.answer(response))

    @correction("lambda.states", f"{_GUIDE}/functions-states.html")
    def _states(self, patches: Patches) -> None:
        """A function is Pending at first, an update InProgress for a while, and neither is changed meanwhile."""

        def create(backend: Any, spec: dict[str, Any]) -> Any:
            function = created_by_moto(backend, spec)
            states.begin_creation(backend.get_function(function.function_name))
            function.state = "Pending"
            return function

        def update_code(backend: Any, name: str, qualifier: Any, body: dict[str, Any]) -> Any:
            function = backend.get_function(name, qualifier)
            states.demand_settled(function)
            code_updated_by_moto(backend, name, qualifier, body)
            return self._updated(function)

        def update_configuration(backend: Any, name: str, qualifier: Any, body: dict[str, Any]) -> Any:
            function = backend.get_function(name, qualifier)
            states.demand_settled(function)
            configuration_updated_by_moto(backend, name, qualifier, body)
            return self._updated(function)

        created_by_moto = patches.replace(LambdaBackend, "create_function", create)
        code_updated_by_moto = patches.replace(LambdaBackend, "update_function_code", update_code)
        configuration_updated_by_moto = patches.replace(
            LambdaBackend, "update_function_configuration", update_configuration
        )
        describe: Any = None
        describe = patches.replace(
            LambdaFunction,
            "get_configuration",
            lambda function, on_create=False: {**describe(function, on_create), **states.described(function)},
        )

    @correction("lambda.settings", f"{_API}/API_CreateFunction.html")
    def _settings(self, patches: Patches) -> None:
        """Sizes, reserved variables, images and networks are checked, and an update changes all that it names."""
        create: Any = None
        update: Any = None
        code: Any = None

        def create_function(backend: Any, spec: dict[str, Any]) -> Any:
            requests.check(self.cloud, backend.account_id, backend.region_name, spec)
            if "ImageUri" in spec["Code"]:
                requests.check_image(self.cloud, spec["Code"]["ImageUri"])
            return create(backend, spec)

        def update_configuration(function: Any, changes: dict[str, Any]) -> Any:
            requests.check(self.cloud, function.account_id, function.region, changes)
            invoking.apply(function, changes)
            return update(function, changes)

        def update_function_code(function: Any, changes: dict[str, Any]) -> Any:
            if "ImageUri" in changes:
                requests.check_image(self.cloud, changes["ImageUri"])
            return code(function, changes)

        create = patches.replace(LambdaBackend, "create_function", create_function)
        update = patches.replace(LambdaFunction, "update_configuration", update_configuration)
        code = patches.replace(LambdaFunction, "update_function_code", update_function_code)

    @correction("lambda.description", f"{_API}/API_FunctionConfiguration.html")
    def _description(self, patches: Patches) -> None:
        """A function tells its VPC and its log group, and nothing of an image configuration that it was not given."""
        describe: Any = None

        def get_configuration(function: Any, on_create: bool = False) -> dict[str, Any]:
            told: dict[str, Any] = {
                key: value for key, value in describe(function, on_create).items() if value is not None
            }
            given = {key: value for key, value in function.image_config.response().items() if value}
            told.pop("ImageConfigResponse", None)
            if given:
                told["ImageConfigResponse"] = {"ImageConfig": given}
            told["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": invoking.log_group(function)}
            told["RevisionId"] = invoking.revision(function, told)
            return told

        def vpc_config(function: Any) -> dict[str, Any] | None:
            given = function._vpc_config or {}
            if not given.get("SubnetIds"):
                return None
            vpc = requests.vpc_of(self.cloud, function.account_id, function.region, given)
            return {"Ipv6AllowedForDualStack": False, **given, "VpcId": vpc}

        describe = patches.replace(LambdaFunction, "get_configuration", get_configuration)
        patches.replace(LambdaFunction, "vpc_config", property(vpc_config))

    @correction("lambda.deletion", f"{_API}/API_DeleteFunction.html")
    def _deletion(self, patches: Patches) -> None:
        """A deleted function's environments end."""

        def delete(backend: Any, name: str, qualifier: str | None = None) -> None:
            function = backend.get_function(name, qualifier)
            deleted_by_moto(backend, name, qualifier)
            self.fleet.retire(invoking.plain_arn(function))

        deleted_by_moto = patches.replace(LambdaBackend, "delete_function", delete)

    @correction("lambda.permissions", f"{_API}/API_AddPermission.html")
    def _permissions(self, patches: Patches) -> None:
        """A statement's id is used once in a function's policy."""

        def add(policy: Any, raw: str, qualifier: str | None = None) -> Any:
            sid = json.loads(raw).get("StatementId")
            if any(one.get("Sid") == sid for one in policy.statements):
                raise json_error(
                    "ResourceConflictException",
                    f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove "
                    "the existing statement.",
                    409,
                )
            return added_by_moto(policy, raw, qualifier)

        added_by_moto = patches.replace(Policy, "add_statement", add)

    def _updated(self, function: Any) -> dict[str, Any]:
        self.fleet.retire(invoking.plain_arn(function))
        states.begin_update(function)
        described: dict[str, Any] = function.get_configuration()
        return described
