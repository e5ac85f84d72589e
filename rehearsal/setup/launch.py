"""Starts the real program with a Python that is new enough. Parses and runs with Python 3.6 and newer."""

import os
import subprocess
import sys

NEEDED = (3, 11)
CANDIDATES = ["python3.13", "python3.12", "python3.11", "python3.14", "python3", "python"]


def with_new_python() -> None:
    """Return if this interpreter is new enough, else start again with one from PATH, else say so and exit 3."""
    if sys.version_info >= NEEDED:
        return
    for name in CANDIDATES:
        # Asked, not found: a version manager puts names on PATH that only tell which versions it knows.
        check = f"import sys; sys.exit(sys.version_info < {NEEDED!r})"
        try:
            answer = subprocess.call([name, "-c", check], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError:
            continue
        if answer == 0:
            os.execvp(name, [name, *sys.argv])
    needed = ".".join(str(part) for part in NEEDED)
    sys.stderr.write(
        f"{sys.argv[0]} needs Python {needed} or newer; {sys.executable} is {sys.version.split()[0]}, and on PATH none "
        f"of these is newer: {', '.join(CANDIDATES)}.\nInstall Python {needed} or newer, or put its folder on PATH.\n"
    )
    sys.exit(3)
