"""What a pickle would import, read from its opcodes without unpickling it.

A pickle is a program for a small stack machine (Python's `pickletools` describes each instruction). It can call
whatever it can name, so what counts is what it names: this machine is run here with symbols in place of objects, and
every name must be on a list. A name that is put together at run time, and cannot be told from the program, is refused.
"""

from __future__ import annotations

import io
import pickletools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MOST_INSTRUCTIONS: Final = 20_000_000
_LONGEST_TEXT: Final = 10_000

_CLASS: Final = re.compile(r"_{0,2}[A-Z]\w*|__pyx_unpickle_[A-Z]\w*")

NAMES: Final[Mapping[str, frozenset[str]]] = {
    "builtins": frozenset(
        [
            "bool",
            "bytearray",
            "bytes",
            "complex",
            "dict",
            "float",
            "frozenset",
            "int",
            "list",
            "object",
            "range",
            "set",
            "slice",
            "str",
            "tuple",
        ]
    ),
    "__builtin__": frozenset(("object", "bytes", "set", "frozenset", "bytearray", "complex", "range", "slice")),
    "collections": frozenset(("OrderedDict", "defaultdict", "deque", "Counter")),
    "copyreg": frozenset(("_reconstructor",)),
    "copy_reg": frozenset(("_reconstructor",)),
    "_codecs": frozenset(("encode",)),
    "datetime": frozenset(("date", "datetime", "time", "timedelta", "timezone")),
    "decimal": frozenset(("Decimal",)),
    "functools": frozenset(("partial",)),
    "numpy": frozenset(
        [
            "dtype",
            "ndarray",
            "bool",
            "bool_",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "float16",
            "float32",
            "float64",
            "str_",
            "bytes_",
            "object_",
            "datetime64",
            "timedelta64",
            "float_",
            "int_",
        ]
    ),
    **dict.fromkeys(("numpy.core.multiarray", "numpy._core.multiarray"), frozenset(("_reconstruct", "scalar"))),
    **dict.fromkeys(("numpy.core.numeric", "numpy._core.numeric"), frozenset(("_frombuffer",))),
    "numpy.ma": frozenset(("MaskedArray",)),
    "numpy.ma.core": frozenset(("_mareconstruct", "MaskedArray")),
    "numpy.random._pickle": frozenset(("__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor")),
    "numpy.random._mt19937": frozenset(("MT19937",)),
    "numpy.random._pcg64": frozenset(("PCG64", "PCG64DXSM")),
    "numpy.random.bit_generator": frozenset(("SeedSequence", "__pyx_unpickle_SeedSequence")),
    "pandas._libs.internals": frozenset(("_unpickle_block",)),
    "pandas.core.indexes.base": frozenset(("Index", "_new_Index")),
}
"""What models of well-known libraries name beside the classes of `FAMILIES`; none of it acts on anything outside."""

FAMILIES: Final = ("sklearn", "scipy.sparse", "xgboost", "lightgbm", "catboost", "statsmodels", "pandas.core")
"""Libraries whose classes a model may name. Functions are not among them: some read files or run text as code."""

_NOT_OF_FAMILIES: Final = re.compile(r"(^|\.)(_?tests?|_?testing|externals|datasets|conftest|setup)(\.|$)")


@dataclass(frozen=True)
class Imports:
    """What a pickle names, as `module.name`, and what about it could not be told."""

    names: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    """The strings in it: categories, column names."""


@dataclass
class _Machine:
    """The stack machine, with a string for a string and None for anything else."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class _Mark:
    pass


_MARK: Final = _Mark()


def imports_of(content: bytes) -> Imports:
    """Return what the pickles in `content`, one after the other, would import."""
    machine = _Machine()
    stream = io.BytesIO(content)
    count = 0
    try:
        while stream.tell() < len(content):
            machine.stack.clear()
            machine.memo.clear()
            for instruction, argument, _ in pickletools.genops(stream):
                count += 1
                if count > MOST_INSTRUCTIONS:
                    machine.problems.append(f"it has more than {MOST_INSTRUCTIONS:,} instructions")
                    return _found(machine)
                _step(machine, instruction, argument)
    # Whatever bytes of others make the reader of opcodes stumble, the answer is the same: it cannot be told.
    except Exception as error:
        machine.problems.append(f"it cannot be read as a pickle to its end ({type(error).__name__})")
    return _found(machine)


def _found(machine: _Machine) -> Imports:
    return Imports(frozenset(machine.names), tuple(dict.fromkeys(machine.problems)), tuple(machine.texts))


def _step(machine: _Machine, instruction: Any, argument: Any) -> None:
    name = instruction.name
    if name in ("GLOBAL", "INST"):
        module, _, attribute = argument.partition(" ")
        machine.names.add(f"{module}.{attribute}" if attribute else module)
    elif name == "STACK_GLOBAL":
        _name_from_stack(machine)
    elif name.startswith("EXT"):
        machine.problems.append("it names what it imports by a number that only the running interpreter knows")
    elif name in ("PERSID", "BINPERSID"):
        machine.problems.append("it refers to objects outside of it")
    _move(machine, instruction, argument)


def _name_from_stack(machine: _Machine) -> None:
    module, attribute = machine.stack[-2:]
    if isinstance(module, str) and isinstance(attribute, str):
        machine.names.add(f"{module}.{attribute}")
    else:
        machine.problems.append("it puts together what it imports only as it runs")


def _move(machine: _Machine, instruction: Any, argument: Any) -> None:
    """Do to the stack and the memo what the instruction does."""
    name, stack = instruction.name, machine.stack
    if name in ("PUT", "BINPUT", "LONG_BINPUT"):
        machine.memo[int(argument)] = stack[-1]
        return
    if name == "MEMOIZE":
        machine.memo[len(machine.memo)] = stack[-1]
        return
    if name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(machine.memo[int(argument)])
        return
    if name == "DUP":
        stack.append(stack[-1])
        return
    if name == "MARK":
        stack.append(_MARK)
        return
    _pop(stack, instruction)
    is_text = instruction.stack_after in ([pickletools.pyunicode], [pickletools.pybytes_or_str])
    made = argument if is_text and isinstance(argument, str) else None
    if made is not None:
        machine.texts.append(made[:_LONGEST_TEXT])
    stack.extend([made] * len(instruction.stack_after))


def _pop(stack: list[Any], instruction: Any) -> None:
    before: Sequence[Any] = instruction.stack_before
    if pickletools.markobject in before:
        while stack.pop() is not _MARK:
            continue
        below = before.index(pickletools.markobject)
    else:
        below = len(before)
    for _ in range(below):
        stack.pop()


def strange_names(names: frozenset[str], also: Sequence[str] = ()) -> Iterator[str]:
    """Yield each name that is neither on the list nor one of `also`: names, or modules that end in `.*`."""
    for one in sorted(names):
        if not _is_listed(one) and not _is_allowed(one, also):
            yield one


def _is_listed(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if attribute in NAMES.get(module, ()):
        return True
    in_family = any(module == one or module.startswith(f"{one}.") for one in FAMILIES)
    return in_family and not _NOT_OF_FAMILIES.search(module) and _CLASS.fullmatch(attribute) is not None


def _is_allowed(name: str, also: Sequence[str]) -> bool:
    module = name.rpartition(".")[0]
    return name in also or any(one.endswith(".*") and module == one[:-2] for one in also)
