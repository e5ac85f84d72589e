"""SPDX licence expressions against a list of licences.

Grammar: https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

ACCEPTED: Final = (
    *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0"),
    *("HPND", "ISC", "LicenseRef-BSD", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "NCSA", "OFL-1.1", "PSF-2.0"),
    *("Python-2.0", "Python-2.0.1", "Unicode-3.0", "Unlicense", "Zlib", "ZPL-2.1", "CNRI-Python", "BlueOak-1.0.0"),
)
"""What is accepted unless the policy lists other ones: none of them asks for the source of what it is part of."""

_TOKEN: Final = re.compile(r"\s*(\(|\)|[A-Za-z0-9.+:-]+)")
_DEEPEST: Final = 50


class NoExpression(ValueError):
    """A text that is no SPDX expression."""


def is_accepted(expression: str, accepted: Collection[str]) -> bool:
    """Say whether the expression can be met with the accepted licences alone. Raises NoExpression.

    With OR, one side is enough; with AND, both count; a licence WITH an exception must be listed as a whole.
    """
    reader = _Reader(_tokens(expression), {one.lower() for one in accepted})
    met = reader.either(0)
    if reader.rest:
        raise NoExpression(f"{expression!r} goes on after its end")
    return met


def _tokens(expression: str) -> list[str]:
    tokens, place = [], 0
    while place < len(expression.rstrip()):
        found = _TOKEN.match(expression, place)
        if found is None:
            raise NoExpression(f"{expression!r} is no SPDX expression")
        tokens.append(found.group(1))
        place = found.end()
    return tokens


class _Reader:
    def __init__(self, tokens: list[str], accepted: Collection[str]) -> None:
        self.rest = tokens
        self._accepted = accepted

    def either(self, depth: int) -> bool:
        met = self._both(depth)
        while self._takes("or"):
            # Both sides are read, whatever the first one says.
            met = self._both(depth) or met
        return met

    def _both(self, depth: int) -> bool:
        met = self._one(depth)
        while self._takes("and"):
            met = self._one(depth) and met
        return met

    def _one(self, depth: int) -> bool:
        if depth > _DEEPEST:
            raise NoExpression("it is nested too deep")
        if self._takes("("):
            met = self.either(depth + 1)
            if not self._takes(")"):
                raise NoExpression("a parenthesis is not closed")
            return met
        name = self._name()
        if self._takes("with"):
            name = f"{name} with {self._name()}"
        return name.lower() in self._accepted

    def _name(self) -> str:
        if not self.rest or self.rest[0].lower() in ("(", ")", "and", "or", "with"):
            raise NoExpression("a licence is missing")
        return self.rest.pop(0)

    def _takes(self, token: str) -> bool:
        if self.rest and self.rest[0].lower() == token:
            self.rest.pop(0)
            return True
        return False
