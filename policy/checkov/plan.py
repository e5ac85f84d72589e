"""What a program registers, written as `terraform show -json` writes a plan, so that Terraform's scanners read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from rehearsal.engine.aws.catalogue import VERSIONS, ResourceType, Types
from rehearsal.engine.aws.inputs import Reader
from rehearsal.engine.aws.properties import Asset

FORMAT_VERSION: Final = "1.2"
PROVIDER: Final = "registry.terraform.io/hashicorp/aws"
_PREFIX: Final = "aws:"


class PlanError(ValueError):
    """Properties that the provider does not take; `problems` names each with its resource and path."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Declared:
    """A resource as a program registers it; `needs` holds, by property, the URNs of what that comes from."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    needs: Mapping[str, Sequence[str]]


def terraform_plan(declared: Sequence[Declared], types: Types) -> dict[str, Any]:
    """Return a plan that creates everything declared with pulumi-aws. Raises PlanError.

    Source of the format: Terraform, JSON Output Format (internals/json-format).
    """
    resources = [one for one in declared if one.type.startswith(_PREFIX)]
    kinds = {one.urn: types.resource(one.type) for one in resources}
    addresses = dict(zip(kinds, _addresses(resources, kinds), strict=True))
    problems: list[str] = []
    planned = [_planned(one, kinds[one.urn], addresses[one.urn], problems) for one in resources]
    if problems:
        raise PlanError(problems)
    return {
        "format_version": FORMAT_VERSION,
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": [
            {
                **{key: one[key] for key in ("address", "mode", "type", "name", "provider_name")},
                "change": {"actions": ["create"], "before": None, "after": one["values"], "after_unknown": {}},
            }
            for one in planned
        ],
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "full_name": PROVIDER}},
            "root_module": {"resources": [_configured(one, kinds[one.urn], addresses) for one in resources]},
        },
    }


def _addresses(resources: Sequence[Declared], kinds: Mapping[str, ResourceType]) -> Iterator[str]:
    taken: set[str] = set()
    for one in resources:
        plain = f"{kinds[one.urn].name}.{re.sub(r'[^0-9A-Za-z_]', '_', one.name)}"
        address, number = plain, 2
        while address in taken:
            address, number = f"{plain}_{number}", number + 1
        taken.add(address)
        yield address


def _planned(one: Declared, kind: ResourceType, address: str, problems: list[str]) -> dict[str, Any]:
    reader = Reader(kind.token, VERSIONS, lambda _: "an asset")
    inputs = {key: _as_read(value) for key, value in one.inputs.items() if not (kind.regional and key == "region")}
    config = reader.block(kind.members, kind.block, inputs)
    problems.extend(f"{one.name}: {problem}" for problem in reader.problems)
    return {
        "address": address,
        "mode": "managed",
        "type": kind.name,
        "name": address.partition(".")[2],
        "provider_name": PROVIDER,
        "schema_version": kind.schema.version,
        "values": _given(config),
    }


def _configured(one: Declared, kind: ResourceType, addresses: Mapping[str, str]) -> dict[str, Any]:
    address = addresses[one.urn]
    expressions = {}
    for name, urns in one.needs.items():
        found = kind.members.properties.get(name)
        references = sorted({addresses[urn] for urn in urns if urn in addresses} - {address})
        if found is not None and references:
            expressions[found.terraform] = {"references": [part for one in references for part in (f"{one}.id", one)]}
    return {
        "address": address,
        "mode": "managed",
        "type": kind.name,
        "name": address.partition(".")[2],
        "provider_config_key": "aws",
        "expressions": expressions,
    }


def _given(value: Any) -> Any:
    """Leave out what nobody gives; for what is absent a scanner takes the default, as a plan does."""
    if isinstance(value, Mapping):
        return {key: _given(one) for key, one in value.items() if one is not None}
    return [_given(one) for one in value] if isinstance(value, list) else value


def _as_read(value: Any) -> Any:
    """Return a registered value as the engine hands it to the provider."""
    if isinstance(value, pulumi.Asset | pulumi.Archive):
        return Asset(isinstance(value, pulumi.Archive), ())
    if isinstance(value, Mapping):
        return {key: _as_read(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_read(one) for one in value]
    # The engine's numbers are all floats.
    return int(value) if isinstance(value, float) and value.is_integer() else value
