"""A place is an account's part of a region: where a resource lies, and nothing of one is seen from another.

A service finds the place of its work in what it works on: moto's response (`current_account`, `region`) for a request,
the resource's ARN for a data plane. Nothing is looked for in the cloud's home, which only names defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.core.base_backend import BackendDict


@dataclass(frozen=True, order=True)
class Place:
    """One account in one region."""

    account_id: str
    region: str

    def backend(self, backends: BackendDict[Any]) -> Any:
        """Return moto's state of a service here, made when first asked for. Raises KeyError for an unknown region."""
        return backends[self.account_id][self.region]


def place_of(arn: str) -> Place:
    """Return where the resource of a regional service lies. Raises ValueError if `arn` names no region or account."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or not (parts[3] and parts[4]):
        raise ValueError(f"not the ARN of a resource with a region and an account: {arn}")
    return Place(parts[4], parts[3])


def visited(backends: BackendDict[Any]) -> Iterator[tuple[Place, Any]]:
    """Yield every place in which a service has been used, with moto's state there."""
    # Copies, because a request from a new account or region adds to both.
    for account_id, regions in list(backends.items()):
        for region, backend in list(regions.items()):
            yield Place(account_id, region), backend
