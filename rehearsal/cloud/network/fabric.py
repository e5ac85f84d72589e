"""The network of one cloud: what is attached to it, what it protects, and the answer to who asks to be let in."""

from __future__ import annotations

import json
import logging
import secrets
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from rehearsal.cloud.network.doors import Doors
from rehearsal.cloud.network.peers import Endpoint, Peers, lineage
from rehearsal.cloud.network.reachability import INTERNET, WORKSTATION, Side, obstacle
from rehearsal.cloud.network.services import Called, service_obstacle
from rehearsal.cloud.network.topology import Interface, side_of
from rehearsal.cloud.network.ways_out import WaysOut

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext
    from rehearsal.cloud.listener import WsgiApplication

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attachment:
    """Where a container's connections come from: its interfaces, or else the internet, or else nowhere."""

    interfaces: tuple[Interface, ...] = ()
    address: str = "0.0.0.0"  # noqa: S104 (nobody listens there; no rule names it)
    """Its address, where others know it by one."""
    is_on_internet: bool = False


INTERNET_ONLY = Attachment(is_on_internet=True)
"""A container in a network of AWS's own, like a Lambda function's without a VPC."""
ISOLATED = Attachment()
"""A container without a network, like a SageMaker model's in isolation."""


class Network:
    """Decides over every connection to a protected address. An address that is not protected is nobody's.

    A connection's source is the process that holds its other end: a container's (attached by the process id of its
    entrypoint, with all that it started), or the workstation's.
    """

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud
        self._peers = Peers()
        self._attached: dict[int, Attachment] = {}
        self._attaching = threading.Lock()
        self._protected: dict[str, Callable[[], Sequence[Interface]]] = {}
        self._inside: dict[str, str] = {}
        self.gate = f"interlock-gate-{secrets.token_hex(8)}"
        """The abstract Unix socket at which servers ask whom to let in."""
        self._server = _Server(f"\0{self.gate}", self._answer)
        self._doors = Doors(self.gate)
        self._ways_out: WaysOut | None = None
        threading.Thread(target=self._server.serve_forever, args=(0.2,), name="network-gate", daemon=True).start()

    def close(self) -> None:
        """Let nobody in or out any more."""
        if self._ways_out is not None:
            self._ways_out.close_all()
        self._doors.close()
        self._server.shutdown()
        self._server.server_close()
        self._peers.close()

    def offer(self, application: WsgiApplication, port: int) -> None:
        """Have containers find all services, `application`, at their own addresses and the cloud's `port`."""
        self._ways_out = WaysOut(application, port)

    def services_url(self, address: str, attachment: Attachment) -> str:
        """Return where what is attached and listens at `address`, which no other attachment has, finds the services."""
        assert self._ways_out is not None, "nothing is offered yet"
        return self._ways_out.open(address, lambda wanted: self.service_obstacle(attachment, wanted))

    def service_obstacle(self, attachment: Attachment, wanted: Called) -> str | None:
        """Return why a container cannot call a service, None if it can."""
        if attachment.is_on_internet:
            return None
        with self._cloud.turn("ec2"):
            problems = [service_obstacle(interface, wanted) for interface in attachment.interfaces]
        if not problems:
            return "it has no network"
        return next((problem for problem in problems if problem is not None), None)

    def withdraw(self, address: str) -> None:
        """Give the services' place at an address back."""
        if self._ways_out is not None:
            self._ways_out.close(address)

    @contextmanager
    def attaching(self) -> Iterator[Callable[[int, Attachment], None]]:
        """Start a container in this context and attach it; whoever asks meanwhile waits, so that it is never missed."""

        def attach(pid: int, attachment: Attachment) -> None:
            self._attached[pid] = attachment

        with self._attaching:
            yield attach

    def detach(self, pid: int) -> None:
        """Forget a container that has ended."""
        with self._attaching:
            self._attached.pop(pid, None)

    def protect(self, address: str, interfaces: Callable[[], Sequence[Interface]], *, inside: str = "") -> None:
        """Let in to `address` whom its interfaces admit at that time; `inside` is where its server really listens."""
        self._protected[address] = interfaces
        if inside:
            self._inside[address] = inside

    def release(self, address: str) -> None:
        """Protect an address no longer, and close its doors."""
        self._doors.shut(address)
        self._protected.pop(address, None)
        self._inside.pop(address, None)

    def open_door(self, address: str, port: int) -> None:
        """Lead those whom `address` admits on `port` to where its server really listens. Raises OSError."""
        self._doors.open(address, port, self._inside[address])

    def inside(self, address: str) -> str:
        """Return where the server of `address` really listens: there itself unless it has doors."""
        return self._inside.get(address, address)

    def obstacle(self, source: str, address: str, port: int) -> str | None:
        """Return why the server at `source`, protected itself, cannot connect to a port of `address`, None if it can.

        An address that nobody protects lies outside of the network, where nothing but the source's own rules counts.
        """
        with self._cloud.turn("ec2"):
            outside = [Side(IPv4Address(address))]
            targets = self._targets(address) if address in self._protected else outside
            return _first_obstacle(self._targets(source), targets, port)

    def admits(self, peer: Endpoint, local: Endpoint) -> bool:
        """Return whether the connection from `peer` to `local` may be."""
        address, port = local
        who, attachment = self._source(peer, local)
        with self._cloud.turn("ec2"):
            problem = _first_obstacle(_origin(attachment), self._targets(address), port)
        if problem is not None:
            _log.warning("%s got no connection to %s:%d: %s", who, address, port, problem)
        return problem is None

    def _source(self, peer: Endpoint, local: Endpoint) -> tuple[str, Attachment | None]:
        with self._attaching:
            pid = self._peers.holder(peer, local)
            for ancestor in lineage(pid) if pid is not None else ():
                if ancestor in self._attached:
                    return f"the container of process {ancestor}", self._attached[ancestor]
        return f"the workstation (process {pid or 'gone'})", None

    def _targets(self, address: str) -> list[Side]:
        declared = self._protected.get(address)
        return _sides(declared(), address) if declared is not None else []

    def _answer(self, question: bytes) -> bytes:
        asked = json.loads(question)
        (peer, peer_port), (address, port) = asked["peer"], asked["local"]
        return b"yes\n" if self.admits((str(peer), int(peer_port)), (str(address), int(port))) else b"no\n"


def _origin(attachment: Attachment | None) -> list[Side]:
    if attachment is None:
        return [WORKSTATION]
    if attachment.is_on_internet:
        return [INTERNET]
    return _sides(attachment.interfaces, attachment.address)


def _sides(interfaces: Sequence[Interface], address: str) -> list[Side]:
    found = [side_of(interface, address) for interface in interfaces]
    return [side for side in found if side is not None]


def _first_obstacle(sources: Sequence[Side], targets: Sequence[Side], port: int) -> str | None:
    """Return what is in the way between any two: a client does not choose which address of several it meets."""
    if not sources or not targets:
        return "it has no network interface"
    found = (obstacle(source, target, port) for source in sources for target in targets)
    return next((problem for problem in found if problem is not None), None)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, name: str, answer: Callable[[bytes], bytes]) -> None:
        self.answer = answer
        super().__init__(name, _Question)


class _Question(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with suppress(ConnectionError):
            self.wfile.write(self.server.answer(self.rfile.readline()))
