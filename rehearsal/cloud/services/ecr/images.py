"""Images: their digest, and which pushes a repository takes.

Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Callable
from typing import Any

from moto.ecr.exceptions import (
    ImageAlreadyExistsException,
    InvalidParameterException,
    RepositoryNotFoundException,
)
from moto.ecr.models import ECRBackend, Image, Repository


def error(code: str, message: str) -> Exception:
    """Return the exception that ECR answers as `code`."""
    # Moto finds the service's model, and with it the status, by the module of the class.
    made: Exception = InvalidParameterException(code, message)
    return made


def digest_of(image: Image) -> str:
    """Return the digest by which an image is pulled: that of its manifest, byte for byte."""
    return "sha256:" + hashlib.sha256(image.image_manifest.encode()).hexdigest()


def size_of(image: Image) -> int | None:
    """Return the size of an image's layers in bytes; None for an index, which has none of its own."""
    manifest = json.loads(image.image_manifest)
    if "layers" not in manifest:
        return None
    return sum(int(layer.get("size", 0)) for layer in manifest["layers"])


def checking(original: Callable[..., Image]) -> Callable[..., Image]:
    """Return moto's put_image behind the checks that ECR makes."""

    def put_image(
        backend: ECRBackend,
        repository_name: str,
        image_manifest: str,
        image_tag: str | None,
        image_manifest_mediatype: str | None = None,
        digest: str | None = None,
    ) -> Image:
        repository = backend.repositories.get(repository_name)
        if repository is None:
            raise RepositoryNotFoundException(repository_name, backend.account_id)
        _check_manifest(image_manifest)
        actual = "sha256:" + hashlib.sha256(image_manifest.encode()).hexdigest()
        if digest is not None and digest != actual:
            raise error(
                "ImageDigestDoesNotMatchException",
                f"The image digest '{digest}' does not match the digest '{actual}' of the image manifest.",
            )
        _check_tag(repository, image_tag, actual)
        image = original(backend, repository_name, image_manifest, image_tag, image_manifest_mediatype, digest)
        if repository.image_scanning_configuration.get("scanOnPush"):
            image.image_scan_status = {"status": "COMPLETE", "description": "The scan was completed successfully."}
        return image

    return put_image


def _check_manifest(manifest: str) -> None:
    try:
        known = isinstance(json.loads(manifest), dict)
    except ValueError:
        known = False
    if not known:
        raise InvalidParameterException(
            "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
        )


def _check_tag(repository: Repository, tag: str | None, digest: str) -> None:
    same = next((image for image in repository.images if image.get_image_digest() == digest), None)
    if same is not None and (tag is None or tag in same.image_tags):
        tagged = "" if tag is None else tag
        raise ImageAlreadyExistsException(
            registry_id=repository.registry_id, image_tag=tagged, digest=digest, repository_name=repository.name
        )
    taken = tag is not None and any(tag in image.image_tags for image in repository.images)
    if taken and is_fixed(repository, str(tag)):
        raise error(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository "
            "and cannot be overwritten because the tag is immutable.",
        )
    for image in [image for image in repository.images if tag in image.image_tags]:
        untag(image, str(tag))


def untag(image: Image, tag: str) -> None:
    """Take a tag from an image, which stays without one if it was its last."""
    image.remove_tag(tag)
    image.image_tag = image.image_tags[-1] if image.image_tags else None


def is_fixed(repository: Repository, tag: str) -> bool:
    """Say whether a tag of a repository stays with the image that it was given to."""
    filters: list[dict[str, Any]] = repository.image_tag_mutability_exclusion_filters or []
    is_excluded = any(fnmatch.fnmatchcase(tag, one["filter"]) for one in filters)
    return bool(repository.is_tag_immutable()) != is_excluded
