"""What moto's EC2 records say of the places that connections go between; read in EC2's turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from moto.ec2.models import ec2_backends

from rehearsal.cloud.network.reachability import AclEntry, Route, Rule, Side, Subnet, Way
from rehearsal.cloud.places import Place


@dataclass(frozen=True)
class Interface:
    """One network interface; without `group_ids` it has its VPC's default group."""

    place: Place
    subnet_id: str
    group_ids: tuple[str, ...] = ()
    has_public_address: bool = False


def interfaces(
    place: Place,
    subnet_ids: Sequence[str],
    group_ids: Sequence[str] = (),
    *,
    has_public_address: bool = False,
) -> tuple[Interface, ...]:
    """Return an interface in each subnet."""
    groups = tuple(group_ids)
    return tuple(Interface(place, one, groups, has_public_address) for one in subnet_ids)


def default_subnet_ids(place: Place) -> list[str]:
    """Return the subnets of the default VPC."""
    backend = place.backend(ec2_backends)
    return [subnet.id for subnets in backend.subnets.values() for subnet in subnets.values() if subnet.default_for_az]


def side_of(interface: Interface, address: str) -> Side | None:
    """Return the end of a connection that an interface is, None if its subnet is gone."""
    backend = interface.place.backend(ec2_backends)
    found = next((zone[interface.subnet_id] for zone in backend.subnets.values() if interface.subnet_id in zone), None)
    if found is None:
        return None
    groups = _groups(backend, found.vpc_id, interface.group_ids)
    return Side(
        IPv4Address(address),
        _subnet(backend, found, interface),
        frozenset(group.id for group in groups),
        tuple(_rule(backend, rule) for group in groups for rule in group.ingress_rules),
        tuple(_rule(backend, rule) for group in groups for rule in group.egress_rules),
        interface.has_public_address,
    )


@lru_cache(4096)
def _block(text: str) -> IPv4Network:
    return IPv4Network(text, strict=False)


def _groups(backend: Any, vpc_id: str, group_ids: Sequence[str]) -> list[Any]:
    if not group_ids:
        default = backend.get_default_security_group(vpc_id)
        return [default] if default is not None else []
    found = [backend.get_security_group_from_id(one) for one in group_ids]
    return [group for group in found if group is not None]


def _rule(backend: Any, rule: Any) -> Rule:
    blocks: tuple[IPv4Network, ...] = ()
    if rule.cidr_ipv4:
        blocks = (_block(rule.cidr_ipv4),)
    elif rule.prefix_list_id:
        blocks = tuple(_listed(backend, rule.prefix_list_id))
    group_id = (rule.source_group or {}).get("GroupId") or None
    listed = str(rule.prefix_list_id) if rule.prefix_list_id else None
    return Rule(str(rule.ip_protocol), rule.from_port, rule.to_port, blocks, group_id, listed)


def _listed(backend: Any, prefix_list_id: str) -> Iterator[IPv4Network]:
    prefixes = backend.managed_prefix_lists.get(prefix_list_id)
    for entry in (prefixes.entries.get(prefixes.version) or []) if prefixes is not None else []:
        block = str(entry.get("Cidr") or "")
        if "." in block:
            yield _block(block)


def _subnet(backend: Any, subnet: Any, interface: Interface) -> Subnet:
    vpc = (interface.place.account_id, interface.place.region, str(subnet.vpc_id))
    acl = tuple(_acl(backend, subnet))
    return Subnet(vpc, _block(subnet.cidr_block), acl, tuple(_routes(backend, subnet)))


def _acl(backend: Any, subnet: Any) -> Iterator[AclEntry]:
    acls = list(backend.network_acls.values())
    chosen = next((acl for acl in acls if any(one.subnet_id == subnet.id for one in acl.associations)), None)
    for entry in chosen.entries if chosen is not None else []:
        if entry.cidr_block:
            first, last = entry.port_range_from, entry.port_range_to
            yield AclEntry(
                int(entry.rule_number),
                entry.rule_action == "allow",
                str(entry.egress).lower() == "true",
                str(entry.protocol),
                _block(entry.cidr_block),
                int(first) if first not in (None, "") else None,
                int(last) if last not in (None, "") else None,
            )


def route_table_of(backend: Any, subnet_id: str, vpc_id: str) -> Any | None:
    """Return the route table of a subnet: its own, else its VPC's main one."""
    tables = [table for table in backend.route_tables.values() if table.vpc_id == vpc_id]
    own = (table for table in tables if subnet_id in table._associations.values())
    return next(own, None) or next((table for table in tables if table.main_association_id), None)


def _routes(backend: Any, subnet: Any) -> Iterator[Route]:
    table = route_table_of(backend, subnet.id, subnet.vpc_id)
    for route in table.routes if table is not None else []:
        if route.local or not route.destination_cidr_block:
            continue
        block = _block(route.destination_cidr_block)
        if route.vpc_pcx is not None:
            if route.vpc_pcx.status["Code"] == "active":
                yield Route(block, Way.PEERING, str(route.vpc_pcx.id))
        elif route.nat_gateway is not None:
            yield Route(block, Way.NAT_GATEWAY, str(route.nat_gateway.id))
        elif str(getattr(route.gateway, "id", "")).startswith("igw-"):
            yield Route(block, Way.INTERNET_GATEWAY, str(route.gateway.id))
