"""What pulumi-aws's own classes say about the properties of a resource or the answer of a function."""

from __future__ import annotations

import collections.abc
import functools
import importlib
import inspect
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any

import pulumi
import pulumi_aws
from pulumi import _types
from pulumi.runtime import rpc

from rehearsal.engine.aws.descriptions import Description, SdkType
from rehearsal.engine.aws.names import snake


def resource_tokens() -> list[str]:
    """Return the type tokens of all resources of the SDK, sorted."""
    return sorted(token for module in _modules().values() for token in module["classes"])


def resource(token: str) -> Description | None:
    """Return the resource `token` (`aws:s3/bucket:Bucket`), or None when the SDK has none of that name."""
    module_key, _, _ = token.rpartition(":")
    info = _modules().get(module_key)
    if info is None or token not in info["classes"]:
        return None
    name = info["classes"][token]
    module = importlib.import_module(inspect.getmodule(getattr(importlib.import_module(info["fqn"]), name)).__name__)  # type: ignore[union-attr]
    # The generator renames the arguments of a resource that is also the nested type of another one.
    inputs = _fields(getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args"))
    state = getattr(module, f"_{name}State", None)
    return Description(_fields(state) if state else inputs, frozenset(inputs))


def function(token: str) -> Description | None:
    """Return the function `token` (`aws:kms/getKey:getKey`), or None when the SDK has none of that name."""
    _, middle, name = token.split(":")
    package = _packages().get(middle.partition("/")[0])
    python_name = snake(name)
    if package is None:
        return None
    found = getattr(importlib.import_module(package), python_name, None)
    if found is None:
        return None
    module = importlib.import_module(found.__module__)
    result = getattr(module, f"{name[0].upper()}{name[1:]}Result")
    return Description(_fields(result), _argument_names(found))


def provider(_: str) -> Description:
    """Return the provider's own configuration; there is one provider, whatever its token."""
    inputs = _fields(pulumi_aws.ProviderArgs)
    return Description(inputs, frozenset(inputs))


def _argument_names(found: Any) -> frozenset[str]:
    """Read from the function's code which keys it sends: its Python names do not tell them."""
    constants = inspect.unwrap(found).__code__.co_consts
    parameters = [name for name in inspect.signature(found).parameters if name != "opts"]
    written = {item for item in constants if isinstance(item, str)}
    by_python = {snake(item): item for item in written if item.isidentifier() and item != item.lower()}
    return frozenset(by_python.get(name, name) for name in parameters)


@functools.cache
def _modules() -> dict[str, dict[str, Any]]:
    registered = rpc._RESOURCE_MODULES
    infos = [found.mod_info for known in registered.values() for found in known if hasattr(found, "mod_info")]
    return {f"{info['pkg']}:{info['mod']}": info for info in infos if info["pkg"] == "aws"}


@functools.cache
def _packages() -> dict[str, str]:
    packages = {info["mod"].partition("/")[0]: info["fqn"] for info in _modules().values()}
    return packages | {"index": "pulumi_aws"}


@functools.cache
def _fields(owner: type) -> Mapping[str, SdkType]:
    if _types.is_input_type(owner):
        annotations = _types.input_type_types(owner)
    elif _types.is_output_type(owner):
        annotations = _types.output_type_types(owner)
    else:
        # A TypedDict is read from its hints; its keys are already Pulumi's names.
        annotations = typing.get_type_hints(owner)
    return {name: _describe(annotation) for name, annotation in annotations.items()}


def _describe(annotation: Any) -> SdkType:
    options = list(_options(annotation))
    objects = [item for item in options if isinstance(item, type) and _is_object(item)]
    if any(item in (pulumi.Asset, pulumi.Archive) for item in options):
        return SdkType("asset")
    if any(item is str or (isinstance(item, type) and issubclass(item, str)) for item in options):
        return SdkType("string", document=bool(objects))
    if objects:
        owner = objects[0]
        return SdkType("object", owner=f"{owner.__module__}.{owner.__qualname__}", members=lambda: _fields(owner))
    return _plain(options[0]) if options else SdkType("any")


def _plain(option: Any) -> SdkType:
    origin, arguments = typing.get_origin(option), typing.get_args(option)
    if origin in (collections.abc.Sequence, list):
        return SdkType("list", _describe(arguments[0]))
    if origin in (collections.abc.Mapping, dict):
        return SdkType("map", _describe(arguments[1]))
    if isinstance(option, type) and issubclass(option, bool):
        return SdkType("boolean")
    if isinstance(option, type) and issubclass(option, int | float):
        return SdkType("number")
    if isinstance(option, type) and issubclass(option, pulumi.Resource):
        return SdkType("string")
    if isinstance(option, type) and issubclass(option, Enum):
        return SdkType("number")
    return SdkType("any")


def _options(annotation: Any) -> list[Any]:
    origin = typing.get_origin(annotation)
    if origin is typing.Union or origin is types.UnionType:
        return [option for part in typing.get_args(annotation) for option in _options(part)]
    if annotation is type(None) or origin in (collections.abc.Awaitable, pulumi.Output):
        return []
    return [annotation]


def _is_object(option: type) -> bool:
    return _types.is_input_type(option) or _types.is_output_type(option) or typing.is_typeddict(option)
