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
