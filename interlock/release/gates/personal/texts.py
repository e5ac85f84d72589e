"""The texts in a release's files: what people wrote, and the words among data; numbers are none."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from interlock.release.gates.files import archives, pickles

_WRITTEN: Final = frozenset(
    (".txt", ".md", ".rst", ".yaml", ".yml", ".toml", ".cfg", ".py", ".html", ".htm", ".svg", ".jsonl", "")
)
_STRUCTURED: Final = frozenset((".json", ".ipynb"))
_TABLES: Final = {".csv": ",", ".tsv": "\t"}
_PICKLES: Final = frozenset((".pkl", ".pickle", ".cloudpickle"))
_ARRAYS: Final = frozenset((".npy",))
_ARCHIVES: Final = frozenset((".npz", ".skops"))
_IDENTIFIER: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32,64}(?![0-9A-Za-z])")
"""A run's or model's id, or a digest: drawn at random, so that some hold a licence's number by chance."""
_ADDRESSED: Final = re.compile(r"\d+(\.npy)?")


class NoText(ValueError):
    """A file that cannot be read as what its name says."""


def text_of(folder: Path, path: str) -> str | None:
    """Return what is written in a file of a release, or None for a kind that holds no text that can be read.

    Words from data come one a line. Raises NoText.
    """
    suffix = PurePosixPath(path).suffix.lower()
    try:
        if suffix in _ARCHIVES:
            if next(archives.problems_of(folder / path), None) is not None:
                raise NoText("it is no archive that can be unpacked")
            return "\n".join(filter(None, _of_entries(folder / path, suffix)))
        if suffix not in {*_WRITTEN, *_STRUCTURED, *_TABLES, *_PICKLES, *_ARRAYS}:
            return None
        return _of_content(suffix, (folder / path).read_bytes())
    except (ValueError, RecursionError, OSError, csv.Error, EOFError) as error:
        raise NoText(f"it cannot be read as text ({type(error).__name__})") from None


def header_of(folder: Path, path: str) -> list[str]:
    """Return the columns that a table among a release's files names; none for other files. Raises NoText."""
    suffix = PurePosixPath(path).suffix.lower()
    try:
        if suffix in _TABLES:
            text = (folder / path).read_bytes().decode("utf-8-sig")
            return next(csv.reader(io.StringIO(text), delimiter=_TABLES[suffix]), [])
        if PurePosixPath(path).name in ("input_example.json", "serving_input_example.json"):
            document = json.loads((folder / path).read_bytes())
            split = document.get("dataframe_split", document) if isinstance(document, dict) else {}
            columns = split.get("columns")
            return [str(one) for one in columns] if isinstance(columns, list) else []
    except (ValueError, RecursionError, OSError, csv.Error, AttributeError) as error:
        raise NoText(f"its columns cannot be read ({type(error).__name__})") from None
    return []


def _of_entries(place: Path, suffix: str) -> Iterator[str]:
    for name, content in archives.contents(place):
        if suffix == ".skops" and name == "schema.json":
            yield _lines(_of_skops(json.loads(content)))
        else:
            yield _of_content(PurePosixPath(name).suffix.lower(), content)


def _of_skops(node: Any) -> Iterator[str]:
    """Yield the texts of the values in a schema of skops, which are JSON in JSON.

    Not what skops itself writes beside them: objects' addresses in memory, and files named by them, whose digits are
    a card's number by chance.
    """
    if isinstance(node, dict):
        if node.get("__loader__") == "JsonNode" and isinstance(node.get("content"), str):
            yield from _strings(json.loads(node["content"]))
            return
        for key, one in node.items():
            yield key
            yield from _of_skops(one)
    elif isinstance(node, list):
        for one in node:
            yield from _of_skops(one)
    elif isinstance(node, str) and not _ADDRESSED.fullmatch(node):
        yield node


def _of_content(suffix: str, content: bytes) -> str:
    if suffix in _STRUCTURED:
        return _lines(_strings(json.loads(content)))
    if suffix in _TABLES:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=_TABLES[suffix])
        return _lines(cell for row in rows for cell in row)
    if suffix in _PICKLES:
        return _lines(pickles.imports_of(content).texts)
    if suffix in _ARRAYS:
        return _lines(_of_array(content))
    if suffix in _WRITTEN:
        return _IDENTIFIER.sub("", content.decode("utf-8"))
    return ""


def _of_array(content: bytes) -> list[str]:
    import numpy as np

    values = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return [str(one) for one in values.ravel()] if values.dtype.kind in "US" else []


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for one in node:
            yield from _strings(one)
    elif isinstance(node, dict):
        for key, one in node.items():
            yield key
            yield from _strings(one)


def _lines(texts: Any) -> str:
    return "\n".join(one for one in texts if not _is_number(one))


def _is_number(text: str) -> bool:
    # A number with a point or an exponent; digits alone may be an account or a telephone.
    stripped = text.strip()
    if not stripped:
        return True
    if stripped.isdigit():
        return False
    try:
        float(stripped)
    except ValueError:
        return False
    return True
