"""EC2: what a network is made of, with the descriptions that its rules were given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, ClassVar

import botocore.session
from moto.ec2.exceptions import DependencyViolationError, InvalidServiceName
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.models.vpcs import VPCEndPoint

from rehearsal.cloud.service import Patches, Service, correction

_REFERENCE = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference"
_SEVERAL_ENDPOINTS = {
    "ecr.api",
    "ecr.dkr",
    "ecs-agent",
    "ecs-telemetry",
    "ec2messages",
    "git-codecommit",
    "s3-global.accesspoint",
    "s3express",
    "sagemaker.api",
    "sagemaker.runtime",
    "ssmmessages",
    "elasticmapreduce",
    "execute-api",
    "notebook",
    "studio",
}

Given = dict[str, str] | None


class ElasticComputeCloud(Service):
    """Networks; instances do not run here."""

    name: ClassVar[str] = "ec2"

    def inventory(self) -> Sequence[str]:
        """Return the ARNs of networks and their parts; what every account has by default does not count."""
        found: list[str] = []
        for account_id, backends in ec2_backends.items():
            for region in list(backends):
                here = ec2_backends[account_id][region]
                found += [f"arn:aws:ec2:{region}:{account_id}:{kind}/{name}" for kind, name in _made(here)]
        return found

    @correction("ec2.rule-descriptions", f"{_REFERENCE}/API_SecurityGroupRule.html")
    def _keep_rule_descriptions(self, patches: Patches) -> None:
        """A rule keeps its description, whatever its other side is."""
        made: Any = None

        def initialise(
            rule: SecurityGroupRule,
            ec2_backend: EC2Backend,
            ip_protocol: str,
            group_id: str,
            from_port: str | None,
            to_port: str | None,
            ip_range: Given,
            source_group: Given = None,
            prefix_list_id: Given = None,
            **others: Any,
        ) -> None:
            ends = (ip_range, source_group, prefix_list_id)
            made(rule, ec2_backend, ip_protocol, group_id, from_port, to_port, *ends, **others)
            vars(rule)["ends"] = [end for end in (rule.ip_range, source_group, prefix_list_id) if end is not None]

        def description(rule: SecurityGroupRule) -> str | None:
            # The range first: a later change of the description is noted there, whatever the other end is.
            return next((end["Description"] for end in vars(rule)["ends"] if end.get("Description")), None)

        made = patches.replace(SecurityGroupRule, "__init__", initialise)
        patches.replace(SecurityGroupRule, "description", property(description))

    @correction("ec2.endpoint-services", f"{_REFERENCE}/API_CreateVpcEndpoint.html")
    def refuse_unknown_services(self, patches: Patches) -> None:
        """An endpoint is for a service that there is in the region."""
        original = patches.replace(EC2Backend, "create_vpc_endpoint", None)

        def create(backend: EC2Backend, vpc_id: str, service_name: str, *arguments: Any, **named: Any) -> VPCEndPoint:
            prefix = f"com.amazonaws.{backend.region_name}."
            own = {configuration.service_name for configuration in backend.configurations.values()}
            if service_name not in own and service_name.removeprefix(prefix) not in endpoint_services():
                raise InvalidServiceName(service_name)
            return original(backend, vpc_id, service_name, *arguments, **named)

        patches.replace(EC2Backend, "create_vpc_endpoint", create)

    @correction("ec2.in-use", f"{_REFERENCE}/errors-overview.html")
    def keep_what_is_in_use(self, patches: Patches) -> None:
        """A subnet or a group that an endpoint lies in, or a group that another's rule names, is not deleted."""
        delete_subnet = patches.replace(EC2Backend, "delete_subnet", None)
        delete_group = patches.replace(EC2Backend, "_delete_security_group", None)

        def subnet(backend: EC2Backend, subnet_id: str) -> Any:
            if any(subnet_id in (endpoint.subnet_ids or []) for endpoint in _endpoints(backend)):
                raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
            return delete_subnet(backend, subnet_id)

        def group(backend: EC2Backend, vpc_id: str | None, group_id: str) -> Any:
            if _is_group_in_use(backend, group_id):
                raise DependencyViolationError(f"resource {group_id} has a dependent object")
            return delete_group(backend, vpc_id, group_id)

        patches.replace(EC2Backend, "delete_subnet", subnet)
        patches.replace(EC2Backend, "_delete_security_group", group)

    @correction("ec2.deleted-endpoints", f"{_REFERENCE}/API_DeleteVpcEndpoints.html")
    def forget_deleted_endpoints(self, patches: Patches) -> None:
        """An endpoint that is deleted is no longer listed."""
        original = patches.replace(EC2Backend, "delete_vpc_endpoints", None)

        def delete(backend: EC2Backend, vpce_ids: list[str] | None = None) -> None:
            original(backend, vpce_ids)
            for name in vpce_ids or []:
                backend.vpc_end_points.pop(name, None)

        patches.replace(EC2Backend, "delete_vpc_endpoints", delete)


