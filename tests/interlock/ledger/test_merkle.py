from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.ledger.merkle import (
    EMPTY_ROOT,
    ProofRefused,
    Tree,
    leaf_hash,
    node_hash,
    root_over,
    verify_consistency,
    verify_inclusion,
)
from interlock.release.digests import Sha256

TREE = Tree(f"entry {number}".encode() for number in range(300))

sizes = st.integers(1, TREE.size)


def tampered(proof: list[Sha256], place: int, bit: int) -> list[Sha256]:
    flipped = bytearray(proof[place])
    flipped[bit // 8] ^= 1 << bit % 8
    return [*proof[:place], Sha256(bytes(flipped)), *proof[place + 1 :]]


def test_a_trees_root_is_that_of_its_definition() -> None:
    for size in range(TREE.size + 1):
        assert TREE.root(size) == root_over([TREE.leaf(index) for index in range(size)])


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Tree().root() == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_leaf_and_a_node_over_the_same_bytes_differ() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


def test_every_leaf_of_every_small_tree_is_proved() -> None:
    for size in range(1, 70):
        for index in range(size):
            verify_inclusion(TREE.leaf(index), index, size, TREE.inclusion(index, size), TREE.root(size))


def test_every_small_tree_is_proved_to_begin_with_each_smaller_one() -> None:
    for new in range(70):
        for old in range(new + 1):
            verify_consistency(old, new, TREE.consistency(old, new), TREE.root(old), TREE.root(new))


@given(sizes, st.data())
def test_a_leaf_is_proved_at_no_other_place_and_in_no_other_tree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = TREE.inclusion(index, size)
    other = data.draw(st.integers(0, size).filter(lambda one: one != index))
    with pytest.raises(ProofRefused):
        verify_inclusion(TREE.leaf(index), other, size, proof, TREE.root(size))
    with pytest.raises(ProofRefused):
        verify_inclusion(TREE.leaf(index), index, size, proof, EMPTY_ROOT)
    with pytest.raises(ProofRefused):
        verify_inclusion(leaf_hash(b"another"), index, size, proof, TREE.root(size))


@given(st.integers(2, TREE.size), st.data())
def test_a_tampered_proof_of_inclusion_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = TREE.inclusion(index, size)
    changed = data.draw(
        st.one_of(
            st.just(proof[:-1]),
            st.just([*proof, proof[-1]]),
            st.builds(tampered, st.just(proof), st.integers(0, len(proof) - 1), st.integers(0, 255)),
        )
    )
    with pytest.raises(ProofRefused):
        verify_inclusion(TREE.leaf(index), index, size, changed, TREE.root(size))


@given(st.integers(2, TREE.size), st.data())
def test_a_tampered_proof_of_consistency_is_refused(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    proof = TREE.consistency(old, new)
    changed = data.draw(
        st.one_of(
            st.just(proof[:-1]),
            st.just([*proof, proof[-1]]),
            st.builds(tampered, st.just(proof), st.integers(0, len(proof) - 1), st.integers(0, 255)),
        )
    )
    with pytest.raises(ProofRefused):
        verify_consistency(old, new, changed, TREE.root(old), TREE.root(new))


@given(st.integers(2, TREE.size), st.data())
def test_a_tree_with_another_past_is_not_consistent(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    forked = Tree([b"another", *(f"entry {number}".encode() for number in range(1, new))])
    with pytest.raises(ProofRefused):
        verify_consistency(old, new, forked.consistency(old, new), TREE.root(old), forked.root())


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 301)])
def test_a_proof_for_a_leaf_that_is_not_there_is_not_made(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="none of the first"):
        TREE.inclusion(index, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3), (0, 301)])
def test_a_proof_between_impossible_sizes_is_not_made(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="not sizes"):
        TREE.consistency(old, new)


def test_nothing_is_consistent_with_a_root_that_was_not_its() -> None:
    with pytest.raises(ProofRefused):
        verify_consistency(0, 5, [], TREE.root(1), TREE.root(5))
    with pytest.raises(ProofRefused):
        verify_consistency(5, 5, [], TREE.root(4), TREE.root(5))
    with pytest.raises(ProofRefused):
        verify_consistency(6, 5, [], TREE.root(6), TREE.root(5))
    with pytest.raises(ProofRefused):
        verify_consistency(5, 5, [TREE.leaf(0)], TREE.root(5), TREE.root(5))
    with pytest.raises(ProofRefused):
        verify_consistency(3, 5, [], TREE.root(3), TREE.root(5))
