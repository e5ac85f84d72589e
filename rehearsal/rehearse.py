"""`scripts/rehearse`: what its flags do. Standard library only, because it runs before anything is set up."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rehearsal import kept
from rehearsal.owner import CHECKOUT, run_prepared

REFUSED = 1
DESCRIPTION = """\
Bring the whole platform up on this machine, put a model into it, and watch it answer.

Without flags: prepare the machine, start a local cloud, provision the stack with the real Pulumi engine, tell the
story, and end it all again. Needs Python >= 3.11 and git; the first time takes some minutes.
"""
EPILOG = """\
exit codes: 0 done, 1 refused or a step failed, 2 wrong usage, 3 the outside world failed, 130 interrupted

  scripts/rehearse --keep               leave the local cloud and the stack running
  eval "$(scripts/rehearse --env)"      put this shell on it: pulumi, interlock, mlflow, any AWS client
  scripts/rehearse --down               end it
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (--help shows what there is)", file=sys.stderr)
        sys.exit(2)


def main(arguments: Sequence[str]) -> int:
    """Do what the flags say; the exit code."""
    parser = _Parser(
        prog="scripts/rehearse",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--keep", action="store_true", help="leave the local cloud running and say how to use it")
    modes.add_argument(
        "--destroy", action="store_true", help="at the end, destroy the stack and see what stays; some minutes more"
    )
    modes.add_argument("--env", action="store_true", help="print the variables that put a shell on a kept rehearsal")
    modes.add_argument("--down", action="store_true", help="end a kept rehearsal")
    parser.add_argument("--report", metavar="DIR", type=Path, help="write rehearsal.json and index.html there")
    options = parser.parse_args(arguments)
    if options.report and (options.env or options.down):
        parser.error("--report goes with a rehearsal, not with --env or --down")
    if options.report and options.report.exists() and not options.report.is_dir():
        parser.error(f"--report {options.report}: it is a file, and a folder is needed")
    if options.report:
        # Now, and not after the minutes of a rehearsal whose report could not be written.
        try:
            options.report.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"--report {options.report}: it cannot be made: {error.strerror}")
        if not os.access(options.report, os.W_OK):
            parser.error(f"--report {options.report}: it cannot be written to")
    if options.env:
        _env()
    if options.down:
        return _down()
    return _rehearse(options.keep, options.destroy, options.report)


def _rehearse(keep: bool, destroy: bool, report: Path | None) -> int:
    running = kept.find(CHECKOUT) if keep else None
    if running:
        print(f"A rehearsal is kept already ({running.run}); end it with  scripts/rehearse --down", file=sys.stderr)
        return REFUSED
    arguments = ["--keep"] if keep else ["--destroy"] if destroy else []
    if report:
        arguments += ["--report", str(report.absolute())]
    return run_prepared("rehearsal.main", arguments)


def _env() -> NoReturn:
    running = kept.find(CHECKOUT)
    if running is None:
        print("No rehearsal is kept here; start one with  scripts/rehearse --keep", file=sys.stderr)
        sys.exit(REFUSED)
    # The interpreter that knows the packages can say more: where the provisioned MLflow server is.
    python = Path(running.path[1]) / "python"
    os.execv(python, [str(python), "-P", "-m", "rehearsal.shell"])


def _down() -> int:
    running = kept.find(CHECKOUT)
    left = kept.end(CHECKOUT)
    if left:
        print(f"{left} processes of the rehearsal would not end", file=sys.stderr)
        return 3
    print("The rehearsal has ended." if running else "No rehearsal is kept here; nothing to end.", file=sys.stderr)
    return 0
