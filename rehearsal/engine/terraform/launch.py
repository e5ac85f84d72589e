"""Becomes the program named in its arguments, which the kernel then ends when the process that asked for it dies.

A script of its own, without imports from this project: it runs between fork and exec, where starting fast counts.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    owner, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The owner may have died before the call above took effect.
    if os.getppid() == owner:
        os.execv(program, sys.argv[2:])


if __name__ == "__main__":
    main()
