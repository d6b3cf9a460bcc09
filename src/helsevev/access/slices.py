"""What of an open record is asked for at once: the newest resources of some types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from helsevev.access.sight import Sight
from helsevev.access.withholding import ALONE, Besides, Shown, judge
from helsevev.fhir.serialization import decode_kept
from helsevev.record.store import Stored


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

    def opened(
        self, rows: Iterable[Stored], sight: Sight, besides: Besides = ALONE
    ) -> list[dict[str, Any]]:
        """The resources of `rows`, newest first, that are handed out to who has this sight."""
        found: list[dict[str, Any]] = []
        seen = 0
        for stored in rows:
            whole = Shown.of(stored, stored.json)
            if seen >= self.anyway and not self._wants(whole.json):
                continue
            shown = judge(whole, sight, besides).stored
            if shown is not None:
                seen += 1
                found.append(decode_kept(shown.json))
        return found

    def _wants(self, json: bytes) -> bool:
        if not self.words:
            return True
        # An escaped spelling could hide a word.
        return any(word in json for word in self.words) or b"\\u" in json
