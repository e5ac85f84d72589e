"""What lies in the local cloud's buckets, kept and put back, so that each death begins from the same state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.s3.models import s3_backends


@dataclass(frozen=True)
class _Kept:
    version: Any
    lock: tuple[Any, Any]


@dataclass(frozen=True)
class State:
    """Every version of every key of some buckets, with its lock. The versions' bytes are not copied."""

    account: str
    buckets: dict[str, dict[str, list[_Kept]]]

    @classmethod
    def of(cls, account: str, names: Sequence[str]) -> State:
        found = {name: _bucket(account, name).keys for name in names}
        return cls(
            account,
            {
                name: {key: [_Kept(one, _lock(one)) for one in keys.getlist(key)] for key in keys}
                for name, keys in found.items()
            },
        )

    def put_back(self) -> None:
        for name, keys in self.buckets.items():
            bucket = _bucket(self.account, name)
            bucket.multiparts.clear()
            for key in list(bucket.keys):
                dict.pop(bucket.keys, key)
            for key, versions in keys.items():
                for one in versions:
                    if hasattr(one.version, "lock_mode"):
                        one.version.lock_mode, one.version.lock_until = one.lock
                dict.__setitem__(bucket.keys, key, [one.version for one in versions])


def _bucket(account: str, name: str) -> Any:
    return s3_backends[account]["aws"].buckets[name]


def _lock(version: Any) -> tuple[Any, Any]:
    return getattr(version, "lock_mode", None), getattr(version, "lock_until", None)
