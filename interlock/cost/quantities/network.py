"""What carries traffic: load balancers, gateways, endpoints, addresses."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from interlock.cost.plan import NotKnownError, Plan, Planned
from interlock.cost.quantities.charge import HOURS, Charge, Charges
from interlock.cost.usage import Usage

SUBNET: Final = "aws:ec2/subnet:Subnet"


def load_balancer(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """An application load balancer by hours and by the capacity it uses."""
    kind = resource.text("loadBalancerType", "application")
    if kind != "application":
        raise NotKnownError(f"no price is kept for load balancers of type {kind}")
    yield Charge("hours", "lb.hour", kind, HOURS)
    units = usage.load_balancer.capacity_units
    yield Charge("capacity units", "lb.capacity", kind, units * HOURS, ("load_balancer.capacity_units",))


def nat_gateway(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A NAT gateway by hours and by what passes through it."""
    yield Charge("hours", "nat.hour", "each", HOURS)
    yield Charge("traffic", "nat.traffic", "each", usage.traffic.processed_gib, ("traffic.processed_gib",))


def vpc_endpoint(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """An interface endpoint by its zones and by what passes through it; gateways to S3 and DynamoDB cost nothing."""
    kind = resource.text("vpcEndpointType", "Gateway")
    if kind == "Gateway":
        return
    if kind != "Interface":
        raise NotKnownError(f"no price is kept for endpoints of type {kind}")
    zones = resource.count("subnetIds", SUBNET)
    yield Charge(f"hours in {zones} zones", "endpoint.hour", "each", zones * HOURS)
    yield Charge("traffic", "endpoint.traffic", "each", usage.traffic.processed_gib, ("traffic.processed_gib",))


def public_address(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A public IPv4 address, used or not."""
    yield Charge("hours", "address.hour", "each", HOURS)


def hosted_zone(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A zone of Route 53, public or private."""
    yield Charge("zone", "route53.zone", "each", Decimal(1))
