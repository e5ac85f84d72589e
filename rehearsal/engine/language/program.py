"""Runs one Pulumi program; a JSON document on standard input says which, and how to reach the engine.

Run as a script of its own so that a program's imports, signals and exits cannot harm the language host.
"""

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

SHOWN_TO_THE_USER = 32
"""The exit code that says: failed, and the user has been told why."""


def main() -> int:
    """Run the program to its end; 0, or `SHOWN_TO_THE_USER` when it failed."""
    settings = json.load(sys.stdin)
    # The program must find an empty input, not the rest of a pipe that holds secrets.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    directory = Path(settings["program_directory"])
    entry = directory / settings["entry_point"]
    sys.argv = [str(entry), *settings["arguments"]]

    import pulumi
    import pulumi.runtime

    # Afterwards, so that a module of the program cannot take the place of one that pulumi imports.
    sys.path.insert(0, str(directory))
    pulumi.runtime.set_all_config(settings["config"], settings["secret_keys"])
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            **{name: settings[name] for name in ("project", "stack", "organization", "root_directory")},
            **{name: settings[name] for name in ("monitor", "engine", "parallel", "dry_run")},
        )
    )
    if entry.is_dir() and not (entry / "__main__.py").exists():
        pulumi.log.error(f"{entry} holds no program: there is no __main__.py in it")
        return SHOWN_TO_THE_USER
    try:
        _run(entry, settings["parallel"])
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except SystemExit as error:
        if not error.code:
            return 0
        pulumi.log.error(f"Program called sys.exit({error.code!r})")
    except Exception as error:
        pulumi.log.error("Program failed with an unhandled exception:\n" + user_traceback(error, directory))
    else:
        return 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return SHOWN_TO_THE_USER


def _run(entry: Path, parallel: int) -> None:
    from pulumi.runtime import run_in_stack

    # Futures that a failed resource leaves behind are expected; asyncio's complaints about them would bury the failure.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    def run_entry() -> None:
        runpy.run_path(str(entry), run_name="__main__")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(max_workers=4 * max(parallel, 1)) as executor:
        loop.set_default_executor(executor)
        try:
            loop.run_until_complete(run_in_stack(run_entry))
        finally:
            loop.close()


def user_traceback(error: BaseException, directory: Path) -> str:
    """The traceback from the first frame inside `directory` on, or the whole where none is."""
    return "".join(traceback.format_exception(type(error), error, _first_inside(error.__traceback__, directory)))


def _first_inside(frames: TracebackType | None, directory: Path) -> Any:
    frame = frames
    while frame is not None:
        if Path(frame.tb_frame.f_code.co_filename).is_relative_to(directory):
            return frame
        frame = frame.tb_next
    return frames


if __name__ == "__main__":
    sys.exit(main())
