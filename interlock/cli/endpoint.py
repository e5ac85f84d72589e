"""`interlock endpoint`: what serves, and moving it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from interlock.aws.endpoint_state import EndpointState, VariantState
from interlock.aws.invocation import JSON
from interlock.aws.sweep import sweep
from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress, rows, visible
from interlock.cli.trusting import FingerprintOption, RootOption, optional_anchor
from interlock.deploying import deploy_release, shift_traffic
from interlock.failures import BadInput

app = typer.Typer(help="What an endpoint serves, and moving it.", no_args_is_help=True)

EndpointOption = Annotated[
    str | None,
    typer.Option("--endpoint", help="The endpoint's name in the stack; may be left out where there is one only."),
]


@app.command()
@command
def status(
    endpoint: EndpointOption = None, stack: StackOption = None, output: OutputOption = OutputFormat.TEXT
) -> None:
    """Show what each variant serves, with which weight, on how many instances."""
    _print(load_clients(stack).endpoint(endpoint).state(), output)


@app.command()
@command
def deploy(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="The release: 64 hexadecimal digits.")],
    variant: Annotated[str, typer.Option(help="The variant that is to serve it.")],
    weights: Annotated[
        str | None, typer.Option(help="Weights to give at the same time, like blue=95,green=5; without: as they are.")
    ] = None,
    endpoint: EndpointOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Serve a release from one variant, if it is admitted now; the other variant keeps what it has."""
    wanted = parse_weights(weights.split(",")) if weights else None
    start = optional_anchor(root, fingerprint)
    clients = load_clients(stack)
    with progress() as say:
        state = deploy_release(clients, endpoint, variant, digest, wanted, anchor=start, progress=say)
    _print(state, output)


@app.command()
@command
def shift(
    weights: Annotated[list[str], typer.Argument(metavar="VARIANT=WEIGHT...", help="A weight for every variant.")],
    endpoint: EndpointOption = None,
    root: RootOption = None,
    fingerprint: FingerprintOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Give every variant its weight, if what grows is admitted now, and wait until the endpoint serves so."""
    wanted = parse_weights(weights)
    start = optional_anchor(root, fingerprint)
    clients = load_clients(stack)
    with progress() as say:
        state = shift_traffic(clients, endpoint, wanted, anchor=start, progress=say)
    _print(state, output)


@app.command()
@command
def invoke(
    body: Annotated[Path, typer.Argument(metavar="FILE", help="What to send; - is standard input.")],
    content_type: Annotated[str, typer.Option(help="What the file is: application/json or text/csv.")] = JSON,
    variant: Annotated[str | None, typer.Option(help="Ask this variant, whatever the weights.")] = None,
    endpoint: EndpointOption = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Send one request to the endpoint and print the answer."""
    content = _read(body)
    answer = load_clients(stack).invocation(endpoint).invoke(content, content_type=content_type, variant=variant)
    text = answer.body.decode(errors="replace")
    try:
        document: Any = json.loads(text)
    except ValueError:
        document = text
    Printer(output).result({"variant": answer.variant, "answer": document}, [f"{answer.variant}: {text}"])


@app.command("sweep")
@command
def sweep_command(stack: StackOption = None, output: OutputOption = OutputFormat.TEXT) -> None:
    """Delete the models and configurations that the controller made and no endpoint serves."""
    clients = load_clients(stack)
    swept = sweep(clients.sagemaker, clients.manifest.stack)
    lines = [f"deleted  {name}" for name in swept.deleted] + [f"in use   {name}" for name in swept.in_use]
    Printer(output).result(asdict(swept), lines or ["there was nothing to sweep"])


def parse_weights(texts: list[str]) -> dict[str, float]:
    """Read weights like `blue=95`. Raises BadInput."""
    weights: dict[str, float] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if not equals or not name or name in weights or not 0 <= value < float("inf"):
            raise BadInput(f"weights: received {text!r}; accepted is VARIANT=WEIGHT, once a variant, like blue=95")
        weights[name] = value
    return weights


def _read(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"file: {path}: {error.strerror}") from error


def _print(state: EndpointState, output: OutputFormat) -> None:
    table = rows("variant", "share", "weight", "instances", "release")
    shares = state.shares()
    for name, variant in state.variants.items():
        release = variant.release or f"none ({variant.model_name})"
        table.add_row(
            visible(name),
            f"{shares[name]:.1%}",
            f"{variant.current_weight:g}",
            f"{variant.current_count} of {variant.desired_count}",
            visible(f"{release}{_how(variant)}"),
        )
    heading = f"{state.name} is {state.status} on {state.configuration}"
    reason = [f"  {state.failure_reason}"] if state.failure_reason else []
    Printer(output).result(asdict(state), [heading, *reason], table)


def _how(variant: VariantState) -> str:
    # Whether an earlier image may go on is judged where traffic moves: that takes the trust root.
    if variant.earlier_image:
        return ", on another image than the serving template has now"
    return ", not as this stack makes it" if variant.faults else ""
