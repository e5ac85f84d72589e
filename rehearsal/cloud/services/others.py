"""What callers made in services that have no module here: moto answers for them as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from moto.core.base_backend import BackendDict
from moto.core.resource_tagging import TaggableResourcesMixin

from rehearsal.cloud.places import visited
from rehearsal.cloud.service import Service

_MADE_BY_AWS = (":event-bus/default", ":workgroup/primary", ":servers/default")
_UNTAGGED: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "eks": lambda backend: [cluster.arn for cluster in backend.clusters.values()],
    "route53": lambda backend: [f"arn:aws:route53:::hostedzone/{zone_id}" for zone_id in backend.zones],
}
"""Services whose resources moto's tagging does not list, and how to list them."""


class OtherServices(Service):
    """Every service that moto knows and the cloud does not correct."""

    name: ClassVar[str] = "others"

    def inventory(self) -> Sequence[str]:
        """Return what can carry tags in any region of any uncorrected service, and what `_UNTAGGED` lists."""
        return [arn for arn in self._found() if not arn.endswith(_MADE_BY_AWS)]

    def _found(self) -> Iterator[str]:
        corrected = {service.name for service in self.cloud.services.values()}
        for backends in list(BackendDict._instances):
            if backends.service_name in corrected:
                continue
            listed = _UNTAGGED.get(backends.service_name)
            for _, backend in visited(backends):
                if listed is not None:
                    yield from list(listed(backend))
                elif isinstance(backend, TaggableResourcesMixin) and backend.SERVICE_NAMESPACE not in corrected:
                    yield from (resource.arn for resource in backend.iter_tagged_resources())
