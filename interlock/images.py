"""Builds an image with the machine's container engine, pushes it, and signs for the digest that the registry has."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from interlock.aws.registry import ImageRegistry, Repository
from interlock.clients import FoundationClients
from interlock.container_engine import build_and_push, digest_of_base
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.release.bases import LOCK_FILE, Needs, UnfitLock, needs_of, read_lock, written_lock
from interlock.release.digests import sha256
from interlock.release.envelope import seal
from interlock.release.image import (
    ImageReference,
    ImageSource,
    envelope_key,
    envelopes_prefix,
    image_statement,
    reasons_against,
)
from interlock.release.signing import PublicKey
from interlock.release.statement import Statement
from interlock.release.vault import Overwritten

DOWNLOAD_SECONDS: Final = 60
LIBRARY: Final = Path(__file__).resolve().parent
"""The package interlock, which an image may copy from as its context `library`."""
_LEFT_OUT: Final = ("__pycache__", ".git")


@dataclass(frozen=True)
class Pushed:
    """An image that is in the registry; `built` says whether it had to be built."""

    reference: ImageReference
    tag: str
    built: bool


@dataclass(frozen=True)
class Published:
    """An image that is in the registry and signed for, by the envelope under this key of the vault."""

    pushed: Pushed
    envelope: str

    @property
    def reference(self) -> ImageReference:
        return self.pushed.reference


def source_of(folder: Path) -> ImageSource:
    """Return what an image of `folder` would be built from.

    Raises BadInput for a folder without a Dockerfile, and Refusal where a base or a download has no digest in the lock
    file beside the folder.
    """
    needs = read_needs(folder)
    known = _locked(folder)
    wanted = [*needs.bases, *needs.downloads]
    missing = [one for one in wanted if one not in known]
    if missing:
        raise Refusal(
            f"{folder.resolve().name} is not built",
            reasons=[f"{LOCK_FILE} has no digest of {one}" for one in missing],
            next_step=f"interlock images resolve {folder}",
        )
    try:
        files = _digests(folder)
        if needs.library:
            files |= {f"library/{path}": digest for path, digest in _digests(LIBRARY).items()}
    except OSError as error:
        raise BadInput(f"folder: {error.filename}: {error.strerror}") from error
    return ImageSource(folder.resolve().name, files, {one: known[one] for one in wanted})


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(path.relative_to(folder).parts) & set(_LEFT_OUT)
    }


def read_needs(folder: Path) -> Needs:
    """Return what the Dockerfile of `folder` takes from elsewhere. Raises BadInput."""
    dockerfile = folder / "Dockerfile"
    if not dockerfile.is_file():
        raise BadInput(f"folder: received {str(folder)!r}; accepted is a folder with a Dockerfile")
    try:
        return needs_of(dockerfile.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, UnfitLock) as error:
        raise BadInput(f"{dockerfile}: {error}") from error


def resolve(folders: Sequence[Path], *, progress: Callable[[str], None]) -> Mapping[str, str]:
    """Record, beside `folders`, the digests that their bases and downloads have now; return these by reference.

    Raises BadInput, OutsideFailure.
    """
    found: dict[str, str] = {}
    for folder in folders:
        needs, known = read_needs(folder), _locked(folder)
        for reference in needs.bases:
            progress(f"look up {reference}")
            known[reference] = found[reference] = digest_of_base(reference)
        for address in needs.downloads:
            progress(f"download {address}")
            known[address] = found[address] = _digest_of_download(address)
        _lock_file(folder).write_text(written_lock(known), encoding="utf-8")
    return found


def _digest_of_download(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=DOWNLOAD_SECONDS) as answer:  # noqa: S310  needs_of takes HTTP only
            return hashlib.sha256(answer.read()).hexdigest()
    except (OSError, urllib.error.URLError) as error:
        raise OutsideFailure(f"could not download {address}: {error}") from error


def _lock_file(folder: Path) -> Path:
    return folder.resolve().parent / LOCK_FILE


def _locked(folder: Path) -> dict[str, str]:
    file = _lock_file(folder)
    try:
        return read_lock(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, UnicodeDecodeError, UnfitLock) as error:
        raise BadInput(f"{file}: {error}") from error


def publish(clients: FoundationClients, folder: Path, *, progress: Callable[[str], None]) -> Published:
    """Have the image of `folder` in its repository and an envelope about it in the vault, for whoever may do both.

    What was pushed by a run that broke off is signed by the next. Raises BadInput, Refusal, OutsideFailure.
    """
    pushed = push(clients, folder, progress=progress)
    return Published(pushed, sign(clients, folder, pushed.reference, progress=progress))


def push(clients: FoundationClients, folder: Path, *, progress: Callable[[str], None]) -> Pushed:
    """Have the image of `folder` in its repository, as whoever may push.

    The tag is named by the sources, and tags cannot be moved: nothing is built twice. Raises BadInput, Refusal,
    OutsideFailure.
    """
    source = source_of(folder)
    repository = repository_of(clients, source.name)
    registry = ImageRegistry(clients.ecr(repository.region))
    digest = registry.digest_of(repository, source.tag)
    is_built = digest is None
    if digest is None:
        progress(f"build {source.name} from {len(source.files)} files")
        pushed = build_and_push(
            folder,
            f"{repository.url}:{source.tag}",
            repository.host,
            registry.login(),
            read_needs(folder),
            source.bases,
            LIBRARY,
        )
        if source_of(folder) != source:
            raise Refusal(f"{source.name} was not signed", reasons=[f"{folder} changed while the image was built"])
        digest = registry.digest_of(repository, source.tag)
        if digest != pushed:
            reason = f"the engine pushed sha256:{pushed}, and the tag {source.tag} names sha256:{digest}"
            raise Refusal(f"{source.name} was not signed", reasons=[reason])
    assert digest is not None
    return Pushed(ImageReference(repository.url, digest), source.tag, is_built)


def sign(
    clients: FoundationClients, folder: Path, reference: ImageReference, *, progress: Callable[[str], None]
) -> str:
    """Say as the builder that the image `reference` was built from `folder`; return the envelope's key in the vault.

    The builder sees no registry: that the image is there is what `verify` looks up. Signing again changes nothing.
    Raises BadInput, Refusal, OutsideFailure.
    """
    source = source_of(folder)
    repository = repository_of(clients, source.name)
    if reference.repository != repository.url:
        raise BadInput(f"image: received {str(reference)!r}; accepted is {repository.url}@sha256:<digest>")
    progress(f"sign for {reference}")
    return _signed(clients, reference, source)


def verify(
    clients: FoundationClients, reference: ImageReference, keys: dict[str, PublicKey] | None = None
) -> Sequence[Statement]:
    """Return what the builder signed for an image that its registry has. Raises Refusal, BadInput, OutsideFailure."""
    repository = Repository.parse(reference.repository)
    name = _name_of(clients, repository)
    reader = clients.vault_reader
    envelopes = {
        version.key: reader.read(version.key, version.version_id)
        for version in reader.versions(envelopes_prefix(name, reference.digest))
        if not version.is_delete_marker
    }
    reasons, good = reasons_against(reference, envelopes, keys or dict(clients.public_keys(SigningDuty.BUILDER)))
    if not ImageRegistry(clients.ecr(repository.region)).holds(repository, reference.digest):
        reasons = [*reasons, f"{repository.url} has no such image"]
    if reasons:
        raise Refusal(f"the image {reference} does not verify", reasons=reasons)
    return good


def repository_of(clients: FoundationClients, name: str) -> Repository:
    """Return where the stack keeps the image `name`. Raises BadInput."""
    known = clients.foundation.images
    if name not in known:
        accepted = (
            f"one of {', '.join(sorted(known))}" if known else "none, as its foundation has no image repositories"
        )
        raise BadInput(f"image: received {name!r}; accepted is {accepted}")
    return Repository.parse(known[name].url)


def _name_of(clients: FoundationClients, repository: Repository) -> str:
    names = [name for name, part in clients.foundation.images.items() if part.url == repository.url]
    if not names:
        known = ", ".join(sorted(part.url for part in clients.foundation.images.values())) or "none"
        raise BadInput(f"repository: received {repository.url!r}; accepted are the stack's: {known}")
    return names[0]


def _signed(clients: FoundationClients, reference: ImageReference, source: ImageSource) -> str:
    statement = image_statement(reference, source)
    key = envelope_key(source.name, reference.digest, statement)
    if any(not version.is_delete_marker for version in clients.vault_reader.versions(key)):
        return key
    content = seal(statement, clients.signer(SigningDuty.BUILDER)).content
    try:
        return clients.vault_writer.put(key, content, sha256(content).hex()).key
    except Overwritten:
        # Somebody signed for the same at the same moment; two signatures over one payload differ.
        return key
