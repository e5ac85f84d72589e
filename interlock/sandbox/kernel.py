"""The calls of the kernel that confine a process, each of which succeeds or raises."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path
from typing import Final

from interlock.sandbox.seccomp import ARCHITECTURES, Architecture, program

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWCGROUP: Final = 0x02000000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000
EVERY_NAMESPACE: Final = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
)

MS_RDONLY: Final = 0x1
MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000
_MNT_DETACH: Final = 0x2

_MOUNT_SETATTR: Final = 442
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_SECCOMP: Final = 22
PR_CAPBSET_DROP: Final = 24
PR_SET_SECUREBITS: Final = 28
PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_EVERY_SECURE_BIT: Final = 0b1110_1111
"""No capabilities for a user 0, none kept or raised over a change of user, and no bit of it undone."""
_CAPABILITY_VERSION_3: Final = 0x20080522
_MOST_CAPABILITIES: Final = 64
_SIGCHLD: Final = 17
_AF_INET: Final = 2
_SOCK_STREAM: Final = 1

_libc = ctypes.CDLL(None, use_errno=True)
# Holds the interpreter's lock over the call: nothing else may run between the two returns of a clone.
_libc_with_lock = ctypes.PyDLL(None, use_errno=True)


class NotGiven(Exception):
    """The kernel did not do what the confinement needs; the text says what it was asked for and what it answered."""


def architecture() -> Architecture:
    """Return this machine's numbers. Raises NotGiven on a machine that they are not known of."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise NotGiven(f"a filter of system calls for {machine} (known are {', '.join(ARCHITECTURES)})")
    return ARCHITECTURES[machine]


def clone_into_new_namespaces() -> int:
    """Return 0 in a new process that is the first in namespaces of its own, and its id in the caller."""
    number = architecture().clone
    ctypes.pythonapi.PyOS_BeforeFork()
    process = int(_libc_with_lock.syscall(number, *map(ctypes.c_long, (EVERY_NAMESPACE | _SIGCHLD, 0, 0, 0, 0))))
    problem = ctypes.get_errno()
    if process == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if process < 0:
        raise NotGiven(_answer("new user, process, mount, network and IPC namespaces", problem))
    return process


def mount(source: str, target: Path, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount `source` on `target`."""
    data = options.encode() if options else None
    status = _libc.mount(
        source.encode(), os.fsencode(target), kind.encode() if kind else None, ctypes.c_ulong(flags), data
    )
    _check(status, f"a mount of {kind or source} on {target}")


def mount_attributes(target: Path, flags: int, *, recursive: bool) -> None:
    """Set attributes of a mount and, if `recursive`, of all below it; none that it has is taken away."""
    attributes = (ctypes.c_uint64 * 4)(flags, 0, 0, 0)
    status = _libc.syscall(
        _MOUNT_SETATTR,
        _AT_FDCWD,
        os.fsencode(target),
        _AT_RECURSIVE if recursive else 0,
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _check(status, f"attributes {flags:#x} of the mount {target}")


def become_root_folder(folder: Path) -> None:
    """Make `folder`, a mount, all that there is: what was mounted before is gone."""
    os.chdir(folder)
    # One path for both, so that the old root lies on top of the new one and is taken off (pivot_root(2), NOTES).
    _check(_libc.syscall(architecture().pivot_root, b".", b"."), "another root folder")
    _check(_libc.umount2(b".", _MNT_DETACH), "the removal of the old root folder")
    os.chdir("/")


def set_host_name(name: str) -> None:
    """Name the machine within the process's own UTS namespace."""
    content = name.encode()
    _check(_libc.sethostname(content, ctypes.c_size_t(len(content))), "a host name")


def prctl(operation: int, value: int = 0) -> None:
    """Set one attribute of the process."""
    _check(_libc.prctl(operation, *map(ctypes.c_ulong, (value, 0, 0, 0))), f"prctl operation {operation}")


def drop_capabilities() -> None:
    """Give up every capability, for this process and whatever it becomes."""
    for capability in range(_MOST_CAPABILITIES):
        if _libc.prctl(PR_CAPBSET_DROP, *map(ctypes.c_ulong, (capability, 0, 0, 0))) != 0:
            break
    prctl(PR_SET_SECUREBITS, _EVERY_SECURE_BIT)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    status = _libc.syscall(architecture().capset, ctypes.byref(header), ctypes.byref(nothing))
    _check(status, "a process without capabilities")


def filter_system_calls() -> None:
    """Refuse, from now on and for ever, every system call that is not on the list. Needs PR_SET_NO_NEW_PRIVS."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_char_p)]

    lines = program(architecture())
    whole = Program(len(lines) // 8, lines)
    status = _libc.prctl(
        PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(whole), ctypes.c_ulong(0), ctypes.c_ulong(0)
    )
    _check(status, "a filter of system calls")


def open_socket() -> None:
    """Open a socket, which a confined process cannot. Raises OSError."""
    if _libc.socket(_AF_INET, _SOCK_STREAM, 0) < 0:
        raise OSError(ctypes.get_errno(), "no socket")


def _check(status: int, wanted: str) -> None:
    if status != 0:
        raise NotGiven(_answer(wanted, ctypes.get_errno()))


def _answer(wanted: str, problem: int) -> str:
    return f"{wanted} ({os.strerror(problem)})"
