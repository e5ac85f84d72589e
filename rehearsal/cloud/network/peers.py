"""Which process holds the other end of a loopback connection: the kernel's socket tables, and /proc.

Linux alone; needs no rights over processes of the same user. Source of the message formats: sock_diag(7), proc(5).
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

Endpoint = tuple[str, int]
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_ALL_STATES = 0xFFFFFFFF
_NO_COOKIE = 0xFFFFFFFF
_INODE_OFFSET = 16 + 68
_REMEMBERED = 16


class Peers:
    """Looks up connections; remembers which processes connected last, because they mostly are the next to connect."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: list[int] = []
        try:
            self._diagnosis: socket.socket | None = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG
            )
        except OSError:
            # Not every sandbox offers it; the table in /proc tells the same, slower.
            self._diagnosis = None

    def close(self) -> None:
        """Give the kernel's interface back."""
        if self._diagnosis is not None:
            self._diagnosis.close()

    def holder(self, peer: Endpoint, local: Endpoint) -> int | None:
        """Return the id of a process that holds the connection from `peer` to `local`.

        None if there is no such connection any more, or it is held by a process that may not be looked at.
        """
        with self._lock:
            inode = self._inode(peer, local)
            if not inode:
                return None
            wanted = f"socket:[{inode}]"
            # Twice, because a connection may be handed from one process to another during the first look.
            for pid in itertools.chain(self._candidates(), self._candidates()):
                if _holds(pid, wanted):
                    self._remember(pid)
                    return pid
        return None

    def _candidates(self) -> Iterator[int]:
        yield from self._recent
        seen = set(self._recent)
        # The newest first: who connects has often just started.
        yield from sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in seen)[::-1]

    def _remember(self, pid: int) -> None:
        self._recent = [pid, *(known for known in self._recent if known != pid)][:_REMEMBERED]

    def _inode(self, peer: Endpoint, local: Endpoint) -> int:
        if self._diagnosis is None:
            return inode_in_table(Path("/proc/net/tcp").read_text(), peer, local)
        ends = struct.pack("!HH", peer[1], local[1]) + _padded(peer[0]) + _padded(local[0])
        rest = struct.pack("=III", 0, _NO_COOKIE, _NO_COOKIE)
        request = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ALL_STATES) + ends + rest
        header = struct.pack("=IHHII", 16 + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
        self._diagnosis.send(header + request)
        answer = self._diagnosis.recv(8192)
        kind = struct.unpack_from("=H", answer, 4)[0]
        if kind == _SOCK_DIAG_BY_FAMILY:
            return int(struct.unpack_from("=I", answer, _INODE_OFFSET)[0])
        failure = -int(struct.unpack_from("=i", answer, 16)[0])
        if failure == errno.ENOENT:
            return 0
        raise OSError(failure, os.strerror(failure))


def inode_in_table(table: str, peer: Endpoint, local: Endpoint) -> int:
    """Return the inode of the connection from `peer` to `local` in the text of /proc/net/tcp, 0 without one."""
    wanted = [_in_table(peer), _in_table(local)]
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == wanted:
            return int(fields[9])
    return 0


def lineage(pid: int) -> Iterator[int]:
    """Return a process, its session's leader, its parent, the parent's session leader and so on up to the first."""
    with suppress(OSError, ValueError, IndexError):
        while pid > 1:
            # The command's name may itself hold spaces and parentheses; the numbers follow the last one.
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as stat:
                fields = stat.read(1024).rpartition(b")")[2].split()
            yield pid
            yield int(fields[3])
            pid = int(fields[1])


def _holds(pid: int, wanted: str) -> bool:
    folder = f"/proc/{pid}/fd"
    with suppress(OSError):
        for name in os.listdir(folder):
            with suppress(OSError):
                if os.readlink(f"{folder}/{name}") == wanted:
                    return True
    return False


def _padded(address: str) -> bytes:
    return socket.inet_aton(address).ljust(16, b"\0")


def _in_table(end: Endpoint) -> str:
    # The table shows an address as one number of the machine's own byte order.
    return f"{struct.unpack('=I', socket.inet_aton(end[0]))[0]:08X}:{end[1]:04X}"
