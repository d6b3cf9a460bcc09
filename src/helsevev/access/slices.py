"""What of an open record is asked for at once: the newest resources of some types."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """The newest `limit` resources of a type, by clinical date.

    With `words`, only those among them are handed out that hold one of the words somewhere in
    their JSON, besides the newest `anyway`: a sieve that lets too much through, never too little.
    It spares decoding hundreds of orders that ended long ago.
    """

    type: str
    limit: int
    words: tuple[bytes, ...] = ()
    anyway: int = 0

    def wants(self, place: int, json: bytes) -> bool:
        """Whether the resource at `place` (from the newest, from 0) is handed out."""
        if not self.words or place < self.anyway:
            return True
        # An escaped spelling could hide a word.
        return any(word in json for word in self.words) or b"\\u" in json
