"""What `scripts/rehearse` and `scripts/test` are while they wait: the owner of a run's processes."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rehearsal.setup.cache import cache_folder, remove
from rehearsal.setup.runs import VARIABLE, clear_ended, new_run
from rehearsal.warden import Ward, own

CHECKOUT = Path(__file__).resolve().parents[1]
OUTSIDE_FAILED = 3


def run_prepared(module: str, arguments: Sequence[str]) -> int:
    """Prepare the machine and run `module` below a warden, in a run folder of its own; the exit code."""
    if not sys.platform.startswith("linux"):
        print(
            f"This needs Linux (it adopts and ends every process it starts); this is {sys.platform}.", file=sys.stderr
        )
        return OUTSIDE_FAILED
    try:
        clear_ended()
        run = new_run()
    except OSError as error:
        print(
            f"The cache folder {cache_folder()} cannot be used: {error}\n"
            "Set XDG_CACHE_HOME to a folder (an absolute path) that you may write to.",
            file=sys.stderr,
        )
        return OUTSIDE_FAILED
    # Only what is imported gets compiled, so the bytecode has to be written when it is.
    unwanted = ("PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment |= {"PYTHONPATH": str(CHECKOUT), VARIABLE: str(run.folder)}

    def ward() -> Ward:
        command = [sys.executable, "-P", "-m", "rehearsal.setup", module, *arguments]
        return Ward(command, environment=environment, directory=CHECKOUT, held=[run.lock])

    code = own(ward, _say_interrupted)
    os.close(run.lock)
    if code is None:
        return 0
    if code == 0:
        remove(run.folder)
    else:
        clear_ended()
        if any(run.folder.rglob("*.log")):
            print(f"What was logged lies in {run.folder}", file=sys.stderr)
    return code


def _say_interrupted() -> None:
    print("\nInterrupted: ending what was started (again: at once) …", file=sys.stderr, flush=True)
