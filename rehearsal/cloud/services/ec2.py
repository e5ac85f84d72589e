"""EC2: what a network is made of, with the descriptions that its rules were given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule

from rehearsal.cloud.service import Patches, Service, correction

_REFERENCE = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference"


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
    yield from (("vpc-endpoint", endpoint.id) for endpoint in here.vpc_end_points.values())
    yield from (("vpc-flow-log", log.id) for log in here.flow_logs.values())
