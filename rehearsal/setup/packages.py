"""Installs hash-checked packages into a fresh virtual environment."""

import ast
import os
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from rehearsal.setup.cache import remove
from rehearsal.setup.commands import output_of, run
from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Activity, Progress

UV_LOCK = Path(__file__).with_name("uv.lock")
PIP_OPTIONS = ["--require-hashes", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--no-compile"]


def install_locked(lock: Path, environment: Path, activity: Activity, progress: Progress) -> None:
    """Make a virtual environment at `environment` holding what `lock` pins, from the index that the user configured.

    uv does it, because pip asks for one package after the other and takes minutes; pip does it where uv cannot.
    Raises SetupError with the installer's last lines.
    """
    venv.EnvBuilder(symlinks=True, with_pip=False).create(environment)
    python = environment / "bin" / "python"
    pip = _pip(python)
    helper = environment / "installer"
    try:
        run([*pip, "install", *PIP_OPTIONS, "--target", helper, "-r", UV_LOCK], activity)
        _install_with_uv(helper, lock, python, pip, activity)
    except SetupError as error:
        progress.say(f"  · uv could not install the packages, so pip does, which takes longer: {_reason(error)}")
        run([*pip, "install", *PIP_OPTIONS, "-r", lock], activity)
    remove(helper)


def install_one(lock: Path, environment: Path, activity: Activity) -> None:
    """Make a virtual environment for a lock of one package; for that, pip alone is quick enough."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(environment)
    run([*_pip(environment / "bin" / "python"), "install", *PIP_OPTIONS, "-r", lock], activity)


def _install_with_uv(helper: Path, lock: Path, python: Path, pip: list[str | Path], activity: Activity) -> None:
    options = ["--require-hashes", "--index-strategy", "unsafe-best-match"]
    settings = {"UV_CACHE_DIR": str(helper / "cache"), "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    configured = uv_settings(output_of([*pip, "config", "list"]) or "")
    given = {name: value for name, value in configured.items() if name not in os.environ}
    run(
        [helper / "bin" / "uv", "pip", "install", *options, "--python", python, "-r", lock],
        activity,
        environment={**settings, **given},
    )


def uv_settings(pip_configuration: str) -> Mapping[str, str]:
    """uv's environment variables for what `pip config list` prints: indexes, links, hosts, certificates, time limit.

    Later sections win as pip has it: global, then install, then pip's own environment variables.
    """
    values: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for line in pip_configuration.splitlines():
            name, equals, value = line.partition("=")
            if equals and name.startswith(section):
                values[name.removeprefix(section).replace("default-timeout", "timeout")] = str(ast.literal_eval(value))
    settings = {
        "UV_DEFAULT_INDEX": values.get("index-url"),
        "UV_INDEX": " ".join(values.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(values.get("find-links", "").split()),
        "UV_NO_INDEX": "1" if values.get("no-index", "").lower() in ("1", "true", "yes", "on") else None,
        "UV_INSECURE_HOST": " ".join(values.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": values.get("timeout"),
        "SSL_CERT_FILE": values.get("cert"),
    }
    return {name: value for name, value in settings.items() if value}


def _pip(python: Path) -> list[str | Path]:
    """pip for `python`: its own, or that of the interpreter that runs set-up."""
    if output_of([python, "-m", "ensurepip", "--default-pip"]) is not None:
        return [python, "-m", "pip"]
    if output_of([sys.executable, "-m", "pip", "--version"]) is not None:
        return [sys.executable, "-m", "pip", "--python", python]
    raise SetupError(
        f"{sys.executable} has neither `ensurepip` nor `pip`, so no packages can be installed.\n"
        "  Install one of them (Debian, Ubuntu: apt-get install python3-venv), or put another Python >= 3.11 on PATH."
    )


def _reason(error: SetupError) -> str:
    return str(error).splitlines()[-1].strip()
