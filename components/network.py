"""The network: private subnets, endpoints for the services that are used, and no way to the internet unless asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.flow_logs import FlowLogs
from components.internet_access import InternetAccess
from components.service_endpoints import INTERFACE_SERVICES, ServiceEndpoints
from components.validation import ArgumentError, Problem, checked


class ExistingNetwork(TypedDict):
    """What there is already, and is used as it is; what is not named here is made in it."""

    vpc_id: pulumi.Input[str]
    private_subnet_ids: NotRequired[pulumi.Input[list[str]]]
    """At least two, in different zones; `subnets` are made unless given."""
    route_table_ids: NotRequired[pulumi.Input[list[str]]]
    """Of `private_subnet_ids`; needed when endpoints are made for them."""
    storage_prefix_list_id: NotRequired[pulumi.Input[str]]
    """Prefix list of the S3 gateway endpoint: the services' endpoints are all there. Made unless given."""


class NetworkArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    cidr_block: pulumi.Input[str]
    """Of the VPC, an existing one too."""
    subnets: NotRequired[Mapping[str, str]]
    """By availability zone: the CIDR block of its private subnet."""
    minimum_zone_count: NotRequired[int]
    """How many zones `subnets` has at least; 3 unless given."""
    internet_access: NotRequired[Mapping[str, str]]
    """By availability zone: the CIDR block of the public subnet with its NAT gateway; no way out unless given."""
    storage_account_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Ids of the accounts whose buckets can be reached; `account_id` alone unless given."""
    interface_services: NotRequired[Sequence[str]]
    """The services that get an interface endpoint; `INTERFACE_SERVICES` unless given."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete VPC and subnets; false unless given."""
    log_key_arn: NotRequired[pulumi.Input[str]]
    """Key that encrypts the flow logs; with an existing VPC, flow logs are made only if it is given."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""
    existing: NotRequired[ExistingNetwork]


class Network(pulumi.ComponentResource):
    """A VPC whose subnets reach each other and AWS's own services, and nothing else unless it is asked for."""

    vpc_id: pulumi.Output[str]
    cidr_block: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[list[str]]
    storage_prefix_list_id: pulumi.Output[str]
    """What a security group names to let traffic out to S3."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(NetworkArgs, f"Network {name}", args, _RULES)
        existing: Mapping[str, Any] = args.get("existing", {})
        problems = list(_contradictions(f"Network {name}", args, existing))
        if problems:
            raise ArgumentError(f"Network {name}", problems)
        super().__init__("interlock:network:Network", name, {}, opts)

        self.cidr_block = pulumi.Output.from_input(args["cidr_block"])
        self.vpc_id = pulumi.Output.from_input(existing["vpc_id"]) if existing else self._vpc(name, args)
        if "private_subnet_ids" in existing:
            self.private_subnet_ids = pulumi.Output.from_input(existing["private_subnet_ids"])
            tables = pulumi.Output.from_input(existing.get("route_table_ids", []))
        else:
            tables = self._subnets(name, args)
        if "storage_prefix_list_id" in existing:
            self.storage_prefix_list_id = pulumi.Output.from_input(existing["storage_prefix_list_id"])
        else:
            self.storage_prefix_list_id = self._endpoints(name, args, tables)
        if "log_key_arn" in args:
            self._flow_logs(name, args)
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "cidrBlock": self.cidr_block,
                "privateSubnetIds": self.private_subnet_ids,
                "storagePrefixListId": self.storage_prefix_list_id,
            }
        )

    def _vpc(self, name: str, args: NetworkArgs) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args["cidr_block"],
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=self._kept(args),
        )
        # Taken over to be emptied: AWS gives every VPC a group that lets its members talk to each other.
        aws.ec2.DefaultSecurityGroup(f"{name}-default-group", vpc_id=vpc.id, opts=inside)
        return vpc.id

    def _subnets(self, name: str, args: NetworkArgs) -> pulumi.Output[list[str]]:
        """Make the private subnets and return the ids of their route tables."""
        tables = self._route_tables(name, args)
        self.private_subnet_ids = pulumi.Output.all(
            *(self._subnet(f"{name}-private-{zone}", args, zone, tables[zone]) for zone, _ in _blocks(args))
        )
        if "internet_access" in args:
            InternetAccess(
                f"{name}-internet",
                {"vpc_id": self.vpc_id, "public_subnets": args["internet_access"], "route_table_ids": tables},
                pulumi.ResourceOptions(parent=self),
            )
        # One table may stand for several zones.
        return pulumi.Output.all(*tables.values()).apply(lambda ids: list(dict.fromkeys(ids)))

    def _route_tables(self, name: str, args: NetworkArgs) -> dict[str, pulumi.Output[str]]:
        """Return the private route table of each zone: one for all, or one each when zones have ways out of theirs."""
        zones = [zone for zone, _ in _blocks(args)]
        if "internet_access" not in args:
            table = self._route_table(f"{name}-routes", f"{name}-private")
            return dict.fromkeys(zones, table)
        return {zone: self._route_table(f"{name}-routes-{zone}", f"{name}-private-{zone}") for zone in zones}

    def _route_table(self, name: str, shown: str) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        return aws.ec2.RouteTable(name, vpc_id=self.vpc_id, tags={"Name": shown}, opts=inside).id

    def _kept(self, args: NetworkArgs) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, protect=args.get("protect", False))

    def _subnet(self, name: str, args: NetworkArgs, zone: str, table: pulumi.Output[str]) -> pulumi.Output[str]:
        subnet = aws.ec2.Subnet(
            name,
            vpc_id=self.vpc_id,
            availability_zone=zone,
            cidr_block=args["subnets"][zone],
            map_public_ip_on_launch=False,
            tags={"Name": name},
            opts=self._kept(args),
        )
        aws.ec2.RouteTableAssociation(
            f"{name}-routes", subnet_id=subnet.id, route_table_id=table, opts=pulumi.ResourceOptions(parent=self)
        )
        return subnet.id

    def _endpoints(self, name: str, args: NetworkArgs, tables: pulumi.Output[list[str]]) -> pulumi.Output[str]:
        endpoints = ServiceEndpoints(
            f"{name}-endpoints",
            {
                "account_id": args["account_id"],
                "region": args["region"],
                "vpc_id": self.vpc_id,
                "cidr_block": args["cidr_block"],
                "subnet_ids": self.private_subnet_ids,
                "route_table_ids": tables,
                "interface_services": args.get("interface_services", INTERFACE_SERVICES),
                "storage_account_ids": args.get("storage_account_ids", [args["account_id"]]),
            },
            pulumi.ResourceOptions(parent=self),
        )
        return endpoints.storage_prefix_list_id

    def _flow_logs(self, name: str, args: NetworkArgs) -> None:
        FlowLogs(
            f"{name}-flow",
            {
                "account_id": args["account_id"],
                "vpc_id": self.vpc_id,
                "key_arn": args["log_key_arn"],
                "retention_days": args.get("log_retention_days", 365),
                "protect": args.get("protect", False),
            },
            pulumi.ResourceOptions(parent=self),
        )


def _blocks(args: NetworkArgs) -> list[tuple[str, str]]:
    return list(args["subnets"].items())


def _contradictions(subject: str, args: NetworkArgs, existing: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is missing beside, or contradicts, what is given; each value is right by itself."""
    if not existing and "log_key_arn" not in args:
        yield Problem(f"{subject}.log_key_arn", "nothing", _RULES["log_key_arn"].accepted)
    if "private_subnet_ids" in existing:
        for name in ("subnets", "internet_access"):
            if name in args:
                yield Problem(f"{subject}.{name}", validation.shown(args.get(name)), "nothing, as there are subnets")
        if "storage_prefix_list_id" not in existing and "route_table_ids" not in existing:
            accepted = "the subnets' route tables, for the endpoints that are made, or storage_prefix_list_id"
            yield Problem(f"{subject}.existing.route_table_ids", "nothing", accepted)
        return
    subnets, minimum = args.get("subnets"), args.get("minimum_zone_count", 3)
    if subnets is None or len(subnets) < minimum:
        accepted = f"{minimum} or more availability zones, each with a private CIDR block of its own"
        yield Problem(f"{subject}.subnets", "nothing" if subnets is None else validation.shown(subnets), accepted)
    public = args.get("internet_access")
    if subnets is None or public is None:
        return
    if set(public) != set(subnets):
        accepted = f"one block for each of {', '.join(subnets)}"
        yield Problem(f"{subject}.internet_access", validation.shown(public), accepted)
    shared = validation.overlapping([*subnets.values(), *public.values()])
    if shared:
        accepted = f"blocks that overlap no other, unlike {shared[0][1]} and {shared[0][0]}"
        yield Problem(f"{subject}.internet_access", validation.shown(public), accepted)


_EXISTING_RULES: Final = {
    "vpc_id": validation.vpc_id,
    "private_subnet_ids": validation.some(validation.subnet_id, at_least=2),
    "route_table_ids": validation.some(validation.route_table_id),
    "storage_prefix_list_id": validation.prefix_list_id,
}
_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "cidr_block": validation.cidr_block,
    "subnets": validation.subnets(2),
    "minimum_zone_count": validation.integer(2, 6),
    "internet_access": validation.subnets(2),
    "storage_account_ids": validation.some(validation.account_id),
    "interface_services": validation.some(validation.service),
    "protect": validation.boolean,
    "log_key_arn": validation.key_arn,
    "log_retention_days": validation.log_retention_days,
    "existing": validation.section(ExistingNetwork, _EXISTING_RULES),
}
