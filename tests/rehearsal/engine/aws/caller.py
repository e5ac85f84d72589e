"""Plays the engine's part towards one provider instance: its calls, in its order, without its start-up time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from rehearsal.engine.aws.properties import Properties, decode, encode


class RefusedError(Exception):
    """The provider refused inputs; `reasons` are what it says of each mistake."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = list(reasons)


class InitializationError(Exception):
    """The resource was made, but not to the end; it is kept as `made`."""

    def __init__(self, made: Made, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.made = made
        self.reasons = list(reasons)


@dataclass(frozen=True)
class Made:
    """A resource as the engine's state has it."""

    token: str
    name: str
    identifier: str
    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Changes:
    """What a diff says: kinds by path."""

    paths: Mapping[str, str]
    replaces: Sequence[str]
    delete_first: bool


class Caller:
    """One engine with one provider instance."""

    def __init__(self, port: int, configuration: Mapping[str, Any]) -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        self.stub.Configure(provider_pb2.ConfigureRequest(args=encode(configuration), acceptSecrets=True))

    def check(
        self, token: str, name: str, inputs: Properties, old: Properties | None = None, **more: Any
    ) -> Properties:
        """Return the inputs with defaults."""
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=_urn(token, name), olds=encode(old or {}), news=encode(inputs), randomSeed=os.urandom(32), **more
            )
        )
        assert not answer.failures
        return decode(answer.inputs)

    def preview(self, token: str, name: str, inputs: Properties, **more: Any) -> Properties:
        """Return the outputs that a preview of creating the resource shows; raises RefusedError."""
        checked = self.check(token, name, inputs, **more)
        request = provider_pb2.CreateRequest(urn=_urn(token, name), properties=encode(checked), preview=True)
        try:
            return decode(self.stub.Create(request).properties)
        except grpc.RpcError as problem:
            raise RefusedError(str(problem.details()).split("\n")) from problem

    def create(self, token: str, name: str, inputs: Properties, timeout: float = 0) -> Made:
        """Make the resource; raises InitializationError, grpc.RpcError."""
        checked = self.check(token, name, inputs)
        request = provider_pb2.CreateRequest(urn=_urn(token, name), properties=encode(checked), timeout=timeout)
        try:
            answer = self.stub.Create(request)
        except grpc.RpcError as problem:
            raise _initialization(problem, token, name, checked) or problem from problem
        return Made(token, name, answer.id, checked, decode(answer.properties))

    def diff(self, made: Made, inputs: Properties, ignored: Sequence[str] = ()) -> Changes:
        """Return what declaring `inputs` would change."""
        checked = self.check(made.token, made.name, inputs, made.inputs)
        answer = self.stub.Diff(
            provider_pb2.DiffRequest(
                id=made.identifier,
                urn=_urn(made.token, made.name),
                olds=encode(made.outputs),
                old_inputs=encode(made.inputs),
                news=encode(checked),
                ignoreChanges=ignored,
            )
        )
        kinds = provider_pb2.PropertyDiff.Kind
        paths = {path: kinds.Name(item.kind) for path, item in answer.detailedDiff.items()}
        assert (answer.changes == provider_pb2.DiffResponse.DIFF_SOME) == bool(paths)
        return Changes(paths, list(answer.replaces), answer.deleteBeforeReplace)

    def update(self, made: Made, inputs: Properties) -> Made:
        """Change the resource in place."""
        checked = self.check(made.token, made.name, inputs, made.inputs)
        request = provider_pb2.UpdateRequest(
            id=made.identifier,
            urn=_urn(made.token, made.name),
            olds=encode(made.outputs),
            old_inputs=encode(made.inputs),
            news=encode(checked),
        )
        try:
            answer = self.stub.Update(request)
        except grpc.RpcError as problem:
            raise _initialization(problem, made.token, made.name, checked) or problem from problem
        return replace(made, inputs=checked, outputs=decode(answer.properties))

    def refresh(self, made: Made) -> Made | None:
        """Return the resource as it is now, or None when it is gone."""
        request = provider_pb2.ReadRequest(
            id=made.identifier,
            urn=_urn(made.token, made.name),
            properties=encode(made.outputs),
            inputs=encode(made.inputs),
        )
        answer = self.stub.Read(request)
        if not answer.id:
            return None
        return replace(made, inputs=decode(answer.inputs), outputs=decode(answer.properties))

    def read(self, token: str, identifier: str) -> Made | None:
        """Return an existing resource of which nothing is known but the identifier."""
        answer = self.stub.Read(provider_pb2.ReadRequest(id=identifier, urn=_urn(token, "imported")))
        if not answer.id:
            return None
        return Made(token, "imported", answer.id, decode(answer.inputs), decode(answer.properties))

    def delete(self, made: Made) -> None:
        """Delete the resource."""
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=made.identifier,
                urn=_urn(made.token, made.name),
                properties=encode(made.outputs),
                old_inputs=encode(made.inputs),
            )
        )

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Return what a function answers; raises RefusedError."""
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(arguments)))
        if answer.failures:
            raise RefusedError([failure.reason for failure in answer.failures])
        return decode(getattr(answer, "return"))


def _urn(token: str, name: str) -> str:
    return f"urn:pulumi:test::provider::{token}::{name}"


def _initialization(problem: grpc.RpcError, token: str, name: str, inputs: Properties) -> InitializationError | None:
    metadata: Any = problem.trailing_metadata()
    packed = dict(metadata or ()).get("grpc-status-details-bin")
    if packed is None:
        return None
    status = status_pb2.Status.FromString(packed)
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    made = Made(token, name, detail.id, inputs, decode(detail.properties))
    return InitializationError(made, list(detail.reasons))
