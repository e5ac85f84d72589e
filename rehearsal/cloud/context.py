"""What every service of the local cloud is given: where it lives, and what it may use of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rehearsal.cloud.authorization.tokens import Issuer

if TYPE_CHECKING:
    from rehearsal.cloud.addresses import Addresses
    from rehearsal.cloud.authorization.authorizer import Authorizer
    from rehearsal.cloud.certificates import CertificateAuthority
    from rehearsal.cloud.containers import Containers
    from rehearsal.cloud.network.fabric import Network
    from rehearsal.cloud.processes import Processes
    from rehearsal.cloud.service import Service

_Service = TypeVar("_Service", bound="Service")


@dataclass
class CloudContext:
    """One local cloud; `directory` is its own and goes with it.

    `account_id` and `region` are its home: what who names no place gets, and nothing else (`rehearsal.cloud.places`).
    `accounts` has the ids of the organization's accounts by what they are for, `regions` the regions in use from the
    start. `now` is the cloud's clock (UTC); `endpoint_url` is where all its services answer, known once the server
    listens.
    """

    directory: Path
    account_id: str
    region: str
    accounts: Mapping[str, str]
    regions: Sequence[str]
    now: Callable[[], datetime]
    processes: Processes
    addresses: Addresses
    containers: Containers
    authority: CertificateAuthority
    network: Network = field(init=False)
    authorizer: Authorizer = field(init=False)
    issuer: Issuer = field(default_factory=Issuer)
    """Stands for every identity provider whose tokens are taken here."""
    endpoint_url: str = ""
    turn: Callable[[str], AbstractContextManager[Any]] = field(default=lambda _: nullcontext())
    """The lock under which requests to a moto backend are served; a data plane's thread takes it to touch its state."""
    services: dict[type[Any], Any] = field(default_factory=dict)

    def service(self, kind: type[_Service]) -> _Service:
        """Return this cloud's instance of another service, for example CloudWatch to put a metric into."""
        instance = self.services[kind]
        assert isinstance(instance, kind)
        return instance

    def client_environment(self) -> Mapping[str, str]:
        """Return the environment variables with which any AWS client talks to this cloud, credentials left out."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
