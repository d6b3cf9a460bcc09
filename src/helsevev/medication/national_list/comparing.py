"""What the national list says beside what we have: the same, otherwise, or on one side only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from helsevev.fhir.reading import (
    amount,
    codes,
    codings,
    concept_text,
    first,
    mapping,
    number,
    objects,
    text,
    texts,
)
from helsevev.locale import gettext as _
from helsevev.medication.coding import ATC, repeat_of
from helsevev.medication.national_list.codes import FEST
from helsevev.medication.national_list.dosing import in_words, time_ranges
from helsevev.medication.national_list.message import Line, NationalList
from helsevev.medication.panel import Medicine, Medicines
from helsevev.medication.prescription import dose_element

Kind = Literal["same", "differs", "only-theirs", "only-ours", "stopped-theirs", "stopped-ours"]
_ORDER: Final[tuple[Kind, ...]] = (
    "differs", "stopped-theirs", "stopped-ours", "only-theirs", "only-ours", "same",
)  # fmt: skip
_STRENGTH: Final = re.compile(r"\d+(?:[.,]\d+)?\s?(?:mg|mikrog|g|ml|ie|e|mmol|%)(?![a-z])")


class Row(Struct, frozen=True):
    """One medicine as both lists have it.

    `kind`: only in one list, in both alike or otherwise, or in use by one and stopped by the other
    ("stopped-theirs": stopped nationally). `why` says what is otherwise; `is_other_product` when
    that is the product or its strength, `is_of_stay` when it is ordered for a stay only.
    """

    kind: Kind
    ours: Medicine | None
    theirs: Line | None
    why: str = ""
    is_other_product: bool = False
    is_of_stay: bool = False

    @property
    def key(self) -> str:
        """What names the row on the page."""
        return self.theirs.url if self.theirs else self.ours.key if self.ours else ""


def number_of(key: str) -> str:
    """The number by which a line of ours ("Type/id") is known in the national list."""
    return str(uuid5(NAMESPACE_URL, f"urn:helsevev:{key}"))


def rows(
    listed: Medicines, resources: Mapping[str, Mapping[str, Any]], national: NationalList
) -> tuple[Row, ...]:
    """Both lists as rows, those that need somebody first.

    Lines are the same medicine by the number of either, else by product, else by substance (ATC).
    What neither uses any longer is left out.
    """
    current = [*listed.in_use, *listed.paused, *listed.uncertain]
    ours = [*current, *(each for each in listed.stopped if each not in current)]
    pairs = _pairs(ours, resources, national.lines)
    found = [row for ours, theirs in pairs
             if (row := _row(ours, theirs, resources)) is not None]  # fmt: skip
    return tuple(sorted(found, key=lambda row: (_ORDER.index(row.kind), _name(row))))


def _pairs(
    ours: Sequence[Medicine], resources: Mapping[str, Mapping[str, Any]], lines: Sequence[Line]
) -> list[tuple[Medicine | None, Line | None]]:
    free, left = list(ours), list(lines)
    pairs: list[tuple[Medicine | None, Line | None]] = []
    for alike in (_same_number, _same_product, _same_substance):
        for medicine in list(free):
            resource = resources.get(medicine.key, {})
            candidates = [line for line in left if alike(resource, medicine, line)]
            candidates.sort(key=lambda line: (not line.is_active, not _same_name(medicine, line)))
            if (
                alike is not _same_number
                and not medicine.is_in_use
                and not _may_be_it(medicine, candidates)
            ):
                continue
            if candidates:
                pairs.append((medicine, candidates[0]))
                free.remove(medicine)
                left.remove(candidates[0])
    return [*pairs, *((each, None) for each in free), *((None, each) for each in left)]


def _may_be_it(medicine: Medicine, candidates: Sequence[Line]) -> bool:
    """Whether what we no longer use can be what they do: one such line, of the same strength."""
    return len(candidates) == 1 and _same_name(medicine, candidates[0])


def _row(
    ours: Medicine | None, theirs: Line | None, resources: Mapping[str, Mapping[str, Any]]
) -> Row | None:
    uses = ours is not None and ours.group != "stopped"
    if ours is None or theirs is None:
        if ours is None and theirs is not None:
            return Row("only-theirs", None, theirs) if theirs.is_active else None
        assert ours is not None
        of_stay = "inpatient" in codes(resources.get(ours.key, {}).get("category"))
        why = _("ordered for this stay only") if of_stay else ""
        return Row("only-ours", ours, None, why, is_of_stay=of_stay) if uses else None
    if not uses:
        return Row("stopped-ours", ours, theirs) if theirs.is_active else None
    if not theirs.is_active:
        return Row("stopped-theirs", ours, theirs)
    return _both(ours, resources.get(ours.key, {}), theirs)


def _both(ours: Medicine, resource: Mapping[str, Any], theirs: Line) -> Row:
    """What is otherwise: the medicine, how it is taken, or whether it is taken now."""
    other = not _same_name(ours, theirs) and not _same_product(resource, ours, theirs)
    found = [_("another product or strength")] if other else []
    if not same_dose(objects(resource.get(dose_element(resource))), theirs.dosages):
        found.append(_("another dose, or words that cannot be compared"))
    if ours.group == "paused":
        found.append(_("on hold here"))
    if ours.group == "uncertain":
        found.append(_("not known here whether in use"))
    kind: Kind = "differs" if found else "same"
    return Row(kind, ours, theirs, ", ".join(found), is_other_product=other)


def same_dose(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> bool:
    """Whether two dosings say the same: by structure where both have it, else by their words."""
    shapes = [[_shape(each) for each in listed] for listed in (one, other)]
    if all(listed and None not in listed for listed in shapes):
        coarse = any("when" in repeat_of(each) for each in (*one, *other))
        return _exact(one, coarse) == _exact(other, coarse)
    words = [_folded(in_words(listed)) for listed in (one, other)]
    return bool(words[0]) and words[0] == words[1]


def _exact(dosages: Sequence[Mapping[str, Any]], coarse: bool) -> list[Any]:
    """The dosing as plain values; with `coarse`, clock times as the service's times of day."""
    return [
        (*(_shape(each) or ()), time_ranges(repeat_of(each)) if coarse
         else tuple(texts(repeat_of(each).get("timeOfDay"))))
        for each in dosages
    ]  # fmt: skip


