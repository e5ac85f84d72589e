"""The provider's own configuration: what a program or a stack says of it, and what Terraform is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format, struct_pb2

from rehearsal.engine.aws.catalogue import PROVIDER_VERSION
from rehearsal.engine.aws.descriptions import Description
from rehearsal.engine.aws.inputs import Problem, Reader
from rehearsal.engine.aws.names import camel, snake
from rehearsal.engine.aws.properties import Asset, Properties, Secret, decode, reveal
from rehearsal.engine.aws.regions import region_problem
from rehearsal.engine.aws.shapes import Members, Shape, block_members
from rehearsal.engine.terraform.schema import Schema
from rehearsal.engine.terraform.values import Value

# The engine's own, beside what pulumi-aws declares.
_ENGINES_KEYS = {"version", "pluginDownloadURL"}
_FOREIGN_ACCOUNT = re.compile(r"AWS account ID not allowed: (\d{12})")
_ROLE_SETTING = re.compile(r'"assume_role\.(\d+)\.(\w+)"')
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class Configuration:
    """A provider instance's configuration as Terraform takes it; `region` is where resources live unless they say."""

    values: dict[str, Value]
    region: str

    def in_region(self, region: str) -> dict[str, Value]:
        """Return the configuration of the same provider for another region."""
        return {**self.values, "region": region}


class ConfigurationReader:
    """Reads the configuration of instances of one provider version."""

    def __init__(self, schema: Schema, description: Description) -> None:
        self._schema = schema
        self._members: Members = block_members(schema.block, description.properties, {}, description.inputs)

    def problems(self, properties: Properties) -> list[Problem]:
        """Return what is wrong with a configuration, unknown values allowed."""
        return self._read(properties)[1]

    def read(self, properties: Properties, environment: Mapping[str, str]) -> Configuration:
        """Return the configuration; raises ValueError, listing everything that is wrong with it."""
        values, problems = self._read(properties)
        region = values.get("region") or next(
            (environment[name] for name in _REGION_VARIABLES if environment.get(name)), None
        )
        if not isinstance(region, str):
            problems.append(
                Problem(("region",), "no region is given: set aws:region, or AWS_REGION in the environment")
            )
        elif values.get("region") is None and (wrong := region_problem(region)):
            problems.append(Problem(("region",), f"{wrong} (from the environment)"))
        if problems:
            raise ValueError("\n".join(map(str, problems)))
        return Configuration(values, str(region))

    def _read(self, properties: Properties) -> tuple[dict[str, Value], list[Problem]]:
        reader = Reader("the provider aws", f"the Terraform AWS provider {PROVIDER_VERSION}", _no_file)
        given = {
            name: _in_pulumis_names(self._members, name, value)
            for name, value in properties.items()
            if name not in _ENGINES_KEYS
        }
        values = reader.block(self._members, self._schema.block, given)
        region = values.get("region")
        if isinstance(region, str) and (wrong := region_problem(region)):
            reader.problems.append(Problem(("region",), wrong))
        return values, reader.problems


def explained(message: str, configuration: Configuration | None) -> str:
    """Return an error of Terraform's provider, in a program's words where it is about the provider's configuration."""
    message = _ROLE_SETTING.sub(lambda found: f"assumeRoles[{found[1]}].{camel(found[2])}", message)
    found = _FOREIGN_ACCOUNT.search(message)
    if found is None or configuration is None:
        return message
    for name, what in (("allowed_account_ids", "allowed"), ("forbidden_account_ids", "not allowed")):
        if listed := configuration.values.get(name):
            told = ", ".join(sorted(map(str, listed)))
            setting = name.replace("_account_ids", "AccountIds")
            return f"{setting}: the credentials are those of account {found[1]}; {what}: {told}"
    return message


def decode_configuration(structure: struct_pb2.Struct) -> Properties:
    """Return the properties of a configuration; all but texts arrive as JSON in a text."""
    return {name: _decoded(value) for name, value in decode(structure).items()}


def _decoded(value: Any) -> Any:
    text = reveal(value)
    if not isinstance(text, str) or text[:1] not in '[{"tf0123456789-':
        return value
    try:
        parsed = json.loads(text)
    except ValueError:
        return value
    if not isinstance(parsed, list | dict | bool):
        return value
    holder = json_format.ParseDict({"value": parsed}, struct_pb2.Struct())
    return decode(holder).get("value")


def _in_pulumis_names(members: Members, name: str, value: Any) -> Any:
    """Return a setting with Python's names in it replaced: the SDK turns a dictionary into JSON as it was written."""
    found = members.properties.get(name)
    return value if found is None else _renamed(found.shape, value)


def _renamed(shape: Shape, value: Any) -> Any:
    if isinstance(value, Secret):
        return Secret(_renamed(shape, value.value))
    if shape.kind == "object" and isinstance(value, dict):
        inner = shape.object.properties
        names: dict[str, str] = {snake(name): name for name in inner}
        keyed = {names.get(str(key), str(key)): item for key, item in value.items()}
        return {key: _renamed(inner[key].shape, item) if key in inner else item for key, item in keyed.items()}
    if shape.element is not None and isinstance(value, list):
        return [_renamed(shape.element, item) for item in value]
    return _renamed(shape.element, value) if shape.flattened and shape.element is not None else value


def _no_file(_: Asset) -> str:
    raise ValueError("a configuration has no files")
