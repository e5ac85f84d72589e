"""Runs commands for whoever writes to its standard input, each in a fork of itself, in which all is loaded already.

A line asks for a command, as JSON; the process id is answered at once, and its wait status when it has ended.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from typing import Any

PRELOADED = (
    *("interlock.cli.main", "interlock.building.checking", "interlock.building.pinning", "presidio_analyzer"),
    *("interlock.release.gates.documents", "interlock.release.gates.privacy", "interlock.release.gates.file_safety"),
)


def main() -> None:
    """Serve until the input ends."""
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()
    _answer("ready")
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if process == 0:
            _become(asked)
        _answer(process)
        _answer(os.waitpid(process, 0)[1])


def _answer(what: object) -> None:
    print(json.dumps(what), flush=True)


def _become(asked: Any) -> None:
    code = 70
    try:
        os.environ.clear()
        os.environ.update(asked["environment"])
        output = os.open(asked["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for theirs, ours in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(theirs, ours)
        if asked["plant"]:
            module, _, name = asked["plant"].partition(":")
            getattr(importlib.import_module(module), name)()
        from interlock.cli.main import app

        app(asked["arguments"])
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    finally:
        sys.stdout.flush()
        # Not a line of the server's is run twice.
        os._exit(code)


if __name__ == "__main__":
    main()
