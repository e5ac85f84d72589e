"""A release's files in a private folder, and its model out of reach beside them, while gates measure."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from interlock.failures import OutsideFailure, Refusal
from interlock.release.gates.gate import Predictor, Server
from interlock.release.manifest import Manifest, UnfitFolder, manifest_of
from interlock.release.record import Record
from interlock.release.vault import VaultDownloader, files_prefix
from interlock.sandbox.model import ModelSandbox
from interlock.served.model import ServedModel


@dataclass(frozen=True)
class Confined:
    """A model out of reach: asked for predictions, and in the process that serves it in production."""

    predictor: Predictor
    server: Server | None = None


Confine = Callable[[Path, Manifest, ExitStack], Confined]
"""Makes what answers for a model; whatever it starts is ended by the stack."""


@dataclass(frozen=True)
class Bench:
    """A release laid out to be measured."""

    manifest: Manifest
    folder: Path
    model: Confined


def confined(folder: Path, manifest: Manifest, stack: ExitStack) -> Confined:
    """Return the model in `folder`, of which nothing runs before it is asked something, and then in a sandbox."""
    return Confined(
        stack.enter_context(ModelSandbox(folder, manifest=manifest)),
        stack.enter_context(ServedModel(folder, manifest=manifest)),
    )


@contextmanager
def laid_out(
    record: Record, downloader: VaultDownloader, confine: Confine, progress: Callable[[str], None]
) -> Iterator[Bench]:
    """Bring a release's pinned bytes into a folder of one's own for as long as the block lasts.

    Raises Refusal if what the vault holds is not what its manifest says, OutsideFailure if it cannot be written here.
    """
    manifest = record.manifest
    if manifest is None:
        raise Refusal(
            f"the release {record.digest} has no manifest that could be read",
            reasons=[one.text for one in record.problems],
        )
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="interlock-check-"))
        folder = Path(scratch) / "files"
        download_release(record, manifest, folder, downloader, progress)
        yield Bench(manifest, folder, confine(folder, manifest, stack))


def download_release(
    record: Record,
    manifest: Manifest,
    folder: Path,
    downloader: VaultDownloader,
    progress: Callable[[str], None],
) -> None:
    """Write a release's pinned files into the new folder `folder`.

    Raises Refusal if what the vault holds is not what `manifest` says, OutsideFailure if it cannot be written here.
    """
    try:
        folder.mkdir()
        for number, file in enumerate(manifest.files, start=1):
            progress(f"fetch file {number} of {len(manifest.files)}, {file.path}")
            key = files_prefix(record.digest) + file.path
            version_id = record.only_version(key)
            if version_id is None:
                raise Refusal(f"{key} is missing, or has several versions")
            place = folder / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            downloader.download(key, version_id, place)
        whole = manifest_of(folder) == manifest
    except UnfitFolder:
        whole = False
    except OSError as error:
        raise OutsideFailure(f"the files of {record.digest} could not be written here: {error}") from error
    if not whole:
        raise Refusal(f"what the vault holds of the release {record.digest} is not what its manifest says")
