"""The network: private subnets without any way to the internet, and endpoints for the services that are used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.flow_logs import FlowLogs
from components.service_endpoints import ServiceEndpoints
from components.validation import checked


class ExistingNetwork(TypedDict):
    """A network that there is already: it is used as it is, and nothing is added to it."""

    vpc_id: pulumi.Input[str]
    private_subnet_ids: pulumi.Input[list[str]]
    """At least two, in different zones, from where the services' endpoints can be reached."""
    storage_prefix_list_id: pulumi.Input[str]
    """Prefix list of the S3 gateway endpoint."""


class NetworkArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    cidr_block: pulumi.Input[str]
    subnets: NotRequired[Mapping[str, str]]
    """By availability zone: the CIDR block of its private subnet; at least two zones."""
    log_key_arn: NotRequired[pulumi.Input[str]]
    """Key that encrypts the flow logs."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""
    existing: NotRequired[ExistingNetwork]
    """In place of `subnets` and `log_key_arn`."""


class Network(pulumi.ComponentResource):
    """A VPC whose subnets reach each other and AWS's own services, and nothing else."""

    vpc_id: pulumi.Output[str]
    cidr_block: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[list[str]]
    storage_prefix_list_id: pulumi.Output[str]
    """What a security group names to let traffic out to S3."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(NetworkArgs, f"Network {name}", args, _RULES)
        existing = args.get("existing")
        if existing is None:
            _need(name, args)
        else:
            existing = checked(ExistingNetwork, f"Network {name}.existing", existing, _EXISTING_RULES)
        super().__init__("interlock:network:Network", name, {}, opts)

        self.cidr_block = pulumi.Output.from_input(args["cidr_block"])
        if existing is None:
            self._create(name, args)
        else:
            self.vpc_id = pulumi.Output.from_input(existing["vpc_id"])
            self.private_subnet_ids = pulumi.Output.from_input(existing["private_subnet_ids"])
            self.storage_prefix_list_id = pulumi.Output.from_input(existing["storage_prefix_list_id"])
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "cidrBlock": self.cidr_block,
                "privateSubnetIds": self.private_subnet_ids,
                "storagePrefixListId": self.storage_prefix_list_id,
            }
        )

    def _create(self, name: str, args: NetworkArgs) -> None:
        inside = pulumi.ResourceOptions(parent=self)
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args["cidr_block"],
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=inside,
        )
        # Taken over to be emptied: AWS gives every VPC a group that lets its members talk to each other.
        aws.ec2.DefaultSecurityGroup(f"{name}-default-group", vpc_id=vpc.id, opts=inside)
        table = aws.ec2.RouteTable(f"{name}-routes", vpc_id=vpc.id, tags={"Name": f"{name}-private"}, opts=inside)
        subnets = []
        for zone, cidr_block in args["subnets"].items():
            subnet = aws.ec2.Subnet(
                f"{name}-private-{zone}",
                vpc_id=vpc.id,
                availability_zone=zone,
                cidr_block=cidr_block,
                map_public_ip_on_launch=False,
                tags={"Name": f"{name}-private-{zone}"},
                opts=inside,
            )
            aws.ec2.RouteTableAssociation(
                f"{name}-private-{zone}-routes", subnet_id=subnet.id, route_table_id=table.id, opts=inside
            )
            subnets.append(subnet.id)
        self.vpc_id = vpc.id
        self.private_subnet_ids = pulumi.Output.all(*subnets)
        endpoints = ServiceEndpoints(
            f"{name}-endpoints",
            {
                "account_id": args["account_id"],
                "region": args["region"],
                "vpc_id": vpc.id,
                "cidr_block": args["cidr_block"],
                "subnet_ids": self.private_subnet_ids,
                "route_table_ids": pulumi.Output.all(table.id),
            },
            inside,
        )
        self.storage_prefix_list_id = endpoints.storage_prefix_list_id
        FlowLogs(
            f"{name}-flow",
            {
                "account_id": args["account_id"],
                "vpc_id": vpc.id,
                "key_arn": args["log_key_arn"],
                "retention_days": args.get("log_retention_days", 365),
            },
            inside,
        )


def _need(name: str, args: NetworkArgs) -> None:
    missing = [key for key in ("subnets", "log_key_arn") if key not in args]
    if missing:
        raise validation.ArgumentError(
            f"Network {name}",
            [validation.Problem(f"Network {name}.{key}", "nothing", _RULES[key].accepted) for key in missing],
        )


_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "cidr_block": validation.cidr_block,
    "subnets": validation.Rule(
        "two or more availability zones, each with a private CIDR block of its own",
        lambda value: (
            isinstance(value, Mapping)
            and len(value) >= 2
            and all(validation.zone.holds(zone) and validation.cidr_block.holds(block) for zone, block in value.items())
            and not validation.overlapping(list(value.values()))
        ),
    ),
    "log_key_arn": validation.key_arn,
    "log_retention_days": validation.log_retention_days,
}
_EXISTING_RULES: Final = {
    "vpc_id": validation.vpc_id,
    "private_subnet_ids": validation.some(validation.subnet_id, at_least=2),
    "storage_prefix_list_id": validation.prefix_list_id,
}
