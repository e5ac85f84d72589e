"""Application Auto Scaling: targets that exist, their tags, and policies that go with their target.

Policies are kept and read back; nothing scales by them here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeScalableTarget,
    applicationautoscaling_backends,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError
from moto.utilities.utils import get_partition

from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.sagemaker import SageMaker

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_REFERENCE = "https://docs.aws.amazon.com/autoscaling/application/APIReference"
Tags = dict[str, str]


class ApplicationAutoScaling(Service):
    """Scalable targets of any service; those of SageMaker have to exist."""

    name: ClassVar[str] = "application-autoscaling"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._tags: dict[str, Tags] = {}

    def inventory(self) -> Sequence[str]:
        """Return the ARNs of scalable targets and scaling policies."""
        found: list[str] = []
        for account_id, backend in applicationautoscaling_backends.items():
            for region in list(backend):
                here = applicationautoscaling_backends[account_id][region]
                found += [target.arn for target in _targets(here)]
                found += [policy.policy_arn for policy in here.policies.values()]
        return found

    @correction("application-autoscaling.targets", f"{_REFERENCE}/API_RegisterScalableTarget.html")
    def _targets_exist(self, patches: Patches) -> None:
        """A scalable target of SageMaker is a variant that exists, and has the service-linked role."""
        register: Any = None

        def register_scalable_target(response: ApplicationAutoScalingResponse) -> str:
            request = json.loads(response.body)
            self._check(response, request)
            backend = response.applicationautoscaling_backend
            known = request["ResourceId"] in backend.targets.get(request["ScalableDimension"], {})
            answer: str = register(response)
            target = backend.targets[request["ScalableDimension"]][request["ResourceId"]]
            if not target.role_arn and request["ServiceNamespace"] == "sagemaker":
                target.role_arn = _service_linked_role(response.current_account, response.region)
            # Tags given with an update are ignored: AWS takes them when a target is registered first.
            if not known:
                self._tags[target.arn] = dict(request.get("Tags") or {})
            return answer

        register = patches.replace(ApplicationAutoScalingResponse, "register_scalable_target", register_scalable_target)

    @correction("application-autoscaling.deregister", f"{_REFERENCE}/API_DeregisterScalableTarget.html")
    def _deregister(self, patches: Patches) -> None:
        """A target's policies go with it."""
        deregister: Any = None

        def deregister_scalable_target(
            backend: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str
        ) -> None:
            deregister(backend, namespace, r_id, dimension)
            for policy in list(backend.policies.values()):
                if policy.resource_id == r_id and policy.scalable_dimension == dimension:
                    backend.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)

        deregister = patches.replace(
            ApplicationAutoscalingBackend, "deregister_scalable_target", deregister_scalable_target
        )

    @correction("application-autoscaling.policies", f"{_REFERENCE}/API_PutScalingPolicy.html")
    def _policies_need_targets(self, patches: Patches) -> None:
        """A policy needs a registered target."""
        put: Any = None

        def put_scaling_policy(response: ApplicationAutoScalingResponse) -> str:
            request = json.loads(response.body)
            targets = response.applicationautoscaling_backend.targets.get(request["ScalableDimension"], {})
            if request["ResourceId"] not in targets:
                raise JsonRESTError(
                    "ObjectNotFoundException",
                    f"No scalable target registered for service namespace: {request['ServiceNamespace']}, resource ID: "
                    f"{request['ResourceId']}, scalable dimension: {request['ScalableDimension']}",
                )
            answer: str = put(response)
            return answer

        put = patches.replace(ApplicationAutoScalingResponse, "put_scaling_policy", put_scaling_policy)

    @correction("application-autoscaling.tags", f"{_REFERENCE}/API_ListTagsForResource.html")
    def _tagging(self, patches: Patches) -> None:
        """The tags of a target can be listed, set and taken away."""

        def list_tags_for_resource(response: ApplicationAutoScalingResponse) -> str:
            return json.dumps({"Tags": self._tags_of(response, json.loads(response.body)["ResourceARN"])})

        def tag_resource(response: ApplicationAutoScalingResponse) -> str:
            request = json.loads(response.body)
            self._tags_of(response, request["ResourceARN"]).update(request["Tags"])
            return "{}"

        def untag_resource(response: ApplicationAutoScalingResponse) -> str:
            request = json.loads(response.body)
            tags = self._tags_of(response, request["ResourceARN"])
            for key in request["TagKeys"]:
                tags.pop(key, None)
            return "{}"

        for operation in (list_tags_for_resource, tag_resource, untag_resource):
            patches.replace(ApplicationAutoScalingResponse, operation.__name__, operation)

    def _check(self, response: ApplicationAutoScalingResponse, request: dict[str, Any]) -> None:
        least, most = request.get("MinCapacity"), request.get("MaxCapacity")
        if least is not None and most is not None and least > most:
            raise AWSValidationException("Maximum capacity cannot be less than minimum capacity")
        if request["ServiceNamespace"] != "sagemaker":
            return
        parts = request["ResourceId"].split("/")
        endpoint = None
        if len(parts) == 4 and (parts[0], parts[2]) == ("endpoint", "variant"):
            endpoint = self.cloud.service(SageMaker).endpoint(response.current_account, response.region, parts[1])
        if endpoint is None or endpoint.variant(parts[3]) is None:
            raise AWSValidationException(f"SageMaker variant doesn't exist: {request['ResourceId']}")

    def _tags_of(self, response: ApplicationAutoScalingResponse, arn: str) -> Tags:
        if not any(target.arn == arn for target in _targets(response.applicationautoscaling_backend)):
            raise JsonRESTError("ResourceNotFoundException", f"No scalable target found for resource ARN: {arn}")
        return self._tags.setdefault(arn, {})


def _targets(backend: ApplicationAutoscalingBackend) -> Iterator[FakeScalableTarget]:
    for targets in list(backend.targets.values()):
        yield from list(targets.values())


def _service_linked_role(account_id: str, region: str) -> str:
    return (
        f"arn:{get_partition(region)}:iam::{account_id}:role/aws-service-role/"
        "sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    )