@cache
def endpoint_services() -> frozenset[str]:
    """Return the services of AWS that a VPC endpoint can lead to, each as it stands after the region in the name.

    Those are the services of AWS's SDK by name or host, and some that have several endpoints.
    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
    """
    session = botocore.session.get_session()
    hosts = {host for partition in session.get_data("endpoints")["partitions"] for host in partition["services"]}
    return frozenset({*session.get_available_services(), *hosts, *_SEVERAL_ENDPOINTS})


def _endpoints(backend: EC2Backend) -> Iterator[VPCEndPoint]:
    return (endpoint for endpoint in list(backend.vpc_end_points.values()) if endpoint.state != "deleted")


def _is_group_in_use(backend: EC2Backend, group_id: str) -> bool:
    if any(group_id in (endpoint.security_group_ids or []) for endpoint in _endpoints(backend)):
        return True
    others = (group for groups in backend.groups.values() for group in groups.values() if group.id != group_id)
    rules = (rule for group in others for rule in [*group.ingress_rules, *group.egress_rules])
    return any((rule.source_group or {}).get("GroupId") == group_id for rule in rules)


def _made(here: EC2Backend) -> Iterator[tuple[str, str]]:
    default = {vpc.id for vpc in here.vpcs.values() if vpc.is_default}
    yield from (("vpc", vpc.id) for vpc in here.vpcs.values() if vpc.id not in default)
    for subnets in here.subnets.values():
        yield from (("subnet", subnet.id) for subnet in subnets.values() if subnet.vpc_id not in default)
    for groups in here.groups.values():
        yield from (("security-group", group.id) for group in groups.values() if group.name != "default")
    yield from (
        ("route-table", table.id)
        for table in here.route_tables.values()
        if table.vpc_id not in default and not table.main_association_id
    )
    yield from (("vpc-endpoint", endpoint.id) for endpoint in _endpoints(here))
    yield from (("vpc-flow-log", log.id) for log in here.flow_logs.values())
    yield from (("internet-gateway", gateway.id) for gateway in here.internet_gateways.values())
    yield from (("natgateway", gateway.id) for gateway in here.nat_gateways.values() if gateway.state != "deleted")
    yield from (("elastic-ip", address.allocation_id) for address in here.addresses if address.allocation_id)
    yield from (("vpc-peering-connection", peering.id) for peering in here.vpc_pcxs.values())
    yield from (("volume", volume.id) for volume in here.volumes.values())
    yield from (("launch-template", template.id) for template in here.launch_templates.values())
    yield from (("key-pair", pair.id) for pair in here.key_pairs.values())
    for reservation in here.reservations.values():
        instances = (instance for instance in reservation.instances if instance.state != "terminated")
        yield from (("instance", instance.id) for instance in instances)
