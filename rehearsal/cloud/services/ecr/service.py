"""ECR's corrections, and the worker that replicates."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from moto.core.responses import ActionResult
from moto.ecr.exceptions import ImageNotFoundException, RepositoryNotFoundException, ScanNotFoundException
from moto.ecr.models import ECRBackend, Image, ecr_backends
from moto.ecr.responses import ECRResponse

from rehearsal.cloud.context import CloudContext
from rehearsal.cloud.places import Place, visited
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services._requests import plain
from rehearsal.cloud.services.ecr import images, replication
from rehearsal.cloud.services.ecr.replication import DELAY_SECONDS, Push, Refused
from rehearsal.cloud.worker import Worker

_API = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide"
_log = logging.getLogger(__name__)


class ContainerRegistry(Service):
    """Amazon ECR."""

    name: ClassVar[str] = "ecr"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._worker: Worker[Push] = Worker("ecr-replication", self._carry_out, DELAY_SECONDS)

    def start(self) -> None:
        """Start to replicate."""
        self._worker.start()

    def stop(self) -> None:
        """Replicate no more."""
        self._worker.stop()

    def inventory(self) -> Sequence[str]:
        """Return the repositories."""
        return [
            repository.arn for _, backend in visited(ecr_backends) for repository in list(backend.repositories.values())
        ]

    @correction("ecr.digests", f"{_API}/API_ImageIdentifier.html")
    def know_images_by_manifest(self, patches: Patches) -> None:
        """An image's digest is that of its manifest's bytes, and its size that of its layers."""
        patches.replace(Image, "get_image_digest", images.digest_of)
        patches.replace(Image, "get_image_size_in_bytes", images.size_of)

    @correction("ecr.pushes", f"{_GUIDE}/image-tag-mutability.html")
    def check_pushes(self, patches: Patches) -> None:
        """A tag that may not move stays, and a manifest that is none, or of another digest, is refused."""
        patches.replace(ECRBackend, "put_image", images.checking(ECRBackend.put_image))

    @correction("ecr.scans", f"{_GUIDE}/image-scanning-basic.html")
    def tell_scans(self, patches: Patches) -> None:
        """Findings are told of images that were scanned, on push or on request, and are not made up."""
        patches.replace(ECRBackend, "describe_image_scan_findings", _findings)

    @correction("ecr.replication", f"{_GUIDE}/replication.html")
    def replicate_images(self, patches: Patches) -> None:
        """What is pushed after a rule was made is copied to its registries, and its status told."""
        patches.replace(ECRBackend, "put_replication_configuration", _put_configuration)
        patches.replace(ECRBackend, "put_image", self._noticing(ECRBackend.put_image))
        patches.replace(ECRResponse, "describe_image_replication_status", _statuses)

    def _noticing(self, original: Callable[..., Image]) -> Callable[..., Image]:
        def put_image(
            backend: ECRBackend, repository_name: str, manifest: str, tag: str | None, *arguments: Any, **named: Any
        ) -> Image:
            image = original(backend, repository_name, manifest, tag, *arguments, **named)
            destinations = replication.destinations_of(backend.replication_config, repository_name)
            if destinations:
                image.replication_statuses = dict.fromkeys(destinations, "IN_PROGRESS")
                source = Place(backend.account_id, backend.region_name)
                self._worker.add(Push(source, repository_name, image.get_image_digest(), tag, destinations))
            return image

        return put_image

    def _carry_out(self, push: Push) -> None:
        with self.cloud.turn("ecr"):
            for destination in push.destinations:
                try:
                    replication.copy(push, destination, self.cloud.now())
                    outcome = "COMPLETE"
                except Refused as refusal:
                    outcome = str(refusal)
                    _log.warning("%s is not replicated to %s: %s", push.repository_name, destination, refusal)
                image = replication.image_of(push.source.backend(ecr_backends), push.repository_name, push.digest)
                if image is not None:
                    image.replication_statuses[destination] = outcome


def _put_configuration(backend: ECRBackend, replication_config: dict[str, Any]) -> dict[str, Any]:
    configuration: dict[str, Any] = plain(replication_config)
    replication.check(configuration, Place(backend.account_id, backend.region_name))
    backend.replication_config = configuration
    return {"replicationConfiguration": configuration}


def _statuses(response: ECRResponse) -> ActionResult:
    name, image_id = response._get_param("repositoryName"), response._get_param("imageId") or {}
    registry_id = response._get_param("registryId") or response.current_account
    image = _image(response.ecr_backend, name, registry_id, image_id)
    told = []
    for place, status in getattr(image, "replication_statuses", {}).items():
        failed = status not in ("COMPLETE", "IN_PROGRESS")
        failure = {"failureCode": status} if failed else {}
        shown = "FAILED" if failed else status
        told.append({"region": place.region, "registryId": place.account_id, "status": shown, **failure})
    return ActionResult({"repositoryName": name, "imageId": plain(image_id), "replicationStatuses": told})


def _findings(
    backend: ECRBackend, registry_id: str | None, repository_name: str, image_id: dict[str, Any]
) -> dict[str, Any]:
    registry_id = registry_id or backend.account_id
    image = _image(backend, repository_name, registry_id, image_id)
    if getattr(image, "image_scan_status", None) is None and image.last_scan is None:
        raise ScanNotFoundException(image.get_image_digest(), repository_name, registry_id)
    return {
        "registryId": registry_id,
        "repositoryName": repository_name,
        "imageId": {"imageDigest": image.get_image_digest(), "imageTag": image.image_tag},
        "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
        "imageScanFindings": {"findings": [], "findingSeverityCounts": {}},
    }


def _image(backend: ECRBackend, repository_name: str, registry_id: str, image_id: dict[str, Any]) -> Image:
    repository = backend.repositories.get(repository_name)
    if repository is None:
        raise RepositoryNotFoundException(repository_name, registry_id)
    tag, digest = image_id.get("imageTag"), image_id.get("imageDigest")
    for image in repository.images:
        if (digest is None or image.get_image_digest() == digest) and (tag is None or tag in image.image_tags):
            return image
    raise ImageNotFoundException(
        image_id=f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}",
        repository_name=repository_name,
        registry_id=registry_id,
    )
