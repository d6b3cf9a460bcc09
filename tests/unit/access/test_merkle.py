"""Proofs about the log hold for every true claim, and for no other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.audit.merkle import (
    EMPTY,
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    is_consistent,
    leaf_hash,
    node_hash,
    root_by_inclusion,
)

LEAVES = [leaf_hash(bytes([n])) for n in range(80)]
KNOWN = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43",
         b"\x50\x51\x52\x53\x54\x55\x56\x57",
         b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"]  # fmt: skip
KNOWN_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def root_of(leaves: list[bytes]) -> bytes:
    """The root as RFC 9162 defines it, 2.1.1."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def test_the_root_is_that_of_the_known_log_of_eight() -> None:
    tree = Frontier()
    tree.extend(leaf_hash(content) for content in KNOWN)
    assert tree.root().hex() == KNOWN_ROOT


@given(st.integers(0, 80), st.integers(0, 80))
def test_a_tree_that_grew_in_parts_is_the_tree_of_all(size: int, split: int) -> None:
    part = min(size, split)
    first = Frontier()
    first.extend(LEAVES[:part])
    tree = Frontier(part, first.subtrees)
    tree.extend(LEAVES[part:size])
    assert tree.root() == root_of(LEAVES[:size])


@given(st.integers(1, 80), st.data())
def test_a_leaf_is_proved_in_its_place_and_in_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    path = [root_of(leaves[a:b]) for a, b in inclusion_ranges(index, size)]
    assert root_by_inclusion(leaves[index], index, size, path) == root_of(leaves)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert root_by_inclusion(leaves[index], other, size, path) != root_of(leaves)


@given(st.integers(0, 80), st.integers(0, 80), st.integers(0, 79))
def test_a_log_that_only_grew_is_consistent_and_one_that_changed_is_not(
    one: int, other: int, changed: int
) -> None:
    old, new = sorted((one, other))
    leaves = LEAVES[:new]
    ranges = consistency_ranges(old, new) if 0 < old < new else []
    proof = [root_of(leaves[a:b]) for a, b in ranges]
    old_root, new_root = root_of(leaves[:old]), root_of(leaves)
    assert is_consistent(old, new, old_root, new_root, proof)
    if changed < old:
        rewritten = [*leaves[:changed], leaf_hash(b"other"), *leaves[changed + 1 :]]
        proof = [root_of(rewritten[a:b]) for a, b in ranges]
        assert not is_consistent(old, new, old_root, root_of(rewritten), proof)
