"""Where a service's tasks stand in its load balancers: registered, drained, and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moto.ecs.exceptions import InvalidParameterException
from moto.elbv2.models import elbv2_backends

from rehearsal.cloud.places import Place
from rehearsal.cloud.services.elbv2 import LoadBalancing
from rehearsal.cloud.services.elbv2.configuration import groups_of

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

LoadBalancers = Sequence[Mapping[str, Any]]


class TargetRegistry:
    """Talks to the load balancers in the same process."""

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud

    def check(self, place: Place, load_balancers: LoadBalancers, definition: Any) -> None:
        """Refuse a service whose load balancers could not work. Raises InvalidParameterException."""
        with self._cloud.turn("elbv2"):
            backend = place.backend(elbv2_backends)
            for wanted in load_balancers:
                arn, name = wanted.get("targetGroupArn"), wanted.get("containerName")
                container = next((one for one in definition.container_definitions if one["name"] == name), None)
                if container is None:
                    raise InvalidParameterException(f"The container {name} does not exist in the task definition.")
                ports = {mapping.get("containerPort") for mapping in container.get("portMappings") or []}
                if wanted.get("containerPort") not in ports:
                    raise InvalidParameterException(
                        f"The container {name} did not have a container port {wanted.get('containerPort')} defined."
                    )
                group = backend.target_groups.get(arn)
                if group is None:
                    raise InvalidParameterException(f"The specified target group does not exist. {arn}")
                if group.target_type != "ip":
                    raise InvalidParameterException(
                        f"The provided target group {arn} has target type {group.target_type}, which is incompatible "
                        "with the awsvpc network mode specified in the task definition."
                    )
                if not any(arn in groups_of(balancer) for balancer in backend.load_balancers.values()):
                    raise InvalidParameterException(
                        f"The target group with targetGroupArn {arn} does not have an associated load balancer."
                    )

    def register(self, place: Place, load_balancers: LoadBalancers, address: str) -> None:
        """Register a task's address."""
        self._each(place, load_balancers, lambda group, port: group.register([{"Id": address, "Port": port}]))

    def deregister(self, place: Place, load_balancers: LoadBalancers, address: str) -> None:
        """Take a task's address out, so that it drains."""

        def take_out(group: Any, port: int) -> None:
            if address in group.targets:
                group.deregister([{"Id": address, "Port": port}])

        self._each(place, load_balancers, take_out)

    def states(self, place: Place, load_balancers: LoadBalancers, address: str) -> list[tuple[str, str, str]]:
        """Return for each target group its ARN and the address's state there and why; gone ones count as `unused`."""
        found: list[tuple[str, str, str]] = []

        def look(group: Any, port: int) -> None:
            health = group.health_for({"Id": address, "Port": port}, place.backend(elbv2_backends).ec2_backend)
            found.append((group.arn, str(health.status), health.description or ""))

        self._each(place, load_balancers, look)
        return found

    def passes(self, place: Place, load_balancers: LoadBalancers, address: str) -> bool:
        """Return whether the address passes the checks of every target group, however it is described yet."""
        elb, found = self._cloud.service(LoadBalancing), list[bool]()
        self._each(place, load_balancers, lambda group, port: found.append(elb.passes(group.arn, address, port)))
        return all(found)

    def _each(self, place: Place, load_balancers: LoadBalancers, act: Any) -> None:
        with self._cloud.turn("elbv2"):
            for wanted in load_balancers:
                group = place.backend(elbv2_backends).target_groups.get(wanted.get("targetGroupArn"))
                if group is not None:
                    act(group, int(wanted["containerPort"]))
