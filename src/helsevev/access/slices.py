"""What of an open record is asked for at once: the newest resources of some types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helsevev.access.sight import Sight
from helsevev.access.withholding import ALONE, Shown, besides_of, judge
from helsevev.fhir.serialization import decode_kept
from helsevev.record.store import Store, Stored


@dataclass(frozen=True, slots=True)
class Slice:
    """The newest `limit` resources of a type, by clinical date.

    With `words`, only those among them are handed out that hold one of the words somewhere in
    their JSON, besides the newest `anyway` that the reader sees: a sieve that lets too much
    through, never too little. It spares judging and decoding hundreds of orders that ended long
    ago.
    """

    type: str
    limit: int
    words: tuple[bytes, ...] = ()
    anyway: int = 0

    def sieved(self, rows: Iterable[Stored], sight: Sight) -> list[Shown]:
        """Those of `rows`, newest first, that are handed out if who has this sight sees them."""
        kept: list[Shown] = []
        seen = 0 if self.words else self.anyway
        for stored in rows:
            whole = Shown.of(stored, stored.json)
            if seen < self.anyway:
                kept.append(whole)
                seen += judge(whole, sight).stored is not None
            elif self._wants(whole.shown):
                kept.append(whole)
        return kept

    def _wants(self, json: bytes) -> bool:
        if not self.words:
            return True
        for word in self.words:
            if word in json:
                return True
        # An escaped spelling could hide a word.
        return b"\\u" in json


async def seen_of(
    store: Store,
    found: Mapping[str, Sequence[Stored]],
    pieces: Mapping[str, Slice],
    patient: int,
    sight: Sight,
) -> dict[str, list[dict[str, Any]]]:
    """What who has this sight of an inhabitant's record sees of some slices, decoded.

    First the sieve: what is not handed out need not be judged.
    """
    kept = {kind: pieces[kind].sieved(rows, sight) for kind, rows in found.items()}
    every = [each for rows in kept.values() for each in rows]
    besides = (await besides_of(store, every, {patient: sight})).get(patient, ALONE)
    return {
        kind: [
            decode_kept(seen.json)
            for each in rows
            if (seen := judge(each, sight, besides).stored) is not None
        ]
        for kind, rows in kept.items()
    }


__all__ = ["Slice", "seen_of"]
