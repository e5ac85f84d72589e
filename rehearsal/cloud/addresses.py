"""Loopback addresses: every server of a local cloud listens on one of its own, so declared ports stay as declared."""

from __future__ import annotations

import ipaddress
import random
import socket
import threading
from collections import deque
from typing import Literal

Pool = Literal["load-balancers", "others"]
_BLOCKS = range(1, 255)
_LOAD_BALANCERS = 32


class NoAddressLeft(RuntimeError):
    """Every address of the pool, or every block of the machine, is taken."""


class Addresses:
    """The addresses of one cloud: a /16 of 127.0.0.0/8 that no other cloud on this machine has.

    `network` is the block. The first addresses are kept for load balancers (`load_balancer_addresses`), so that a
    certificate can name them before any load balancer exists.
    """

    def __init__(self) -> None:
        # An abstract socket's name is taken while its owner lives and free the moment it dies, however it dies;
        # like loopback addresses, it belongs to the network namespace.
        self._claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        block = self._claim_block()
        self.network = ipaddress.IPv4Network(f"127.{block}.0.0/16")
        first = int(self.network.network_address)
        self.load_balancer_addresses = tuple(
            str(ipaddress.IPv4Address(first + 256 + n)) for n in range(1, _LOAD_BALANCERS + 1)
        )
        others = (str(ipaddress.IPv4Address(first + 512 + n)) for n in range(1, 60000))
        self._free: dict[Pool, deque[str]] = {
            "load-balancers": deque(self.load_balancer_addresses),
            "others": deque(others),
        }
        self._taken: dict[str, tuple[Pool, str]] = {}
        self._lock = threading.Lock()

    def allocate(self, name: str, pool: Pool = "others") -> str:
        """Return an address that nobody else has; `name` says whose it is. Raises NoAddressLeft."""
        with self._lock:
            if not self._free[pool]:
                raise NoAddressLeft(f"no address is left for {name}: all of {self.network}'s for {pool} are taken")
            address = self._free[pool].popleft()
            self._taken[address] = (pool, name)
            return address

    def release(self, address: str) -> None:
        """Give an address back; it is the last to be allocated again, so that late clients meet nobody."""
        with self._lock:
            pool, _ = self._taken.pop(address, (None, ""))
            if pool is not None:
                self._free[pool].append(address)

    def close(self) -> None:
        """Give the block back."""
        self._claim.close()

    def _claim_block(self) -> int:
        for block in random.sample(_BLOCKS, len(_BLOCKS)):
            try:
                self._claim.bind(f"\0interlock-cloud-127.{block}")
            except OSError:
                continue
            return block
        raise NoAddressLeft("every block 127.N.0.0/16 of this machine belongs to a running cloud")
