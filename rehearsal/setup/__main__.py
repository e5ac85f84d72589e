"""`python -m rehearsal.setup MODULE ARGUMENTS`: prepare the machine, then become `python -m MODULE ARGUMENTS`."""

import os
import signal
import sys
import time
from typing import NoReturn

from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import VARIABLE, prepare

OUTSIDE_FAILED = 3


def main() -> NoReturn:
    """Exits 3 when the machine cannot be prepared."""
    # To die at once is right here: the warden ends what was started, and what is half built is never used.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    progress = Progress()
    started = time.monotonic()
    progress.say("Preparing (the first time takes some minutes, later some seconds)")
    try:
        tools = prepare(progress)
    except SetupError as error:
        progress.say(str(error))
        sys.exit(OUTSIDE_FAILED)
    except OSError as error:
        progress.say(f"Preparing failed: {error}")
        sys.exit(OUTSIDE_FAILED)
    progress.say(f"Ready after {time.monotonic() - started:.1f} s")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment[VARIABLE] = tools.to_json()
    os.execve(tools.python, [str(tools.python), "-P", "-m", *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
