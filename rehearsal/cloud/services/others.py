"""What callers made in services that have no module here: moto answers for them as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from moto.core.base_backend import BackendDict
from moto.core.resource_tagging import TaggableResourcesMixin

from rehearsal.cloud.service import Service

_MADE_BY_AWS = (":event-bus/default", ":workgroup/primary", ":servers/default")


class OtherServices(Service):
    """Every service that moto knows and the cloud does not correct."""

    name: ClassVar[str] = "others"

    def inventory(self) -> Sequence[str]:
        """Return what can carry tags in any region of any uncorrected service."""
        return [arn for arn in self._tagged() if not arn.endswith(_MADE_BY_AWS)]

    def _tagged(self) -> Iterator[str]:
        corrected = {service.name for service in self.cloud.services.values()}
        for backends in list(BackendDict._instances):
            for _, _, backend in backends.iter_backends():
                if not isinstance(backend, TaggableResourcesMixin):
                    continue
                if corrected.isdisjoint({backends.service_name, backend.SERVICE_NAMESPACE}):
                    yield from (resource.arn for resource in backend.iter_tagged_resources())
