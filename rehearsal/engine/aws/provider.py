"""One instance of the provider `aws`, as the engine speaks to it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from rehearsal.engine.aws import paths
from rehearsal.engine.aws.assets import Assets
from rehearsal.engine.aws.catalogue import Types, UnknownTypeError
from rehearsal.engine.aws.configuration import Configuration, ConfigurationReader, decode_configuration, explained
from rehearsal.engine.aws.defaults import Naming, NamingMode
from rehearsal.engine.aws.deferral import Deferral
from rehearsal.engine.aws.descriptions import VERSION
from rehearsal.engine.aws.difference import Change, Difference
from rehearsal.engine.aws.functions import Functions
from rehearsal.engine.aws.inputs import Problem
from rehearsal.engine.aws.properties import decode, encode
from rehearsal.engine.aws.reports import OperationError
from rehearsal.engine.aws.resources import HalfMadeError, Resources
from rehearsal.engine.aws.voice import EngineVoice
from rehearsal.engine.terraform.diagnostics import ProviderError
from rehearsal.engine.terraform.pool import Lease, Pool, ProcessDiedError
from rehearsal.engine.terraform.process import LaunchError

_T = TypeVar("_T")
_KINDS = {
    (Change.ADD, False): provider_pb2.PropertyDiff.ADD,
    (Change.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Change.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (Change.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Change.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (Change.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}
_MODES = {0: NamingMode.PROPOSE, 1: NamingMode.ENFORCE, 2: NamingMode.DISABLE}
_EXPECTED = (OperationError, ProviderError, UnknownTypeError, ProcessDiedError, LaunchError, ValueError)
_log = logging.getLogger(__name__)


class AwsProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one provider instance; what all instances share is given to it.

    `environment` are the variables that its Terraform providers see of the cloud, `directory` is where a program's
    relative paths begin, `cache` a folder for what is kept of its assets.
    """

    def __init__(
        self,
        types: Types,
        pool: Pool,
        deferral: Deferral,
        environment: Mapping[str, str],
        directory: Path,
        cache: Path,
    ) -> None:
        self._types = types
        self._pool = pool
        self._deferral = deferral
        self._environment = environment
        self._cache = cache
        self._directory = directory
        self._reader = ConfigurationReader(types.catalogue.provider(), types.descriptions.provider())
        self._configuration: Configuration | None = None
        self._leases: dict[str, Lease] = {}
        self._engine = ""
        self._voice = EngineVoice("")
        self._mistakes: dict[str, list[Problem]] = {}

    def close(self) -> None:
        """Let go of the Terraform providers that the instance used."""
        self._voice.close()
        self._pool.release(self)
        self._deferral.forget(self._engine)

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._engine = request.engine_address
        self._voice = EngineVoice(self._engine)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, accept_outputs=False, supports_autonaming_configuration=True
        )

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": VERSION}))

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        problems = self._reader.problems(decode_configuration(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(problems))

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        old, new = decode(request.old_inputs or request.olds), decode(request.news)
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        return _diff_response([Difference((name,), Change.UPDATE, False, True) for name in changed], False)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        def configure() -> Any:
            self._configuration = self._reader.read(decode_configuration(request.args), self._environment)
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True,
                supportsPreview=True,
                acceptResources=False,
                acceptOutputs=False,
                supports_autonaming_configuration=True,
            )

        return self._answer(context, configure)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        def check() -> Any:
            checked = self._resources().check(
                _token(request),
                _name(request),
                decode(request.olds),
                decode(request.news),
                request.randomSeed,
                _naming(request),
            )
            self._deferral.heard(self._engine)
            self._mistakes[request.urn] = checked.problems
            self._voice.warn(request.urn, [str(item) for item in checked.warnings])
            return provider_pb2.CheckResponse(inputs=encode(checked.inputs))

        return self._answer(context, check)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        def diff() -> Any:
            if mistakes := self._mistakes.get(request.urn):
                return _diff_response([Difference(item.path, Change.UPDATE, False, True) for item in mistakes], False)
            found = self._resources().diff(
                _token(request),
                decode(request.olds),
                decode(request.old_inputs),
                decode(request.news),
                list(request.ignoreChanges),
            )
            return _diff_response(found.differences, found.delete_first)

        return self._answer(context, diff)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        def create() -> Any:
            self._refuse(request)
            identifier, outputs = self._resources().create(
                _token(request), decode(request.properties), request.timeout, request.preview
            )
            return provider_pb2.CreateResponse(id=identifier, properties=encode(outputs))

        return self._answer(context, create)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        def update() -> Any:
            self._refuse(request)
            outputs = self._resources().update(
                _token(request),
                request.id,
                decode(request.olds),
                decode(request.news),
                request.timeout,
                request.preview,
            )
            return provider_pb2.UpdateResponse(properties=encode(outputs))

        return self._answer(context, update)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        def delete() -> Any:
            self._resources().delete(_token(request), decode(request.properties), request.timeout)
            return empty_pb2.Empty()

        return self._answer(context, delete)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        def read() -> Any:
            found = self._resources().read(
                _token(request), request.id, decode(request.properties), decode(request.inputs)
            )
            if not found.identifier:
                # Properties, even none, would say that it exists.
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=found.identifier, properties=encode(found.outputs), inputs=encode(found.inputs)
            )

        return self._answer(context, read)

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        def invoke() -> Any:
            results, problems = self._functions().invoke(request.tok, decode(request.args))
            return provider_pb2.InvokeResponse(**{"return": encode(results)}, failures=_failures(problems))

        return self._answer(context, invoke)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        for lease in list(self._leases.values()):
            lease.cancel()
        return empty_pb2.Empty()

    def _refuse(self, request: Any) -> None:
        """Raise OperationError if the resource was found wrong when it was checked."""
        if mistakes := self._mistakes.get(request.urn):
            if request.preview:
                self._deferral.wait(self._engine)
            raise OperationError("\n".join(map(str, mistakes)))

    def _resources(self) -> Resources:
        return Resources(self._types, self._lease, self._home(), Assets(self._cache / "assets", self._directory))

    def _functions(self) -> Functions:
        return Functions(self._types, self._lease, self._home(), Assets(self._cache / "assets", self._directory))

    def _home(self) -> str:
        """Return the region where things are unless they say otherwise."""
        if self._configuration is None:
            raise OperationError("the provider has not been configured")
        return self._configuration.region

    def _lease(self, region: str) -> Lease:
        assert self._configuration is not None
        if region not in self._leases:
            self._leases[region] = self._pool.lease(self, self._environment, self._configuration.in_region(region))
        return self._leases[region]

    def _answer(self, context: grpc.ServicerContext, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except HalfMadeError as problem:
            _abort_half_made(context, problem)
        except _EXPECTED as problem:
            context.abort(grpc.StatusCode.UNKNOWN, explained(str(problem), self._configuration))
        except grpc.RpcError as problem:
            context.abort(grpc.StatusCode.UNKNOWN, f"the Terraform provider: {problem.details()}")
        raise AssertionError("an aborted call does not return")


def _abort_half_made(context: grpc.ServicerContext, problem: HalfMadeError) -> None:
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=problem.identifier,
            properties=encode(problem.outputs),
            reasons=problem.reasons,
            inputs=encode(problem.inputs),
        )
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(problem), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, str(problem))


def _token(request: Any) -> str:
    token: str = request.type or request.urn.split("::")[2].rpartition("$")[2]
    return token


def _name(request: Any) -> str:
    name: str = request.name or request.urn.split("::", 3)[3]
    return name


def _naming(request: Any) -> Naming:
    if not request.HasField("autonaming"):
        return Naming()
    return Naming(_MODES[request.autonaming.mode], request.autonaming.proposed_name)


def _failures(problems: list[Problem]) -> list[Any]:
    return [provider_pb2.CheckFailure(reason=str(problem)) for problem in problems]


def _diff_response(found: Any, delete_first: bool) -> Any:
    changes = provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE
    replaces = list(dict.fromkeys(str(item.path[0]) for item in found if item.replaces))
    return provider_pb2.DiffResponse(
        changes=changes,
        replaces=replaces,
        deleteBeforeReplace=delete_first and bool(replaces),
        diffs=list(dict.fromkeys(str(item.path[0]) for item in found)),
        detailedDiff={
            paths.text(item.path): provider_pb2.PropertyDiff(
                kind=_KINDS[item.change, item.replaces], inputDiff=item.in_inputs
            )
            for item in found
        },
        hasDetailedDiff=True,
    )
