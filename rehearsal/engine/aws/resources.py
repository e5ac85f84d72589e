"""The life of a resource: checked, compared, made, read, changed and deleted, through a Terraform provider."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rehearsal.engine.aws.assets import Assets
from rehearsal.engine.aws.catalogue import VERSIONS, ResourceType, Types
from rehearsal.engine.aws.defaults import Naming, deletes_first, with_defaults
from rehearsal.engine.aws.difference import Change, Difference, differences
from rehearsal.engine.aws.inputs import Problem, Reader
from rehearsal.engine.aws.paths import covers, parse
from rehearsal.engine.aws.properties import Properties, reveal
from rehearsal.engine.aws.refresh import imported_inputs, refreshed_inputs
from rehearsal.engine.aws.regions import region_problem
from rehearsal.engine.aws.reports import OperationError, problem_of
from rehearsal.engine.aws.state import outputs_of, planned_outputs, prior_state, read_meta
from rehearsal.engine.aws.timeouts import keep_timeouts, set_timeout, timed_delete
from rehearsal.engine.terraform.client import Applied, Plan, ProviderClient, State
from rehearsal.engine.terraform.diagnostics import Diagnostic, ProviderError, errors
from rehearsal.engine.terraform.pool import Lease
from rehearsal.engine.terraform.values import UNKNOWN, Value

_T = TypeVar("_T")

_GONE = (
    "was not there any more when it was read back: something else deletes it, and `pulumi refresh` shows what is left"
)
_REGION_SUFFIX = re.compile(r"(.+)@([a-z]{2}(?:-[a-z]+)+-\d)")


class HalfMadeError(Exception):
    """An operation failed halfway: what there is must be kept, with the reasons."""

    def __init__(self, identifier: str, outputs: Properties, inputs: Properties, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.identifier = identifier
        self.outputs = outputs
        self.inputs = inputs
        self.reasons = list(reasons)


@dataclass(frozen=True)
class Checked:
    """Inputs with defaults, what is wrong with them, and what is only inadvisable."""

    inputs: Properties
    problems: list[Problem]
    warnings: list[Problem]


@dataclass(frozen=True)
class Comparison:
    """The outcome of a diff."""

    differences: Sequence[Difference]
    delete_first: bool


@dataclass(frozen=True)
class Found:
    """A resource that was read; `identifier` empty: it does not exist."""

    identifier: str
    outputs: Properties
    inputs: Properties


class Resources:
    """The resources of one provider instance; `lease` gives access to the provider of a region."""

    def __init__(self, types: Types, lease: Callable[[str], Lease], region: str, assets: Assets) -> None:
        self._types = types
        self._lease = lease
        self._region = region
        self._assets = assets

    def check(
        self, token: str, name: str, before: Properties, inputs: Properties, seed: bytes, naming: Naming
    ) -> Checked:
        """Return `inputs` with defaults, and everything that is wrong with them; unknown values are let pass."""
        kind = self._types.resource(token)
        filled, problems = with_defaults(kind, name, inputs, before, self._region, seed, naming)
        config, mistakes = self._config(kind, filled)
        problems += mistakes
        if problems:
            return Checked(filled, list(dict.fromkeys(problems)), [])
        said = self._of(filled).ask(lambda client: client.validate(kind.name, kind.block, config))
        told = {item: problem_of(kind, item, filled) for item in said}
        wrong = [told[item] for item in errors(said)]
        return Checked(filled, wrong, [told[item] for item in said if not item.is_error])

    def diff(
        self, token: str, outputs: Properties, old: Properties, new: Properties, ignored: Sequence[str]
    ) -> Comparison:
        """Return what declaring `new` changes of a resource that was declared `old` and is as `outputs` say."""
        kind = self._types.resource(token)
        first = deletes_first(kind, new, old)
        meta = read_meta(outputs)
        if meta is not None and meta.tainted:
            return Comparison([Difference(("id",), Change.UPDATE, True, False)], True)
        if kind.regional and self._region_of(outputs) != new.get("region", self._region):
            return Comparison([Difference(("region",), Change.UPDATE, True, True)], first)
        config = self._checked_config(kind, new)

        def plan(client: ProviderClient) -> tuple[State, Plan]:
            prior = prior_state(kind, outputs, client)
            keep_timeouts(kind, config, prior.value)
            _keep_files(kind, config, prior.value)
            return prior, client.plan(kind.name, kind.block, prior, config)

        prior, planned = self._reporting(kind, new, lambda: self._of(outputs).ask(plan))
        skipped = [parse(path) for path in ignored]
        found = differences(kind, prior.value, planned, old, new)
        return Comparison([item for item in found if not covers(skipped, item.path)], first)

    def create(self, token: str, inputs: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        """Make a resource, or in a preview tell what it would be; return its identifier and outputs."""
        kind = self._types.resource(token)
        region = self._region_of(inputs)
        config = self._checked_config(kind, inputs)
        set_timeout(kind, config, None, "create", timeout)
        nothing = State(None, b"")

        def plan(client: ProviderClient) -> Plan:
            return client.plan(kind.name, kind.block, nothing, config)

        planned = self._reporting(kind, inputs, lambda: self._of(inputs).ask(plan))
        if preview:
            return "", planned_outputs(kind, planned.planned, inputs, region)
        done = self._change(kind, inputs, nothing, planned, config)
        if done.state.value is None:
            raise OperationError(self._told(kind, done.errors, inputs) or f"what was made of {kind.token} {_GONE}")
        identifier = _identifier(done.state.value)
        outputs = outputs_of(kind, done.state, inputs, region, tainted=bool(done.errors))
        if done.errors:
            raise HalfMadeError(identifier, outputs, inputs, self._reasons(kind, done.errors, inputs))
        return identifier, outputs

    def update(
        self, token: str, identifier: str, outputs: Properties, inputs: Properties, timeout: float, preview: bool
    ) -> Properties:
        """Change a resource into what `inputs` declare, or in a preview tell what it would be."""
        kind = self._types.resource(token)
        region = self._region_of(outputs)
        config = self._checked_config(kind, inputs)

        def plan(client: ProviderClient) -> tuple[State, Plan]:
            prior = prior_state(kind, outputs, client)
            set_timeout(kind, config, prior.value, "update", timeout)
            _keep_files(kind, config, prior.value)
            return prior, client.plan(kind.name, kind.block, prior, config)

        prior, planned = self._reporting(kind, inputs, lambda: self._of(outputs).ask(plan))
        if preview:
            return planned_outputs(kind, planned.planned, inputs, region)
        if planned.planned == prior.value:
            return outputs_of(kind, prior, inputs, region)
        done = self._change(kind, inputs, prior, planned, config)
        if done.errors:
            # A failed update may answer with what was planned; what is there counts.
            state = self._as_it_is(kind, outputs, done.state if done.state.value is not None else prior)
            reasons = self._reasons(kind, done.errors, inputs)
            raise HalfMadeError(identifier, outputs_of(kind, state, inputs, region), inputs, reasons)
        if done.state.value is None:
            raise OperationError(f"{kind.token} {identifier} {_GONE}")
        return outputs_of(kind, done.state, inputs, region)

    def delete(self, token: str, outputs: Properties, timeout: float) -> None:
        """Delete a resource."""
        kind = self._types.resource(token)

        def remove(client: ProviderClient) -> Applied:
            prior = timed_delete(kind, prior_state(kind, outputs, client), timeout)
            return client.apply(kind.name, kind.block, prior, Plan(None, prior.private, (), ()), None)

        done = self._reporting(kind, outputs, lambda: self._of(outputs).change(remove))
        if done.errors:
            raise OperationError(self._told(kind, done.errors, outputs))

    def read(self, token: str, identifier: str, outputs: Properties, inputs: Properties) -> Found:
        """Return a resource as it is now: the one known by its outputs, or one known by its identifier alone."""
        kind = self._types.resource(token)
        if read_meta(outputs) is None:
            return self._import(kind, identifier, outputs)
        region = self._region_of(outputs)

        def look(client: ProviderClient) -> tuple[State, State]:
            prior = prior_state(kind, outputs, client)
            return prior, client.read(kind.name, kind.block, prior)

        before, now = self._reporting(kind, inputs, lambda: self._of(outputs).ask(look))
        if now.value is None:
            return Found("", {}, {})
        now = State(_with_old_nothings(before.value, now.value), now.private)
        fresh = refreshed_inputs(kind, inputs, before.value, now.value)
        meta = read_meta(outputs)
        tainted = meta is not None and meta.tainted
        return Found(_identifier(now.value), outputs_of(kind, now, fresh, region, tainted=tainted), fresh)

    def _import(self, kind: ResourceType, identifier: str, known: Properties) -> Found:
        region = self._region_of(known)
        named = _REGION_SUFFIX.fullmatch(identifier)
        if named is not None and kind.regional:
            identifier, region = named.groups()

        def look(client: ProviderClient) -> State:
            begun = client.import_state(kind.name, kind.block, identifier)
            return State(None, b"") if begun is None else client.read(kind.name, kind.block, begun)

        now = self._reporting(kind, known, lambda: self._lease(region).ask(look))
        if now.value is None:
            return Found("", {}, {})
        inputs = imported_inputs(kind, now.value, region)
        return Found(_identifier(now.value), outputs_of(kind, now, inputs, region), inputs)

    def _as_it_is(self, kind: ResourceType, outputs: Properties, state: State) -> State:
        try:
            now = self._of(outputs).ask(lambda client: client.read(kind.name, kind.block, state))
        except ProviderError:
            return state
        return now if now.value is not None else state

    def _change(self, kind: ResourceType, inputs: Properties, prior: State, plan: Plan, config: Value) -> Applied:
        return self._reporting(
            kind,
            inputs,
            lambda: self._of(inputs).change(lambda client: client.apply(kind.name, kind.block, prior, plan, config)),
        )

    def _of(self, properties: Properties) -> Lease:
        return self._lease(self._region_of(properties))

    def _region_of(self, properties: Properties) -> str:
        region = reveal(properties.get("region"))
        return region if isinstance(region, str) else self._region

    def _config(self, kind: ResourceType, inputs: Properties) -> tuple[dict[str, Value], list[Problem]]:
        reader = Reader(kind.token, VERSIONS, self._assets.file_of)
        given = {name: value for name, value in inputs.items() if not (kind.regional and name == "region")}
        config = reader.block(kind.members, kind.block, given)
        region = inputs.get("region")
        if kind.regional and not isinstance(reveal(region), str) and region not in (None, UNKNOWN):
            reader.problems.append(Problem(("region",), "expected a string"))
        elif kind.regional and isinstance(region, str) and (wrong := region_problem(region)):
            reader.problems.append(Problem(("region",), wrong))
        code = config.get("filename")
        if "source_code_hash" in config and code and config["source_code_hash"] is None and Path(code).exists():
            config["source_code_hash"] = base64.b64encode(hashlib.sha256(Path(code).read_bytes()).digest()).decode()
        return config, reader.problems

    def _checked_config(self, kind: ResourceType, inputs: Properties) -> dict[str, Value]:
        config, problems = self._config(kind, inputs)
        if problems:
            raise OperationError("\n".join(map(str, problems)))
        return config

    def _reporting(self, kind: ResourceType, inputs: Properties, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except ProviderError as problem:
            raise OperationError(self._told(kind, problem.diagnostics, inputs)) from problem

    def _told(self, kind: ResourceType, said: Sequence[Diagnostic], inputs: Properties) -> str:
        return "\n".join(self._reasons(kind, said, inputs))

    def _reasons(self, kind: ResourceType, said: Sequence[Diagnostic], inputs: Properties) -> list[str]:
        return [str(problem_of(kind, item, inputs)) for item in said]


def _keep_files(kind: ResourceType, config: dict[str, Value], prior: Value) -> None:
    """Leave an asset in the file where it was: where caches lie is no property of a resource."""
    for member in kind.members.properties.values():
        before, now = prior.get(member.terraform), config.get(member.terraform)
        moved = isinstance(before, str) and isinstance(now, str) and Path(before).name == Path(now).name
        if member.shape.is_asset and moved:
            config[member.terraform] = before


def _with_old_nothings(before: Value, now: Value) -> Value:
    """Return `now` with what was null or empty before left so: providers answer either where there is nothing."""
    nothing: tuple[Value, ...] = (None, [], {}, "")
    return {
        name: before[name] if value in nothing and before[name] in nothing else value for name, value in now.items()
    }


def _identifier(state: Value) -> str:
    for name in ("id", "arn", "name"):
        if state.get(name) and state[name] is not UNKNOWN:
            return str(state[name])
    raise OperationError("the provider gave the resource no identifier")
