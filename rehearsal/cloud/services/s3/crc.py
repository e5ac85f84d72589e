"""Reflected cyclic redundancy checks that the standard library lacks, fast enough for objects of 100 MB."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_LANES = 1 << 15
_SCALAR_LIMIT = 1 << 20


@dataclass(frozen=True)
class Crc:
    """A reflected CRC of `width` bits (a multiple of 8) that starts with, and is inverted by, all ones.

    `polynomial` is reflected too.
    """

    width: int
    polynomial: int

    def digest(self, data: bytes) -> bytes:
        """Return the checksum of `data`, big-endian."""
        ones = (1 << self.width) - 1
        split = len(data) % _LANES if len(data) > _SCALAR_LIMIT else len(data)
        state = self._scalar(ones, data[:split])
        if split < len(data):
            state = self._lanes(state, data, split)
        return (state ^ ones).to_bytes(self.width // 8, "big")

    @cached_property
    def _table(self) -> NDArray[np.uint64]:
        entries = []
        for value in range(256):
            for _ in range(8):
                value = (value >> 1) ^ (self.polynomial if value & 1 else 0)
            entries.append(value)
        return np.array(entries, dtype=np.uint64)

    def _scalar(self, state: int, data: bytes) -> int:
        table = [int(entry) for entry in self._table]
        for byte in data:
            state = table[(state ^ byte) & 0xFF] ^ (state >> 8)
        return state

    def _lanes(self, state: int, data: bytes, start: int) -> int:
        """Continue from `state` over data[start:], cut into lanes that are computed side by side and then joined."""
        length = (len(data) - start) // _LANES
        columns = np.frombuffer(data, dtype=np.uint8, offset=start).reshape(_LANES, length).T.astype(np.uint64)
        lanes = np.zeros(_LANES, dtype=np.uint64)
        low, eight = np.uint64(0xFF), np.uint64(8)
        for column in columns:
            lanes = self._table[(lanes ^ column) & low] ^ (lanes >> eight)
        over_lane = self._zeros(length)
        for lane in lanes:
            state = _apply(over_lane, state) ^ int(lane)
        return state

    def _zeros(self, length: int) -> list[int]:
        """Return what `length` zero bytes do to each bit of a state, by repeated squaring."""
        step = [int(self._table[(1 << bit) & 0xFF]) ^ ((1 << bit) >> 8) for bit in range(self.width)]
        result = [1 << bit for bit in range(self.width)]
        while length:
            if length & 1:
                result = [_apply(step, image) for image in result]
            step = [_apply(step, image) for image in step]
            length >>= 1
        return result


def _apply(images: list[int], state: int) -> int:
    total = 0
    for image in images:
        if state & 1:
            total ^= image
        state >>= 1
    return total


CRC64NVME = Crc(64, 0x9A6C9329AC4BC9B5)
"""NVM Express NVM Command Set 1.0d, section 5.2.1.3.4; of "123456789" it is ae8b14860a799888."""
CRC32C = Crc(32, 0x82F63B78)
"""RFC 3720, appendix B.4; of "123456789" it is e3069283."""
