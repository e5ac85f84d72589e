"""Whether a TCP connection comes about between two places of a network. Pure.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html,
https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html and
https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

EVERYWHERE = IPv4Network("0.0.0.0/0")
# The ends of the range from which Linux takes a client's port: what a network ACL has to let back in.
_CLIENT_PORTS = (32768, 60999)


@dataclass(frozen=True)
class Rule:
    """One rule of a security group: `blocks` of the other side, or its membership in group `group_id`.

    `protocol` is `tcp`, `udp`, `icmp` or `-1` for all of them; ports are inclusive, and None where all are meant.
    """

    protocol: str
    first_port: int | None
    last_port: int | None
    blocks: tuple[IPv4Network, ...] = ()
    group_id: str | None = None
    prefix_list_id: str | None = None


@dataclass(frozen=True)
class AclEntry:
    """One entry of a network ACL; the one with the lowest number that matches decides. `protocol` `6` is TCP."""

    number: int
    allows: bool
    egress: bool
    protocol: str
    block: IPv4Network
    first_port: int | None = None
    last_port: int | None = None


class Way(StrEnum):
    """Where a route leads."""

    INTERNET_GATEWAY = "internet gateway"
    NAT_GATEWAY = "NAT gateway"
    PEERING = "peering connection"


@dataclass(frozen=True)
class Route:
    """One route of a subnet, the local one left out; `via` is the id of what it leads through."""

    block: IPv4Network
    way: Way
    via: str


@dataclass(frozen=True)
class Subnet:
    """One subnet and what its traffic meets; `vpc` says which VPC of which account and region it belongs to."""

    vpc: tuple[str, str, str]
    block: IPv4Network
    acl: tuple[AclEntry, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Side:
    """One end of a connection. Without a `subnet` it lies outside of every VPC; without groups none restrains it.

    `address` is where its process is here; by the CIDR block of a rule it is met as any address of its subnet too.
    """

    address: IPv4Address
    subnet: Subnet | None = None
    group_ids: frozenset[str] | None = None
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    has_public_address: bool = False

    def lies_in(self, block: IPv4Network) -> bool:
        """Return whether a block holds this side, wherever in its subnet it might be."""
        return self.address in block or (self.subnet is not None and self.subnet.block.subnet_of(block))

    def touches(self, block: IPv4Network) -> bool:
        """Return whether a block holds this side or might."""
        return self.address in block or (self.subnet is not None and self.subnet.block.overlaps(block))


WORKSTATION = Side(IPv4Address("127.0.0.1"))
"""A process of this machine that belongs to nothing in the cloud, as if a private line joined it to every VPC."""
INTERNET = Side(IPv4Address("203.0.113.1"))
"""Somebody on the internet, by an address that is kept for documentation: only rules for everybody hold it."""


def obstacle(source: Side, target: Side, port: int) -> str | None:
    """Return why `source` cannot connect to TCP `port` of `target`, None if it can."""
    seen_as = source
    if source.subnet is not None and target.subnet is not None and not _is_linked(source.subnet, target.subnet):
        if not (target.has_public_address and reaches_internet(source)):
            return "no route leads there"
        seen_as = INTERNET
    if seen_as is INTERNET and target.subnet is not None and not target.has_public_address:
        return "the target has no public address"
    if not lets_out(source, target, port):
        return f"no egress rule of {_names(source)} allows it"
    if target.group_ids is not None and not _is_allowed(target.ingress, seen_as, port):
        return f"no ingress rule of {_names(target)} allows it"
    return _acl_obstacle(seen_as, target, port)


def lets_out(source: Side, target: Side, port: int, prefix_list_id: str | None = None) -> bool:
    """Return whether the source's own groups let it connect to a port of a target that may be in a prefix list."""
    listed = [
        rule
        for rule in source.egress
        if prefix_list_id is not None
        and rule.prefix_list_id == prefix_list_id
        and rule.protocol in {"tcp", "-1"}
        and _holds_port(rule.first_port, rule.last_port, port)
    ]
    return source.group_ids is None or bool(listed) or _is_allowed(source.egress, target, port)


def reaches_internet(side: Side) -> bool:
    """Return whether a default route leads out: through a NAT gateway, or an internet gateway from a public address."""
    ways = {route.way for route in side.subnet.routes if route.block == EVERYWHERE} if side.subnet else set()
    return Way.NAT_GATEWAY in ways or (Way.INTERNET_GATEWAY in ways and side.has_public_address)


def _is_linked(source: Subnet, target: Subnet) -> bool:
    if source.vpc == target.vpc:
        return True
    there = {route.via for route in source.routes if route.way is Way.PEERING and target.block.subnet_of(route.block)}
    back = {route.via for route in target.routes if route.way is Way.PEERING and source.block.subnet_of(route.block)}
    return bool(there & back)


def _is_allowed(rules: Iterable[Rule], other: Side, port: int) -> bool:
    return any(
        rule.protocol in {"tcp", "-1"}
        and _holds_port(rule.first_port, rule.last_port, port)
        and (rule.group_id in (other.group_ids or ()) or any(other.lies_in(block) for block in rule.blocks))
        for rule in rules
    )


def _acl_obstacle(source: Side, target: Side, port: int) -> str | None:
    if source.subnet is target.subnet or source.subnet == target.subnet:
        return None
    for side, other, egress, ports in (
        (source, target, True, (port,)),
        (target, source, False, (port,)),
        (target, source, True, _CLIENT_PORTS),
        (source, target, False, _CLIENT_PORTS),
    ):
        if side.subnet is not None and not all(_acl_allows(side.subnet.acl, other, egress, one) for one in ports):
            direction = "outbound" if egress else "inbound"
            return f"the network ACL of {side.subnet.block} stops {direction} traffic"
    return None


def _acl_allows(entries: Sequence[AclEntry], other: Side, egress: bool, port: int) -> bool:
    for entry in sorted(entries, key=lambda one: one.number):
        if entry.egress is not egress or entry.protocol not in {"-1", "6"}:
            continue
        if entry.protocol == "6" and not _holds_port(entry.first_port, entry.last_port, port):
            continue
        # What is denied to a part of the other's subnet might be denied to the other.
        if other.lies_in(entry.block) if entry.allows else other.touches(entry.block):
            return entry.allows
    return False


def _holds_port(first: int | None, last: int | None, port: int) -> bool:
    return first is None or last is None or first == -1 or first <= port <= last


def _names(side: Side) -> str:
    return ", ".join(sorted(side.group_ids or ())) or "no security group"
