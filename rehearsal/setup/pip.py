"""Installs hash-checked packages into a fresh virtual environment, with whatever pip this machine has."""

import sys
import venv
from pathlib import Path

from rehearsal.setup.commands import output_of, run
from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Activity


def install_locked(lock: Path, environment: Path, activity: Activity) -> None:
    """Make a virtual environment at `environment` holding what `lock` pins, from the index that the user configured.

    Raises SetupError with pip's last lines.
    """
    venv.EnvBuilder(symlinks=True, with_pip=False).create(environment)
    installer = _installer(environment / "bin" / "python")
    # Compiled now, because what runs later may be told to write no bytecode.
    options = ["--require-hashes", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--compile"]
    run([*installer, "install", *options, "-r", lock], activity)


def _installer(python: Path) -> list[str | Path]:
    """pip for `python`: its own, or that of the interpreter that runs set-up."""
    if output_of([python, "-m", "ensurepip", "--default-pip"]) is not None:
        return [python, "-m", "pip"]
    if output_of([sys.executable, "-m", "pip", "--version"]) is not None:
        return [sys.executable, "-m", "pip", "--python", python]
    raise SetupError(
        f"{sys.executable} has neither `ensurepip` nor `pip`, so no packages can be installed.\n"
        "  Install one of them (Debian, Ubuntu: apt-get install python3-venv), or put another Python >= 3.11 on PATH."
    )
