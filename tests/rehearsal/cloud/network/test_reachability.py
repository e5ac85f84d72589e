from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.network.reachability import (
    INTERNET,
    WORKSTATION,
    AclEntry,
    Route,
    Rule,
    Side,
    Subnet,
    Way,
    obstacle,
)

PORT = 5432
ALL = Rule("-1", None, None, (IPv4Network("0.0.0.0/0"),))
OPEN_ACL = tuple(AclEntry(100, True, egress, "-1", IPv4Network("0.0.0.0/0")) for egress in (True, False))


def subnet(
    block: str, vpc: str = "vpc-1", routes: tuple[Route, ...] = (), acl: tuple[AclEntry, ...] = OPEN_ACL
) -> Subnet:
    return Subnet(("111122223333", "eu-west-1", vpc), IPv4Network(block), acl, routes)


CLIENT = Side(IPv4Address("127.9.2.1"), subnet("10.20.0.0/20"), frozenset({"sg-clients"}), (), (ALL,))
SERVER = Side(IPv4Address("127.9.2.2"), subnet("10.20.16.0/20"), frozenset({"sg-server"}), (), (ALL,))


def admitting(*rules: Rule, side: Side = SERVER) -> Side:
    return replace(side, ingress=rules)


def tcp(first: int, last: int, *blocks: str, group: str | None = None) -> Rule:
    return Rule("tcp", first, last, tuple(IPv4Network(block) for block in blocks), group)


FROM_CLIENTS = tcp(PORT, PORT, group="sg-clients")


def test_nobody_gets_in_without_an_ingress_rule() -> None:
    for source in (CLIENT, WORKSTATION, INTERNET):
        assert obstacle(source, admitting(), PORT) is not None


@pytest.mark.parametrize(
    ("rule", "is_let_in"),
    [
        (FROM_CLIENTS, True),
        (tcp(PORT, PORT, group="sg-others"), False),
        (tcp(5000, 6000, group="sg-clients"), True),
        (tcp(PORT + 1, 6000, group="sg-clients"), False),
        (replace(FROM_CLIENTS, protocol="udp"), False),
        (Rule("-1", None, None, (), "sg-clients"), True),
        (tcp(PORT, PORT, "10.20.0.0/16"), True),
        (tcp(PORT, PORT, "10.20.16.0/20"), False),
        # Half of the client's subnet: whether it would get in depends on its luck.
        (tcp(PORT, PORT, "10.20.0.0/21"), False),
        (tcp(PORT, PORT, "127.9.2.1/32"), True),
        (tcp(PORT, PORT, "127.9.2.3/32"), False),
    ],
)
def test_a_client_is_let_in_by_its_group_or_its_place_protocol_and_port(rule: Rule, is_let_in: bool) -> None:
    assert (obstacle(CLIENT, admitting(rule), PORT) is None) is is_let_in


def test_the_client_s_own_groups_have_to_let_it_out() -> None:
    target = admitting(FROM_CLIENTS)
    assert obstacle(replace(CLIENT, egress=()), target, PORT) is not None
    assert obstacle(replace(CLIENT, egress=(tcp(PORT, PORT, group="sg-server"),)), target, PORT) is None
    assert obstacle(replace(CLIENT, egress=(tcp(443, 443, "0.0.0.0/0"),)), target, PORT) is not None


@pytest.mark.parametrize(
    ("block", "is_let_in"),
    [("127.0.0.1/32", True), ("0.0.0.0/0", True), ("10.20.0.0/16", False), ("127.9.0.0/16", False)],
)
def test_the_workstation_gets_in_where_a_rule_covers_its_address(block: str, is_let_in: bool) -> None:
    assert (obstacle(WORKSTATION, admitting(tcp(PORT, PORT, block)), PORT) is None) is is_let_in


def test_the_internet_reaches_public_addresses_that_let_everybody_in_alone() -> None:
    everybody = admitting(ALL)
    assert obstacle(INTERNET, everybody, PORT) is not None
    assert obstacle(INTERNET, replace(everybody, has_public_address=True), PORT) is None
    assert obstacle(INTERNET, replace(admitting(tcp(1, 65535, "10.0.0.0/8")), has_public_address=True), PORT)


