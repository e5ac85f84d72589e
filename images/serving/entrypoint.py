"""Starts the library's server from where the image keeps the library; see `interlock/serving/`."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Take `--library FOLDER` from the arguments, and serve with the others; return the exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] != ["--library"] or len(arguments) < 2:
        print("the first argument is --library, with the folder of the package interlock", file=sys.stderr)
        return 2
    # An isolated interpreter looks nowhere else than in its own packages.
    sys.path.insert(0, str(Path(arguments[1]).parent))
    from interlock.serving import command

    return command.main(arguments[2:])


if __name__ == "__main__":
    sys.exit(main())
