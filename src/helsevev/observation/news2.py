"""NEWS2 from the values at hand, by the table that the content holds.

Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017. Points and responses are
content; here they are only looked up and added. Nothing missing is taken to be normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.content.score_shapes import News2, Response
from helsevev.fhir.reading import amount, codes, objects

# HL7 Norway, VkpObservation 0.5.2: the two parts that are chosen, not measured.
AIR_OR_OXYGEN: Final = "1104331000000105"
CONSCIOUSNESS: Final = "1104361000000100"
_MEASURED: Final = ("respiration", "saturation", "systolic", "pulse", "temperature")
_ORDER: Final = ("respiration", "saturation", "oxygen", "systolic", "pulse", "consciousness",
                 "temperature")  # fmt: skip


class Part(Struct, frozen=True):
    """What one part was given; `key` is the measurement it was read from."""

    key: str
    code: str
    label: str
    points: int


class Score(Struct, frozen=True):
    """The score; `total` is None while a part is missing, `subtotal` counts what is there.

    `response` says what the total asks for; while parts are missing it is None, unless what is
    there already asks for the most.
    """

    total: int | None
    subtotal: int
    response: Response | None
    parts: tuple[Part, ...]
    missing: tuple[str, ...]


def score(
    values: Mapping[str, Decimal], consciousness: str, table: News2, *, scale_2: bool = False
) -> Score:
    """NEWS2 of numbers by key (oxygen in L/min, 0 is air) and an ACVPU letter ("" not assessed).

    `scale_2` is for those with confirmed hypercapnic respiratory failure.
    """
    found = {part.key: part for part in (*_measured(values, table, scale_2=scale_2),)}
    if "oxygen" in values:
        answer = table.oxygen[1 if values["oxygen"] > 0 else 0]
        found["oxygen"] = Part("oxygen", AIR_OR_OXYGEN, answer.label, answer.points)
    for answer in table.consciousness:
        if answer.key == consciousness:
            found["consciousness"] = Part(
                "consciousness", CONSCIOUSNESS, answer.label, answer.points
            )
    parts = tuple(found[key] for key in _ORDER if key in found)
    missing = tuple(key for key in _ORDER if key not in found)
    subtotal = sum(part.points for part in parts)
    response = _response(subtotal, max((part.points for part in parts), default=0), table)
    if missing and response is not table.response[-1]:
        response = None
    return Score(None if missing else subtotal, subtotal, response, parts, missing)


def told(observation: Mapping[str, Any], table: News2) -> Score | None:
    """The score that an Observation says, by its total and the points of its parts.

    None for any other Observation, and for a score without a total.
    """
    total = amount(observation.get("valueQuantity"))
    if table.snomed not in codes(observation.get("code")) or total is None or total.value is None:
        return None
    parts = [amount(part.get("valueQuantity")) for part in objects(observation.get("component"))]
    # A form may keep what was measured beside the points that it gives.
    points = [int(p.value) for p in parts if p is not None and p.value and p.code == "{score}"]
    highest = max(points, default=0)
    whole = int(total.value)
    return Score(whole, whole, _response(whole, highest, table), (), ())


def _measured(values: Mapping[str, Decimal], table: News2, *, scale_2: bool) -> list[Part]:
    found = []
    for key in _MEASURED:
        if key not in values:
            continue
        name = key
        if key == "saturation":
            if scale_2 and "oxygen" not in values:
                # Scale 2 judges a high saturation by whether oxygen is given: unknown until told.
                continue
            gas = "oxygen" if values.get("oxygen", Decimal(0)) > 0 else "air"
            name = f"saturation-2-{gas}" if scale_2 else "saturation-1"
        part = table.named(name)
        found.append(Part(key, part.snomed, part.label, part.points(values[key])))
    return found


def _response(total: int, highest: int, table: News2) -> Response | None:
    """The last response that is met; they stand from the least to the most."""
    met = [r for r in table.response if (highest if r.single else total) >= r.at_least]
    return met[-1] if met else None
