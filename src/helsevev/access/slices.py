"""What is shown of an open record that is read at once: the newest resources of some types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from helsevev.access.sight import Sight
from helsevev.access.withholding import ALONE, Shown, besides_of, judge
from helsevev.fhir.serialization import decode_kept
from helsevev.record.slices import Slice
from helsevev.record.store import Store, Stored


async def seen_of(
    store: Store,
    found: Mapping[str, Sequence[Stored]],
    patient: int,
    sight: Sight,
) -> dict[str, list[dict[str, Any]]]:
    """What who has this sight of an inhabitant's record sees of some slices, decoded."""
    whole = {kind: [Shown.of(each, each.json) for each in rows] for kind, rows in found.items()}
    every = [each for rows in whole.values() for each in rows]
    besides = (await besides_of(store, every, {patient: sight})).get(patient, ALONE)
    return {
        kind: [
            decode_kept(seen.json)
            for each in rows
            if (seen := judge(each, sight, besides).stored) is not None
        ]
        for kind, rows in whole.items()
    }


__all__ = ["Slice", "seen_of"]
