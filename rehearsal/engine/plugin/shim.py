"""Stands for `pulumi-resource-aws`: asks the provider host for an instance, prints its port, and waits.

Runs with `python -I -S` and the standard library alone, because the engine starts one for each provider instance.
The instance lives as long as the connection, so whatever ends this process ends the instance.
"""

import json
import os
import select
import signal
import socket
import sys

HOW_TO_START = "no rehearsal is running here: start one with  scripts/rehearse --keep  and enter it with  " + (
    'eval "$(scripts/rehearse --env)"'
)
PARENT_POLL_SECONDS = 1.0


def fail(message: str) -> "int":
    print(f"interlock's aws provider: {message}", file=sys.stderr)
    return 1


def main() -> int:
    """Return when the host or the engine is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    engine = os.getppid()
    path = os.environ.get("INTERLOCK_ENGINE_SOCKET")
    if not path:
        return fail(f"INTERLOCK_ENGINE_SOCKET is not set; {HOW_TO_START}")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError as error:
        return fail(f"nothing answers at INTERLOCK_ENGINE_SOCKET={path} ({error.strerror}); {HOW_TO_START}")
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    # The engine starts its plugins where the program is, and there a program's relative paths begin.
    request = {"environment": environment, "directory": os.getcwd()}
    connection.sendall(json.dumps(request).encode() + b"\n")
    answer = connection.makefile("rb").readline()
    if not answer:
        return fail("the provider host ended before it answered; its log lies in the rehearsal's folder")
    reply = json.loads(answer)
    if "error" in reply:
        return fail(str(reply["error"]))
    print(reply["port"], flush=True)
    while os.getppid() == engine:
        readable, _, _ = select.select([connection], [], [], PARENT_POLL_SECONDS)
        if readable and not connection.recv(4096):
            return fail("the provider host has ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
