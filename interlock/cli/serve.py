"""`interlock serve`: the serving container's entrypoint, on any machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.terminal import command
from interlock.serving import command as serving


@command
def serve(
    fingerprint_file: Annotated[
        Path, typer.Option(help="Holds the trust root's fingerprint; in an image, a file that was built into it.")
    ],
    environment_file: Annotated[
        Path, typer.Option(help="Holds the environment that is served; built into an image like the fingerprint.")
    ],
    model_dir: Annotated[Path, typer.Option(help="What lies under the release's own prefix of the vault.")],
    record_dir: Annotated[Path, typer.Option(help="The folders approvals and decisions, of the release's, and trust.")],
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where to listen.")] = 8080,
) -> None:
    """Verify the release that INTERLOCK_RELEASE names, from a private copy of its files, and serve exactly that copy.

    Without network, credentials or clock (profile load). Ends with 1 and the reasons if it does not verify.
    """
    built_in = ["--fingerprint-file", fingerprint_file, "--environment-file", environment_file]
    folders = ["--model-dir", model_dir, "--record-dir", record_dir]
    status = serving.main([*map(str, [*built_in, *folders]), "--host", host, "--port", str(port)])
    if status:
        raise typer.Exit(status)
