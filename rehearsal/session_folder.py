"""What lies in a session's folder before anything of it starts."""

import shlex
import stat
from pathlib import Path

from rehearsal.setup.pulumi_cli import link_or_copy
from rehearsal.setup.tools import Tools

PLUGIN_VERSION = "7.51.1"


def lay_out(directory: Path, tools: Tools) -> None:
    """Write the folder's executables and an empty home for the CLI and for AWS clients."""
    bin_folder = directory / "bin"
    for name in ("bin", "state", "aws", "logs"):
        (directory / name).mkdir(exist_ok=True)
    for name in ("config", "credentials"):
        (directory / "aws" / name).touch()
    python = tools.python
    if not (bin_folder / "pulumi").exists():
        link_or_copy(tools.pulumi, bin_folder / "pulumi")
    script(bin_folder / "pulumi-language-python", python, "-P", "-m", "rehearsal.engine.language.host")
    script(bin_folder / "pulumi-resource-pulumi-python", python, "-u", "-m", "pulumi.dynamic")
    script(bin_folder / "mlflow", python, "-P", "-m", "mlflow")
    start = "import sys; sys.argv[0] = 'interlock'; from interlock.cli.start import main; sys.exit(main())"
    script(bin_folder / "interlock", python, "-P", "-c", start)
    plugin = directory / "pulumi" / "plugins" / f"resource-aws-v{PLUGIN_VERSION}"
    plugin.mkdir(parents=True, exist_ok=True)
    shim = tools.checkout / "rehearsal" / "engine" / "plugin" / "shim.py"
    script(plugin / "pulumi-resource-aws", python, "-I", "-S", str(shim))


def script(path: Path, python: Path, *arguments: str) -> None:
    """Write an executable that hands its own arguments to `python` after these."""
    # Through the shell, because a `#!` line takes neither a long path nor several arguments.
    path.write_text(f'#!/bin/sh\nexec {shlex.join([str(python), *arguments])} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
