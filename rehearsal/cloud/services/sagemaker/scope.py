"""Where a request acts: one account's SageMaker in one region, and how AWS names and refuses things there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.utilities.utils import get_partition

if TYPE_CHECKING:
    from rehearsal.cloud.services.sagemaker.configurations import ConfigurationRecord
    from rehearsal.cloud.services.sagemaker.endpoints import Endpoint
    from rehearsal.cloud.services.sagemaker.models import ModelRecord

Kind = Literal["model", "endpoint-config", "endpoint"]
Request = dict[str, Any]
Answer = dict[str, Any]
_Record = TypeVar("_Record")

_WORDS: dict[Kind, str] = {"model": "model", "endpoint-config": "endpoint configuration", "endpoint": "endpoint"}


@dataclass(frozen=True)
class Scope:
    """One account in one region. Records lie in moto's own dictionaries, where its tagging finds them too."""

    account_id: str
    region: str
    now: Callable[[], datetime]

    @property
    def models(self) -> dict[str, ModelRecord]:
        """Models by name."""
        models: dict[str, ModelRecord] = self._backend._models
        return models

    @property
    def configurations(self) -> dict[str, ConfigurationRecord]:
        """Endpoint configurations by name."""
        configurations: dict[str, ConfigurationRecord] = self._backend.endpoint_configs
        return configurations

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by name."""
        endpoints: dict[str, Endpoint] = self._backend.endpoints
        return endpoints

    def arn(self, kind: Kind, name: str) -> str:
        """Return the ARN that a thing of that name has here."""
        return f"arn:{get_partition(self.region)}:sagemaker:{self.region}:{self.account_id}:{kind}/{name}"

    def model(self, name: str) -> ModelRecord:
        """Return a model. Raises AWS's ValidationException if there is none."""
        return self._found(self.models, "model", name)

    def configuration(self, name: str) -> ConfigurationRecord:
        """Return an endpoint configuration. Raises AWS's ValidationException if there is none."""
        return self._found(self.configurations, "endpoint-config", name)

    def endpoint(self, name: str) -> Endpoint:
        """Return an endpoint. Raises AWS's ValidationException if there is none."""
        return self._found(self.endpoints, "endpoint", name)

    def refuse_existing(self, kind: Kind, name: str) -> None:
        """Raise AWS's ValidationException if the name is taken."""
        taken: dict[Kind, dict[str, Any]] = {
            "model": self.models,
            "endpoint-config": self.configurations,
            "endpoint": self.endpoints,
        }
        if name in taken[kind]:
            raise refusal(f'Cannot create already existing {_WORDS[kind]} "{self.arn(kind, name)}".')

    @property
    def _backend(self) -> SageMakerModelBackend:
        return sagemaker_backends[self.account_id][self.region]

    def _found(self, records: dict[str, _Record], kind: Kind, name: str) -> _Record:
        if name not in records:
            raise refusal(f'Could not find {_WORDS[kind]} "{self.arn(kind, name)}".')
        return records[name]


def refusal(message: str) -> AWSValidationException:
    """Return the error with which SageMaker refuses nearly everything."""
    return AWSValidationException(message)


def unsupported(what: str, instead: str) -> AWSValidationException:
    """Return the refusal of something that AWS would accept and this cloud does not provide."""
    return refusal(f"The local cloud does not provide {what}: {instead}.")
