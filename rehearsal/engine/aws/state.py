"""What is kept of a resource between operations: the outputs, and in `__meta` what they cannot tell."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.engine.aws.catalogue import ResourceType
from rehearsal.engine.aws.outputs import from_properties, keep_secrets, to_properties
from rehearsal.engine.aws.properties import Asset, Properties, Secret, has_secret, reveal
from rehearsal.engine.terraform.client import ProviderClient, State
from rehearsal.engine.terraform.values import UNKNOWN, Value, equal

META = "__meta"


@dataclass(frozen=True)
class Meta:
    """The part of a state that is the provider's own.

    `version` is that of the schema it was written with, `rest` the attributes that the outputs do not give back
    exactly, `tainted` whether creating the resource failed halfway.
    """

    version: int
    private: bytes = b""
    rest: Mapping[str, Value] | None = None
    tainted: bool = False

    def written(self) -> str:
        """Return the text that `read_meta` reads."""
        fields = {
            "schema_version": self.version,
            "private": base64.b64encode(self.private).decode(),
            "rest": self.rest or {},
            "tainted": self.tainted,
        }
        return json.dumps(fields, separators=(",", ":"), sort_keys=True)


def read_meta(properties: Mapping[str, object]) -> Meta | None:
    """Return the meta among a resource's outputs, or None when another provider wrote them."""
    text = reveal(properties.get(META))
    if not isinstance(text, str):
        return None
    fields = json.loads(text)
    if "private" not in fields:
        return None
    return Meta(fields["schema_version"], base64.b64decode(fields["private"]), fields["rest"], fields["tainted"])


def outputs_of(
    kind: ResourceType, state: State, inputs: Properties, region: str | None, *, tainted: bool = False
) -> Properties:
    """Return the outputs of a resource in this state, whose program declared `inputs`."""
    shown = to_properties(kind.members, state.value)
    back = from_properties(kind.members, kind.block, shown)
    types = kind.block.type[1]
    rest = {name: value for name, value in state.value.items() if not equal(back[name], value, types[name])}
    for name, value in inputs.items():
        # Terraform remembers the file that an asset was put into; the program knows the asset.
        if isinstance(reveal(value), Asset) and name in shown:
            rest[kind.members.properties[name].terraform] = shown[name]
            shown[name] = value
    outputs = keep_secrets(shown, inputs)
    if kind.regional and region is not None:
        outputs["region"] = region
    meta = Meta(kind.schema.version, state.private, rest, tainted).written()
    delicate = [name for name in rest if _is_delicate(kind, name, inputs)]
    outputs[META] = Secret(meta) if delicate else meta
    return outputs


def planned_outputs(kind: ResourceType, planned: Value, inputs: Properties, region: str | None) -> Properties:
    """Return what a preview shows of a resource that does not exist yet, or not in this form."""
    shown = keep_secrets(to_properties(kind.members, planned), inputs)
    for name, value in inputs.items():
        if isinstance(reveal(value), Asset) and name in shown:
            shown[name] = value
    if kind.regional and region is not None:
        shown["region"] = region
    return shown


def _is_delicate(kind: ResourceType, name: str, inputs: Properties) -> bool:
    attribute = kind.block.attributes.get(name)
    found = kind.members.by_terraform.get(name)
    secret_input = found is not None and has_secret(inputs.get(found.name))
    return secret_input or (attribute is not None and attribute.sensitive)


def prior_state(kind: ResourceType, outputs: Properties, client: ProviderClient) -> State:
    """Return the Terraform state behind a resource's outputs, in the present schema's form."""
    meta = read_meta(outputs) or Meta(kind.schema.version)
    value = from_properties(kind.members, kind.block, {name: item for name, item in outputs.items() if name != META})
    value.update({name: item for name, item in (meta.rest or {}).items() if name in value})
    if meta.version < kind.schema.version:
        text = json.dumps({name: item for name, item in value.items() if item is not UNKNOWN})
        value = client.upgrade(kind.name, kind.schema, meta.version, text.encode())
    return State(value, meta.private)
