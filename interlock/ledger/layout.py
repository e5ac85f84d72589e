"""Where the objects of a log lie in the vault, and what a log is called."""

from __future__ import annotations

import re
from typing import Final

LEDGER: Final = "ledger/"
WITNESSED: Final = "witness/"
TILE_WIDTH: Final = 256
"""Hashes of a full tile, entries of a full bundle: https://c2sp.org/tlog-tiles"""
MOST_NUMBERS: Final = 10**9

_LOG: Final = re.compile(r"([a-z]{2}(?:-[a-z]+)+-[0-9])-([1-9][0-9]{0,5})")


class InvalidName(ValueError):
    """A name that no log or object of a log has."""


def epoch_of(log: str) -> int:
    """Return the epoch (from 1) of the log `<region>-<epoch>`. Raises InvalidName."""
    match = _LOG.fullmatch(log)
    if match is None:
        raise InvalidName(f"received {log!r}; accepted is a region and an epoch from 1, such as eu-west-1-1")
    return int(match[2])


def region_of(log: str) -> str:
    """Return the region of the log `<region>-<epoch>`. Raises InvalidName."""
    epoch_of(log)
    return log.rpartition("-")[0]


def origin_of(root_name: str, log: str) -> str:
    """Return the origin line of a log of the trust root `root_name`. Raises InvalidName.

    A key's name in a signed note holds no space and no plus, and a log's is its origin: https://c2sp.org/signed-note
    """
    epoch_of(log)
    return f"{_fit(root_name)}/{log}"


def witness_name(root_name: str) -> str:
    """Return what the witness of the trust root `root_name` is called in the lines that it signs."""
    return f"{_fit(root_name)}/witness"


def log_of(origin: str) -> str:
    """Return the name of the log with an origin. Raises InvalidName."""
    log = origin.rpartition("/")[2]
    epoch_of(log)
    return log


def log_prefix(log: str) -> str:
    """Return the prefix of all that a log's sequencers write."""
    return f"{LEDGER}{log}/"


def batches_prefix(log: str) -> str:
    """Return the prefix of the decisions on what comes next."""
    return f"{log_prefix(log)}batches/"


def checkpoints_prefix(log: str) -> str:
    """Return the prefix of the log's own checkpoints."""
    return f"{log_prefix(log)}checkpoints/"


def witnessed_prefix(log: str) -> str:
    """Return the prefix of the checkpoints that the witness has co-signed."""
    return f"{WITNESSED}{log}/"


def numbered(prefix: str, number: int) -> str:
    """Return the key of object `number` (from 0) under `prefix`.

    In three folders of a thousand at most, so that three listings of one page find the last of them.
    """
    if not 0 <= number < MOST_NUMBERS:
        raise InvalidName(f"received {number}; accepted is a number from 0 to {MOST_NUMBERS - 1}")
    digits = f"{number:09d}"
    return f"{prefix}{digits[:3]}/{digits[3:6]}/{digits[6:]}"


def tile_key(log: str, level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return the key of tile `index` of `level`, partial if `width` says so: https://c2sp.org/tlog-tiles"""
    return f"{log_prefix(log)}tile/{level}/{_path(index)}{_partial(width)}"


def bundle_key(log: str, index: int, width: int = TILE_WIDTH) -> str:
    """Return the key of entry bundle `index`, partial if `width` says so: https://c2sp.org/tlog-tiles"""
    return f"{log_prefix(log)}tile/entries/{_path(index)}{_partial(width)}"


def _path(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def _partial(width: int) -> str:
    if not 1 <= width <= TILE_WIDTH:
        raise InvalidName(f"received a width of {width}; accepted is one from 1 to {TILE_WIDTH}")
    return "" if width == TILE_WIDTH else f".p/{width}"


def _fit(name: str) -> str:
    return re.sub(r"[\s+]+", "-", name, flags=re.UNICODE)
