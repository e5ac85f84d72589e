"""From Terraform's state of a resource to Pulumi's, and back without loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.engine.aws.properties import Properties, Property, Secret, has_secret, map_texts, secret_texts
from rehearsal.engine.aws.shapes import Members, Shape
from rehearsal.engine.terraform.schema import Block, NestedBlock, empty_collection
from rehearsal.engine.terraform.values import UNKNOWN, Value, as_text, to_number

# Shorter texts are too likely to be in a value by chance.
_TELLING_LENGTH = 8


def to_properties(members: Members, state: Mapping[str, Value]) -> Properties:
    """Return what of `state` Pulumi shows: nulls are left out, sensitive attributes are secret."""
    properties: Properties = {}
    for name, item in members.properties.items():
        value = shown(item.shape, state.get(item.terraform))
        if value is not None:
            properties[name] = Secret(value) if item.sensitive else value
    return properties


def shown(shape: Shape, value: Value) -> Property:
    """Return one value as Pulumi shows it."""
    if value is None or value is UNKNOWN:
        return value
    if shape.flattened:
        return shown(shape.inner, value[0]) if value else None
    match shape.kind:
        case "list" | "set":
            return [shown(shape.inner, item) for item in value]
        case "map":
            return {key: shown(shape.inner, item) for key, item in value.items()}
        case "object":
            return to_properties(shape.object, value)
        case "string" if shape.sdk.kind in ("number", "boolean"):
            return _as_described(shape, value)
        case "number" if shape.sdk.kind == "string":
            return as_text(value)
        case _:
            return value


def _as_described(shape: Shape, text: str) -> Property:
    """Return a text as the number or truth value that the SDK describes, or as it is when it is none."""
    if shape.sdk.kind == "boolean":
        return {"true": True, "false": False, "": None}.get(text, text)
    try:
        return to_number(text) if text else None
    except ValueError:
        return text


def from_properties(members: Members, block: Block, properties: Mapping[str, Property]) -> dict[str, Value]:
    """Return the state that `to_properties` would show as `properties`; what it does not show is null or empty."""
    state = block.empty()
    for name, item in members.properties.items():
        value = properties.get(name)
        if value is not None:
            state[item.terraform] = _from_property(item.shape, value, item.nested)
    return state


def _from_property(shape: Shape, value: Property, nested: NestedBlock | None = None) -> Value:
    if isinstance(value, Secret):
        return _from_property(shape, value.value, nested)
    if value is None or value is UNKNOWN:
        return empty_collection(nested) if nested is not None and value is None else value
    if shape.flattened:
        return [_from_property(shape.inner, value)]
    match shape.kind:
        case "list" | "set":
            return [_from_property(shape.inner, item) for item in value]
        case "map":
            return {key: _from_property(shape.inner, item) for key, item in value.items()}
        case "object":
            assert shape.block is not None
            return from_properties(shape.object, shape.block, value)
        case "string" if isinstance(value, bool | int | float):
            return as_text(value)
        case "number" if isinstance(value, str):
            return to_number(value)
        case _:
            return value


def keep_secrets(outputs: Properties, inputs: Properties) -> Properties:
    """Return `outputs` with everything secret that was secret in `inputs`, by place and by content."""
    marked = {name: _like(value, inputs.get(name)) for name, value in outputs.items()}
    if has_secret(inputs.get("tags")) and "tagsAll" in marked:
        marked["tagsAll"] = Secret(outputs["tagsAll"])
    telling = {text for text in secret_texts(inputs) if len(text) >= _TELLING_LENGTH}
    if not telling:
        return marked

    def hide(text: str) -> Property:
        return Secret(text) if any(secret in text for secret in telling) else text

    return {name: map_texts(value, hide) for name, value in marked.items()}


def _like(output: Property, given: Property) -> Property:
    if isinstance(output, Secret) or not has_secret(given):
        return output
    if isinstance(given, Secret):
        return Secret(output)
    if isinstance(given, dict) and isinstance(output, dict):
        return {name: _like(value, given.get(name)) for name, value in output.items()}
    # Elements may come back in another order, so that none of them is known to be the open one.
    return Secret(output)


def concealed(text: str, inputs: Any) -> str:
    """Return a message for people without the secrets of `inputs` that it may quote."""
    for secret in sorted(set(secret_texts(inputs)), key=len, reverse=True):
        if len(secret) >= 3:
            text = text.replace(secret, "[secret]")
    return text
