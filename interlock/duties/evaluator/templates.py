"""Policy variables in the texts of a policy.

Source: IAM User Guide, "IAM policy elements: Variables and tags",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from typing import Final

from interlock.duties.evaluator.policy import Escaped, NotModelled, Template, Variable

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_KEY: Final = re.compile(r"\s*([^\s:,']+:[^,']*[^\s,'])\s*(?:,\s*'([^']*)'\s*)?")
_ESCAPES: Final = frozenset("*?$")


def template(text: str, where: str) -> Template:
    """Return a text with its variables found; `where` begins the message of a failure.

    Raises NotModelled for `${...}` that is neither a key with a service's prefix nor one of `${*}`, `${?}`, `${$}`.
    """
    parts: list[str | Escaped | Variable] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        if found.start() > end:
            parts.append(text[end : found.start()])
        parts.append(_part(found.group(1), found.group(0), where))
        end = found.end()
    if end < len(text):
        parts.append(text[end:])
    return Template(text, tuple(parts))


def plain(text: str) -> Template:
    """Return a text in which `${` means itself, as in documents of version 2008-10-17."""
    return Template(text, (text,) if text else ())


def _part(inside: str, written: str, where: str) -> Escaped | Variable:
    if inside in _ESCAPES:
        return Escaped(inside)
    key = _KEY.fullmatch(inside)
    if key is None:
        raise NotModelled(
            f"{where}: the variable {written!r} is not modelled; accepted: ${{service:key}}, "
            "${service:key, 'default'}, ${*}, ${?}, ${$}"
        )
    return Variable(key.group(1).lower(), key.group(2))
