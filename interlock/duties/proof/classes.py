"""Of all texts that a pattern stands for, one of each sort: sorts are told apart by which other patterns match.

It walks the product of the patterns' automata, so that no sort is left out; a solver for texts gives up on this.
"""

from __future__ import annotations

import functools
from collections import deque
from typing import Final

from interlock.duties.evaluator.policy import NotModelled
from interlock.duties.proof.patterns import Piece, tokens

MOST_STATES: Final = 50_000
_OTHERS: Final = "xyzwvutsrqponmlkjihgfedcba0123456789XYZ"
_ANY: Final = "any"
_INNER: Final = "any but a colon"

Glob = tuple[Piece, ...]
"""What a policy names resources by."""
_Token = tuple[str, bool]
"""A character or a class of them, and whether it repeats."""


@functools.lru_cache(maxsize=1 << 16)
def representatives(target: str, globs: frozenset[Glob]) -> tuple[str, ...]:
    """Return one text of each sort that `target` stands for, shortest first.

    Raises NotModelled if the patterns are too tangled to tell all sorts.
    """
    automata = (_anything_like(_inhabited(target)), *(_tokens(one) for one in sorted(globs)))
    start = tuple(_closed(automaton, frozenset({0})) for automaton in automata)
    seen = {start}
    waiting: deque[tuple[tuple[frozenset[int], ...], str]] = deque([(start, "")])
    found: dict[tuple[bool, ...], str] = {}
    while waiting:
        state, text = waiting.popleft()
        accepted = tuple(len(automaton) in at for automaton, at in zip(automata, state, strict=True))
        if accepted[0]:
            found.setdefault(accepted, text)
        for character in _next_characters(automata, state):
            after = tuple(_step(automaton, at, character) for automaton, at in zip(automata, state, strict=True))
            if after[0] and after not in seen:
                seen.add(after)
                waiting.append((after, text + character))
        if len(seen) > MOST_STATES:
            raise NotModelled(f"{target}: the patterns of the policies about it overlap in too many ways")
    return tuple(found.values())


def _inhabited(target: str) -> str:
    # A key, a name or an id is never empty.
    return f"{target[:-1]}?*" if target.endswith(("/*", ":*")) else target


def _anything_like(target: str) -> tuple[_Token, ...]:
    return tuple((_ANY, one == "*") if one in "*?" else (one, False) for one in target)


@functools.lru_cache(maxsize=1 << 14)
def _tokens(parts: Glob) -> tuple[_Token, ...]:
    return tuple(
        (_INNER if inner else _ANY, character == "*") if wild else (character, False)
        for character, wild, inner in tokens(parts)
    )


def _closed(automaton: tuple[_Token, ...], at: frozenset[int]) -> frozenset[int]:
    found = set(at)
    for position in sorted(at):
        following = position
        while following < len(automaton) and automaton[following][1]:
            following += 1
            found.add(following)
    return frozenset(found)


@functools.lru_cache(maxsize=1 << 18)
def _step(automaton: tuple[_Token, ...], at: frozenset[int], character: str) -> frozenset[int]:
    after = set()
    for position in at:
        if position == len(automaton):
            continue
        wanted, repeats = automaton[position]
        if wanted in (character, _ANY) or (wanted == _INNER and character != ":"):
            after.add(position if repeats else position + 1)
    return _closed(automaton, frozenset(after))


def _next_characters(automata: tuple[tuple[_Token, ...], ...], state: tuple[frozenset[int], ...]) -> list[str]:
    live = [
        automaton[position]
        for automaton, at in zip(automata, state, strict=True)
        for position in at
        if position < len(automaton)
    ]
    # Only what the target itself can read matters.
    own = {automata[0][position][0] for position in state[0] if position < len(automata[0])}
    if not own & {_ANY, _INNER}:
        return sorted(own)
    named = sorted({wanted for wanted, _ in live if len(wanted) == 1})
    inner = any(wanted == _INNER for wanted, _ in live)
    other = next(one for one in _OTHERS if one not in named)
    return [other, *named, *([":"] if inner and ":" not in named else [])]
