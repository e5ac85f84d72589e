"""A resource monitor that records what a program registers, in preview and in up, whole as the engine gets it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.output import Unknown
from pulumi.runtime import configure, rpc
from pulumi.runtime import stack as runtime
from pulumi.runtime.mocks import MockCallArgs, MockEngine, MockMonitor, MockResourceArgs, Mocks, MockSettings
from pulumi.runtime.proto import resource_pb2

from policy.recording.answers import answer_to_call, attributes_of

STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Registration:
    """One resource as registered; `inputs` by Pulumi's names, what is not known yet as `UNKNOWN`."""

    urn: str
    type: str
    name: str
    parent: str
    provider: str
    """Name of the explicit provider; empty without one."""
    inputs: Mapping[str, Any]
    dependencies: frozenset[str]
    property_dependencies: Mapping[str, Sequence[str]]
    protected: bool
    retained_on_delete: bool
    ignored_changes: tuple[str, ...]
    custom: bool
    secrets: frozenset[str]
    """Names of the inputs that are secret."""
    former: tuple[tuple[str, str], ...] = ()
    """Name and parent's URN of each alias; what an alias leaves open is as it is now."""


UNKNOWN = "<unknown>"


@dataclass
class Recording:
    """What one run of a program registered and exported, sorted by URN."""

    resources: list[Registration] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By URN: what a component, or the stack, registered as its outputs."""

    def of_type(self, token: str) -> list[Registration]:
        return [one for one in self.resources if one.type == token]

    def one(self, token: str, name: str | None = None) -> Registration:
        """Return the only resource of a type, or the only one of it with a name."""
        found = [one for one in self.of_type(token) if name is None or one.name == name]
        assert len(found) == 1, f"{len(found)} of {token} {name or ''} in {[r.name for r in self.resources]}"
        return found[0]

    def outputs_of(self, token: str) -> dict[str, Any]:
        return self.outputs[self.one(token).urn]

    def ancestors(self, resource: Registration) -> list[str]:
        """Return the URNs of a resource's parent, its parent's parent and so on."""
        by_urn = {one.urn: one for one in self.resources}
        chain = []
        while resource.parent in by_urn:
            resource = by_urn[resource.parent]
            chain.append(resource.urn)
        return chain


def record(
    program: Callable[[], None],
    *,
    preview: bool,
    stack: str = "test",
    stacks: Mapping[str, Mapping[str, Any]] | None = None,
) -> Recording:
    """Run `program` as the whole program of stack `stack` and return what it registered.

    `stacks` holds, by full name, the outputs of the other stacks that the program may refer to.
    Raises what the program, or one of its applies, raises.
    """
    monitor = _Monitor(preview, stacks or {})
    contextvars.copy_context().run(_run, program, monitor, preview, stack)
    monitor.recording.resources.sort(key=lambda one: one.urn)
    return monitor.recording


def _run(program: Callable[[], None], monitor: _Monitor, preview: bool, stack: str) -> None:
    features = monitor.GetDeploymentInfo(empty_pb2.Empty()).supportedFeatures  # type: ignore[no-untyped-call]
    configure(
        MockSettings(  # type: ignore[no-untyped-call]
            monitor=monitor,
            monitor_features=set(features),
            engine=MockEngine(None),
            project="interlock",
            stack=stack,
            dry_run=preview,
            organization="organization",
            outputs=set(),
            lock=threading.Lock(),
            package_refs={},
            callbacks=None,
            legacy_apply_enabled=False,
        )
    )
    loop = asyncio.new_event_loop()
    # Of a program that fails, nobody retrieves what else failed with it; asyncio would report that from amid a
    # garbage collection, whenever one comes.
    loop.set_exception_handler(lambda *_: None)
    # The runtime looks at every output each time that one is known, which grows with the square of their number.
    vars(runtime)["asyncio"] = SimpleNamespace(**vars(asyncio) | {"FIRST_COMPLETED": asyncio.FIRST_EXCEPTION})
    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(runtime.run_in_stack(program))
    finally:
        _abandon(loop)


def _abandon(loop: asyncio.AbstractEventLoop) -> None:
    # A program that fails leaves the rest of its graph waiting.
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


class _NoMocks(Mocks):
    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return answer_to_call(args.token, args.args), []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:  # noqa: ARG002 (Pulumi's)
        raise AssertionError("registrations are answered by the monitor itself")


class _Monitor(MockMonitor):
    def __init__(self, preview: bool, stacks: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(_NoMocks())
        self._stacks = stacks
        self.recording = Recording()
        self._preview = preview
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:
        _with_event_loop()
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
        plain = {key: _known(value) for key, value in inputs.items()}
        registration = Registration(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            provider=request.provider.rpartition("::")[0].rpartition("::")[2],
            inputs=plain,
            dependencies=frozenset(request.dependencies),
            property_dependencies={key: list(value.urns) for key, value in request.propertyDependencies.items()},
            protected=request.protect,
            retained_on_delete=request.retainOnDelete,
            ignored_changes=tuple(request.ignoreChanges),
            custom=request.custom,
            secrets=frozenset(key for key, value in inputs.items() if rpc.is_rpc_secret(value)),
            former=tuple(
                (alias.spec.name or request.name, "" if alias.spec.noParent else alias.spec.parentUrn or request.parent)
                for alias in request.aliases
                if alias.HasField("spec")
            ),
        )
        with self._lock:
            self.recording.resources.append(registration)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if self._preview:
            return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        identifier, attributes = attributes_of(request.type, request.name, plain)
        state = asyncio.get_event_loop().run_until_complete(rpc.serialize_properties({**plain, **attributes}, {}))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identifier, object=state)

    def ReadResource(self, request: Any) -> Any:
        _with_event_loop()
        name = rpc.deserialize_properties(request.properties)["name"]
        state = {"name": name, "outputs": self._stacks[name], "secretOutputNames": []}
        urn = self.make_urn(request.parent, request.type, request.name)
        properties = asyncio.get_event_loop().run_until_complete(rpc.serialize_properties(state, {}))
        return resource_pb2.ReadResourceResponse(urn=urn, properties=properties)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        _with_event_loop()
        outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        with self._lock:
            self.recording.outputs[request.urn] = {key: _known(value) for key, value in outputs.items()}
        return empty_pb2.Empty()


def _with_event_loop() -> None:
    # Requests arrive on threads of a pool; deserialising references wants a loop there.
    try:
        asyncio.get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())


def _known(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return _known(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Unknown | pulumi.Output) or value == rpc.UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _known(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_known(one) for one in value]
    return value
