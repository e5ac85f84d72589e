"""The network: what it is made of, what it takes over, and how it gets out."""

from __future__ import annotations

from typing import Any

import pytest

from components.validation import ArgumentError
from policy.recording.monitor import Recording, record
from tests.components.programs import KEY, SUBNETS, make

ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
PUBLIC = {zone: f"10.20.{48 + number}.0/24" for number, zone in enumerate(ZONES)}
EXISTING_SUBNETS = {"vpc_id": "vpc-0123456789abcdef9", "private_subnet_ids": SUBNETS}


def recorded(preview: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        make("Network", **changed)

    return record(program, preview=preview)


def refused(**changed: Any) -> dict[str, str]:
    with pytest.raises(ArgumentError) as caught:
        recorded(preview=True, **changed)
    return {problem.path.removeprefix("Network one."): problem.accepted for problem in caught.value.problems}


def made(recording: Recording) -> set[str]:
    return {one.type.rpartition(":")[2] for one in recording.resources if one.custom and one.name != "one-late"}


def test_two_zones_are_too_few_unless_two_are_allowed() -> None:
    two = {"eu-west-1a": "10.20.0.0/20", "eu-west-1b": "10.20.16.0/20"}
    assert refused(subnets=two) == {
        "subnets": "3 or more availability zones, each with a private CIDR block of its own"
    }
    assert len(recorded(subnets=two, minimum_zone_count=2).of_type("aws:ec2/subnet:Subnet")) == 2


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_a_way_out_is_a_gateway_a_zone_and_no_private_subnet_shares_another_zones(preview: bool) -> None:
    recording = recorded(preview, internet_access=PUBLIC)

    nats = recording.of_type("aws:ec2/natGateway:NatGateway")
    assert [one.name for one in nats] == [f"one-internet-{zone}-nat" for zone in ZONES]
    routes = {one.name: one for one in recording.of_type("aws:ec2/route:Route")}
    for zone in ZONES:
        out = routes[f"one-internet-{zone}-out"]
        assert out.inputs["destinationCidrBlock"] == "0.0.0.0/0"
        assert out.property_dependencies["natGatewayId"] == [
            nat.urn for nat in nats if nat.name == f"one-internet-{zone}-nat"
        ]
        association = recording.one("aws:ec2/routeTableAssociation:RouteTableAssociation", f"one-private-{zone}-routes")
        assert association.property_dependencies["routeTableId"] == out.property_dependencies["routeTableId"]
    assert not any(one.inputs["mapPublicIpOnLaunch"] for one in recording.of_type("aws:ec2/subnet:Subnet"))


def test_the_private_subnets_alone_are_handed_out() -> None:
    recording = recorded(internet_access=PUBLIC)
    assert len(recording.of_type("aws:ec2/subnet:Subnet")) == 6
    assert len(recording.outputs_of("interlock:network:Network")["privateSubnetIds"]) == 3


def test_public_subnets_are_in_the_same_zones_and_overlap_no_private_one() -> None:
    without = {zone: block for zone, block in PUBLIC.items() if zone != "eu-west-1c"}
    assert refused(internet_access=without) == {
        "internet_access": "one block for each of eu-west-1a, eu-west-1b, eu-west-1c"
    }
    overlapping = {**PUBLIC, "eu-west-1a": "10.20.0.0/24"}
    assert refused(internet_access=overlapping) == {
        "internet_access": "blocks that overlap no other, unlike 10.20.0.0/24 and 10.20.0.0/20"
    }


def test_subnets_are_made_in_a_vpc_that_there_is_already() -> None:
    recording = recorded(existing={"vpc_id": "vpc-0123456789abcdef9"}, log_key_arn=...)
    assert {"Subnet", "VpcEndpoint"} <= made(recording)
    assert made(recording).isdisjoint({"Vpc", "FlowLog", "DefaultSecurityGroup"})
    assert {one.inputs["vpcId"] for one in recording.of_type("aws:ec2/subnet:Subnet")} == {"vpc-0123456789abcdef9"}


def test_endpoints_are_made_for_subnets_that_there_are_already() -> None:
    existing = {**EXISTING_SUBNETS, "route_table_ids": ["rtb-0123456789abcdef0"]}
    recording = recorded(existing=existing, subnets=..., log_key_arn=...)
    assert "Subnet" not in made(recording)
    gateway = recording.one("aws:ec2/vpcEndpoint:VpcEndpoint", "one-endpoints-s3")
    assert gateway.inputs["routeTableIds"] == ["rtb-0123456789abcdef0"]
    assert recording.one("aws:ec2/vpcEndpoint:VpcEndpoint", "one-endpoints-kms").inputs["subnetIds"] == SUBNETS


def test_an_existing_vpc_is_logged_when_a_key_for_the_logs_is_given() -> None:
    existing = {**EXISTING_SUBNETS, "storage_prefix_list_id": "pl-6da54004"}
    recording = recorded(existing=existing, subnets=..., log_key_arn=KEY)
    assert made(recording) == {"LogGroup", "Role", "RolePolicy", "FlowLog"}


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"log_key_arn": ...}, "log_key_arn"),
        ({"subnets": ...}, "subnets"),
        ({"existing": EXISTING_SUBNETS, "subnets": ...}, "existing.route_table_ids"),
        ({"existing": {**EXISTING_SUBNETS, "storage_prefix_list_id": "pl-6da54004"}}, "subnets"),
        ({"existing": {"vpc_id": "vpc-zz"}}, "existing.vpc_id"),
        ({"existing": {"private_subnet_ids": SUBNETS}}, "existing.vpc_id"),
    ],
)
def test_parts_that_are_missing_or_contradict_each_other_are_named(changed: dict[str, Any], path: str) -> None:
    assert path in refused(**changed)


def test_only_the_services_that_are_asked_for_get_an_endpoint() -> None:
    recording = recorded(interface_services=["kms", "logs"])
    names = {one.inputs["serviceName"] for one in recording.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")}
    assert names == {f"com.amazonaws.eu-west-1.{service}" for service in ("s3", "kms", "logs")}


@pytest.mark.parametrize("protect", [True, False])
def test_vpc_subnets_and_the_record_of_connections_are_protected_and_what_may_change_is_not(protect: bool) -> None:
    recording = recorded(protect=protect)
    protected = {one.type.rpartition(":")[2] for one in recording.resources if one.protected}
    assert protected == ({"Vpc", "Subnet", "LogGroup"} if protect else set())
