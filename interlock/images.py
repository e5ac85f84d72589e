"""Builds an image with the machine's container engine, pushes it, and signs for the digest that the registry has."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from interlock.aws.registry import ImageRegistry, Login, Repository
from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput, OutsideFailure, Refusal
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

BUILD_SECONDS: Final = 3600
_LEFT_OUT: Final = ("__pycache__", ".git")


@dataclass(frozen=True)
class Published:
    """An image that is in the registry and signed for; `built` says whether it had to be built."""

    reference: ImageReference
    tag: str
    envelope: str
    built: bool


def source_of(folder: Path) -> ImageSource:
    """Return what an image of `folder` would be built from. Raises BadInput for a folder without a Dockerfile."""
    if not (folder / "Dockerfile").is_file():
        raise BadInput(f"folder: received {str(folder)!r}; accepted is a folder with a Dockerfile")
    try:
        files = {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not set(path.relative_to(folder).parts) & set(_LEFT_OUT)
        }
    except OSError as error:
        raise BadInput(f"folder: {error.filename}: {error.strerror}") from error
    return ImageSource(folder.resolve().name, files)


def publish(clients: StackClients, folder: Path, *, progress: Callable[[str], None]) -> Published:
    """Have the image of `folder` in its repository and an envelope about it in the vault.

    The tag is named by the sources, and tags cannot be moved: what was pushed by a run that broke off is signed by
    the next, and nothing is built twice. Raises BadInput, Refusal, OutsideFailure.
    """
    source = source_of(folder)
    repository = repository_of(clients, source.name)
    registry = ImageRegistry(clients.ecr(repository.region))
    digest = registry.digest_of(repository, source.tag)
    is_built = digest is None
    if digest is None:
        progress(f"build {source.name} from {len(source.files)} files")
        pushed = build_and_push(folder, f"{repository.url}:{source.tag}", repository.host, registry.login())
        if source_of(folder) != source:
            raise Refusal(f"{source.name} was not signed", reasons=[f"{folder} changed while the image was built"])
        digest = registry.digest_of(repository, source.tag)
        if digest != pushed:
            reason = f"the engine pushed sha256:{pushed}, and the tag {source.tag} names sha256:{digest}"
            raise Refusal(f"{source.name} was not signed", reasons=[reason])
    assert digest is not None
    reference = ImageReference(repository.url, digest)
    progress(f"sign for {reference}")
    return Published(reference, source.tag, _sign(clients, reference, source), is_built)


def verify(
    clients: StackClients, reference: ImageReference, keys: dict[str, PublicKey] | None = None
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


def build_and_push(folder: Path, tag: str, host: str, login: Login) -> str:
    """Build `folder` for linux/amd64, push it as one manifest of Docker's own type, and return the digest.

    SageMaker serves no image of OCI's media types, and Lambda none behind an index, which attestations need.
    Raises OutsideFailure if there is no engine, or if it fails.
    """
    _docker(["login", "--username", login.username, "--password-stdin", host], given=login.password)
    with tempfile.TemporaryDirectory() as scratch:
        metadata = Path(scratch) / "metadata.json"
        plain = ["--provenance=false", "--sbom=false", "--output", "type=registry,oci-mediatypes=false"]
        noted = ["--metadata-file", str(metadata)]
        _docker(["buildx", "build", "--platform", "linux/amd64", *plain, *noted, "--tag", tag, str(folder)])
        try:
            digest = str(json.loads(metadata.read_text())["containerimage.digest"])
        except (OSError, ValueError, KeyError) as error:
            raise OutsideFailure(f"docker did not say which digest {tag} has") from error
    return digest.removeprefix("sha256:")


def repository_of(clients: StackClients, name: str) -> Repository:
    """Return where the stack keeps the image `name`. Raises BadInput."""
    known = clients.manifest.images
    if name not in known:
        accepted = f"one of {', '.join(sorted(known))}" if known else "none, as the stack has no image repositories"
        raise BadInput(f"image: received {name!r}; accepted is {accepted}")
    return Repository.parse(known[name].url)


def _name_of(clients: StackClients, repository: Repository) -> str:
    names = [name for name, part in clients.manifest.images.items() if part.url == repository.url]
    if not names:
        known = ", ".join(sorted(part.url for part in clients.manifest.images.values())) or "none"
        raise BadInput(f"repository: received {repository.url!r}; accepted are the stack's: {known}")
    return names[0]


def _sign(clients: StackClients, reference: ImageReference, source: ImageSource) -> str:
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


def _docker(arguments: Sequence[str], given: str | None = None) -> None:
    try:
        answer = subprocess.run(
            ["docker", *arguments], input=given, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise OutsideFailure("there is no `docker` on PATH to build images with") from error
    except subprocess.TimeoutExpired as error:
        raise OutsideFailure(f"docker {arguments[0]} did not end within {BUILD_SECONDS} s") from error
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip().splitlines()[-5:]
        raise OutsideFailure(f"docker {arguments[0]} failed: " + " / ".join(said))
