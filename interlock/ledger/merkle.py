"""Merkle trees over the entries of a log: hashes, roots, and proofs of inclusion and of consistency.

Source: RFC 6962, 2.1, and for the verification of proofs RFC 9162, 2.1.3.2 and 2.1.4.2; the hashes are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from interlock.release.digests import Sha256

EMPTY_ROOT: Final = Sha256(hashlib.sha256(b"").digest())


class ProofRefused(ValueError):
    """A proof that does not prove what it was given for."""


def leaf_hash(entry: bytes) -> Sha256:
    """Return the hash of the leaf that holds `entry`."""
    return Sha256(hashlib.sha256(b"\x00" + entry).digest())


def node_hash(left: bytes, right: bytes) -> Sha256:
    """Return the hash of the node above two others."""
    return Sha256(hashlib.sha256(b"\x01" + left + right).digest())


def root_over(hashes: Sequence[Sha256]) -> Sha256:
    """Return the root above `hashes`, those of leaves or of complete subtrees of one size, the last perhaps smaller."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    split = _split(len(hashes))
    return node_hash(root_over(hashes[:split]), root_over(hashes[split:]))


class Tree:
    """A whole tree in memory, with every complete subtree's hash, so that a proof costs a logarithm."""

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        self._levels: list[list[Sha256]] = [[]]
        for entry in entries:
            self.append(entry)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    def append(self, entry: bytes) -> None:
        """Add a leaf."""
        made, level = leaf_hash(entry), 0
        self._levels[0].append(made)
        while len(self._levels[level]) % 2 == 0:
            made = node_hash(self._levels[level][-2], made)
            level += 1
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(made)

    def leaf(self, index: int) -> Sha256:
        """Return the hash of leaf `index` (from 0)."""
        return self._levels[0][index]

    def root(self, size: int | None = None) -> Sha256:
        """Return the root of the first `size` leaves, all unless given. Raises ValueError for more than there are."""
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ValueError(f"the tree has {self.size} leaves, not {size}")
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[Sha256]:
        """Return the proof that leaf `index` is one of the first `size`. Raises ValueError if it is not."""
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise ValueError(f"leaf {index} is none of the first {size} of {self.size}")
        start, end, path = 0, size, []
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, new: int | None = None) -> list[Sha256]:
        """Return the proof that the first `new` leaves begin with the first `old`. Raises ValueError if they cannot."""
        new = self.size if new is None else new
        if not 0 <= old <= new <= self.size:
            raise ValueError(f"{old} and {new} are not sizes, one after the other, of a tree of {self.size}")
        if old in (0, new):
            return []
        start, end, whole, path = 0, new, True, []
        while old - start != end - start:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        return [*([] if whole else [self._range(start, end)]), *path[::-1]]

    def _range(self, start: int, end: int) -> Sha256:
        """Return the root over leaves `start` to `end`, where `start` is a place that a split leads to."""
        count = end - start
        level = count.bit_length() - 1
        if count == 1 << level:
            return self._levels[level][start >> level]
        middle = start + _split(count)
        return node_hash(self._range(start, middle), self._range(middle, end))


def verify_inclusion(entry: Sha256, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with the hash `entry` is leaf `index` of the tree of `size` leaves under `root`.

    Raises ProofRefused.
    """
    if not 0 <= index < size:
        raise ProofRefused(f"leaf {index} is in no tree of {size} leaves")
    place, last, found = index, size - 1, entry
    for one in proof:
        if last == 0:
            raise ProofRefused("the proof is too long")
        if place % 2 or place == last:
            found = node_hash(one, found)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, one)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefused("the proof is too short")
    if found != root:
        raise ProofRefused(f"the proof leads to the root {found.hex()}, not {bytes(root).hex()}")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree of `new` leaves under `new_root` begins with that of `old` leaves under `old_root`.

    Raises ProofRefused.
    """
    if not 0 <= old <= new:
        raise ProofRefused(f"a tree of {new} leaves does not begin with one of {old}")
    if old in (0, new):
        if proof:
            raise ProofRefused("the proof is too long")
        if old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise ProofRefused(f"the root of {old} leaves is not {bytes(old_root).hex()}")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofRefused("the proof is too short")
    place, last = old - 1, new - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    before = after = Sha256(path[0])
    for one in path[1:]:
        if last == 0:
            raise ProofRefused("the proof is too long")
        if place % 2 or place == last:
            before, after = node_hash(one, before), node_hash(one, after)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, one)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefused("the proof is too short")
    if before != old_root:
        raise ProofRefused(f"the proof leads to the older root {before.hex()}, not {bytes(old_root).hex()}")
    if after != new_root:
        raise ProofRefused(f"the proof leads to the newer root {after.hex()}, not {bytes(new_root).hex()}")


def _split(count: int) -> int:
    """Return the largest power of two below `count`, which is two at least."""
    return 1 << ((count - 1).bit_length() - 1)
