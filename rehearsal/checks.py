"""The main job of `scripts/test`, once the machine is prepared: style, types, then behaviour, the quickest first."""

import subprocess
import sys
import time
from collections.abc import Sequence

from rehearsal.owner import CHECKOUT

PYTHON = [sys.executable, "-P", "-m"]
ALL_TESTS = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder", "--durations", "40"]
"""Two at a time, because most tests wait for something that settles; each group of tests stays in one process."""
SCRIPTS = ["scripts/bench", "scripts/checkov", "scripts/rehearse", "scripts/test"]


def checks(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Name and command of each check, in order; `arguments` go to pytest, which else runs everything side by side."""
    return [
        ("ruff check", [*PYTHON, "ruff", "check", ".", *SCRIPTS]),
        ("ruff format", [*PYTHON, "ruff", "format", "--check", ".", *SCRIPTS]),
        ("mypy", [*PYTHON, "mypy"]),
        ("pytest", [*PYTHON, "pytest", *(arguments or ALL_TESTS)]),
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the checks until one fails; its exit code, or 0."""
    passed: list[str] = []
    for name, command in checks(arguments):
        started = time.monotonic()
        print(f"── {name}", flush=True)
        code = subprocess.run(command, cwd=CHECKOUT, check=False).returncode
        seconds = time.monotonic() - started
        if code != 0:
            print(f"── {name} failed after {seconds:.0f} s (exit code {code}); passed before it: {passed or 'none'}")
            return code if code > 0 else 128 - code
        passed.append(f"{name} ({seconds:.0f} s)")
    print("── all passed: " + ", ".join(passed))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
