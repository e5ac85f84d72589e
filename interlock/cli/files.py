"""Files that a command writes where the user said: whole or not at all, and nothing of the user's is lost."""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from interlock.failures import BadInput, Refusal


def write_once(file: Path, content: bytes, option: str, *, replace: bool = False) -> bool:
    """Write `content` to `file`; say whether that was needed. Raises BadInput, Refusal as `produce`."""
    return produce(file, lambda target: _write(target, content), option, replace=replace)


def produce(file: Path, fill: Callable[[IO[bytes]], None], option: str, *, replace: bool = False) -> bool:
    """Let `fill` write the new file `file`; return False if it was there already with just these bytes.

    `option` is what named it. Raises BadInput where nothing can be written, Refusal if something else lies there and is
    not to be replaced.
    """
    if os.path.exists(file) and not os.path.isfile(file):
        # Root would put a file in the place of /dev/null.
        raise BadInput(
            f"{option}: received {str(file)!r}, which is there and no file; accepted is a file, or a new name"
        )
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    except OSError as error:
        raise BadInput(f"{option}: {file} cannot be written: {error.strerror}") from error
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as target:
            fill(target)
        if file.is_file() and filecmp.cmp(made, file, shallow=False):
            return False
        if file.exists() and not replace:
            raise Refusal(f"{option}: {file} is there already and holds something else", next_step="name another file")
        made.chmod(0o644)
        made.replace(file)
    except OSError as error:
        raise BadInput(f"{option}: {file} cannot be written: {error.strerror}") from error
    finally:
        made.unlink(missing_ok=True)
    return True


def _write(target: IO[bytes], content: bytes) -> None:
    target.write(content)