def test_another_network_is_reached_over_a_peering_with_routes_both_ways() -> None:
    there = Route(IPv4Network("10.30.0.0/16"), Way.PEERING, "pcx-1")
    back = Route(IPv4Network("10.20.0.0/16"), Way.PEERING, "pcx-1")
    far = admitting(ALL, side=replace(SERVER, subnet=subnet("10.30.0.0/20", "vpc-2", (back,))))
    source = replace(CLIENT, subnet=subnet("10.20.0.0/20", "vpc-1", (there,)))
    assert obstacle(source, far, PORT) is None
    assert obstacle(CLIENT, far, PORT) == "no route leads there"
    assert far.subnet is not None
    assert obstacle(source, replace(far, subnet=replace(far.subnet, routes=())), PORT) == "no route leads there"
    other = replace(back, via="pcx-2")
    assert obstacle(source, replace(far, subnet=replace(far.subnet, routes=(other,))), PORT) == "no route leads there"


def test_a_public_address_is_reached_through_a_nat_gateway_as_somebody_on_the_internet() -> None:
    way_out = Route(IPv4Network("0.0.0.0/0"), Way.NAT_GATEWAY, "nat-1")
    source = replace(CLIENT, subnet=subnet("10.20.0.0/20", "vpc-1", (way_out,)))
    far = replace(SERVER, subnet=subnet("10.30.0.0/20", "vpc-2"), has_public_address=True)
    assert obstacle(source, admitting(ALL, side=far), PORT) is None
    assert obstacle(CLIENT, admitting(ALL, side=far), PORT) == "no route leads there"
    assert obstacle(source, admitting(tcp(PORT, PORT, "10.20.0.0/16"), side=far), PORT) is not None


def test_a_network_acl_stops_traffic_between_subnets_by_its_lowest_matching_number() -> None:
    target = admitting(FROM_CLIENTS)
    assert target.subnet is not None
    deny = AclEntry(90, False, False, "6", IPv4Network("10.20.0.0/24"), PORT, PORT)
    refusing = replace(target, subnet=replace(target.subnet, acl=(deny, *OPEN_ACL)))
    assert "network ACL" in (obstacle(CLIENT, refusing, PORT) or "")
    late = replace(target, subnet=replace(target.subnet, acl=(replace(deny, number=200), *OPEN_ACL)))
    assert obstacle(CLIENT, late, PORT) is None
    neighbour = replace(refusing, subnet=replace(CLIENT.subnet, acl=(deny,)) if CLIENT.subnet else None)
    same = replace(CLIENT, subnet=neighbour.subnet)
    assert obstacle(same, neighbour, PORT) is None


def test_a_network_acl_has_no_memory_so_that_answers_need_a_rule_too() -> None:
    target = admitting(FROM_CLIENTS)
    assert target.subnet is not None
    only_in = (AclEntry(100, True, False, "-1", IPv4Network("0.0.0.0/0")),)
    assert "outbound" in (obstacle(CLIENT, replace(target, subnet=replace(target.subnet, acl=only_in)), PORT) or "")
    too_few = AclEntry(100, True, True, "6", IPv4Network("0.0.0.0/0"), 1024, 40000)
    narrow = replace(target.subnet, acl=(*only_in, too_few))
    assert "outbound" in (obstacle(CLIENT, replace(target, subnet=narrow), PORT) or "")


@given(
    st.lists(
        st.builds(
            lambda protocol, ports, block, group: Rule(
                protocol, min(ports), max(ports), (block,) if block else (), group
            ),
            st.sampled_from(["tcp", "udp", "icmp", "-1"]),
            st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
            st.sampled_from([None, *(IPv4Network(one) for one in ("10.20.0.0/16", "10.0.0.0/8", "127.0.0.1/32"))]),
            st.sampled_from([None, "sg-clients", "sg-server"]),
        ),
        max_size=4,
    ),
    st.integers(1, 65535),
    st.sampled_from([CLIENT, WORKSTATION, INTERNET]),
)
def test_one_more_rule_never_takes_a_way_away(rules: list[Rule], port: int, source: Side) -> None:
    fewer, more = admitting(*rules[1:]), admitting(*rules)
    if obstacle(source, fewer, port) is None:
        assert obstacle(source, more, port) is None
