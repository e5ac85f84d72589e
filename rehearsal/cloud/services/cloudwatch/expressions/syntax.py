"""The syntax of metric maths: text to a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>(),\[\]]))"
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||", "OR"),
    ("&&", "AND"),
    ("==", "!=", "<=", ">=", "<", ">"),
    ("+", "-"),
    ("*", "/"),
)
_SAME = {"OR": "||", "AND": "&&"}


class ExpressionError(ValueError):
    """An expression that cannot be read or evaluated; the message says what and where."""


@dataclass(frozen=True)
class Number:
    """A literal number."""

    value: float


@dataclass(frozen=True)
class Text:
    """A literal string."""

    value: str


@dataclass(frozen=True)
class Name:
    """The id of another query, or a keyword such as REPEAT."""

    name: str


@dataclass(frozen=True)
class Array:
    """Several expressions in brackets."""

    members: tuple[Node, ...]


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Operation:
    """Two operands, or for a sign the right one alone."""

    operator: str
    left: Node | None
    right: Node


Node = Number | Text | Name | Array | Call | Operation


def parse(expression: str) -> Node:
    """Return the tree of an expression. Raises ExpressionError."""
    parser = _Parser(expression)
    tree = parser.level(0)
    parser.expect_end()
    return tree


def names(node: Node) -> set[str]:
    """Return all names that stand in a tree."""
    if isinstance(node, Name):
        return {node.name}
    inside: tuple[Node, ...] = ()
    if isinstance(node, Array):
        inside = node.members
    elif isinstance(node, Call):
        inside = node.arguments
    elif isinstance(node, Operation):
        inside = (node.right,) if node.left is None else (node.left, node.right)
    return set[str]().union(*(names(part) for part in inside))


def calls(node: Node) -> set[str]:
    """Return all functions that a tree calls."""
    if isinstance(node, Call):
        return {node.function}.union(*(calls(part) for part in node.arguments))
    if isinstance(node, Array):
        return set[str]().union(*(calls(part) for part in node.members))
    if isinstance(node, Operation):
        return calls(node.right) | (calls(node.left) if node.left else set())
    return set()


class _Parser:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = self._read()
        self._next = 0

    def level(self, depth: int) -> Node:
        if depth == len(_LEVELS):
            return self._signed()
        left = self.level(depth + 1)
        while (operator := self._peek()[1]) in _LEVELS[depth] and self._peek()[0] != "text":
            self._next += 1
            left = Operation(_SAME.get(operator, operator), left, self.level(depth + 1))
        return left

    def expect_end(self) -> None:
        if self._peek()[0] != "end":
            raise self._problem("unexpected")

    def _signed(self) -> Node:
        if self._take("-"):
            return Operation("-", None, self._signed())
        if self._take("+"):
            return self._signed()
        base = self._atom()
        # Right-associative, and tighter than a sign before it: -2^2 is -(2^2).
        return Operation("^", base, self._signed()) if self._take("^") else base

    def _atom(self) -> Node:
        kind, text = self._peek()
        self._next += 1
        if kind == "number":
            return Number(float(text))
        if kind == "text":
            return Text(re.sub(r"\\(.)", r"\1", text[1:-1]))
        if kind == "word":
            return Call(text.upper(), self._list(")")) if self._take("(") else Name(text)
        if text == "[" and kind == "sign":
            return Array(self._list("]"))
        if text == "(" and kind == "sign":
            inside = self.level(0)
            self._expect(")")
            return inside
        self._next -= 1
        raise self._problem("unexpected")

    def _list(self, closing: str) -> tuple[Node, ...]:
        members: list[Node] = []
        if self._take(closing):
            return ()
        while True:
            members.append(self.level(0))
            if self._take(closing):
                return tuple(members)
            self._expect(",")

    def _take(self, sign: str) -> bool:
        taken = self._peek() == ("sign", sign)
        self._next += taken
        return taken

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._problem(f"expected {sign} instead of")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def _problem(self, what: str) -> ExpressionError:
        kind, text = self._peek()
        found = "the end" if kind == "end" else text
        return ExpressionError(f"Error in expression '{self._expression}': {what} {found}")

    def _read(self) -> list[tuple[str, str]]:
        tokens, place, text = [], 0, self._expression.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ExpressionError(
                    f"Error in expression '{self._expression}': unexpected {text[place:].strip()[:10]}"
                )
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind]))
            place = match.end()
        return tokens
