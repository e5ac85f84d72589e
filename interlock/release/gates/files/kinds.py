"""The kinds of files that a release may hold, each with how it is looked at; a kind that is not here is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from interlock.release.gates.files import archives, drawings, notebooks, onnx_models, pickles, skops_schema, web_pages

LARGEST_LOOKED_AT: Final = 2 * 1024**3
"""Of a file that is read whole into memory to look at it, in bytes."""
LARGEST_TEXT: Final = 64 * 1024**2

PROGRAMS: Final[Mapping[bytes, str]] = {
    b"\x7fELF": "a program for Linux",
    b"MZ": "a program for Windows",
    b"\xfe\xed\xfa\xce": "a program for macOS",
    b"\xfe\xed\xfa\xcf": "a program for macOS",
    b"\xce\xfa\xed\xfe": "a program for macOS",
    b"\xcf\xfa\xed\xfe": "a program for macOS",
    b"\xca\xfe\xba\xbe": "a program for Java or macOS",
    b"\x00asm": "a program in WebAssembly",
    b"!<arch>\n": "a library of machine code",
    b"#!": "a script",
}
"""What a file begins with that a system would run, whatever its name is."""

Check = Callable[[bytes, Sequence[str]], Iterator[str]]


def _text(content: bytes, _imports: Sequence[str]) -> Iterator[str]:
    if len(content) > LARGEST_TEXT:
        yield f"is a text of {len(content):,} bytes; accepted are {LARGEST_TEXT:,}"
    if b"\x00" in content:
        yield "is named as text and holds bytes that are none"


def _json(content: bytes, imports: Sequence[str]) -> Iterator[str]:
    yield from _text(content, imports)
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        yield "is no JSON"


def _notebook(content: bytes, imports: Sequence[str]) -> Iterator[str]:
    yield from _text(content, imports)
    yield from notebooks.problems_of(content)


def _pickle(content: bytes, imports: Sequence[str]) -> Iterator[str]:
    yield from pickles.problems_of(content, imports)


def _numpy(content: bytes, _imports: Sequence[str]) -> Iterator[str]:
    import numpy as np

    try:
        np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError) as error:
        yield f"is no NumPy array of numbers or text ({type(error).__name__})"


def _safetensors(content: bytes, _imports: Sequence[str]) -> Iterator[str]:
    """Format: https://github.com/huggingface/safetensors#format."""
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or size > min(len(content) - 8, 100 * 1024**2):
        yield "is no safetensors file: its head does not fit it"
        return
    try:
        head = json.loads(content[8 : 8 + size])
        ends = [one["data_offsets"][1] for name, one in head.items() if name != "__metadata__"]
    except (ValueError, RecursionError, TypeError, KeyError, IndexError, AttributeError):
        yield "is no safetensors file: its head is not one"
        return
    if max(ends, default=0) != len(content) - 8 - size:
        yield "is no safetensors file: it holds more or less than its tensors"


def _page(content: bytes, _imports: Sequence[str]) -> Iterator[str]:
    yield from web_pages.problems_of(content)


def _onnx(content: bytes, _imports: Sequence[str]) -> Iterator[str]:
    yield from onnx_models.problems_of(content)


def _drawing(content: bytes, _imports: Sequence[str]) -> Iterator[str]:
    yield from drawings.problems_of(content)


def _begins_with(*starts: bytes) -> Check:
    def check(content: bytes, _imports: Sequence[str]) -> Iterator[str]:
        if not content.startswith(starts):
            yield "is not what its name says"

    return check


KINDS: Final[Mapping[str, Check]] = {
    **dict.fromkeys((".pkl", ".pickle", ".cloudpickle"), _pickle),
    ".json": _json,
    ".ipynb": _notebook,
    **dict.fromkeys((".txt", ".md", ".rst", ".yaml", ".yml", ".toml", ".cfg", ".csv", ".tsv", ".jsonl", ".py"), _text),
    **dict.fromkeys((".html", ".htm"), _page),
    ".svg": _drawing,
    ".npy": _numpy,
    ".safetensors": _safetensors,
    ".onnx": _onnx,
    ".png": _begins_with(b"\x89PNG\r\n\x1a\n"),
    **dict.fromkeys((".jpg", ".jpeg"), _begins_with(b"\xff\xd8\xff")),
    ".ubj": _begins_with(b"{"),
    ".cbm": _begins_with(b"CBM1"),
}
"""By the end of the name."""

ARCHIVES: Final = (".skops", ".npz")
"""By the end of the name; each entry is then looked at as a file of its own kind."""

BARE: Final = frozenset(("MLmodel", "LICENSE", "LICENCE", "NOTICE", "README"))
"""Names without an end that are text."""

_MAY_BE_EMPTY: Final = frozenset((".py", ".txt", ".md"))


def problems_of(folder: Path, path: str, imports: Sequence[str] = ()) -> Iterator[str]:
    """Yield what is wrong with a file of a release, by what its name says it is and by what it holds."""
    suffix = PurePosixPath(path).suffix.lower()
    place = folder / path
    with place.open("rb") as file:
        start = file.read(16)
    program = _program(start)
    if program is not None:
        yield program
    elif suffix in ARCHIVES:
        yield from _archive(place, suffix, imports)
    elif suffix not in KINDS and PurePosixPath(path).name not in BARE:
        yield from _unlisted(suffix)
    elif not start and suffix not in _MAY_BE_EMPTY:
        yield "is empty"
    elif place.stat().st_size > LARGEST_LOOKED_AT:
        yield f"is too large to be looked at; accepted are {LARGEST_LOOKED_AT:,} bytes"
    else:
        yield from KINDS.get(suffix, _text)(place.read_bytes(), imports)


def _program(start: bytes) -> str | None:
    return next((f"is {what}" for magic, what in PROGRAMS.items() if start.startswith(magic)), None)


def _archive(place: Path, suffix: str, imports: Sequence[str]) -> Iterator[str]:
    problems = list(archives.problems_of(place))
    yield from problems
    if problems:
        # What is unsafe to unpack is not unpacked to look further.
        return
    try:
        for name, content in archives.contents(place):
            yield from (f"holds {name!r}, which {what}" for what in _entry(name, content, suffix, imports))
    # A deflated stream of others' making fails in many ways; each means that it cannot be looked at.
    except Exception as error:
        yield f"cannot be unpacked ({type(error).__name__}: {error})"


def _entry(name: str, content: bytes, archive: str, imports: Sequence[str]) -> Iterator[str]:
    suffix = PurePosixPath(name).suffix.lower()
    program = _program(content[:16])
    if program is not None:
        yield program
    elif archive == ".skops" and name == "schema.json":
        yield from skops_schema.problems_of(content, imports)
    elif suffix in ARCHIVES:
        yield "is an archive in an archive"
    elif suffix in KINDS:
        yield from KINDS[suffix](content, imports)
    else:
        yield from _unlisted(suffix)


def _unlisted(suffix: str) -> Iterator[str]:
    yield f"is of a kind that is not on the list ({suffix or 'no ending'})"
