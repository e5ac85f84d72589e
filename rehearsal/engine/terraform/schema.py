"""What a resource type, a data source or the provider's configuration is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from rehearsal.engine.terraform.values import Type, Value


class Nesting(IntEnum):
    """How often a nested block may stand in its parent."""

    SINGLE = 1
    LIST = 2
    SET = 3
    MAP = 4
    GROUP = 5


@dataclass(frozen=True)
class Attribute:
    """One argument or attribute. `write_only` ones are never part of a state."""

    type: Type
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    write_only: bool = False

    @property
    def is_input(self) -> bool:
        return self.required or self.optional


@dataclass(frozen=True)
class NestedBlock:
    """A block inside of another one. `max_items` 0 is without limit."""

    nesting: Nesting
    block: Block
    min_items: int = 0
    max_items: int = 0

    @cached_property
    def type(self) -> Type:
        inner = self.block.type
        match self.nesting:
            case Nesting.LIST:
                return ["list", inner]
            case Nesting.SET:
                return ["set", inner]
            case Nesting.MAP:
                return ["map", inner]
            case _:
                return inner

    @property
    def is_collection(self) -> bool:
        return self.nesting in (Nesting.LIST, Nesting.SET, Nesting.MAP)


@dataclass(frozen=True)
class Block:
    """Attributes and nested blocks by name."""

    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, NestedBlock]

    @cached_property
    def type(self) -> Type:
        """The type of the block's value."""
        fields = {name: attribute.type for name, attribute in self.attributes.items()}
        return ["object", fields | {name: nested.type for name, nested in self.blocks.items()}]

    def empty(self) -> dict[str, Value]:
        """Return the value of the block when nothing is written in it."""
        return dict.fromkeys(self.attributes) | {name: empty_collection(nested) for name, nested in self.blocks.items()}


@dataclass(frozen=True)
class Schema:
    """A block and the version in which states of it are written."""

    version: int
    block: Block


def empty_collection(nested: NestedBlock) -> Value:
    """Return what stands for a nested block that is not written: an empty collection, or null for a single one."""
    if nested.nesting is Nesting.MAP:
        return {}
    return [] if nested.is_collection else None


def read_schema(message: Any) -> Schema:
    """Return the schema that a `Schema` message describes."""
    return Schema(message.version, _read_block(message.block))


def _read_block(message: Any) -> Block:
    attributes = {
        item.name: Attribute(
            json.loads(item.type), item.required, item.optional, item.computed, item.sensitive, item.write_only
        )
        for item in message.attributes
    }
    blocks = {
        item.type_name: NestedBlock(Nesting(item.nesting), _read_block(item.block), item.min_items, item.max_items)
        for item in message.block_types
    }
    return Block(attributes, blocks)
