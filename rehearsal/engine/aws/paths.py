"""Property paths as Pulumi writes them, and the way to them from Terraform's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rehearsal.engine.aws.shapes import Members, Shape
from rehearsal.engine.terraform.diagnostics import Path

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_TERRAFORM_NAME = re.compile(r"(?<![\w./:-])[a-z][a-z0-9_]*(?:\.(?:\d+|[a-z][a-z0-9_]*))*(?![\w/:-])")
_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|\.?([^.\[\]]+)')


def text(path: Path) -> str:
    """Return `path` in Pulumi's notation: `rules[0].tags["a.b"]`."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            written += f".{step}" if written else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            written += f'["{escaped}"]'
    return written


def parse(written: str) -> Path:
    """Return the steps of a path in Pulumi's notation; `*` stands for any."""
    steps: list[str | int] = []
    for quoted, index, plain in _STEP.findall(written):
        if index:
            steps.append(index if index == "*" else int(index))
        else:
            steps.append(plain or quoted.replace('\\"', '"').replace("\\\\", "\\"))
    return tuple(steps)


def covers(ignored: Iterable[Path], path: Path) -> bool:
    """Tell whether `path` is one of `ignored` or lies below one."""
    return any(
        len(prefix) <= len(path) and all(a in ("*", b) for a, b in zip(prefix, path, strict=False))
        for prefix in ignored
    )


def from_terraform(members: Members, path: Path) -> Path:
    """Return the Pulumi path of a Terraform path, as far as there is a property for it."""
    if not path:
        return ()
    found = members.by_terraform.get(str(path[0]))
    return () if found is None else (found.name, *_inside(found.shape, path[1:]))


def _inside(shape: Shape, path: Path) -> Path:
    if not path:
        return ()
    if shape.kind == "object":
        return from_terraform(shape.object, path)
    if shape.element is None:
        return ()
    if shape.flattened:
        return _inside(shape.inner, path[1:] if isinstance(path[0], int) else path)
    return (path[0], *_inside(shape.inner, path[1:]))


def reworded(members: Members, path: Path, message: str) -> str:
    """Return a provider's message with Pulumi's names for the properties that it speaks of.

    `path` is where, in Terraform's terms, the message applies: a nested name may stand in it without its parents.
    """
    here = from_terraform(members, path)

    def replace(found: re.Match[str]) -> str:
        word = found.group()
        steps = tuple(int(step) if step.isdigit() else step for step in word.split("."))
        if path and here and word == path[-1]:
            return text(here[-1:])
        renamed = from_terraform(members, steps)
        return text(renamed) if len(renamed) > 0 and ("_" in word or "." in word) else word

    return _TERRAFORM_NAME.sub(replace, message)