def _shape(dosage: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """How much and how often; None when only words say it. The first day does not count."""
    given = first(dosage.get("doseAndRate"))
    dose, rate = amount(given.get("doseQuantity")), amount(given.get("rateQuantity"))
    if dose is None and rate is None:
        return None
    repeat = repeat_of(dosage)
    most = amount(mapping(dosage.get("maxDosePerPeriod")).get("numerator"))
    times = len(texts(repeat.get("timeOfDay")) or texts(repeat.get("when")))
    return (
        _value(dose), _value(rate), _value(most),
        number(repeat.get("frequency")) or Decimal(times or 1),
        number(repeat.get("period")), text(repeat.get("periodUnit")),
        tuple(sorted(texts(repeat.get("dayOfWeek")))),
        text(mapping(repeat.get("boundsPeriod")).get("end"))[:10],
        bool(dosage.get("asNeededBoolean") or dosage.get("asNeededCodeableConcept")),
        _folded(concept_text(dosage.get("asNeededCodeableConcept"))),
    )  # fmt: skip


def _value(found: Any) -> tuple[Decimal, str] | None:
    if found is None or found.value is None:
        return None
    unit = found.unit.casefold()
    return found.value, unit[:-2] if unit.endswith("er") and len(unit) > 5 else unit


def _same_number(resource: Mapping[str, Any], medicine: Medicine, line: Line) -> bool:
    ours = {text(each.get("value")) for each in objects(resource.get("identifier"))}
    ours |= {number_of(medicine.key), *(number_of(f"MedicationRequest/{k}")
                                        for k in medicine.based_on)}  # fmt: skip
    return bool(ours & line.identifiers)


def _same_product(resource: Mapping[str, Any], _medicine: Medicine, line: Line) -> bool:
    return bool(line.fest) and (FEST, line.fest) in _codes(resource)


def _same_substance(resource: Mapping[str, Any], medicine: Medicine, line: Line) -> bool:
    if line.atc:
        return (ATC, line.atc) in _codes(resource)
    return _folded(medicine.name) == _folded(line.name)


def _codes(resource: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    inner = [each.get("code") for each in objects(resource.get("contained"))]
    concepts = (resource.get("medicationCodeableConcept"), *inner)
    return {pair for each in concepts for pair in codings(each)}


def _same_name(medicine: Medicine, line: Line) -> bool:
    """Whether the names have the same strengths: `Eliquis tablett 2,5 mg` as `Eliquis tab 2,5`."""
    mine, theirs = (
        sorted(each.replace(" ", "") for each in _STRENGTH.findall(_folded(name)))
        for name in (medicine.name, line.name)
    )
    return mine == theirs if mine or theirs else _folded(medicine.name) == _folded(line.name)


def _folded(words: str) -> str:
    return " ".join(words.casefold().replace(".", ",").split()).strip(" ,")


def _name(row: Row) -> str:
    return (row.ours.name if row.ours else row.theirs.name if row.theirs else "").casefold()
