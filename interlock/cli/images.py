"""`interlock images`: building, pushing and signing container images, and verifying them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock import images
from interlock.cli.loading import StackOption, load_foundation_clients
from interlock.cli.release import read_key
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.failures import BadInput
from interlock.release.image import ImageReference

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="With a Dockerfile, such as images/serving.")]
ImageArgument = Annotated[str, typer.Argument(metavar="IMAGE", help="<registry>/<repository>@sha256:<digest>")]

app = typer.Typer(help="Build, push and sign container images, and verify them.", no_args_is_help=True)


@app.command()
@command
def publish(
    folder: FolderArgument,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Push and sign, for whoever may do both; where duties are separate, one pushes and the builder signs.

    A stack that has no platform yet will do: its services need their images when they are made.

    The same files give the same tag: running it again builds nothing and completes what is missing.
    """
    images.source_of(folder)
    clients = load_foundation_clients(stack)
    with progress() as say:
        done = images.publish(clients, folder, progress=say)
    Printer(output).result(
        {**_pushed(done.pushed), "envelope": done.envelope},
        [*_told(done.pushed), _signed(clients.foundation.vault.bucket_name, done.envelope)],
    )


@app.command()
@command
def push(
    folder: FolderArgument,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Build the image of FOLDER with docker and push it by its digest; `sign` is the builder's to do then.

    The same files give the same tag: running it again builds nothing.
    """
    images.source_of(folder)
    clients = load_foundation_clients(stack)
    with progress() as say:
        done = images.push(clients, folder, progress=say)
    Printer(output).result(_pushed(done), _told(done))


@app.command()
@command
def sign(
    folder: FolderArgument,
    image: ImageArgument,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Sign as the builder that IMAGE, which `push` told, was built from FOLDER as it is in this checkout."""
    reference = _reference(image)
    images.source_of(folder)
    clients = load_foundation_clients(stack)
    with progress() as say:
        envelope = images.sign(clients, folder, reference, progress=say)
    Printer(output).result(
        {"image": str(reference), "envelope": envelope},
        [f"{reference}", _signed(clients.foundation.vault.bucket_name, envelope)],
    )


def _pushed(done: images.Pushed) -> dict[str, object]:
    return {"image": str(done.reference), "tag": done.tag, "built": done.built}


def _told(done: images.Pushed) -> list[str]:
    return [f"{done.reference}", f"  {'built and pushed' if done.built else 'was there already'} as {done.tag}"]


def _signed(bucket_name: str, envelope: str) -> str:
    return f"  signed for in s3://{bucket_name}/{envelope}"


def _reference(image: str) -> ImageReference:
    try:
        return ImageReference.parse(image)
    except ValueError as error:
        raise BadInput(f"image: {error}") from error


@app.command()
@command
def resolve(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="With a Dockerfile each.")],
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Record the digests that the base images and downloads of each FOLDER have now, in bases.lock beside them.

    `publish` builds on what is recorded and on nothing else: review what changed before you publish.
    """
    with progress() as say:
        found = images.resolve(folders, progress=say)
    Printer(output).result(
        {"digests": dict(found)}, [f"{reference} sha256:{digest}" for reference, digest in sorted(found.items())]
    )


@app.command()
@command
def verify(
    image: ImageArgument,
    public_key: Annotated[
        Path | None,
        typer.Option(help="The builder's public key (PEM) from a source you trust; without it KMS is asked."),
    ] = None,
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Check that the builder signed for an image, and that its repository has it."""
    reference = _reference(image)
    keys = {"builder": read_key(public_key)} if public_key else None
    statements = images.verify(load_foundation_clients(stack), reference, keys)
    Printer(output).result(
        {"image": str(reference), "verifies": True, "statements": [one.predicate for one in statements]},
        [f"{reference} verifies", *(f"  built from {one.predicate['source_digest']}" for one in statements)],
    )
