"""Networks of the local cloud."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud

OTHER_ENDS = ["group", "prefix list", "range"]


@pytest.mark.corrects("ec2.rule-descriptions")
@pytest.mark.parametrize("other_end", OTHER_ENDS[:2])
def test_a_rule_keeps_its_description_whatever_its_other_end_is(cloud: LocalCloud, other_end: str) -> None:
    assert _described(cloud, other_end) == "why"


def test_a_rule_of_a_range_keeps_its_description(cloud: LocalCloud) -> None:
    assert _described(cloud, "range") == "why"


def test_a_network_counts_until_it_is_deleted_and_the_default_one_never(cloud: LocalCloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    assert any(arn.endswith(f"vpc/{vpc}") for arn in cloud.inventory()["ec2"])
    ec2.delete_vpc(VpcId=vpc)
    default = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    assert not [arn for arn in cloud.inventory()["ec2"] if arn.endswith((vpc, default))]


def _refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.corrects("ec2.endpoint-services")
def test_an_endpoint_is_for_a_service_that_exists(cloud: LocalCloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    for service in ("kms", "ecr.dkr", "sagemaker.runtime", "logs", "secretsmanager", "monitoring", "sts", "ssm"):
        name = f"com.amazonaws.{cloud.region}.{service}"
        ec2.create_vpc_endpoint(VpcId=vpc, VpcEndpointType="Interface", ServiceName=name)
    for name in (f"com.amazonaws.{cloud.region}.nonesuch", "com.amazonaws.us-east-1.kms"):
        assert _refusal(partial(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=name)) == "InvalidServiceName"


@pytest.mark.corrects("ec2.deleted-endpoints")
def test_a_deleted_endpoint_is_gone(cloud: LocalCloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    service = f"com.amazonaws.{cloud.region}.kms"
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, VpcEndpointType="Interface")["VpcEndpoint"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    assert made["VpcEndpointId"] not in [one["VpcEndpointId"] for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]]
    looked_up = partial(ec2.describe_vpc_endpoints, VpcEndpointIds=[made["VpcEndpointId"]])
    assert _refusal(looked_up) == "InvalidVpcEndpointId.NotFound"


@pytest.mark.corrects("ec2.in-use")
@pytest.mark.parametrize("what", ["subnet", "group of an endpoint", "group of a rule"])
def test_what_is_in_use_is_not_deleted(cloud: LocalCloud, what: str) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    lying, named, naming = (
        ec2.create_security_group(GroupName=f"group-{uuid.uuid4()}", Description="one", VpcId=vpc)["GroupId"]
        for _ in range(3)
    )
    service = f"com.amazonaws.{cloud.region}.kms"
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Interface", ServiceName=service, SubnetIds=[subnet], SecurityGroupIds=[lying]
    )["VpcEndpoint"]["VpcEndpointId"]
    rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": named}]}]
    ec2.authorize_security_group_ingress(GroupId=naming, IpPermissions=rule)

    delete = {
        "subnet": partial(ec2.delete_subnet, SubnetId=subnet),
        "group of an endpoint": partial(ec2.delete_security_group, GroupId=lying),
        "group of a rule": partial(ec2.delete_security_group, GroupId=named),
    }[what]
    assert _refusal(delete) == "DependencyViolation"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    ec2.revoke_security_group_ingress(GroupId=naming, IpPermissions=rule)
    delete()


def _described(cloud: LocalCloud, other_end: str) -> str | None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group, other = (
        ec2.create_security_group(GroupName=f"group-{uuid.uuid4()}", Description="one", VpcId=vpc)["GroupId"]
        for _ in range(2)
    )
    ends: dict[str, dict[str, Any]] = {
        "group": {"UserIdGroupPairs": [{"GroupId": other, "Description": "why"}]},
        "prefix list": {"PrefixListIds": [{"PrefixListId": "pl-6da54004", "Description": "why"}]},
        "range": {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "why"}]},
    }
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **ends[other_end]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    found: str | None = next(rule.get("Description") for rule in rules if not rule["IsEgress"])
    return found
