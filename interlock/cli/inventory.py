"""`interlock release inventory`: what is installed where a model will serve, for the gate `sbom`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.files import write_once
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command
from interlock.failures import BadInput
from interlock.inventory import take_inventory


@command
def inventory_environment(
    to: Annotated[Path, typer.Option(help="The file to write: a JSON document for check.yaml's documents.inventory.")],
    path: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of installed distributions (site-packages); without it, this interpreter's."),
    ] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """List the distributions that are installed, with their licences and what each one needs."""
    absent = [one for one in path or () if not os.path.isdir(one)]
    if absent:
        raise BadInput(f"--path: received {absent[0]}; accepted is a folder of installed distributions")
    taken = take_inventory(datetime.now(UTC).replace(microsecond=0), [str(one) for one in path] if path else None)
    write_once(to, (taken.model_dump_json(indent=1) + "\n").encode(), "--to", replace=True)
    unknown = [one.name for one in taken.distributions if one.licence is None]
    lines = [f"wrote {len(taken.distributions)} distributions to {to}"]
    if unknown:
        lines.append(f"  of {len(unknown)} nothing says the licence: {', '.join(unknown[:10])}")
    Printer(output).result(
        {"file": str(to), "distributions": len(taken.distributions), "without_licence": unknown}, lines
    )
