"""The stack machine that a pickle is a program for, run with symbols in place of objects.

Python's `pickletools` describes each instruction. What is noted: every name that is looked up, every call, and what
only the running interpreter could tell, which is a problem. Nothing is imported, called or made.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

MOST_STEPS: Final = 20_000_000
_LONGEST_TEXT: Final = 10_000


class Name(NamedTuple):
    """What a pickle looks up: an attribute of a module. One with a dot in it is looked up part by part."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass(eq=False)
class Group:
    """A tuple, list, dictionary or set that the pickle itself puts together."""

    kind: str
    members: list[Any] = field(default_factory=list)
    """Of a tuple all of them; of the others those that are no plain values."""


@dataclass(eq=False)
class Made:
    """An object that comes of a call, or of a class without one."""

    by: Name
    is_filled: bool = False


Symbol: TypeAlias = Name | Group | Made | str | None
"""None stands for any other plain value, a number or bytes."""


class Call(NamedTuple):
    """A call, and what its arguments hold however deep."""

    callee: Name
    named: frozenset[Name]
    made_by: frozenset[Name]
    base: Name | None
    """Of a call with more than one argument the second, if it is a name: `copyreg._reconstructor` runs it."""


class Filling(NamedTuple):
    """Something put into an object: `state`, `item` of a mapping, `member` of a list, or `element` of a set."""

    made_by: Name
    how: str


RECONSTRUCTORS: Final = frozenset((Name("copyreg", "_reconstructor"), Name("copy_reg", "_reconstructor")))
"""Both names of the function that makes an object of its first argument, a class."""


class TooLong(Exception):
    """The program takes more steps than are looked at."""


_MARK: Final = Made(Name("", ""))
_TUPLES: Final[Mapping[str, int]] = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_COLLECTED: Final[Mapping[str, str]] = {"TUPLE": "tuple", "LIST": "list", "DICT": "dict", "FROZENSET": "set"}
_EMPTY: Final[Mapping[str, str]] = {"EMPTY_LIST": "list", "EMPTY_DICT": "dict", "EMPTY_SET": "set"}
# Each with the kind it fills, how, and how many it takes from the stack; none is all down to the mark.
_ADDING: Final[Mapping[str, tuple[str, str, int | None]]] = {
    "APPEND": ("list", "member", 1),
    "APPENDS": ("list", "member", None),
    "SETITEM": ("dict", "item", 2),
    "SETITEMS": ("dict", "item", None),
    "ADDITEMS": ("set", "element", None),
}
_OUTSIDE: Final = frozenset(("PERSID", "BINPERSID", "NEXT_BUFFER"))
_NUMBERED: Final = frozenset(("EXT1", "EXT2", "EXT4"))


