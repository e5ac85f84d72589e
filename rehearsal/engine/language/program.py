"""Runs one Pulumi program; a JSON document on standard input says which, and how to reach the engine.

Run as a script of its own so that a program's imports, signals and exits cannot harm the language host.
"""

import asyncio
import gc
import json
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

SHOWN_TO_THE_USER = 32
"""The exit code that says: failed, and the user has been told why."""

# A provider holds its refusals back for some seconds, to give them together.
_ANSWERS_SECONDS = 10.0


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

    # Each resource makes thousands of objects that last until the end.
    gc.set_threshold(50_000, 20, 100)

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
        return SHOWN_TO_THE_USER if _fails(entry, settings["parallel"], settings["dry_run"]) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _fails(entry: Path, parallel: int, dry_run: bool) -> bool:
    """Run the program; tell whether it failed, after the user has been told why."""
    # Futures that a failed resource leaves behind are expected; asyncio's complaints about them would bury the failure.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    loop.set_task_factory(_remembering)
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(max_workers=4 * max(parallel, 1)) as executor:
        loop.set_default_executor(executor)
        try:
            return loop.run_until_complete(_run(entry, dry_run))
        finally:
            loop.close()


async def _run(entry: Path, dry_run: bool) -> bool:
    import grpc
    from pulumi.runtime import run_in_stack, stack

    failed = False
    # The runtime looks at every output each time that one is known, which grows with the square of their number.
    vars(stack)["asyncio"] = SimpleNamespace(**vars(asyncio) | {"FIRST_COMPLETED": asyncio.FIRST_EXCEPTION})

    def run_entry() -> None:
        nonlocal failed
        try:
            runpy.run_path(str(entry), run_name="__main__")
        except (Exception, SystemExit) as error:
            # At once: the runtime forgets it when a resource is refused while the others are waited for.
            failed = _tell(error)
            if failed:
                # A program that ends well tells the engine to delete what it did not name.
                raise

    try:
        await run_in_stack(run_entry)
    except (Exception, SystemExit) as error:
        failed = failed or _tell(error)
        if dry_run and not any(isinstance(item, grpc.RpcError) for item in _chain(error)):
            await _others_end()
    return failed


def _tell(error: BaseException) -> bool:
    """Tell the user what ended the program; False when that is no failure."""
    import pulumi

    if isinstance(error, SystemExit):
        if not error.code:
            return False
        pulumi.log.error(f"Program called sys.exit({error.code!r})")
    elif isinstance(error, pulumi.RunError):
        pulumi.log.error(str(error))
    else:
        pulumi.log.error("Program failed with an unhandled exception:\n" + user_traceback(error))
    return True


async def _others_end() -> None:
    """Wait until the engine has answered for every resource: it drops the mistakes of those that nobody waits for.

    Its first refusal is its last answer.
    """
    from pulumi.runtime.settings import _get_rpc_manager

    pending = [item for item in map(asyncio.ensure_future, _get_rpc_manager().rpcs) if not item.done()]
    if pending:
        await asyncio.wait(pending, timeout=_ANSWERS_SECONDS, return_when=asyncio.FIRST_EXCEPTION)


def user_traceback(error: BaseException) -> str:
    """The traceback from the first frame outside of Pulumi's runtime on.

    An error that no frame of anybody else led to, of the runtime itself or of a program's syntax, is its message alone.
    """
    for item in _chain(error):
        _, first = _FIRST_SEEN.get(id(item), (item, None))
        item.__traceback__ = _outside(first) or _outside(item.__traceback__)
    if all(item.__traceback__ is None for item in _chain(error)):
        return "".join(traceback.format_exception_only(error))
    return "".join(traceback.format_exception(error))


_FIRST_SEEN: dict[int, tuple[BaseException, TracebackType | None]] = {}
"""By the id of an exception: it, and where it came from when the first task failed with it."""


def _remembering(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
    """Make a task that notes where its failure came from.

    asyncio takes the traceback off an exception when a task's outcome is asked for a second time, and Pulumi's runtime
    asks several times for the outcome of an `apply`.
    """

    async def run() -> Any:
        try:
            return await work
        except Exception as error:
            _FIRST_SEEN.setdefault(id(error), (error, error.__traceback__))
            raise

    return asyncio.Task(run(), loop=loop, **more)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _outside(frames: TracebackType | None) -> TracebackType | None:
    """Return the traceback from its first frame on that is not one of Pulumi's runtime, nor of what that stands on."""
    import concurrent.futures

    import grpc
    import pulumi

    runtime = [Path(str(module.__file__)).parent for module in (pulumi, grpc, asyncio, concurrent.futures)]
    while frames is not None:
        file = frames.tb_frame.f_code.co_filename
        own = file == __file__ or file.startswith("<frozen ")
        if not own and not any(Path(file).is_relative_to(place) for place in runtime):
            break
        frames = frames.tb_next
    return frames


if __name__ == "__main__":
    sys.exit(main())
