"""Run the benchmarks that are asked for, or all, and print a table for each."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

import benchmarks
from rehearsal.session import Session
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import Tools, prepare


def available() -> Mapping[str, Any]:
    """Return each benchmark module by its name, found by its file lying here."""
    modules = (
        importlib.import_module(f"benchmarks.{found.name}")
        for found in pkgutil.iter_modules(benchmarks.__path__)
        if found.name != "__main__"
    )
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def main() -> int:
    known = available()
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Side-by-side measurements.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(known)} (default: all)")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(map(repr, unknown))}; there are: {', '.join(known)}")
    console = Console()
    if arguments.list:
        for name, module in known.items():
            console.print(f"{name}  {module.QUESTION}", markup=False)
        return 0
    tools = Tools.from_environment() or prepare(Progress(), Path(sys.executable))
    for name in arguments.names or known:
        with (
            tempfile.TemporaryDirectory(prefix="interlock-bench-") as directory,
            Session(Path(directory), tools) as session,
        ):
            console.print(known[name].run(session, _progress))
    return 0


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
