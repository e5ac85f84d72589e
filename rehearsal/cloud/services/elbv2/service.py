"""The ELBv2 service: moto's records of Application Load Balancers, with proxies and health checks behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.elbv2.exceptions import DuplicateLoadBalancerName
from moto.elbv2.exceptions import ELBClientError as Refusal
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeLoadBalancer, FakeTargetGroup, elbv2_backends

from rehearsal.cloud.context import CloudContext
from rehearsal.cloud.places import visited
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.elbv2.balancers import Balancers
from rehearsal.cloud.services.elbv2.configuration import registered

_API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"
_GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"


class LoadBalancing(Service):
    """Application Load Balancers that are proxies."""

    name = "elbv2"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._balancers = Balancers(cloud)

    def start(self) -> None:
        """Begin to run what is declared."""
        self._balancers.start()

    def stop(self) -> None:
        """Stop every proxy."""
        self._balancers.close()

    def passes(self, group: str, address: str, port: int) -> bool:
        """Return whether the checks of a target of the group with this ARN pass."""
        return self._balancers.passes((group, address, port))

    def inventory(self) -> Sequence[str]:
        """Return load balancers, listeners, rules but the default ones, and target groups."""
        with self.cloud.turn("elbv2"):
            backends = [backend for _, backend in visited(elbv2_backends)]
            balancers = [balancer for backend in backends for balancer in backend.load_balancers.values()]
            groups = [group for backend in backends for group in backend.target_groups.values()]
            listeners = [listener for balancer in balancers for listener in balancer.listeners.values()]
            rules = [rule for listener in listeners for rule in listener._non_default_rules.values()]
            return [str(one.arn) for one in [*balancers, *listeners, *rules, *groups]]

    @correction("elbv2.load-balancer-is-a-proxy", f"{_API}API_LoadBalancer.html")
    def _run_load_balancers(self, patches: Patches) -> None:
        """A load balancer is `provisioning` until its proxy runs, and its DNS name is where that listens."""

        def create(backend: Any, name: str, *rest: Any, **options: Any) -> Any:
            if any(known.name == name for known in backend.load_balancers.values()):
                raise DuplicateLoadBalancerName()
            record = made_by_moto(backend, name, *rest, **options)
            if record.type == "application":
                self._balancers.add(record)
            return record

        def state(record: Any) -> dict[str, str]:
            reason = getattr(record, "state_reason", None)
            return {"Code": record.state, **({"Reason": reason} if reason else {})}

        made_by_moto = patches.replace(ELBv2Backend, "create_load_balancer", create)
        patches.replace(FakeLoadBalancer, "load_balancer_state", property(state))
        # Moto makes a load balancer active by being looked at.
        patches.replace(FakeLoadBalancer, "activate", lambda _: None)

    @correction("elbv2.target-health", f"{_GUIDE}target-group-health-checks.html#target-health-states")
    def _check_targets(self, patches: Patches) -> None:
        """A target's health is what its checks found, and a deregistered one drains before it is unused."""

        def describe(
            backend: Any, target_group_arn: str, targets: Sequence[Mapping[str, Any]]
        ) -> list[FakeHealthStatus]:
            described = described_by_moto(backend, target_group_arn, targets)
            if targets:
                return list(described)
            leaving = self._balancers.draining(target_group_arn)
            group = backend.target_groups[target_group_arn]
            return [*described, *(self._status(group, address, port) for _, address, port in leaving)]

        def health_for(group: Any, target: Mapping[str, Any], ec2: Any) -> FakeHealthStatus:
            key = (group.arn, str(target["Id"]), int(target.get("Port") or group.port))
            if self._balancers.health(key) is None and key not in registered(group):
                unused: FakeHealthStatus = judged_by_moto(group, target, ec2)
                return unused
            return self._status(group, key[1], key[2])

        def deregister(group: Any, targets: Sequence[Mapping[str, Any]]) -> None:
            before = registered(group)
            taken_out_by_moto(group, targets)
            self._balancers.deregister(group, [key for key in before if key not in registered(group)])

        taken_out_by_moto = patches.replace(FakeTargetGroup, "deregister", deregister)
        described_by_moto = patches.replace(ELBv2Backend, "describe_target_health", describe)
        judged_by_moto = patches.replace(FakeTargetGroup, "health_for", health_for)

    @correction("elbv2.deletion-protection", f"{_API}API_DeleteLoadBalancer.html")
    def _protect_load_balancers(self, patches: Patches) -> None:
        """A load balancer with deletion protection is not deleted, and a deleted one frees its certificates."""

        def delete(backend: Any, arn: str) -> None:
            record = backend.load_balancers.get(arn)
            if record is not None and record.attrs.get("deletion_protection.enabled") == "true":
                message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
                raise Refusal("OperationNotPermitted", message)
            deleted_by_moto(backend, arn)

        deleted_by_moto = patches.replace(ELBv2Backend, "delete_load_balancer", delete)

    def _status(self, group: Any, address: str, port: int) -> FakeHealthStatus:
        health = self._balancers.health((group.arn, address, port))
        check_port = str(port) if group.health_check_port in (None, "traffic-port") else str(group.health_check_port)
        if health is None:
            return FakeHealthStatus(
                address,
                str(port),
                check_port,
                "initial",
                "Elb.RegistrationInProgress",
                "Target registration is in progress",
            )
        return FakeHealthStatus(
            address, str(port), check_port, health.state, health.reason or None, health.description or None
        )
