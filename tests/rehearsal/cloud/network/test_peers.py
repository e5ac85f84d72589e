from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.cloud.network.peers import Endpoint, Peers, inode_in_table, lineage
from tests.rehearsal.cloud.waiting import until

CHILD = """
import os, socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
if sys.argv[3] == "grandchild" and os.fork():
    connection.close()
    os.wait()
    sys.exit()
sys.stdin.read()
"""


@pytest.fixture
def peers() -> Iterator[Peers]:
    peers = Peers()
    yield peers
    peers.close()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def connected_by(listening: socket.socket, who: str) -> tuple[subprocess.Popen[bytes], Endpoint, Endpoint]:
    address, port = listening.getsockname()
    child = subprocess.Popen([sys.executable, "-c", CHILD, address, str(port), who], stdin=subprocess.PIPE)
    connection, peer = listening.accept()
    connection.close()
    return child, peer, (address, port)


def end(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()
    child.wait(10)


def test_the_process_that_connected_is_found(peers: Peers, listening: socket.socket) -> None:
    for _ in range(2):
        child, peer, local = connected_by(listening, "child")
        assert peers.holder(peer, local) == child.pid
        end(child)


def test_what_a_process_started_is_traced_back_to_it(peers: Peers, listening: socket.socket) -> None:
    child, peer, local = connected_by(listening, "grandchild")
    holder = until(lambda: peers.holder(peer, local), lambda seen: seen not in {None, child.pid})
    assert holder is not None
    assert child.pid in list(lineage(holder))
    assert os.getpid() in list(lineage(holder))
    end(child)


def test_a_connection_that_is_gone_has_no_holder(peers: Peers, listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()) as client:
        accepted, peer = listening.accept()
        assert peers.holder(peer, listening.getsockname()) == os.getpid()
    accepted.close()
    assert peers.holder(("127.0.0.1", 1), listening.getsockname()) is None
    assert client.fileno() == -1


def test_the_table_in_proc_tells_what_the_kernel_s_interface_tells(listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()) as client:
        ends = client.getsockname(), client.getpeername()
        inode = inode_in_table(Path("/proc/net/tcp").read_text(), *ends)
        assert os.readlink(f"/proc/self/fd/{client.fileno()}") == f"socket:[{inode}]"
        assert inode_in_table(Path("/proc/net/tcp").read_text(), ("127.0.0.1", 1), ends[1]) == 0


def test_a_process_that_is_gone_has_no_lineage() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(10)
    assert list(lineage(child.pid)) == []
