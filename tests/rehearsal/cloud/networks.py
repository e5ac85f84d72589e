"""What tests declare to be let in."""

from __future__ import annotations

import uuid
from typing import Any

from rehearsal.cloud.server import LocalCloud


def security_group(
    cloud: LocalCloud, *ingress: dict[str, Any], region: str | None = None, account: str | None = None
) -> str:
    """Make a security group with these permissions in a region's default VPC, and return its id."""
    ec2 = cloud.client("ec2", account=account, region_name=region or cloud.region)
    name = f"group-{uuid.uuid4().hex[:8]}"
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    group_id = str(ec2.create_security_group(GroupName=name, Description="of a test", VpcId=vpc)["GroupId"])
    if ingress:
        ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=list(ingress))
    return group_id


def from_block(block: str, port: int | None = None) -> dict[str, Any]:
    """Return the permission for a CIDR block, to one TCP port or to all that there is."""
    ranges = [{"CidrIp": block}]
    if port is None:
        return {"IpProtocol": "-1", "IpRanges": ranges}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}


def from_group(group_id: str, port: int) -> dict[str, Any]:
    """Return the permission for a group's members, to one TCP port."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": group_id}]}


def workstation_group(cloud: LocalCloud, region: str | None = None) -> str:
    """Make a security group that lets in whoever is on this machine, and return its id."""
    return security_group(cloud, from_block("127.0.0.1/32"), region=region)


def open_group(cloud: LocalCloud, region: str | None = None, account: str | None = None) -> str:
    """Make a security group that lets everybody in, and return its id."""
    return security_group(cloud, from_block("0.0.0.0/0"), region=region, account=account)


def internet_route(cloud: LocalCloud, **place: str) -> None:
    """Give the default VPC of a place the way to the internet that AWS makes it with, unless it has it."""
    ec2 = cloud.client("ec2", **place)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    if ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        return
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    main = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    table = ec2.describe_route_tables(Filters=main)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)


def default_subnet(cloud: LocalCloud, **place: str) -> Any:
    """Return a subnet of the default VPC of a place."""
    default = [{"Name": "default-for-az", "Values": ["true"]}]
    return cloud.client("ec2", **place).describe_subnets(Filters=default)["Subnets"][0]
