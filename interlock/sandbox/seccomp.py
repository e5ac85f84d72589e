"""The filter of system calls below which a model runs: what is not on the list is refused by the kernel.

Threads are allowed and processes are not, so there is no second program, no fork bomb and nothing that outlives its
time. There is no call that opens a socket, mounts, traces, loads a key, or submits work past the filter (io_uring).
Source of the encoding: Linux, include/uapi/linux/{seccomp,bpf_common,filter}.h.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from interlock.sandbox.syscalls import AARCH64, X86_64

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K

_ALLOW: Final = 0x7FFF0000
_KILL_PROCESS: Final = 0x80000000
_ERRNO: Final = 0x00050000

_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_X32_BIT: Final = 0x40000000

CLONE_THREAD: Final = 0x00010000

PRCTL_OPERATIONS: Final = (
    3,  # PR_GET_DUMPABLE
    15,  # PR_SET_NAME
    16,  # PR_GET_NAME
    21,  # PR_GET_SECCOMP
    23,  # PR_CAPBSET_READ
    0x53564D41,  # PR_SET_VMA, names of memory areas
)
"""Not among them: PR_SET_PDEATHSIG, by which a model would outlive what watches over it."""

IOCTL_REQUESTS: Final = (
    0x5401,  # TCGETS, by which a program asks whether a file is a terminal
    0x541B,  # FIONREAD
    0x5421,  # FIONBIO
    0x5450,  # FIONCLEX
    0x5451,  # FIOCLEX
)

AF_UNIX: Final = 1


@dataclass(frozen=True)
class Architecture:
    """A machine's kind: what the kernel's audit calls it, and its numbers of system calls."""

    audit: int
    numbers: Mapping[str, int]
    pivot_root: int
    clone: int
    capset: int


ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "x86_64": Architecture(audit=0xC000003E, numbers=X86_64, pivot_root=155, clone=56, capset=126),
    "aarch64": Architecture(audit=0xC00000B7, numbers=AARCH64, pivot_root=41, clone=220, capset=91),
}

_BY_FIRST_ARGUMENT: Final[Mapping[str, tuple[int, ...]]] = {"prctl": PRCTL_OPERATIONS, "socketpair": (AF_UNIX,)}
_BY_SECOND_ARGUMENT: Final[Mapping[str, tuple[int, ...]]] = {"ioctl": IOCTL_REQUESTS}
_DECIDED: Final = {"clone", "clone3", *_BY_FIRST_ARGUMENT, *_BY_SECOND_ARGUMENT}


def program(architecture: Architecture) -> bytes:
    """Return the filter as the kernel takes it: 8 bytes an instruction."""
    lines = [
        _line(_LOAD, _ARCHITECTURE),
        _line(_EQUAL, architecture.audit, 1, 0),
        _line(_RETURN, _KILL_PROCESS),
        _line(_LOAD, _NUMBER),
        # On x86 the same calls have second numbers for 32-bit pointers, which no list of ours names.
        _line(_AT_LEAST, _X32_BIT, 0, 1),
        _line(_RETURN, _KILL_PROCESS),
    ]
    for name, number in architecture.numbers.items():
        if name not in _DECIDED:
            lines += [_line(_EQUAL, number, 0, 1), _line(_RETURN, _ALLOW)]
    for name, accepted in _BY_FIRST_ARGUMENT.items():
        lines += _when(architecture.numbers[name], _one_of(0, accepted))
    for name, accepted in _BY_SECOND_ARGUMENT.items():
        lines += _when(architecture.numbers[name], _one_of(1, accepted))
    lines += _when(architecture.numbers["clone"], _threads_only())
    # Its flags lie in memory, where no filter can read them; told that there is no such call, libc takes clone.
    lines += _when(architecture.numbers["clone3"], [_line(_RETURN, _ERRNO | errno.ENOSYS)])
    lines.append(_refuse())
    return b"".join(lines)


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _refuse() -> bytes:
    return _line(_RETURN, _ERRNO | errno.EPERM)


def _argument(index: int) -> int:
    """Where the low half of an argument lies; both architectures are little-endian."""
    return 16 + 8 * index


def _when(number: int, decision: list[bytes]) -> list[bytes]:
    return [_line(_EQUAL, number, 0, len(decision)), *decision]


def _one_of(index: int, accepted: tuple[int, ...]) -> list[bytes]:
    checks = [line for one in accepted for line in (_line(_EQUAL, one, 0, 1), _line(_RETURN, _ALLOW))]
    return [_line(_LOAD, _argument(index)), *checks, _refuse()]


def _threads_only() -> list[bytes]:
    return [_line(_LOAD, _argument(0)), _line(_ANY_BIT, CLONE_THREAD, 0, 1), _line(_RETURN, _ALLOW), _refuse()]
