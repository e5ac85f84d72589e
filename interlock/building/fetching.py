"""Brings a submission's bytes into a folder of one's own, by way of the staging bucket.

What was staged whole is what the submission stands for from then on, whatever the registry is made to say later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from interlock.building.workshop import download_release
from interlock.clients import StackClients
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.mlflow.origin import PROMPT_FILE, Prompt
from interlock.mlflow.registry import Credentials, ModelReference
from interlock.release.digests import canonical_json, sha256
from interlock.release.manifest import Manifest, UnfitFolder, manifest_of
from interlock.release.pin_statement import Origin, Signature, Source
from interlock.release.record import gather_built
from interlock.release.request import SubjectKind
from interlock.release.staging import (
    NotStaged,
    bytes_prefix,
    fetch_staged,
    pinning_prefix,
    read_latest,
    stage,
    staged_manifest,
    submitted_folder,
)
from interlock.release.submitting import Submission
from interlock.release.vault import Overwritten, files_prefix
from interlock.written_documents import InvalidDocument, read_yaml


@dataclass(frozen=True)
class Fetched:
    """A submission's files in a folder of one's own."""

    folder: Path
    manifest: Manifest
    origin: Origin


def fetch(
    clients: StackClients,
    submission: Submission,
    credentials: Callable[[], Credentials | None],
    scratch: Path,
    progress: Callable[[str], None],
) -> Fetched:
    """Return the bytes that a submission asks to release, staged as the builder. `scratch` is an empty folder.

    Raises Refusal for bytes that cannot be a release, and what registry and staging bucket raise.
    """
    prefix = pinning_prefix(submission.pinned.sha256)
    reader, writer = clients.staging_reader, clients.staging_writer
    with _told(submission):
        manifest = staged_manifest(prefix, reader)
        if manifest is not None:
            _demand_submitted(submission, manifest)
        folder = None if manifest is None else _there_already(clients, manifest, prefix, scratch, progress)
        if folder is None:
            folder, origin = _from_source(clients, submission, credentials, scratch / "source", progress)
            found = fit_manifest(folder)
            if manifest is not None and found != manifest:
                raise NotStaged("its bytes are others now than when it was first looked at")
            manifest = found
            _demand_submitted(submission, manifest)
            if read_latest(reader, origin_key(prefix, manifest)) is None:
                writer.put(origin_key(prefix, manifest), origin.content, sha256(origin.content).hex())
            stage(folder, manifest, prefix, writer=writer, reader=reader, progress=progress)
        assert manifest is not None
        stored = read_latest(reader, origin_key(prefix, manifest))
        if stored is None:
            raise NotStaged(f"{origin_key(prefix, manifest)} is gone")
        origin = Origin.model_validate_json(stored)
    return Fetched(folder, manifest, origin.model_copy(update={"signature": signature_of(folder)}))


def origin_key(prefix: str, manifest: Manifest) -> str:
    """Return where is written where the bytes of `manifest` came from.

    A run that was broken off before they were staged has said so of its own bytes, and of no others.
    """
    return f"{prefix}origins/{manifest.subject_digest}.json"


def _demand_submitted(submission: Submission, manifest: Manifest) -> None:
    asked = submission.request
    if asked.subject_digest not in (None, manifest.subject_digest):
        raise Refusal(
            f"{asked.name}/{asked.version} holds other bytes now than when it was submitted",
            reasons=[f"submitted was {asked.subject_digest}; now it is {manifest.subject_digest}"],
            next_step="submit it again, if that is what is meant",
        )


def erase_bytes(clients: StackClients, submission: Submission) -> None:
    """Take a submission's bytes out of the builder's part of the staging bucket.

    What they were stays written there, so that the submission stands for them and for no others.
    """
    clients.staging_eraser.erase(bytes_prefix(pinning_prefix(submission.pinned.sha256)))


def _there_already(
    clients: StackClients, manifest: Manifest, prefix: str, scratch: Path, progress: Callable[[str], None]
) -> Path | None:
    """Return the folder with what an earlier run has staged or locked, or None where the bytes are gone again."""
    progress("take up what was staged")
    record = gather_built(clients.vault_reader, manifest.subject_digest, {})
    prefix_locked = files_prefix(record.digest)
    if all(record.only_version(prefix_locked + file.path) is not None for file in manifest.files):
        download_release(record, manifest, scratch / "locked", clients.vault_reader, progress)
        return scratch / "locked"
    try:
        fetch_staged(
            manifest, prefix, scratch / "staged", reader=clients.staging_reader, downloader=clients.staging_reader
        )
    except NotStaged:
        return None
    return scratch / "staged"


@contextmanager
def _told(submission: Submission) -> Iterator[None]:
    asked = submission.request
    subject = f"{asked.name}/{asked.version}"
    try:
        yield
    except UnfitFolder as error:
        raise Refusal(f"{subject} cannot be a release", reasons=error.problems) from error
    except (NotStaged, Overwritten) as error:
        raise Refusal(
            f"what is staged of {subject} is not to be used", reasons=[str(error)], next_step="have it submitted again"
        ) from error
    except OSError as error:
        raise OutsideFailure(f"the files of {subject} could not be written here: {error}") from error


def fit_manifest(folder: Path) -> Manifest:
    """Return the manifest of what is to be released. Raises UnfitFolder also where not one byte is in it."""
    manifest = manifest_of(folder)
    if manifest.total_size == 0:
        raise UnfitFolder([f"its {len(manifest.files)} files hold no bytes"])
    return manifest


def _from_source(
    clients: StackClients,
    submission: Submission,
    credentials: Callable[[], Credentials | None],
    into: Path,
    progress: Callable[[str], None],
) -> tuple[Path, Origin]:
    asked = submission.request
    if asked.kind is SubjectKind.FOLDER:
        prefix = submitted_folder(submission.submitter, asked.version)
        manifest = staged_manifest(prefix, clients.staging_reader)
        if manifest is None or manifest.subject_digest != asked.version:
            raise NotStaged(f"{prefix} holds no folder with that digest")
        progress("fetch the submitted folder")
        fetch_staged(manifest, prefix, into, reader=clients.staging_reader, downloader=clients.staging_reader)
        source = Source(kind=asked.kind, registry="staging", name=asked.name, version=asked.version)
        return into, Origin(source=source)
    registry = clients.registry(credentials())
    progress(f"look up {asked.name}/{asked.version}")
    if asked.kind is SubjectKind.PROMPT:
        prompt = registry.prompt(asked.name, asked.version)
        return written_prompt(prompt, into), prompt.origin
    found = registry.resolve(ModelReference(asked.name, asked.version))
    if found.logged_model_id != asked.logged_model_id:
        raise Refusal(
            f"{asked.name}/{asked.version} is another model now than when it was submitted",
            reasons=[f"submitted was {asked.logged_model_id or 'none'}; the registry names {found.logged_model_id}"],
            next_step="submit it again, if that is what is meant",
        )
    origin = registry.origin(found)
    progress(f"download {found.logged_model_id}")
    return registry.download(found, into), origin


def written_prompt(prompt: Prompt, into: Path) -> Path:
    """Write a prompt as the one file that is released of it, into the new folder `into`; return that."""
    into.mkdir()
    (into / PROMPT_FILE).write_bytes(prompt.content)
    return into


def signature_of(folder: Path) -> Signature | None:
    """Return the schema in a model's MLmodel file, or None where it has none. Raises BadInput for an unreadable one."""
    file = folder / "MLmodel"
    if not file.is_file():
        return None
    try:
        written = read_yaml(file.read_bytes()).get("signature") or {}
        parts = {ours: _columns(written.get(theirs)) for ours, theirs in _SIGNATURE.items()}
        canonical_json(parts)
        return Signature.model_validate(parts)
    except (InvalidDocument, ValueError, AttributeError, RecursionError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise BadInput(f"the model's MLmodel file holds no readable signature: {said}") from None


_SIGNATURE = {"inputs": "inputs", "outputs": "outputs", "parameters": "params"}


def _columns(written: Any) -> Any:
    return (json.loads(written) if isinstance(written, str) else written) or []
