"""An interrupt ends the command with one line, however early it comes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

TELLING = """
import importlib
ordinary = importlib.import_module
def telling(name):
    importlib.import_module = ordinary
    print("importing", flush=True)
    return ordinary(name)
importlib.import_module = telling
from interlock.cli.start import main
main()
"""


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_an_interrupt_while_the_command_is_imported_is_one_line(seconds: float) -> None:
    begun = subprocess.Popen(
        [sys.executable, "-c", TELLING, "duties", "prove"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert begun.stdout is not None
    assert begun.stdout.readline() == b"importing\n"
    time.sleep(seconds)
    begun.send_signal(signal.SIGINT)
    _, said = begun.communicate(timeout=60)
    assert (begun.returncode, said) == (130, b"interrupted: nothing was concluded\n")


def test_the_command_begins_as_its_modules_do() -> None:
    begun = subprocess.run(
        [sys.executable, "-c", "from interlock.cli.start import main; main()", "--version"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert (begun.returncode, begun.stdout.startswith(b"interlock "), begun.stderr) == (0, True, b"")
