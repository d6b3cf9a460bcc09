"""Merkle trees over a log that only grows: hashes, inclusion and consistency (RFC 9162, 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

HASH: Final = 32
"""Bytes of a hash."""

EMPTY: Final = sha256(b"").digest()
"""The root of a log without leaves."""

Range = tuple[int, int]
"""Leaves from the first, up to but without the second."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that leaves are added to, known by the roots of its full subtrees alone.

    `subtrees` are those roots, largest first: one for each bit of `size`.
    """

    def __init__(self, size: int = 0, subtrees: bytes = b"") -> None:
        """Raises ValueError when there are not as many subtrees as the size has bits."""
        if len(subtrees) != HASH * size.bit_count():
            raise ValueError("the subtrees are not those of a tree of this size")
        self.size = size
        self._roots = [subtrees[n : n + HASH] for n in range(0, len(subtrees), HASH)]

    @property
    def subtrees(self) -> bytes:
        """The roots of the full subtrees, one after the other."""
        return b"".join(self._roots)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves by their hashes."""
        roots, size = self._roots, self.size
        for leaf in leaves:
            root, full = leaf, size
            while full & 1:
                root = sha256(b"\x01" + roots.pop() + root).digest()
                full >>= 1
            roots.append(root)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self._roots:
            return EMPTY
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = node_hash(left, root)
        return root


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees whose roots prove that leaf `index` is in a tree of `size`, nearest first."""
    found: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The subtrees whose roots prove that a tree of `new` leaves began as that of `old`."""
    found: list[Range] = []
    start, end, whole = 0, new, True
    while old - start != end - start:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if not whole:
        found.append((start, end))
    return found[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that the path leads to (RFC 9162, 2.1.3.2); None when it cannot be a path."""
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows the tree of `new` leaves to begin with that of `old` (2.1.4.2)."""
    if old == new or old == 0:
        return not proof and (old == 0 or old_root == new_root)
    if not 0 < old < new:
        return False
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
