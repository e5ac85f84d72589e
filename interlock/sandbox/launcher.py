"""Confines a process, and watches over it: `python -I -c "…main()" PLAN`, with an environment that is empty.

Two processes. The first stays outside, holds nothing but the end of a pipe, and ends the second when that pipe closes
or when the second ends. The second is the first process of namespaces of its own, where it gives up, in this order,
its user, its view of the files, its capabilities, every descriptor but two, and most of its system calls; only then
does it import anything that is not Python's own, and hear of a model.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from typing import Final

from interlock.sandbox import kernel, runner, view
from interlock.sandbox.plan import MIB, Plan
from interlock.sandbox.wire import message

NOBODY: Final = 65534
"""Who a model runs as when root starts it: as root, files of the system would be its own."""
_INSIDE: Final = 1000

_STANDARD: Final = (0, 1, 2)
_MOST_DESCRIPTORS: Final = 128
_LARGEST_STACK: Final = 8 * MIB

ENVIRONMENT: Final = {
    "HOME": view.SCRATCH,
    "TMPDIR": view.SCRATCH,
    "USER": "model",
    "LOGNAME": "model",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
    # Where OpenMP's threads outnumber the cores that are free, each waits for the others in a busy loop.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}
"""All that a model finds in its environment."""


def main() -> int:
    """Run the plan that the command line holds, until the model is asked for nothing more; return the exit status."""
    plan = Plan.from_text(sys.argv[1])
    serve = _serving(plan)
    try:
        told, tell = os.pipe()
        process = kernel.clone_into_new_namespaces()
        if process == 0:
            os.close(tell)
            _become_confined(plan, told, serve)
        os.close(told)
        _name_users(process)
        os.write(tell, b"1")
    except (kernel.NotGiven, OSError) as error:
        _refuse(plan, error)
        return 1
    for descriptor in (plan.requests, plan.answers, tell):
        os.close(descriptor)
    return _watch(process)


def _serving(plan: Plan) -> Callable[[Plan], int]:
    """Return what the confined process does: imported now, for the library cannot be seen from inside."""
    if not plan.serves:
        return runner.serve
    from interlock.served import inside

    return inside.serve


def _name_users(process: int) -> None:
    """Say who the one user of the new namespace is outside of it."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        user, group = NOBODY, NOBODY
    else:
        _write(f"/proc/{process}/setgroups", "deny")
    _write(f"/proc/{process}/uid_map", f"{_INSIDE} {user} 1")
    _write(f"/proc/{process}/gid_map", f"{_INSIDE} {group} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _become_confined(plan: Plan, told: int, serve: Callable[[Plan], int]) -> None:
    """Confine this process and serve the model in it. Does not return."""
    status = 1
    try:
        if os.read(told, 1) == b"1":
            _confine(plan)
            status = serve(plan)
    except (kernel.NotGiven, OSError) as error:
        _refuse(plan, error)
    finally:
        os._exit(status)


def _confine(plan: Plan) -> None:
    sources, linked = view.open_sources(plan.model), view.links()
    _change_user()
    os.setsid()
    view.build(sources, linked, plan.limits.scratch_bytes)
    kernel.set_host_name("model")
    _keep_only(plan.requests, plan.answers)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    os.chdir(view.SCRATCH)
    _limit(plan)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.filter_system_calls()
    prove_confined()


def _change_user() -> None:
    # A user who is not root may not give up groups; there is nothing of theirs in sight.
    with contextlib.suppress(PermissionError):
        os.setgroups([])
    os.setresgid(_INSIDE, _INSIDE, _INSIDE)
    os.setresuid(_INSIDE, _INSIDE, _INSIDE)


def _keep_only(*kept: int) -> None:
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in _STANDARD:
        os.dup2(nothing, descriptor)
    start = len(_STANDARD)
    for descriptor in sorted(kept):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _limit(plan: Plan) -> None:
    limits = plan.limits
    for name, value in {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_NPROC: limits.threads,
        resource.RLIMIT_NOFILE: _MOST_DESCRIPTORS,
        resource.RLIMIT_FSIZE: limits.scratch_bytes,
        resource.RLIMIT_STACK: _LARGEST_STACK,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }.items():
        resource.setrlimit(name, (value, value))


def prove_confined() -> None:
    """Try what must not work any more. Raises NotGiven if something does."""
    attempts: dict[str, Callable[[], object]] = {
        "start a process": os.fork,
        "open a socket": kernel.open_socket,
        "write beside the scratch folder": lambda: os.mkdir(f"{view.MODEL}/written"),
    }
    for what, attempt in attempts.items():
        try:
            attempt()
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EROFS, errno.EACCES):
                raise kernel.NotGiven(f"a process that cannot {what} ({error.strerror})") from None
        else:
            raise kernel.NotGiven(f"a process that cannot {what}")


def _watch(process: int) -> int:
    """End `process` when whoever asked is gone, and return its exit status."""
    handle = os.pidfd_open(process)
    asked = sys.stdin.fileno()
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(asked, select.POLLIN)
    if handle not in dict(poll.poll()):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


def _refuse(plan: Plan, error: Exception) -> None:
    os.write(plan.answers, message({"unconfined": str(error)}))
