"""One result as somebody opens it: its values beside those before, and who has acknowledged it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.errors import NotFound
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.reading import (
    birth_date,
    codings,
    concept_text,
    concept_texts,
    first,
    full_name,
    moment,
    moment_of,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.observation.orders.catalogue import Catalogue
from helsevev.observation.orders.coding import CATALOGUE, NLK
from helsevev.observation.reading import Reading, reading
from helsevev.observation.results import Series, results, series_key
from helsevev.observation.results_acknowledging import NEXT
from helsevev.observation.results_due import (
    awaiting,
    is_acknowledged,
    key_of,
    measured_by,
    need_of,
    title_of,
)

_MOST: Final = 5000
_BEFORE: Final = 4
_SLICES: Final = (
    Slice("Patient", 1), Slice("DiagnosticReport", 300), Slice("Observation", _MOST),
    Slice("Task", 500), Slice("ServiceRequest", 300), Slice("ImagingStudy", 100),
)  # fmt: skip


class Value(Struct, frozen=True):
    """One value of a result, and the ones before it, newest first."""

    reading: Reading
    series: Series
    before: tuple[Reading, ...]


class Seen(Struct, frozen=True):
    """That somebody has acknowledged a result: who, when, and what came next."""

    who: str
    at: str
    next: str


@dataclass(frozen=True, slots=True)
class OpenedResult:
    """A result with what it is judged beside."""

    patient_id: str
    name: str
    birth_date: str
    report: Mapping[str, Any]
    values: tuple[Value, ...]
    task: Mapping[str, Any] | None
    seen: tuple[Seen, ...]
    orders: tuple[Mapping[str, Any], ...]
    again: tuple[str, ...]
    images: tuple[str, ...]
    others: tuple[tuple[str, str], ...]

    @property
    def base(self) -> str:
        """The address of the chart."""
        return f"/patient/{self.patient_id}"

    @property
    def title(self) -> str:
        """What the result is called."""
        return title_of(self.report)

    @property
    def at(self) -> str:
        """When it was given (a dateTime)."""
        found = moment_of(self.report, "issued", "effectiveDateTime")
        return found.text if found else ""

    @property
    def taken_at(self) -> str:
        """When the sample or the picture was taken, where that is another time."""
        found = moment(self.report.get("effectiveDateTime"))
        return found.text if found and found.text != self.at else ""

    @property
    def by(self) -> str:
        """Who gave it."""
        found = (reference_text(each) for each in objects(self.report.get("performer")))
        return ", ".join(name for name in found if name)

    @property
    def asked(self) -> str:
        """What was asked, by whom."""
        order = first(list(self.orders))
        why = "; ".join(concept_texts(order.get("reasonCode")))
        who = reference_text(order.get("requester"))
        return f"{why} ({who})" if why and who else why or who

    @property
    def words(self) -> list[str]:
        """What the answer says in words."""
        said = [
            text(self.report.get("conclusion")),
            *concept_texts(self.report.get("conclusionCode")),
        ]
        return [each for each in said if each]

    @property
    def is_due(self) -> bool:
        """Whether somebody still has to acknowledge it."""
        return self.task is not None or bool(key_of(self.report) and not self.seen)

    @property
    def times(self) -> list[str]:
        """The times of the values before, newest first, for the columns of the comparison."""
        found = {r.at.text: r.at.at for v in self.values for r in v.before if r.at is not None}
        return sorted(found, key=lambda each: found[each], reverse=True)[:_BEFORE]


async def open_result(services: Services, actor: Actor, patient_id: str, key: str) -> OpenedResult:
    """Open it, decided and audited. Raises `NotFound`, `Refused`."""
    _permit, found = await services.gate.open_chart_at(
        actor, patient_id, _SLICES, interaction="results"
    )
    report = next((r for r in found["DiagnosticReport"] if r.get("id") == key), None)
    if report is None:
        raise NotFound(f"DiagnosticReport/{key}")
    observed = {f"Observation/{each['id']}": each for each in found["Observation"]}
    measured = measured_by(report, observed)
    patient = next(iter(found["Patient"]), {})
    waiting = awaiting(found["Task"])
    return OpenedResult(
        patient_id=patient_id,
        name=full_name(patient.get("name")),
        birth_date=birth_date(patient),
        report=report,
        values=tuple(_values(measured, found["Observation"])),
        task=waiting.get(key),
        seen=tuple(_seen(found["Task"], report)),
        orders=tuple(_of_report(report, found["ServiceRequest"])),
        again=_again(Catalogue(await services.packs.current()), measured),
        images=tuple(_images(report, found["ImagingStudy"])),
        others=tuple(
            (each, title_of(r)) for each in waiting if each != key
            for r in found["DiagnosticReport"] if r.get("id") == each
        ),
    )  # fmt: skip


def _values(
    measured: Sequence[Mapping[str, Any]], every: Iterable[Mapping[str, Any]]
) -> Iterable[Value]:
    wanted = {series_key(each) for each in measured}
    known = {s.key: s for s in results(e for e in every if series_key(e) in wanted)}
    for each in measured:
        read = reading(each)
        series = known.get(series_key(each))
        if not read.parts or series is None:
            continue
        before = [r for r in series.readings if r.id != read.id and _is_before(r, read)]
        yield Value(read, series, tuple(before))


def _is_before(one: Reading, other: Reading) -> bool:
    return one.at is not None and other.at is not None and one.at.at <= other.at.at


def _seen(tasks: Iterable[Mapping[str, Any]], report: Mapping[str, Any]) -> Iterable[Seen]:
    for task in tasks:
        if need_of(task).split("/")[1:2] != [text(report.get("id"))] or not is_acknowledged(task):
            continue
        said = [
            concept_text(each.get("valueCodeableConcept"))
            for each in objects(task.get("output"))
            if (NEXT, "next") in codings(each.get("type"))
        ]
        yield Seen(reference_text(task.get("owner")), text(task.get("lastModified")),
                   "; ".join(said))  # fmt: skip


def _of_report(
    report: Mapping[str, Any], orders: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    named = {reference_key(each) for each in objects(report.get("basedOn"))}
    return [each for each in orders if f"ServiceRequest/{each.get('id')}" in named]


def _again(catalogue: Catalogue, measured: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Keys of what is ordered to measure the same anew."""
    found: dict[str, None] = {}
    for each in measured:
        coded = dict(codings(each.get("code")))
        known = catalogue.of_code({s: coded[s] for s in (CATALOGUE, NLK) if s in coded})
        if known is not None:
            found[known.key] = None
    return tuple(found)


def _images(report: Mapping[str, Any], studies: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """How the pictures are found in the picture archive: numbers and addresses, as text."""
    named = {reference_key(each) for each in objects(report.get("imagingStudy"))}
    for study in studies:
        if f"ImagingStudy/{study.get('id')}" in named:
            said = [text(study.get("description"))]
            said += [text(i.get("value")) for i in objects(study.get("identifier"))]
            yield " · ".join(each for each in said if each)
    for form in objects(report.get("presentedForm")):
        if address := text(form.get("url")):
            yield address
