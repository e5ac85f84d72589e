"""The calls of Terraform's plugin protocol 5, with values and schemas of ours instead of messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import grpc

from rehearsal.engine.terraform.diagnostics import Diagnostic, Path, ProviderError, errors, read_diagnostics, read_path
from rehearsal.engine.terraform.messages import PACKAGE, message
from rehearsal.engine.terraform.proposed import normalized, proposed_new
from rehearsal.engine.terraform.schema import Block, Schema
from rehearsal.engine.terraform.values import Value, decode, encode

# What the provider's user agent says that it was driven by; it refuses callers without a version.
_TERRAFORM_VERSION = "1.11.4"


@dataclass(frozen=True)
class Plan:
    """What the provider would make of a resource. `requires_replace` are the paths that cannot change in place."""

    planned: Value
    private: bytes
    requires_replace: tuple[Path, ...]
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class State:
    """A resource as the provider knows it; `value` None: it does not exist. `private` is the provider's own note."""

    value: Value
    private: bytes


@dataclass(frozen=True)
class Applied:
    """What became of a change: the state it left, and what went wrong on the way (nothing, mostly)."""

    state: State
    errors: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


class ProviderClient:
    """One provider process, seen through its channel.

    Every method raises ProviderError with the provider's own errors, and grpc.RpcError when the process has died.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def schemas(self) -> Any:
        """Return all schemas, as the message that the provider answers with."""
        answer = self._call("GetSchema", "GetProviderSchemaResponse", message("Empty")())
        _raise_errors(answer.diagnostics)
        return answer

    def configure(self, block: Block, config: Value) -> None:
        """Check the provider's configuration and start working with it."""
        request = message("PrepareProviderConfigRequest")(config=_dynamic(config, block))
        answer = self._call("PrepareProviderConfig", "PrepareProviderConfigResponse", request)
        _raise_errors(answer.diagnostics)
        request = message("ConfigureRequest")(terraform_version=_TERRAFORM_VERSION, config=answer.prepared_config)
        _raise_errors(self._call("Configure", "ConfigureResponse", request).diagnostics)

    def validate(self, type_name: str, block: Block, config: Value) -> list[Diagnostic]:
        """Return what the provider says about a resource's configuration, unknown parts allowed."""
        able = message("ClientCapabilities")(write_only_attributes_allowed=True)
        request = message("ValidateRequest")(
            type_name=type_name, config=_dynamic(config, block), client_capabilities=able
        )
        return read_diagnostics(self._call("ValidateResourceTypeConfig", "ValidateResponse", request).diagnostics)

    def plan(self, type_name: str, block: Block, prior: State, config: Value) -> Plan:
        """Return what `config` would make of `prior`; both values None-able: no resource yet, none any more."""
        proposed = None if config is None else proposed_new(block, prior.value, config)
        request = message("PlanResourceChangeRequest")(
            type_name=type_name,
            prior_state=_dynamic(prior.value, block),
            proposed_new_state=_dynamic(proposed, block),
            config=_dynamic(config, block),
            prior_private=prior.private,
        )
        answer = self._call("PlanResourceChange", "PlanResourceChangeResponse", request)
        warnings = _raise_errors(answer.diagnostics)
        planned = decode(answer.planned_state.msgpack, block.type)
        if answer.legacy_type_system:
            planned = normalized(block, planned)
        paths = tuple(read_path(path) for path in answer.requires_replace)
        return Plan(planned, answer.planned_private, paths, tuple(warnings))

    def apply(self, type_name: str, block: Block, prior: State, plan: Plan, config: Value) -> Applied:
        """Carry out `plan`. Errors are returned, because a failed change leaves a state that must be kept."""
        request = message("ApplyResourceChangeRequest")(
            type_name=type_name,
            prior_state=_dynamic(prior.value, block),
            planned_state=_dynamic(plan.planned, block),
            config=_dynamic(config, block),
            planned_private=plan.private,
        )
        answer = self._call("ApplyResourceChange", "ApplyResourceChangeResponse", request)
        value = normalized(block, decode(answer.new_state.msgpack, block.type))
        said = read_diagnostics(answer.diagnostics)
        warnings = tuple(item for item in said if not item.is_error)
        return Applied(State(value, answer.private), tuple(errors(said)), warnings)

    def read(self, type_name: str, block: Block, current: State) -> State:
        """Return the resource as it is now."""
        request = message("ReadResourceRequest")(
            type_name=type_name, current_state=_dynamic(current.value, block), private=current.private
        )
        answer = self._call("ReadResource", "ReadResourceResponse", request)
        _raise_errors(answer.diagnostics)
        return State(normalized(block, decode(answer.new_state.msgpack, block.type)), answer.private)

    def import_state(self, type_name: str, block: Block, identifier: str) -> State | None:
        """Return the beginning of a state for the resource with this import identifier, or None if there is none."""
        request = message("ImportResourceStateRequest")(type_name=type_name, id=identifier)
        answer = self._call("ImportResourceState", "ImportResourceStateResponse", request)
        _raise_errors(answer.diagnostics)
        for imported in answer.imported_resources:
            if imported.type_name == type_name:
                return State(decode(imported.state.msgpack, block.type), imported.private)
        return None

    def upgrade(self, type_name: str, schema: Schema, version: int, state: bytes) -> Value:
        """Return a state that was written as JSON by schema `version` as the present schema writes it."""
        request = message("UpgradeResourceStateRequest")(
            type_name=type_name, version=version, raw_state=message("RawState")(json=state)
        )
        answer = self._call("UpgradeResourceState", "UpgradeResourceStateResponse", request)
        _raise_errors(answer.diagnostics)
        return normalized(schema.block, decode(answer.upgraded_state.msgpack, schema.block.type))

    def validate_data(self, type_name: str, block: Block, config: Value) -> list[Diagnostic]:
        """Return what the provider says about a data source's configuration."""
        request = message("ValidateRequest")(type_name=type_name, config=_dynamic(config, block))
        return read_diagnostics(self._call("ValidateDataSourceConfig", "ValidateResponse", request).diagnostics)

    def read_data(self, type_name: str, block: Block, config: Value) -> Value:
        """Return what a data source finds."""
        request = message("ReadDataSourceRequest")(type_name=type_name, config=_dynamic(config, block))
        answer = self._call("ReadDataSource", "ReadDataSourceResponse", request)
        _raise_errors(answer.diagnostics)
        return normalized(block, decode(answer.state.msgpack, block.type))

    def stop(self) -> None:
        """Ask the provider to give up what it is doing, as soon as it can and keep what it has done."""
        self._call("Stop", "StopResponse", message("Empty")())

    def _call(self, method: str, answer: str, request: Any) -> Any:
        call: Callable[[Any], Any] = self._channel.unary_unary(
            f"/{PACKAGE}.Provider/{method}",
            request_serializer=lambda item: item.SerializeToString(),
            response_deserializer=message(answer).FromString,
        )
        return call(request)


def _dynamic(value: Value, block: Block) -> Any:
    return message("DynamicValue")(msgpack=encode(value, block.type))


def _raise_errors(messages: Iterable[Any]) -> list[Diagnostic]:
    said = read_diagnostics(messages)
    if wrong := errors(said):
        raise ProviderError(wrong)
    return said
