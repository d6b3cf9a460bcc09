"""What the record says, one line a fact, each knowing which entry it was read from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.content.packs.note_templates import Pull
from helsevev.documentation.note import sections_by_heading
from helsevev.documentation.tracing import RECORD, Trace
from helsevev.fhir.reading import (
    Moment,
    codes,
    concept_text,
    mapping,
    moment,
    moment_of,
    objects,
    of_patient,
    reference_text,
    sort_key,
    text,
)
from helsevev.locale import gettext as _
from helsevev.observation.reading import TIMES, Part, Reading, reading
from helsevev.observation.results import category_of, pair, series_key
from helsevev.screens.formatting import (
    NARROW_SPACE,
    age,
    clinical_date,
    clinical_time,
    quantity,
)

Record = Mapping[str, Sequence[Mapping[str, Any]]]
"""Resources by type, newest first."""

# What is no longer so, or never was.
_OVER: Final = frozenset({
    "inactive", "resolved", "remission", "refuted", "entered-in-error", "cancelled", "stopped",
    "completed", "not-taken", "rejected", "draft", "noshow", "proposed", "revoked", "on-hold",
    "unknown", "not-done", "finished",
})  # fmt: skip


class Fact(Struct, frozen=True):
    """One line about somebody; `source` is "Type/id" and `version` that which was read."""

    words: str
    source: str
    version: str
    at: Moment | None = None


class _Look(Struct, frozen=True):
    record: Record
    pull: Pull
    now: datetime


_Read = Callable[[_Look], Iterable[Fact]]


def pulled(pull: Pull, record: Record, kinds: Collection[str], now: datetime) -> list[Fact]:
    """The facts that a template asks for; `kinds` are the titles of the notes it is for."""
    if pull.what == "note":
        return _of_last_note(record, kinds, pull.heading)
    found = [fact for fact in _READ[pull.what](_Look(record, pull, now)) if fact.words]
    if pull.hours:
        oldest = now - timedelta(hours=pull.hours)
        found = [fact for fact in found if fact.at is not None and fact.at.end >= oldest]
    return found[: pull.most]


def every_fact(record: Record, now: datetime) -> dict[str, Trace]:
    """All that the record says now, by its words: what a note's lines are compared with."""
    found: dict[str, Trace] = {}
    for read in _READ.values():
        for fact in read(_Look(record, _ALL, now)):
            if fact.words and fact.words not in found:
                found[fact.words] = Trace(fact.words, RECORD, fact.source, fact.version)
    return found


def _fact(resource: Mapping[str, Any], words: str, at: Moment | None = None) -> Fact:
    return Fact(
        words=" ".join(words.replace(NARROW_SPACE, " ").split()),
        source=f"{resource.get('resourceType')}/{resource.get('id')}",
        version=text(mapping(resource.get("meta")).get("versionId")),
        at=at,
    )


def _fits(resource: Mapping[str, Any], pull: Pull, *elements: str) -> bool:
    if not pull.codes:
        return True
    return any(not codes(resource.get(name)).isdisjoint(pull.codes) for name in elements)


def _stands(resource: Mapping[str, Any]) -> bool:
    """Whether an entry still holds, by every status that it has."""
    said = {text(resource.get("status")), text(resource.get("lifecycleStatus"))}
    said |= codes(resource.get("clinicalStatus")) | codes(resource.get("verificationStatus"))
    return said.isdisjoint(_OVER)


def _living(record: Record, *types: str) -> list[Mapping[str, Any]]:
    return [each for kind in types for each in of_patient(record.get(kind, ())) if _stands(each)]


def _person(look: _Look) -> Iterable[Fact]:
    for patient in look.record.get("Patient", ()):
        born = moment(patient.get("birthDate"))
        sex = {"female": _("Woman"), "male": _("Man")}.get(text(patient.get("gender")), "")
        old = age(born.text, look.now) if born else ""
        yield _fact(patient, ", ".join(word for word in (sex, old) if word))


def _encounters(look: _Look) -> Iterable[Fact]:
    for each in _living(look.record, "Encounter"):
        if text(each.get("status")) in ("planned",) or not _fits(
            each, look.pull, "type", "reasonCode"
        ):
            continue
        since = moment(mapping(each.get("period")).get("start"))
        why = next((t for c in objects(each.get("reasonCode")) if (t := concept_text(c))), "")
        what = next((t for c in objects(each.get("type")) if (t := concept_text(c))), "")
        where = reference_text(each.get("serviceProvider"))
        head = ", ".join(word for word in (what, where) if word)
        words = f"{head}: {why}" if head and why else head or why
        yield _fact(each, _dated(words, since), since)


def _problems(look: _Look) -> Iterable[Fact]:
    for each in _living(look.record, "Condition"):
        if _fits(each, look.pull, "code", "category"):
            since = moment_of(each, "onsetDateTime", "onsetPeriod", "recordedDate")
            code = min((c for c in codes(each.get("code")) if c[:1].isalpha()), default="")
            named = concept_text(each.get("code"))
            yield _fact(each, f"{named} ({code})" if code and code != named else named, since)


def _allergies(look: _Look) -> Iterable[Fact]:
    for each in _living(look.record, "AllergyIntolerance"):
        shown = [
            concept_text(sign)
            for reaction in objects(each.get("reaction"))
            for sign in objects(reaction.get("manifestation"))
        ]
        words = concept_text(each.get("code"))
        said = ", ".join(dict.fromkeys(sign for sign in shown if sign))
        yield _fact(each, f"CAVE {words}: {said}" if said else f"CAVE {words}")


