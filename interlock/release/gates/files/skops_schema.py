"""What a skops file would make as it is loaded, read from its schema (skops, io/_audit.py: what `trusted` names)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlock.release.gates.files import known_names, pickles
from interlock.release.gates.files.pickle_machine import Name

_PRIMITIVES: Final = (
    *("builtins.NoneType", "builtins.type", "numpy.ufunc", "scipy.special._ufuncs.*"),
    *("numpy.random.mtrand.RandomState", "numpy.random._generator.Generator"),
)

_FILLS: Final = frozenset(
    [
        *("BytearrayNode", "BytesNode", "DTypeNode", "DefaultDictNode", "DictNode", "FunctionNode"),
        *("JsonNode", "ListNode", "MaskedArrayNode", "NdArrayNode", "ObjectNode", "PartialNode", "RandomGeneratorNode"),
        *("RandomStateNode", "SetNode", "SliceNode", "SparseMatrixNode", "TupleNode", "TypeNode"),
        "_DictWithDeprecatedKeysNode",
    ]
)
"""Loaders that make an object empty and fill it, or take a value as it is."""

_CALLS: Final = frozenset(("ConstructorFromReduceNode", "LossNode", "TreeNode"))
"""Loaders that call the class with arguments from the file."""


def problems_of(content: bytes, also: Sequence[str]) -> Iterator[str]:
    """Yield each type that skops would make, and each way to make it, which is not on the list."""
    try:
        nodes = list(_nodes(json.loads(content)))
    except (ValueError, RecursionError):
        yield "is no schema of skops"
        return
    names = frozenset(name for node in nodes for name in _named_in(node))
    for one in pickles.strange_names(names, (*also, *_PRIMITIVES)):
        yield f"makes {str(one)!r} as it is loaded, which is not on the list"
    for key in sorted({key for node in nodes for key in node} & known_names.RUN_AS_LOADED):
        yield f"gives a value to {key}, a method that is run as an object is loaded"
    yield from dict.fromkeys(problem for node in nodes for problem in _wrong_with_loader(node, also))


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        yield node
        for one in node.values():
            yield from _nodes(one)
    elif isinstance(node, list):
        for one in node:
            yield from _nodes(one)


def _named_in(node: Mapping[str, Any]) -> Iterator[Name]:
    if "__class__" in node:
        yield Name(str(node.get("__module__")), str(node["__class__"]))
    if isinstance(node.get("function"), str):
        yield Name(str(node.get("module_path")), node["function"])


def _wrong_with_loader(node: Mapping[str, Any], also: Sequence[str]) -> Iterator[str]:
    if "__loader__" not in node:
        return
    loader = node["__loader__"]
    if loader == "PartialNode" and not _is_of_name(node.get("content")):
        yield "makes a function of what it put together itself, by functools.partial"
    name = Name(str(node.get("__module__")), str(node.get("__class__")))
    if loader in _CALLS and not known_names.may_be_called(name) and not pickles.is_allowed(name, also):
        yield f"calls {name} with arguments as it is loaded; accepted is to make one without and to fill it"
    elif loader not in _FILLS | _CALLS:
        yield f"is loaded in the way {str(loader)[:60]!r}, which is not on the list"


def _is_of_name(content: Any) -> bool:
    function = content.get("func") if isinstance(content, dict) else None
    return isinstance(function, dict) and function.get("__loader__") in ("FunctionNode", "TypeNode")
