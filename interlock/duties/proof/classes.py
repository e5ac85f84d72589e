"""Of all texts that a pattern stands for, one of each sort: sorts are told apart by which groups of patterns match.

It walks an automaton of all patterns together, so that no sort is left out; a solver for texts gives up on this.
Patterns that begin alike share their states, so that a thousand names cost little more than their letters.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from typing import Final

from interlock.duties.evaluator.policy import NotModelled
from interlock.duties.proof.patterns import Piece, tokens

MOST_STATES: Final = 50_000
_OTHERS: Final = "xyzwvutsrqponmlkjihgfedcba0123456789XYZWVUTSRQPONMLKJIHGFEDCBA_~!@$%&+=,;"
_ANY: Final = "any"
_INNER: Final = "any but a colon"

Glob = tuple[Piece, ...]
"""What a policy names resources by."""
Group = frozenset[Glob]
"""Patterns between which nothing need tell: what matches one of them is of the group."""


@functools.lru_cache(maxsize=1 << 16)
def representatives(target: str, groups: frozenset[Group]) -> tuple[tuple[str, frozenset[Group]], ...]:
    """Return one text of each sort that `target` stands for, shortest first, with the groups that it is of.

    Raises NotModelled if the patterns are too tangled to tell all sorts.
    """
    automaton = _Automaton(_inhabited(target), groups)
    start = automaton.start()
    seen = {start}
    waiting: deque[tuple[_State, str]] = deque([(start, "")])
    found: dict[frozenset[Group], str] = {}
    while waiting:
        state, text = waiting.popleft()
        if automaton.is_accepting(state):
            found.setdefault(automaton.groups_of(state), text)
        for character in automaton.next_characters(state):
            after = automaton.step(state, character)
            if after[0] and after not in seen:
                seen.add(after)
                waiting.append((after, text + character))
        if len(seen) > MOST_STATES:
            raise NotModelled(f"{target}: the patterns of the policies about it overlap in too many ways")
    return tuple((text, groups) for groups, text in found.items())


def _inhabited(target: str) -> str:
    # A key, a name or an id is never empty.
    return f"{target[:-1]}?*" if target.endswith(("/*", ":*")) else target


_Nodes = frozenset["_Node"]
_State = tuple[_Nodes, _Nodes]
"""Where one is in the target, and where in the patterns."""


class _Node:
    """A place in patterns that begin alike; `loops` says what may be read there without end."""

    __slots__ = ("following", "loops", "of", "skipping")

    def __init__(self, loops: str = "") -> None:
        self.loops = loops
        self.following: dict[str, _Node] = {}
        """By what is read once: a character or a class of them."""
        self.skipping: dict[str, _Node] = {}
        """By what may be read without end from here on: places that are reached by reading nothing."""
        self.of: set[Group] = set()
        """The groups of the patterns that end here."""

    def then(self, wanted: str, *, repeats: bool) -> _Node:
        if repeats:
            return self.skipping.setdefault(wanted, _Node(wanted))
        return self.following.setdefault(wanted, _Node())

    def reached(self) -> Iterator[_Node]:
        """Yield the place and those that are reached from it by reading nothing."""
        yield self
        for one in self.skipping.values():
            yield from one.reached()

    def after(self, character: str) -> Iterator[_Node]:
        """Yield the places that are reached by reading a character."""
        for wanted in (character, _ANY, _INNER) if character != ":" else (character, _ANY):
            if wanted in self.following:
                yield from self.following[wanted].reached()
            if wanted == self.loops:
                yield from self.reached()

    def wanted(self) -> Iterator[str]:
        """Yield what may be read here: characters and classes of them."""
        yield from self.following
        if self.loops:
            yield self.loops


class _Automaton:
    """All that the target stands for, read beside the patterns of all groups at once."""

    def __init__(self, target: str, groups: frozenset[Group]) -> None:
        self._target, self._patterns = _Node(), _Node()
        end = self._target
        for character in target:
            end = end.then(_ANY, repeats=character == "*") if character in "*?" else end.then(character, repeats=False)
        self._end = end
        for group in groups:
            for glob in group:
                node = self._patterns
                for character, wild, inner in tokens(glob):
                    wanted = character if not wild else _INNER if inner else _ANY
                    node = node.then(wanted, repeats=wild and character == "*")
                node.of.add(group)

    def start(self) -> _State:
        return frozenset(self._target.reached()), frozenset(self._patterns.reached())

    def is_accepting(self, state: _State) -> bool:
        return self._end in state[0]

    def groups_of(self, state: _State) -> frozenset[Group]:
        return frozenset(group for node in state[1] for group in node.of)

    def step(self, state: _State, character: str) -> _State:
        target, patterns = state
        return (
            frozenset(one for node in target for one in node.after(character)),
            frozenset(one for node in patterns for one in node.after(character)),
        )

    def next_characters(self, state: _State) -> list[str]:
        """Return the characters that make a difference: those that are named, and one that stands for all others."""
        # Only what the target itself can read matters.
        own = {wanted for node in state[0] for wanted in node.wanted()}
        if not own & {_ANY, _INNER}:
            return sorted(own)
        live = own.union(wanted for node in state[1] for wanted in node.wanted())
        named = sorted(wanted for wanted in live if len(wanted) == 1)
        other = next((one for one in _OTHERS if one not in live), None)
        if other is None:
            raise NotModelled("the names in the policies differ in too many characters at one place")
        return [other, *named, *([":"] if _INNER in live and ":" not in live else [])]
