"""Runs a program that refuses root as `nobody`, though its files lie where only root may look.

PostgreSQL checks that its user is not root. A user's cache folder and a cloud's directory are closed to others, so
the one right kept is to pass closed folders (CAP_DAC_OVERRIDE), as an ambient capability that outlives `exec`.
Source: capabilities(7).
"""

from __future__ import annotations

import ctypes
import os
import pwd
from pathlib import Path

_USER = "nobody"
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_VERSION_3 = 0x20080522
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Set(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def is_root() -> bool:
    """Return whether this process is root."""
    return os.geteuid() == 0


def give_away(path: Path) -> None:
    """Make `path` and all in it belong to the user that `drop` turns to; nothing to do unless this process is root."""
    if is_root():
        entry = pwd.getpwnam(_USER)
        for place in (path, *path.rglob("*")):
            os.chown(place, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def drop() -> None:
    """Become `nobody`, keeping only the right to pass closed folders; between fork and exec, in a process of root's."""
    if not is_root():
        return
    entry = pwd.getpwnam(_USER)
    # Without this bit a change of user takes all capabilities, and access(2) ignores what is left of them.
    if _LIBC.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECUREBITS)")
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    kept = 1 << _CAP_DAC_OVERRIDE
    sets = (_Set * 2)(_Set(kept, kept, kept), _Set(0, 0, 0))
    if _LIBC.capset(ctypes.byref(_Header(_VERSION_3, 0)), ctypes.byref(sets)) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    if _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_CAP_AMBIENT)")
