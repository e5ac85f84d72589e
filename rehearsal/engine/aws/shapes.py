"""One type seen from both sides: the Pulumi name and form of every property, and where it lies in Terraform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from rehearsal.engine.aws.descriptions import SdkType
from rehearsal.engine.aws.names import camel, plurals
from rehearsal.engine.terraform.schema import Attribute, Block, NestedBlock, Nesting
from rehearsal.engine.terraform.values import Type

Kind = Literal["string", "number", "bool", "dynamic", "list", "set", "map", "object"]

_ANY = SdkType("any")


@dataclass(frozen=True)
class Shape:
    """A value. `flattened`: Terraform has a collection of at most one where Pulumi has that one or nothing."""

    kind: Kind
    type: Type
    element: Shape | None = None
    flattened: bool = False
    sdk: SdkType = _ANY
    members: Callable[[], Members] | None = None
    block: Block | None = None

    @cached_property
    def object(self) -> Members:
        """The properties of an object."""
        assert self.members is not None
        return self.members()

    @property
    def is_asset(self) -> bool:
        return self.sdk.kind == "asset"

    @property
    def inner(self) -> Shape:
        """The element of a collection."""
        assert self.element is not None
        return self.element


@dataclass(frozen=True)
class Property:
    """One property of an object; `terraform` is its name there, `nested` its block when it is one."""

    name: str
    terraform: str
    shape: Shape
    required: bool = False
    settable: bool = True
    computed: bool = False
    sensitive: bool = False
    nested: NestedBlock | None = None


@dataclass(frozen=True)
class Members:
    """The properties of an object by Pulumi name and by Terraform name.

    `newer` are the names that the SDK knows and the provider does not; `hidden` the Terraform names that the SDK has
    no property for.
    """

    properties: Mapping[str, Property]
    newer: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    by_terraform: Mapping[str, Property] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_terraform", {item.terraform: item for item in self.properties.values()})


def block_members(
    block: Block, sdk: Mapping[str, SdkType] | None, renames: Mapping[str, str], settable: frozenset[str] | None = None
) -> Members:
    """Return the properties of `block`, named as `sdk` names them, or by rule where it says nothing (None).

    `renames` go from Terraform's names to Pulumi's; `settable` are the names that a program may set, None for all.
    """
    known = dict(sdk) if sdk is not None else None
    properties: dict[str, Property] = {}
    hidden = []
    parts: list[tuple[str, Attribute | NestedBlock]] = [*block.attributes.items(), *block.blocks.items()]
    for terraform, part in parts:
        name = _name(terraform, part.type, known, renames)
        if name is None or name in properties:
            hidden.append(terraform)
            continue
        described = _ANY if known is None else known.get(name, _ANY)
        properties[name] = _property(name, terraform, part, described, settable)
    newer = frozenset(known or ()) - properties.keys()
    return Members(properties, newer, frozenset(hidden))


def _property(
    name: str, terraform: str, part: Attribute | NestedBlock, described: SdkType, settable: frozenset[str] | None
) -> Property:
    may_set = settable is None or name in settable
    if isinstance(part, NestedBlock):
        shape = _block_shape(part, described)
        return Property(name, terraform, shape, part.min_items > 0, may_set, nested=part)
    shape = type_shape(part.type, described)
    return Property(
        name,
        terraform,
        shape,
        part.required,
        may_set and part.is_input,
        part.computed,
        part.sensitive or part.write_only,
    )


def _block_shape(nested: NestedBlock, described: SdkType) -> Shape:
    if nested.nesting in (Nesting.SINGLE, Nesting.GROUP):
        return _object_of(nested.block, described)
    flattened = described.kind == "object" or (described.kind == "any" and nested.max_items == 1)
    inner = described if flattened else (described.element or _ANY)
    kind: Kind = "list" if nested.nesting is Nesting.LIST else "set" if nested.nesting is Nesting.SET else "map"
    return Shape(kind, nested.type, _object_of(nested.block, inner), flattened and kind != "map", described)


def _object_of(block: Block, described: SdkType) -> Shape:
    fields = described.fields() if described.kind == "object" else None
    return Shape("object", block.type, sdk=described, members=lambda: block_members(block, fields, {}), block=block)


def type_shape(kind: Type, described: SdkType) -> Shape:
    """Return the shape of an attribute of type `kind`."""
    if isinstance(kind, str):
        return Shape(_scalar(kind), kind, sdk=described)
    if kind[0] in ("list", "set"):
        flattened = described.kind not in ("list", "any")
        inner = described if flattened else (described.element or _ANY)
        return Shape(kind[0], kind, type_shape(kind[1], inner), flattened, described)
    if kind[0] == "map":
        return Shape("map", kind, type_shape(kind[1], described.element or _ANY), sdk=described)
    if kind[0] == "tuple":
        return Shape("dynamic", kind, sdk=described)
    # An object written as an attribute: every part may be given, as there is no schema that says otherwise.
    attributes = {name: Attribute(inner, optional=True) for name, inner in kind[1].items()}
    return _object_of(Block(attributes, {}), described)


def _scalar(kind: str) -> Kind:
    match kind:
        case "string":
            return "string"
        case "number":
            return "number"
        case "bool":
            return "bool"
        case _:
            return "dynamic"


def _name(terraform: str, kind: Type, known: Mapping[str, SdkType] | None, renames: Mapping[str, str]) -> str | None:
    """Return the Pulumi name of `terraform`, or None when `known` has none that fits."""
    if terraform in renames:
        name = renames[terraform]
        return name if known is None or name in known else None
    single = camel(terraform)
    collection = not isinstance(kind, str) and kind[0] in ("list", "set")
    if known is None:
        return next(plurals(single)) if collection and not single.endswith("s") else single
    if single in known and not (collection and known[single].kind == "list"):
        return single
    if collection:
        plural = next((name for name in plurals(single) if name in known and known[name].kind == "list"), None)
        if plural is not None:
            return plural
    return single if single in known else None