@dataclass
class Machine:
    """One run; `stack` and `memo` start anew with each pickle of a file."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    names: set[Name] = field(default_factory=set)
    calls: set[Call] = field(default_factory=set)
    fillings: set[Filling] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    steps: int = 0

    def step(self, instruction: Any, argument: Any) -> None:
        """Do to the stack and the memo what the instruction does. Raises TooLong, and whatever a broken pickle may."""
        self._count()
        name = instruction.name
        if name in _NUMBERED:
            self.problems.append("it names what it imports by a number that only the running interpreter knows")
        elif name in _OUTSIDE:
            self.problems.append("it refers to objects outside of it")
        if name in _ADDING:
            self._add(*_ADDING[name])
        elif name in _TUPLES:
            self._put_together("tuple", self._take(_TUPLES[name]))
        elif name in _COLLECTED:
            self._put_together(_COLLECTED[name], self._down_to_mark())
        elif name in _EMPTY:
            self.stack.append(Group(_EMPTY[name]))
        elif name in _SPECIAL:
            _SPECIAL[name](self, argument)
        else:
            self._plain(instruction, argument)

    def _count(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLong

    def _take(self, count: int) -> list[Any]:
        if count > len(self.stack):
            raise IndexError("there is less on the stack")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def _down_to_mark(self) -> list[Any]:
        taken: list[Any] = []
        while (top := self.stack.pop()) is not _MARK:
            taken.append(top)
        return taken[::-1]

    def _put_together(self, kind: str, members: list[Any]) -> None:
        kept = members if kind == "tuple" else [one for one in members if _is_object(one)]
        self.stack.append(Group(kind, kept))

    def _plain(self, instruction: Any, argument: Any) -> None:
        before: Sequence[Any] = instruction.stack_before
        if pickletools.markobject in before:
            self._down_to_mark()
            self._take(before.index(pickletools.markobject))
        else:
            self._take(len(before))
        is_text = instruction.stack_after in ([pickletools.pyunicode], [pickletools.pybytes_or_str])
        made = argument if is_text and isinstance(argument, str) else None
        if made is not None:
            self.texts.append(made[:_LONGEST_TEXT])
        self.stack.extend([made] * len(instruction.stack_after))

    def _add(self, kind: str, how: str, count: int | None) -> None:
        members = self._down_to_mark() if count is None else self._take(count)
        into = self.stack[-1]
        if isinstance(into, Group) and into.kind == kind:
            into.members.extend(one for one in members if _is_object(one))
        elif isinstance(into, Made) and into is not _MARK:
            self.fillings.add(Filling(into.by, how))
        else:
            self.problems.append("it fills what is neither a container nor an object that it made")

    def named(self, module: str, name: str) -> None:
        found = Name(module, name)
        self.names.add(found)
        self.stack.append(found)

    def name_from_stack(self) -> None:
        module, name = self._take(2)
        if isinstance(module, str) and isinstance(name, str):
            self.named(module, name)
        else:
            self.problems.append("it puts together what it imports only as it runs")
            self.stack.append(None)

    def call(self, callee: Symbol, arguments: Symbol) -> None:
        """What is called must be a name: an object may have been filled so that calling it runs anything."""
        if not isinstance(callee, Name):
            self.problems.append("it calls what it put together itself")
            self.stack.append(None)
            return
        if not isinstance(arguments, Group) or arguments.kind != "tuple":
            self.problems.append(f"it calls {callee} with arguments that only the running interpreter knows")
            self.stack.append(Made(callee))
            return
        named, made_by = self._within(arguments)
        if callee in RECONSTRUCTORS:
            # It hands on the state as it is; what lies within a dictionary is copied unseen.
            made_by = frozenset(one.by for one in arguments.members if isinstance(one, Made))
        if callee == PARTIAL and not _begins_with_name(arguments):
            self.problems.append(f"it makes a function of what it put together itself, by {PARTIAL}")
        second = arguments.members[1] if len(arguments.members) > 1 else None
        self.calls.add(Call(callee, named, made_by, second if isinstance(second, Name) else None))
        first = arguments.members[0] if arguments.members else None
        makes = first if callee in RECONSTRUCTORS and isinstance(first, Name) else callee
        self.stack.append(Made(makes))

    def make(self, of: Symbol, arguments: Symbol) -> None:
        """Make an object of a class by its `__new__`, without a call of the class."""
        if not isinstance(of, Name):
            self.problems.append("it makes an object of what it put together itself")
            self.stack.append(None)
            return
        if isinstance(arguments, Group) and not any(self._within(arguments)):
            self.stack.append(Made(of))
        else:
            self.call(of, arguments)

    def build(self) -> None:
        (state,) = self._take(1)
        into = self.stack[-1]
        if not isinstance(into, Made) or into is _MARK:
            self.problems.append("it changes what it did not make")
            return
        if into.is_filled:
            # The first state may have replaced the method that takes the second.
            self.problems.append(f"it fills an object of {into.by} twice")
        if isinstance(state, Made | Name) and not _is_plain(state):
            self.problems.append(f"it fills an object of {into.by} from an object instead of a dictionary or a tuple")
        if _has_slots(state) and not into.by.module.startswith("numpy."):
            # Without a `__setstate__` of its own, as NumPy's classes have, each is set, which runs a property's setter.
            self.problems.append(f"it sets attributes of an object of {into.by} one by one")
        if into.by == PARTIAL and not _begins_with_name(state):
            self.problems.append(f"it makes a function of what it put together itself, by {PARTIAL}")
        into.is_filled = True
        self.fillings.add(Filling(into.by, "state"))

    def _within(self, group: Group) -> tuple[frozenset[Name], frozenset[Name]]:
        named: set[Name] = set()
        made_by: set[Name] = set()
        seen: set[int] = set()
        waiting: list[Any] = [group]
        while waiting:
            self._count()
            one = waiting.pop()
            if isinstance(one, Name):
                named.add(one)
            elif isinstance(one, Made):
                made_by.add(one.by)
            elif isinstance(one, Group) and id(one) not in seen:
                seen.add(id(one))
                waiting.extend(one.members)
        return frozenset(named), frozenset(made_by)


PARTIAL: Final = Name("functools", "partial")


def _has_slots(state: Symbol) -> bool:
    """Return whether a state is a pair whose second half, of slots, is set attribute by attribute."""
    if not isinstance(state, Group) or state.kind != "tuple" or len(state.members) != len(("state", "slots")):
        return False
    return _is_object(state.members[1])


def _begins_with_name(arguments: Symbol) -> bool:
    return isinstance(arguments, Group) and bool(arguments.members) and isinstance(arguments.members[0], Name)


PLAIN_STATES: Final = frozenset((Name("_codecs", "encode"), Name("collections", "OrderedDict")))


def _is_plain(state: Symbol) -> bool:
    return isinstance(state, Made) and state.by in PLAIN_STATES


def _is_object(one: Symbol) -> bool:
    return isinstance(one, Name | Group | Made)


def _global(machine: Machine, argument: Any) -> None:
    module, _, name = argument.partition(" ")
    machine.named(module, name)


def _instance(machine: Machine, argument: Any) -> None:
    arguments = machine._down_to_mark()
    _global(machine, argument)
    machine.call(machine.stack.pop(), Group("tuple", arguments))


def _object(machine: Machine, _argument: Any) -> None:
    callee, *arguments = machine._down_to_mark()
    machine.call(callee, Group("tuple", arguments))


def _reduce(machine: Machine, _argument: Any) -> None:
    machine.call(*machine._take(2))


def _new(machine: Machine, _argument: Any) -> None:
    machine.make(*machine._take(2))


def _new_with_keywords(machine: Machine, _argument: Any) -> None:
    of, arguments, keywords = machine._take(3)
    known = isinstance(arguments, Group) and isinstance(keywords, Group)
    machine.make(of, Group("tuple", [*arguments.members, *keywords.members]) if known else None)


def _put(machine: Machine, argument: Any) -> None:
    machine.memo[int(argument)] = machine.stack[-1]


def _memoize(machine: Machine, _argument: Any) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _get(machine: Machine, argument: Any) -> None:
    machine.stack.append(machine.memo[int(argument)])


_SPECIAL: Final[Mapping[str, Callable[[Machine, Any], None]]] = {
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    "MEMOIZE": _memoize,
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "MARK": lambda machine, _: machine.stack.append(_MARK),
    "GLOBAL": _global,
    "STACK_GLOBAL": lambda machine, _: machine.name_from_stack(),
    "INST": _instance,
    "OBJ": _object,
    "REDUCE": _reduce,
    "NEWOBJ": _new,
    "NEWOBJ_EX": _new_with_keywords,
    "BUILD": lambda machine, _: machine.build(),
}
