"""Notebooks whose outputs would act or reach out when somebody looks at them.

What a cell printed is kept beside its source, in several forms, of which whoever shows the notebook picks one: each is
looked at as a file of its kind, and a form that is not on the list is refused. Cells are text, as in `.md` and `.py`.
Source: nbformat 4, "The notebook file format".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from interlock.release.gates.files import drawings, web_pages

ADVICE: Final = "clear its outputs (jupyter nbconvert --clear-output), or keep them as .md, .svg or .png beside it"

_FORMAT: Final = 4
_TEXT: Final = frozenset(("text/plain", "text/markdown", "application/json"))
"""What is shown as text, or as the text of a `.md` is."""
_PICTURES: Final = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_MARKUP: Final[Mapping[str, Callable[[bytes], Iterator[str]]]] = {
    "text/html": web_pages.problems_of,
    "image/svg+xml": drawings.problems_of,
}
_PLAIN_OUTPUTS: Final = frozenset(("stream", "error"))
_RICH_OUTPUTS: Final = frozenset(("display_data", "execute_result"))
_CELLS: Final = frozenset(("markdown", "code", "raw"))
_EXPORTED: Final = frozenset(("", "text/html"))
"""What a raw cell may be said to be, for it to be put into a page as it stands."""
_MARKUP_BEGINS: Final = re.compile(r"<[A-Za-z/!?]")


class _NotUnderstood(ValueError):
    """A part of the document that is not of the form that the format gives it."""


def problems_of(content: bytes) -> Iterator[str]:
    """Yield each thing in a notebook that acts, reaches out or is not understood, once, and then what to do."""
    try:
        problems = list(dict.fromkeys(_document(json.loads(content, object_pairs_hook=_once))))
    except _NotUnderstood as error:
        problems = [str(error)]
    except (ValueError, RecursionError):
        problems = ["is no JSON"]
    if problems:
        *others, last = problems
        yield from others
        yield f"{last}; {ADVICE}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Of a key that stands there twice, readers take another one each."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotUnderstood("holds a key twice")
    return found


def _document(notebook: Any) -> Iterator[str]:
    if _part(notebook, dict, "the notebook").get("nbformat") != _FORMAT:
        raise _NotUnderstood(f"is no notebook of format {_FORMAT}")
    if _part(notebook.get("metadata", {}), dict, "metadata").get("widgets"):
        yield "holds widgets, which load code as they are shown"
    for cell in _part(notebook.get("cells"), list, "cells"):
        yield from _cell(_part(cell, dict, "a cell"))


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    kind = str(cell.get("cell_type"))
    if kind not in _CELLS:
        raise _NotUnderstood(f"holds a cell of the kind {_short(kind)}, which is not on the list for notebooks")
    if kind == "raw":
        yield from _raw(cell)
    for attached in _part(cell.get("attachments", {}), dict, "attachments").values():
        yield from _forms(attached)
    for output in _part(cell.get("outputs", []), list, "outputs"):
        yield from _output(_part(output, dict, "an output"))


def _raw(cell: dict[str, Any]) -> Iterator[str]:
    """Yield what a raw cell would put into a page that is made of the notebook."""
    metadata = _part(cell.get("metadata", {}), dict, "a cell's metadata")
    formats = {str(metadata.get(name, "")).lower() for name in ("format", "raw_mimetype")}
    source = _text(cell.get("source", ""))
    if formats & _EXPORTED and _MARKUP_BEGINS.search(source):
        yield from _told("text/html", web_pages.problems_of(source.encode()), "a raw cell")


def _output(output: dict[str, Any]) -> Iterator[str]:
    kind = str(output.get("output_type"))
    if kind in _RICH_OUTPUTS:
        yield from _forms(output.get("data"))
    elif kind not in _PLAIN_OUTPUTS:
        raise _NotUnderstood(f"holds an output of the kind {_short(kind)}, which is not on the list for notebooks")
    elif "data" in output:
        raise _NotUnderstood(f"holds an output of the kind {_short(kind)} with data")


def _forms(bundle: Any) -> Iterator[str]:
    """Yield what is wrong with the forms in which one thing may be shown, by their media type."""
    for kind, value in _part(bundle, dict, "an output's data").items():
        if kind in _MARKUP:
            yield from _told(kind, _MARKUP[kind](_text(value).encode()), "an output")
        elif kind in _PICTURES:
            if not _decoded(_text(value)).startswith(_PICTURES[kind]):
                yield f"holds an output of the kind {kind} that is none"
        elif kind not in _TEXT:
            yield f"holds an output of the kind {_short(kind)}, which is not on the list for notebooks"


def _told(kind: str, problems: Iterator[str], where: str) -> Iterator[str]:
    yield from (f"{where} of the kind {kind} {one.partition('; ' + web_pages.ADVICE)[0]}" for one in problems)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return b""


def _text(value: Any) -> str:
    """Return a text, which may stand there as a list of its lines."""
    lines = value if isinstance(value, list) else [value]
    return "".join(_part(one, str, "a text") for one in lines)


def _part(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise _NotUnderstood(f"is not of a notebook's form: {what} is no {kind.__name__}")
    return value


def _short(value: Any) -> str:
    return repr(value)[:60]