def _medicines(look: _Look) -> Iterable[Fact]:
    known: set[str] = set()
    for each in _living(look.record, "MedicationRequest", "MedicationStatement"):
        concept = each.get("medicationCodeableConcept")
        name = concept_text(concept) or reference_text(each.get("medicationReference"))
        if not name or name.casefold() in known or not _fits(each, look.pull, _MEDICINE):
            continue
        known.add(name.casefold())
        dosages = objects(each.get("dosageInstruction")) or objects(each.get("dosage"))
        how = "; ".join(said for d in dosages if (said := text(d.get("text"))))
        yield _fact(each, f"{name}: {how}" if how else name)


def _observations(look: _Look) -> Iterable[Fact]:
    known: set[str] = set()
    for each in of_patient(look.record.get("Observation", ())):
        if text(each.get("status")) in ("cancelled", "entered-in-error", "registered"):
            continue
        if look.pull.categories and category_of(each) not in look.pull.categories:
            continue
        key = series_key(each)
        if not _fits(each, look.pull, "code") or (key in known and not look.pull.every):
            continue
        taken = reading(each)
        if look.pull.abnormal and not taken.is_abnormal:
            known.add(key)
            continue
        own = any(name.startswith("value") for name in each)
        if value := _value(taken, taken.parts[:1] if own else taken.parts):
            known.add(key)
            words = f"{concept_text(each.get('code'))} {value}"
            yield _fact(each, _dated(words, taken.at), moment_of(each, *TIMES))


def _value(taken: Reading, parts: Sequence[Part]) -> str:
    """What was found, and how it is judged; of a score its sum, not what it was made of."""
    judged = taken.judgement
    mark = {
        "high": _("high"), "low": _("low"), "critical-high": _("critically high"),
        "critical-low": _("critically low"), "abnormal": _("abnormal"),
    }.get(judged.kind, "") if judged else ""  # fmt: skip
    if (both := pair(taken)) and both[0].amount and both[1].amount:
        upper, lower = both[0].amount, both[1].amount
        said = f"{quantity(upper.value)}/{quantity(lower.value, lower.code or lower.unit)}"
    else:
        said = ", ".join(
            f"{part.title} {value}" if len(parts) > 1 else value
            for part in parts
            if (value := quantity(
                part.amount.value, part.amount.code or part.amount.unit, part.amount.comparator
            ) if part.amount else part.words)
        )  # fmt: skip
    return f"{said}, {mark}" if said and mark else said


def _done(*types: str, element: str) -> _Read:
    """What was done, with the day."""

    def read(look: _Look) -> Iterable[Fact]:
        for kind in types:
            for each in of_patient(look.record.get(kind, ())):
                if text(each.get("status")) == "completed" and _fits(each, look.pull, element):
                    at = moment_of(
                        each, "performedDateTime", "performedPeriod", "occurrenceDateTime"
                    )
                    yield _fact(each, _dated(concept_text(each.get(element)), at), at)

    return read


def _goals(look: _Look) -> Iterable[Fact]:
    for each in _living(look.record, "Goal"):
        if _fits(each, look.pull, "description", "category"):
            due = next((m for t in objects(each.get("target")) if (m := moment(
                t.get("dueDate")))), None)  # fmt: skip
            words = concept_text(each.get("description"))
            until = _("by %(day)s") % {"day": clinical_date(due.text)} if due else ""
            yield _fact(each, f"{words} ({until})" if until else words)


def _plans(look: _Look) -> Iterable[Fact]:
    for each in _living(look.record, "CarePlan"):
        if _fits(each, look.pull, "category"):
            title = text(each.get("title")) or concept_text(each.get("category"))
            since = moment_of(each, "period", "created")
            yield _fact(each, _dated(title, since), since)


def _appointments(look: _Look) -> Iterable[Fact]:
    coming = []
    for each in _living(look.record, "Appointment"):
        start = moment(each.get("start"))
        if start is not None and start.at >= look.now:
            coming.append((sort_key(start), start, each))
    for _key, start, each in sorted(coming, key=lambda found: found[0]):
        kinds = [concept_text(c) for c in objects(each.get("serviceType"))]
        words = text(each.get("description")) or next(filter(None, kinds), "")
        yield _fact(each, _dated(words or _("Appointment"), start), start)


def _of_last_note(record: Record, kinds: Collection[str], heading: str) -> list[Fact]:
    """What stood under a heading of the newest note of some kinds: traced as a copy when signed."""
    for note in of_patient(record.get("Composition", ())):
        if concept_text(note.get("type")) in kinds or text(note.get("title")) in kinds:
            written = dict(sections_by_heading(note)).get(heading, "")
            # Lines stay as they were, so that each is found again.
            return [
                Fact(line, f"Composition/{note.get('id')}", "")
                for line in written.split("\n")
                if line.strip()
            ]
    return []


def _dated(words: str, at: Moment | None) -> str:
    if not words or at is None:
        return words
    return f"{words} ({clinical_time(at.text) if at.is_exact else clinical_date(at.text)})"


_ALL: Final = Pull(what="observations", most=1000, every=True)
_MEDICINE: Final = "medicationCodeableConcept"
_READ: Final[Mapping[str, _Read]] = {
    "person": _person, "encounter": _encounters, "problems": _problems, "allergies": _allergies,
    "medicines": _medicines, "observations": _observations,
    "procedures": _done("Procedure", element="code"),
    "vaccines": _done("Immunization", element="vaccineCode"),
    "goals": _goals, "plans": _plans, "appointments": _appointments,
}  # fmt: skip
