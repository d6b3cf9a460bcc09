"""A round of vital signs: typed numbers in, Observations out, nothing guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import amount, codes, moment, objects
from helsevev.locale import gettext as _
from helsevev.observation.news2 import Score, score
from helsevev.observation.vital_sign_table import Coding, Panel, Table, VitalSign

UCUM: Final = "http://unitsofmeasure.org"
CATEGORY_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_NUMBER: Final = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{1,6})?")
_CLOCK_SKEW: Final = timedelta(minutes=5)

class Taken(Struct, frozen=True):
    """What a form says: values by key, what is wrong with the rest, and the score so far."""

    values: Mapping[str, Decimal | str]
    issues: tuple[Issue, ...]
    score: Score
    hypercapnic: bool


class Performer(Struct, frozen=True):
    """Who measured: a reference and the name to show."""

    reference: str
    name: str


class NotRecordable(ValueError):
    """The measurements cannot be recorded; `issues` name each field and say why."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = tuple(issues)


def read_form(form: Mapping[str, str], table: Table) -> Taken:
    """Read what was typed. Comma or point; the digits stay as typed (37,0 is 37.0).

    Issues carry the field's key as their expression. The score is live: it counts what is right.
    """
    values: dict[str, Decimal | str] = {}
    issues: list[Issue] = []
    for sign in table.signs:
        typed = form.get(sign.key, "").strip().replace("\u202f", "").replace("\u2212", "-")
        if not typed:
            continue
        if sign.choices:
            if typed in {choice.value for choice in sign.choices}:
                values[sign.key] = typed
            else:
                issues.append(error("value", _("Choose one of the answers."), sign.key))
        else:
            found = _number(sign, typed)
            if isinstance(found, Decimal):
                values[sign.key] = found
            else:
                issues.append(found)
    issues += _pressure_issues(values)
    hypercapnic = form.get("hypercapnic", "") not in ("", "0", "no", "off")
    scales = table.scales_hypercapnic if hypercapnic else table.scales
    live = score(score_values(values, hypercapnic), scales, table.thresholds)
    return Taken(values, tuple(issues), live, hypercapnic)


def score_values(
    values: Mapping[str, Decimal | str], hypercapnic: bool
) -> dict[str, Decimal | str]:
    """The values as the scales read them.

    On scale 2, saturation is judged differently on oxygen and on air
    (the key then ends in "-on-oxygen").
    """
    scored = dict(values)
    if hypercapnic and values.get("oxygen") == "oxygen" and "saturation" in values:
        scored["saturation-on-oxygen"] = scored.pop("saturation")
    return scored


def _number(sign: VitalSign, typed: str) -> Decimal | Issue:
    if not _NUMBER.fullmatch(typed):
        return error("value", _("Write a number."), sign.key)
    value = Decimal(typed.replace(",", "."))
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > sign.decimals:
        if sign.decimals == 0:
            return error("value", _("Write a whole number."), sign.key)
        return error(
            "value",
            _("At most %(count)s decimals.") % {"count": sign.decimals},
            sign.key,
        )
    if (sign.least is not None and value < sign.least) or (
        sign.most is not None and value > sign.most
    ):
        limits = {"low": _shown(sign.least), "high": _shown(sign.most), "unit": sign.unit}
        told = _("Must be between %(low)s and %(high)s %(unit)s.") % limits
        return error("value", told.replace(" .", "."), sign.key)
    return value


def _pressure_issues(values: Mapping[str, Decimal | str]) -> list[Issue]:
    upper, lower = values.get("systolic"), values.get("diastolic")
    if isinstance(lower, Decimal) and upper is None:
        return [error("required", _("The systolic pressure is missing."), "systolic")]
    if isinstance(upper, Decimal) and isinstance(lower, Decimal) and lower >= upper:
        return [error("value", _("Must be lower than the systolic pressure."), "diastolic")]
    return []


def record_vital_signs(
    form: Mapping[str, str],
    *,
    patient_id: str,
    performer: Performer,
    at: datetime,
    now: datetime,
    table: Table,
    encounter: str | None = None,
) -> list[tuple[str, dict[str, Any]]]:
    """The Observations of one round, each with its urn:uuid, ready for one transaction.

    One Observation for each measurement, one for a panel with its components, and NEWS2 with its
    parts when all of them are there, derived from the others. Raises NotRecordable: nothing
    typed, anything wrong, or a time that has not come.
    """
    taken = read_form(form, table)
    issues = list(taken.issues)
    if at > now + _CLOCK_SKEW:
        issues.append(error("value", _("The time has not come yet."), "time"))
    if not taken.values and not issues:
        issues.append(error("required", _("Nothing is filled in."), table.signs[0].key))
    if issues:
        raise NotRecordable(issues)
    shared: dict[str, Any] = {
        "subject": {"reference": f"Patient/{patient_id}"},
        "effectiveDateTime": at.isoformat(timespec="seconds"),
        "performer": [{"reference": performer.reference, "display": performer.name}],
    }
    if encounter:
        shared["encounter"] = {"reference": encounter}
    made: list[tuple[str, dict[str, Any]]] = []
    sources: dict[str, str] = {}
    for sign in table.signs:
        if sign.key in taken.values and not sign.panel:
            made.append(_entry(sources, sign.key, _single(sign, taken.values[sign.key], shared)))
    for panel in table.panels:
        parts = [s for s in table.signs if s.panel == panel.key and s.key in taken.values]
        if parts:
            entry = _entry(sources, panel.key, _panel(panel, parts, taken.values, shared))
            sources.update({part.key: entry[0] for part in parts})
            made.append(entry)
    if taken.score.total is not None:
        made.append((f"urn:uuid:{uuid4()}", _score(taken.score, table, sources, shared)))
    return made


