"""What a pickle would import and do, read from its opcodes without unpickling it.

A pickle is a program for a small stack machine. It can call whatever it can name and fill whatever it made, so each
name must be on a list, and a call or a filling of what it may be done to. What cannot be told from the program is
refused.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from interlock.release.gates.files import known_names
from interlock.release.gates.files.pickle_machine import (
    MOST_STEPS,
    RECONSTRUCTORS,
    Call,
    Filling,
    Machine,
    Name,
    TooLong,
)


@dataclass(frozen=True)
class Imports:
    """What a pickle names, calls and fills, and what about it could not be told."""

    names: frozenset[Name] = frozenset()
    calls: frozenset[Call] = frozenset()
    fillings: frozenset[Filling] = frozenset()
    problems: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    """The strings in it: categories, column names."""


def imports_of(content: bytes) -> Imports:
    """Return what the pickles in `content`, one after the other, would import and do."""
    machine = Machine()
    stream = io.BytesIO(content)
    try:
        while stream.tell() < len(content):
            machine.stack.clear()
            machine.memo.clear()
            for instruction, argument, _ in pickletools.genops(stream):
                machine.step(instruction, argument)
    except TooLong:
        machine.problems.append(f"it takes more than {MOST_STEPS:,} steps to be read")
    # Whatever bytes of others make the reader of opcodes stumble, the answer is the same: it cannot be told.
    except Exception as error:
        machine.problems.append(f"it cannot be read as a pickle to its end ({type(error).__name__})")
    return Imports(
        frozenset(machine.names),
        frozenset(machine.calls),
        frozenset(machine.fillings),
        tuple(dict.fromkeys(machine.problems)),
        tuple(machine.texts),
    )


def problems_of(content: bytes, also: Sequence[str] = ()) -> Iterator[str]:
    """Yield what is wrong with a pickle; `also` are names allowed beside the list, or modules that end in `.*`."""
    found = imports_of(content)
    yield from found.problems
    for text in sorted(known_names.RUN_AS_LOADED.intersection(found.texts)):
        yield f"gives a value to {text}, a method that is run as an object is loaded"
    strange = frozenset(strange_names(found.names, also))
    for name in sorted(strange):
        yield f"imports {str(name)!r} as it is loaded, which is not on the list"
    # What is not on the list is told once, whatever is done with it.
    calls = [one for one in found.calls if one.callee not in strange and not is_allowed(one.callee, also)]
    fillings = [one for one in found.fillings if one.made_by not in strange and not is_allowed(one.made_by, also)]
    yield from sorted({problem for one in calls for problem in _wrong_with_call(one)})
    yield from sorted({problem for one in fillings for problem in _wrong_with_filling(one)})


def strange_names(names: frozenset[Name], also: Sequence[str] = ()) -> Iterator[Name]:
    """Yield each name that is neither on the list nor one of `also`."""
    for one in sorted(names):
        if not known_names.is_listed(one) and not is_allowed(one, also):
            yield one


def is_allowed(name: Name, also: Sequence[str]) -> bool:
    """Return whether `also` has the name itself or all of its module; never what is looked up through a class."""
    return "." not in name.name and (str(name) in also or f"{name.module}.*" in also)


def _wrong_with_call(call: Call) -> Iterator[str]:
    if not known_names.may_be_called(call.callee):
        yield f"calls {call.callee} with arguments as it is loaded; accepted is to make one without and to fill it"
        return
    if call.callee in RECONSTRUCTORS and call.base is not None and not known_names.is_plain_base(call.base):
        yield f"calls {call.base} as it is loaded, by way of {call.callee}"
    if not known_names.takes_classes(call.callee):
        for one in sorted(call.named):
            if not known_names.is_inert(one):
                yield f"gives {one} to {call.callee}, which takes none such"
    if not known_names.takes_objects(call.callee):
        for one in sorted(call.made_by):
            if not known_names.is_inert(one):
                yield f"gives an object of {one} to {call.callee}, which takes none such"


def _wrong_with_filling(filling: Filling) -> Iterator[str]:
    if not known_names.may_be_filled(filling.made_by, filling.how):
        yield f"fills an object of {filling.made_by} with a {filling.how} as it is loaded, which is not on the list"
