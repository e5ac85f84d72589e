"""The main job of `scripts/test`, once the machine is prepared: style, then types beside behaviour."""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rehearsal.owner import CHECKOUT
from rehearsal.setup.memory import memory_folder

PYTHON = [sys.executable, "-P", "-m"]
ALL_TESTS = ["-n", "4", "--dist", "loadscope", "--no-loadscope-reorder", "--durations", "60"]
"""More than there are processors, because most tests wait for something that settles; tests/conftest.py groups them."""
SCRIPTS = ["scripts/bench", "scripts/checkov", "scripts/rehearse", "scripts/test"]


def style() -> list[tuple[str, list[str]]]:
    """Name and command of each check that takes seconds, in order."""
    return [
        ("ruff check", [*PYTHON, "ruff", "check", ".", *SCRIPTS]),
        ("ruff format", [*PYTHON, "ruff", "format", "--check", ".", *SCRIPTS]),
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the checks, those of a program's meaning only if its style passes; the first failure's exit code, or 0.

    `arguments` go to pytest, which else runs everything side by side.
    """
    codes = []
    for name, command in style():
        codes.append(run(name, command))
        if codes[-1] != 0:
            return codes[-1]
    with ThreadPoolExecutor() as pool:
        types = pool.submit(run, "mypy", [*PYTHON, "mypy"], quiet=True)
        with memory_folder() as folder:
            # Making and removing the files of some fifty databases on a disk takes minutes of processor time.
            base = [f"--basetemp={folder / 'tests'}"] if folder else []
            codes.append(run("pytest", [*PYTHON, "pytest", *base, *(arguments or ALL_TESTS)]))
        codes.append(types.result())
    failures = [code for code in codes if code != 0]
    print("── not everything passed" if failures else "── all passed", flush=True)
    return failures[0] if failures else 0


def run(name: str, command: Sequence[str], *, quiet: bool = False) -> int:
    """Run one check and say how it ended, with what it said if it was to be `quiet` meanwhile; its exit code."""
    started = time.monotonic()
    print(f"── {name} begins", flush=True)
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=quiet, text=True, check=False)
    outcome = "passed" if ended.returncode == 0 else f"failed (exit code {ended.returncode})"
    said = f"{ended.stdout}{ended.stderr}" if quiet else ""
    print(f"{said}── {name} {outcome} after {time.monotonic() - started:.0f} s", flush=True)
    return ended.returncode if ended.returncode >= 0 else 128 - ended.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
