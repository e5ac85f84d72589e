"""The filter of system calls, asked from inside by number, and its tables, against the kernel's own headers."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.sandbox.model import ModelSandbox
from interlock.sandbox.plan import MIB, Limits
from interlock.sandbox.seccomp import ARCHITECTURES, Architecture, program
from interlock.sandbox.syscalls import AARCH64, X86_64
from tests.interlock.sandbox.conftest import attacks
from tests.interlock.sandbox.models import hostile_model

# By their numbers on x86-64, each with arguments that would do something.
FORBIDDEN = {
    "ptrace": "101 16 1 0 0",
    "process_vm_readv": "310 1 0 0 0 0 0",
    "process_vm_writev": "311 1 0 0 0 0 0",
    "pidfd_getfd": "438 3 0 0",
    "mount": "165 none /scratch tmpfs 0 0",
    "umount2": "166 /model 2",
    "pivot_root": "155 /scratch /scratch",
    "chroot": "161 /scratch",
    "fsopen": "430 tmpfs 0",
    "open_tree": "428 -100 / 0",
    "move_mount": "429 0 0 0 0 0",
    "mount_setattr": "442 -100 / 0 0 0",
    "unshare": "272 268435456",
    "setns": "308 0 0",
    "clone of a process": "56 17 0 0 0 0",
    "vfork": "58",
    "io_uring_setup": "425 8 0",
    "bpf": "321 0 0 0",
    "perf_event_open": "298 0 0 -1 -1 0",
    "userfaultfd": "323 1",
    "memfd_create": "319 x 0",
    "memfd_secret": "447 0",
    "add_key": "248 user name x 1 -3",
    "request_key": "249 user name 0 0",
    "keyctl": "250 0 -3 0",
    "kexec_load": "246 0 0 0 0",
    "init_module": "175 0 0 0",
    "open_by_handle_at": "304 -100 0 0",
    "name_to_handle_at": "303 -100 / 0 0 0",
    "mknod": "133 /scratch/device 8576 0",
    "shmget": "29 0 4096 512",
    "msgget": "68 0 512",
    "setuid": "105 0",
    "capset": "126 0 0",
    "seccomp": "317 0 0 0",
    "landlock_create_ruleset": "444 0 0 1",
    "personality": "135 262144",
    "acct": "163 /scratch/x",
    "quotactl": "179 0 0 0 0",
    "syslog": "103 3 0 0",
    "setpriority": "141 0 0 -20",
    "settimeofday": "164 0 0",
    "process_madvise": "440 0 0 0 0 0",
    "kcmp": "312 1 1 0 0 0",
}


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory, python: str) -> Iterator[ModelSandbox]:
    folder = tmp_path_factory.mktemp("calls")
    limits = Limits(call_seconds=20, memory_bytes=1024 * MIB)
    with ModelSandbox(hostile_model(folder / "model"), limits=limits, python=python) as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_call_that_no_model_needs_is_refused(inside: ModelSandbox, name: str) -> None:
    if platform.machine() != "x86_64":
        # There, the tables themselves are all that is compared.
        return
    assert "Operation not permitted" in inside.predict(attacks(f"call {FORBIDDEN[name]}"))[0]


def test_libraries_are_told_that_there_is_no_clone3(inside: ModelSandbox) -> None:
    number = ARCHITECTURES[platform.machine()].numbers["clone3"]
    assert "Function not implemented" in inside.predict(attacks(f"call {number} 0 0"))[0]


def test_no_number_of_a_second_table_gets_by(inside: ModelSandbox) -> None:
    # What lies beyond the tables, on any architecture, ends the process or is refused.
    assert "Operation not permitted" in inside.predict(attacks("call 999 0"))[0]


def test_a_call_has_one_number_on_each_architecture() -> None:
    for table in (X86_64, AARCH64):
        assert len(set(table.values())) == len(table)
    # What only the older table has is an older way to say what both have.
    assert AARCH64.keys() <= X86_64.keys()


def test_no_forbidden_call_is_on_the_list() -> None:
    assert {*X86_64, *AARCH64} & set(FORBIDDEN) == set()


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_a_program_fits_what_the_kernel_takes(architecture: Architecture) -> None:
    lines = program(architecture)
    assert len(lines) % 8 == 0
    assert len(lines) // 8 <= 4096


HEADERS = {
    "x86_64": [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")],
    "aarch64": [Path("/usr/include/asm-generic/unistd.h")],
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_numbers_are_those_of_the_headers_that_lie_here(name: str) -> None:
    table = {"x86_64": X86_64, "aarch64": AARCH64}[name]
    for header in filter(Path.exists, HEADERS[name]):
        found = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", header.read_text()))
        found.setdefault("newfstatat", found.get("fstatat", ""))
        assert {one: str(number) for one, number in table.items()} == {one: found[one] for one in table}
