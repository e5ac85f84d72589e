"""The way out to the internet, for a network that needs one: a NAT gateway a zone, and nothing that comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked


class InternetAccessArgs(TypedDict):
    vpc_id: pulumi.Input[str]
    public_subnets: Mapping[str, str]
    """By availability zone: the CIDR block of the subnet that its NAT gateway stands in."""
    route_table_ids: Mapping[str, pulumi.Input[str]]
    """By availability zone: the route table of the private subnet that gets the way out."""


class InternetAccess(pulumi.ComponentResource):
    """Routes from private subnets out through a NAT gateway in the same zone.

    Security groups admit nothing of it by themselves: what may go out needs a rule of its own.
    """

    nat_gateway_ids: pulumi.Output[list[str]]

    def __init__(self, name: str, args: InternetAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(InternetAccessArgs, f"InternetAccess {name}", args, _RULES)
        super().__init__("interlock:network:InternetAccess", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        gateway = aws.ec2.InternetGateway(f"{name}-gateway", vpc_id=args["vpc_id"], tags={"Name": name}, opts=inside)
        table = aws.ec2.RouteTable(f"{name}-routes", vpc_id=args["vpc_id"], tags={"Name": name}, opts=inside)
        aws.ec2.Route(
            f"{name}-to-internet",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=inside,
        )
        self.nat_gateway_ids = pulumi.Output.all(
            *(
                self._way_out(f"{name}-{zone}", args, zone, table, gateway)
                for zone in args["public_subnets"]
                if zone in args["route_table_ids"]
            )
        )
        self.register_outputs({"natGatewayIds": self.nat_gateway_ids})

    def _way_out(
        self,
        name: str,
        args: InternetAccessArgs,
        zone: str,
        table: aws.ec2.RouteTable,
        gateway: aws.ec2.InternetGateway,
    ) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        subnet = aws.ec2.Subnet(
            f"{name}-public",
            vpc_id=args["vpc_id"],
            availability_zone=zone,
            cidr_block=args["public_subnets"][zone],
            map_public_ip_on_launch=False,
            tags={"Name": f"{name}-public"},
            opts=inside,
        )
        aws.ec2.RouteTableAssociation(
            f"{name}-public-routes", subnet_id=subnet.id, route_table_id=table.id, opts=inside
        )
        address = aws.ec2.Eip(f"{name}-address", domain="vpc", tags={"Name": name}, opts=inside)
        nat = aws.ec2.NatGateway(
            f"{name}-nat",
            subnet_id=subnet.id,
            allocation_id=address.allocation_id,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[gateway]),
        )
        aws.ec2.Route(
            f"{name}-out",
            route_table_id=args["route_table_ids"][zone],
            destination_cidr_block="0.0.0.0/0",
            nat_gateway_id=nat.id,
            opts=inside,
        )
        return nat.id


_RULES: Final = {
    "vpc_id": validation.vpc_id,
    "public_subnets": validation.subnets(1),
    "route_table_ids": validation.any_of(validation.zone, validation.route_table_id),
}
