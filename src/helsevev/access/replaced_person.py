"""Who was replaced by whom: whoever treats a person also reads what is kept under the old id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from helsevev.fhir.person_merging import replaced_by
from helsevev.kit.projection import Projection
from helsevev.record import keys


def _rows(patient: dict[str, Any]) -> Iterator[tuple[int]]:
    target = replaced_by(patient)
    # It stands in the Patient that is opened by it: only who may write there can say so.
    if target is not None and patient.get("active") is False:
        yield (keys.patient_key(target),)


PROJECTION: Final = Projection(
    "replaced_person", frozenset({"Patient"}), {"target": "bigint"}, _rows
)