def as_transaction(made: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The Observations as one transaction Bundle: all are stored, or none."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": url,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for url, resource in made
        ],
    }


def check(observation: Mapping[str, Any]) -> list[Issue]:
    """The rules of an Observation, whichever door it comes through: only what cannot be true.

    A final vital sign is not negative, and no saturation exceeds 100 %.
    """
    if "vital-signs" not in codes(observation.get("category")):
        return []
    found: list[Issue] = []
    for place, element in _measured(observation):
        measured = amount(element.get("valueQuantity"))
        if measured is None or measured.value is None or measured.system != UCUM:
            continue
        if measured.value < 0 and measured.code not in ("Cel", "[degF]"):
            found.append(error("business-rule", _("A vital sign cannot be negative."), place))
        elif measured.code == "%" and measured.value > 100 and _is_saturation(element):
            found.append(error("business-rule", _("Saturation cannot exceed 100 %."), place))
    return found


def _measured(observation: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    components = objects(observation.get("component"))
    return [
        ("Observation.value", observation),
        *((f"Observation.component[{i}].value", c) for i, c in enumerate(components)),
    ]


def _is_saturation(element: Mapping[str, Any]) -> bool:
    return bool(codes(element.get("code")) & {"2708-6", "59408-5", "431314004"})


def _entry(
    sources: dict[str, str], key: str, resource: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    url = f"urn:uuid:{uuid4()}"
    sources[key] = url
    return url, resource


def _single(
    sign: VitalSign, value: Decimal | str, shared: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **_frame("vital-signs", sign.coding, sign.label),
        **shared,
        **_value(sign, value),
        **_normal(sign),
    }


def _panel(
    panel: Panel,
    parts: Sequence[VitalSign],
    values: Mapping[str, Decimal | str],
    shared: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        **_frame("vital-signs", panel.coding, panel.label),
        **shared,
        "component": [
            {
                "code": _concept(part.coding, part.label),
                **_value(part, values[part.key]),
                **_normal(part),
            }
            for part in parts
        ],
    }


def _score(
    found: Score, table: Table, sources: Mapping[str, str], shared: Mapping[str, Any]
) -> dict[str, Any]:
    scored: dict[str, Any] = {
        **_frame("survey", table.score_coding, table.score_label),
        **shared,
        "valueQuantity": _points(found.total or 0),
        "derivedFrom": [{"reference": url} for url in dict.fromkeys(sources.values())],
        "component": [
            {
                "code": _concept((table.score_coding[0], part.code, ""), table.labels[part.key]),
                "valueQuantity": _points(part.points),
            }
            for part in found.parts
        ],
    }
    if found.level in table.level_codings:
        scored["interpretation"] = [_concept(table.level_codings[found.level], "")]
    return scored


def _frame(category: str, coding: Coding, label: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY_SYSTEM, "code": category}]}],
        "code": _concept(coding, label),
    }


def _concept(coding: Coding, label: str) -> dict[str, Any]:
    system, code, display = coding
    listed = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"coding": [listed], **({"text": label} if label else {})}


def _value(sign: VitalSign, value: Decimal | str) -> dict[str, Any]:
    if isinstance(value, str):
        chosen = next(choice for choice in sign.choices if choice.value == value)
        return {"valueCodeableConcept": _concept(chosen.coding, chosen.label)}
    return {"valueQuantity": _quantity(value, sign)}


def _quantity(value: Decimal, sign: VitalSign) -> dict[str, Any]:
    shown = {"unit": sign.unit} if sign.unit else {}
    return {"value": value, **shown, "system": UCUM, "code": sign.ucum}


def _points(points: int) -> dict[str, Any]:
    return {"value": points, "system": UCUM, "code": "{score}"}


def _normal(sign: VitalSign) -> dict[str, Any]:
    if sign.low is None and sign.high is None:
        return {}
    limits: dict[str, Any] = {}
    if sign.low is not None:
        limits["low"] = _quantity(sign.low, sign)
    if sign.high is not None:
        limits["high"] = _quantity(sign.high, sign)
    return {"referenceRange": [limits]}


def _shown(limit: Decimal | None) -> str:
    return "" if limit is None else format(limit, "f").replace(".", ",")


def taken_at(typed: str, now: datetime) -> datetime:
    """The time of the round: a local date and time from the form, or now when left empty.

    Raises NotRecordable when it is no time.
    """
    if not typed.strip():
        return now
    found = moment(typed.strip())
    if found is None or not found.is_exact:
        raise NotRecordable([error("value", _("Write date and time."), "time")])
    return found.at
