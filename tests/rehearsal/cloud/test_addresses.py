from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys

import pytest

from rehearsal.cloud.addresses import Addresses, NoAddressLeft


def test_two_clouds_never_share_a_block() -> None:
    clouds = [Addresses() for _ in range(5)]
    assert len({cloud.network for cloud in clouds}) == 5
    for cloud in clouds:
        cloud.close()


def test_the_block_of_a_crashed_cloud_is_free_again() -> None:
    source = (
        "import os; from rehearsal.cloud.addresses import Addresses; print(Addresses().network, flush=True); os.abort()"
    )
    crashed = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    block = ipaddress.IPv4Network(crashed.stdout.strip()).network_address.packed[1]

    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    claim.bind(f"\0interlock-cloud-127.{block}")
    claim.close()


def test_every_name_gets_an_address_of_its_own_that_can_be_listened_on() -> None:
    addresses = Addresses()
    given = [addresses.allocate(f"task-{n}") for n in range(300)]
    assert len(set(given)) == 300
    assert all(ipaddress.ip_address(address) in addresses.network for address in given)
    assert not set(given) & set(addresses.load_balancer_addresses)
    with socket.create_server((given[-1], 5432)) as server:
        assert server.getsockname() == (given[-1], 5432)
    addresses.close()


def test_a_load_balancer_gets_an_address_that_was_known_before() -> None:
    addresses = Addresses()
    assert addresses.allocate("lb", "load-balancers") in addresses.load_balancer_addresses
    addresses.close()


def test_an_exhausted_pool_says_whose_address_is_missing_and_a_released_one_comes_back() -> None:
    addresses = Addresses()
    given = [addresses.allocate("lb", "load-balancers") for _ in addresses.load_balancer_addresses]
    with pytest.raises(NoAddressLeft, match="one-more"):
        addresses.allocate("one-more", "load-balancers")
    addresses.release(given[3])
    assert addresses.allocate("one-more", "load-balancers") == given[3]
    addresses.close()
