"""What a hostile model does, each under a name; copied into the models of the tests and never run anywhere else.

`predict` takes a table with a column `attack`, of names and arguments (`connect 127.0.0.1 8080`), and answers each
row with `got: …` where the attack came to something, and with `no: …` where it did not.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pandas as pd

libc = ctypes.CDLL(None, use_errno=True)


def environment(*_: str) -> str:
    return " ".join(sorted(os.environ))


def read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(200).decode("latin-1")


def write(path: str) -> str:
    with open(path, "wb") as file:
        file.write(b"gained")
    return f"wrote {path}"


def overwrite_model(*_: str) -> str:
    os.chmod("/model/MLmodel", 0o666)
    return write("/model/MLmodel")


def remove_model(*_: str) -> str:
    os.remove("/model/MLmodel")
    return "removed"


def visible(*_: str) -> str:
    """Every folder that can be listed, down to where libraries begin."""
    found = []
    for folder, folders, files in os.walk("/"):
        depth = folder.count("/")
        if depth > 2 or folder.startswith(("/usr", "/proc/", "/dev", "/model", "/lib")):
            folders[:] = []
        found += [os.path.join(folder, one) for one in files]
    return " ".join(sorted(found))


def others(*_: str) -> str:
    found = [one for one in os.listdir("/proc") if one.isdigit() and int(one) != os.getpid()]
    if not found:
        raise OSError("nobody else is here")
    return " ".join(found)


def connect(host: str, port: str) -> str:
    with socket.create_connection((host, int(port)), timeout=2):
        return "connected"


def metadata(url: str) -> str:
    content: bytes = urllib.request.urlopen(url, timeout=2).read()
    return content.decode()


def unix(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
        return "connected"


def abstract(name: str) -> str:
    return unix("\0" + name)


def pair_to(path: str) -> str:
    """A socket pair is allowed; sending from it to somebody else's socket must not work."""
    ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.sendto(b"gained", path)
    return "sent"


def netlink(*_: str) -> str:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    return "a netlink socket"


def raw(*_: str) -> str:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
    return "a raw socket"


def vsock(*_: str) -> str:
    socket.socket(40, socket.SOCK_STREAM, 0)
    return "a socket to the host"


def fork(*_: str) -> str:
    if os.fork() == 0:
        os._exit(0)
    return "forked"


def daemon(*_: str) -> str:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    return "left a daemon"


def execute(*_: str) -> str:
    return subprocess.run(["/usr/bin/id"], capture_output=True, text=True, check=True).stdout


def spawn(*_: str) -> str:
    return str(os.posix_spawn(sys.executable, [sys.executable, "-c", "0"], {}))


def replace(*_: str) -> None:
    os.execv(sys.executable, [sys.executable, "-c", "0"])


def threads(*_: str) -> str:
    """As many threads as there may be; a thousand would be a bomb."""
    stop = threading.Event()
    started = []
    try:
        for _number in range(1000):
            one = threading.Thread(target=stop.wait, daemon=True)
            one.start()
            started.append(one)
        return "a thousand threads"
    finally:
        stop.set()


def kill(number: str) -> str:
    os.kill(int(number), 9)
    if int(number) == -1:
        raise OSError("nobody was there to be killed")
    return "killed"


def call(number: str, *arguments: str) -> str:
    """A system call by its number."""
    given = [int(one) if one.lstrip("-").isdigit() else one.encode() for one in arguments]
    answer = libc.syscall(int(number), *[ctypes.c_long(one) if isinstance(one, int) else one for one in given])
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return f"answered {answer}"


def outlive(*_: str) -> str:
    """Not to be ended with what watches over it."""
    if libc.prctl(1, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no")
    return "will outlive"


def become_root(*_: str) -> str:
    os.setuid(0)
    return "is root"


def who(*_: str) -> str:
    return f"{os.getuid()} {os.getgid()} {os.getgroups()} {os.uname().nodename}"


def descriptors(*_: str) -> str:
    found = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(str(number))
    return " ".join(found)


def scratch(size: str) -> str:
    with open("/scratch/filling", "wb") as file:
        for _number in range(int(size)):
            file.write(b"x" * (1 << 20))
    return f"wrote {size} MiB"


def scratch_code(*_: str) -> str:
    """Machine code put down in the scratch folder and loaded from there."""
    import _ctypes

    shutil.copy(_ctypes.__file__, "/scratch/code.so")
    ctypes.CDLL("/scratch/code.so")
    return "loaded"


def fake_result(*_: str) -> None:
    for stream in (1, 2):
        os.write(stream, b'{"predictions": [1.0]}\n')
    print("accuracy 1.0")
    raise OSError("printed what nobody reads")


def modules(*_: str) -> str:
    """Code of ours that a model could find its way by."""
    found = [one for one in sys.modules if one.startswith(("boto", "interlock.aws", "interlock.cli"))]
    if not found:
        raise OSError("nothing")
    return " ".join(found)


def sleep(*_: str) -> None:
    time.sleep(600)


def fill_memory(*_: str) -> None:
    kept = []
    while True:
        kept.append(bytearray(64 << 20))


def flood(*_: str) -> None:
    """Bytes without an end into every descriptor there is."""
    while True:
        for number in range(3, 128):
            try:
                os.write(number, b"\x00" * 65536)
            except OSError:
                continue


def tamper(*_: str) -> str:
    """An answer before the answer: a message that says that all is well."""
    head = json.dumps({"number": 2, "kind": "numbers", "dtype": "<f8", "shape": [1], "blobs": [8]}).encode()
    body = len(head).to_bytes(4, "big") + head + b"\x00" * 8
    for number in range(3, 128):
        try:
            os.write(number, 2 * (len(body).to_bytes(4, "big") + body))
        except OSError:
            continue
    return "sent an answer of its own"


def close_pipes(*_: str) -> None:
    os.closerange(3, 128)
    time.sleep(600)


def leave(*_: str) -> None:
    os._exit(0)


def crash(*_: str) -> None:
    ctypes.string_at(8)


def exit_politely(*_: str) -> None:
    raise SystemExit(0)


def lie_about_size(*_: str) -> None:
    for number in range(3, 128):
        try:
            os.write(number, b"\xff\xff\xff\xff")
        except OSError:
            continue
    time.sleep(600)


class Model:
    def predict(self, rows: pd.DataFrame) -> list[str]:
        answers = []
        for line in rows["attack"]:
            name, *arguments = line.split()
            try:
                answers.append(f"got: {globals()[name](*arguments)}")
            except Exception as error:
                answers.append(f"no: {type(error).__name__} {error}")
        return answers


def _load_pyfunc(path: str) -> Model:
    return Model()
