"""The acute chain and the hospital: legevakt, ambulance, emergency department, ward, discharge."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..calendar import DAY, clock, stamp
from ..catalogue import Unit
from ..demo.codes import ICD10, coding, concept, hl7, hl7_concept
from ..life import Contact, Stay, Tale, at_unit, named
from ..notation import hl7_coded, link, raw, words
from ..workforce import Worker
from .contacts import CLASSES, RESPONSIBLE, contact
from .documents import note, written
from .findings import laboratory, signs_of, signs_round
from .medication import Dose, change, prescribe, stop, taking
from .problems import Code

_DIAGNOSIS = hl7_coded("condition-category", "encounter-diagnosis")
_CHIEF = raw(concept("Hoveddiagnose", coding(hl7("diagnosis-role"), "DD")))
_ROUTES_IN = (("legevakt", 0.45), ("ambulance", 0.35), ("gp", 0.2))


class Illness(NamedTuple):
    """Why somebody is admitted, how ill they are, and what they are given for it."""

    reason: str
    icd10: Code
    ward: str
    days: tuple[int, int]
    severity: float = 0.5
    """From 0 (well) to 1 (very ill)."""
    story: str = ""
    treatment: str = ""
    orders: tuple[tuple[str, Dose], ...] = ()
    hypercapnic: bool = False
    infected: bool = False


def admitted(t: Tale, day: int, illness: Illness) -> Stay | None:
    """An acute admission: the way in, the stay and the discharge. None when it is not told."""
    at = clock(day, t.chance.whole(7, 22), t.chance.whole(0, 59))
    life = t.life
    if not life.holds(at) or life.in_hospital(at):
        return None
    person = t.person
    route = t.chance.weighted(_ROUTES_IN)
    if route == "legevakt":
        seen = out_of_hours(t, at - 150, illness.reason, illness.story, illness.severity)
        at = at if seen is None else seen.end + 60
    if route != "gp":
        carried(t, at - 45, illness.reason, illness.severity)
    emergency = contact(
        t, at, "emergency", "Akuttmottak", person.department("emergency"), "physician",
        minutes=t.chance.whole(100, 320), reason=illness.reason,
    )  # fmt: skip
    if emergency is None:
        return None
    nurse = t.worker(emergency.unit, "nurse")
    signs_round(t, signs_of(t, illness.severity, hypercapnic=illness.hypercapnic),
                at + 5, nurse, emergency.reference)  # fmt: skip
    _blood(t, at + 25, illness, illness.severity, emergency.by, emergency.reference)
    return _stay(t, emergency.end, illness, "emergency-department", emergency.reference)


def planned(t: Tale, day: int, illness: Illness) -> Stay | None:
    """A planned admission in the morning."""
    at = clock(day, 8, t.chance.whole(0, 50))
    if not t.life.holds(at) or t.life.in_hospital(at):
        return None
    return _stay(t, at, illness, "home", None)


def out_of_hours(t: Tale, at: int, reason: str, story: str, severity: float) -> Contact | None:
    """A consultation at the legevakt, with triage and a note."""
    unit = t.person.unit("out-of-hours")
    seen = contact(t, at, "emergency", "Konsultasjon på legevakt", unit, "physician",
                   minutes=t.chance.whole(25, 70), reason=reason)  # fmt: skip
    if seen is None:
        return None
    signs_round(t, signs_of(t, severity), at - 4, t.worker(unit, "nurse"), seen.reference)
    plan = "Legges inn." if severity > 0.4 else "Hjem med råd; ny vurdering ved forverring."
    note(t, seen, "out-of-hours", {"Aktuelt": story or reason, "Tiltak": plan})
    return seen


def carried(t: Tale, at: int, reason: str, severity: float) -> None:
    """A mission of the ambulance, with vital signs on the way."""
    unit = t.person.unit("ambulance")
    seen = contact(t, at, "field", "Ambulanseoppdrag", unit, "paramedic", minutes=40,
                   reason=reason)  # fmt: skip
    if seen is not None:
        signs_round(t, signs_of(t, severity), at + 8, seen.by, seen.reference)


def comes_back(t: Tale, stay: Stay | None, rate: float) -> int | None:
    """The day of an acute readmission within 30 days of a discharge, with this probability."""
    if stay is None or stay.end >= t.life.end or not t.chance.happens(rate):
        return None
    return stay.end // DAY + t.chance.whole(2, 28)


def _stay(
    t: Tale, at: int, illness: Illness, source: str, part_of: str | None
) -> Stay:  # fmt: skip
    life, chance = t.life, t.chance
    ward = t.person.department(illness.ward)
    days = chance.whole(*illness.days)
    leaves = max(at + 360, clock(at // DAY + days, chance.whole(10, 15), chance.whole(0, 59)))
    following = [each.start for each in life.stays if each.start > at]
    leaves = min([leaves, *(each - 120 for each in following)])
    ends = min(leaves, life.end)
    over = leaves < life.end or life.died_at is not None
    doctor = t.worker(ward, "physician")
    diagnosis = _encounter_diagnosis(t, at, illness, doctor)
    reference = life.put(
        "Encounter",
        _stay_content(t, at, ends, illness, ward, doctor, diagnosis, source, part_of, over=over),
    )
    stay = Stay(at, ends, ward, reference)
    life.stays.append(stay)
    written(t, at + 90, "admission", doctor, ward, {
        "Innleggelsesårsak": illness.reason,
        "Aktuelt": illness.story or illness.reason,
        "Plan": illness.treatment or "Utredning og observasjon.",
    }, reference)  # fmt: skip
    for product, dose in illness.orders:
        prescribe(t, product, dose, at // DAY, illness.reason, by=doctor, inpatient=True,
                  until=ends // DAY + 1)  # fmt: skip
    _watched(t, stay, illness, doctor)
    if leaves < life.end:
        _discharged(t, stay, illness, doctor)
    return stay


def _encounter_diagnosis(t: Tale, at: int, illness: Illness, doctor: Worker) -> str:
    return t.life.put(
        "Condition",
        {
            "clinicalStatus": hl7_coded("condition-clinical", "active"),
            "verificationStatus": hl7_coded("condition-ver-status", "confirmed"),
            "category": [_DIAGNOSIS],
            "code": concept(illness.icd10[1], coding(ICD10, *illness.icd10)),
            "subject": t.life.subject,
            "onsetDateTime": stamp(at)[:10],
            "recordedDate": stamp(at),
            "recorder": named(doctor),
        },
    )


def _stay_content(
    t: Tale, at: int, ends: int, illness: Illness, ward: Unit, doctor: Worker, diagnosis: str,
    source: str, part_of: str | None, *, over: bool,
) -> dict[str, Any]:  # fmt: skip
    life = t.life
    period = {"start": stamp(at)}
    stay: dict[str, Any] = {
        "admitSource": hl7_concept(
            "admit-source", "emd" if source == "emergency-department" else "other",
            "Fra akuttmottaket" if source == "emergency-department" else "Hjemmefra",
        ),
    }  # fmt: skip
    if over:
        period["end"] = stamp(ends)
        stay["dischargeDisposition"] = words(_leaves_for(t, ends))
    content: dict[str, Any] = {
        "status": "finished" if over else "in-progress",
        "class": CLASSES["inpatient"],
        "type": [words("Innleggelse")],
        "subject": life.subject,
        "participant": [{"type": RESPONSIBLE, "individual": named(doctor)}],
        "period": period,
        "reasonCode": [words(illness.reason)],
        "diagnosis": [{"condition": {"reference": diagnosis}, "use": _CHIEF, "rank": 1}],
        "hospitalization": stay,
        "location": [
            {
                "location": link(f"Location/{ward.id}", ward.name),
                "status": "completed" if over else "active",
            }
        ],
        "serviceProvider": at_unit(ward),
    }
    if part_of is not None:
        content["partOf"] = {"reference": part_of}
    return content


def _leaves_for(t: Tale, ends: int) -> str:
    if t.life.died_at is not None and ends >= t.life.end:
        return "Død"
    if t.life.served("nursing-home", ends // DAY):
        return "Sykehjem"
    if t.life.served("home-care", ends // DAY):
        return "Hjem med hjemmesykepleie"
    return "Hjem"


def _watched(t: Tale, stay: Stay, illness: Illness, doctor: Worker) -> None:
    """Vital signs two or three times a day, notes and blood tests while it gets better."""
    first, last = stay.start // DAY, stay.end // DAY
    for day in range(first, last + 1):
        severity = illness.severity * (1 - 0.8 * (day - first) / max(last - first, 1))
        for hour in (6, 14, 21) if severity > 0.3 else (7, 19):
            at = clock(day, hour, t.chance.whole(0, 50))
            if stay.start < at < stay.end:
                nurse = t.worker(stay.unit, "nurse")
                signs = signs_of(t, severity, hypercapnic=illness.hypercapnic)
                signs_round(t, signs, at, nurse, stay.reference)
        if day > first and (day - first) % 2 == 1:
            morning = clock(day, 7, 10)
            if morning < stay.end:
                _blood(t, morning, illness, severity, doctor, stay.reference)
        evening = clock(day, 20, t.chance.whole(0, 59))
        if evening < stay.end:
            text = t.chance.among(_NURSE_SAYS)
            nurse = t.worker(stay.unit, "nurse")
            written(t, evening, "nursing", nurse, stay.unit, {"Observasjon": text},
                    stay.reference)  # fmt: skip


_NURSE_SAYS = (
    "Rolig vakt. Spist halve porsjoner. Oppe på stuen til måltidene.",
    "Smertelindret og sover godt. Trenger hjelp av én til forflytning.",
    "Pårørende på besøk. Pasienten er bekymret for hjemreisen.",
    "Stabil gjennom vakten. Drikker godt, sår på hælen er sett til.",
    "Sliten etter undersøkelser. Lagt tidlig, tilsyn hver time.",
)


def _blood(
    t: Tale, at: int, illness: Illness, severity: float, doctor: Worker, encounter: str
) -> None:
    chance = t.chance
    crp = chance.between(40, 220) * severity if illness.infected else chance.between(2, 25)
    answers = {
        "hb": (chance.around(13.4 if t.person.woman else 14.6, 1.1), 1),
        "leuk": (chance.around(8, 1.6) + (5 * severity if illness.infected else 0), 1),
        "crp": (crp, 0),
        "na": (chance.around(139, 2.6), 0),
        "k": (chance.around(4.1, 0.35), 1),
        "kreat": (chance.around(74 + max(0.0, t.age(at // DAY) - 60), 14), 0),
    }
    if illness.ward == "heart":
        answers["bnp"] = (chance.between(900, 6000) * severity, 0)
    laboratory(t, at, answers, doctor, encounter)


def _discharged(t: Tale, stay: Stay, illness: Illness, doctor: Worker) -> None:
    day = stay.end // DAY
    changed = _medicines_changed(t, day, doctor)
    written(t, stay.end - 30, "discharge", doctor, stay.unit, {
        "Diagnoser": f"{illness.icd10[1]} ({illness.icd10[0]})",
        "Forløp": f"{illness.treatment or 'Observert og behandlet.'} God bedring.",
        "Endringer i legemidler": changed or "Ingen.",
        "Oppfølging": "Fastlegen kontrollerer om to uker.",
    }, stay.reference)  # fmt: skip


def _medicines_changed(t: Tale, day: int, doctor: Worker) -> str | None:
    """What the stay changed on the list: nothing, an end, another dose or something new."""
    using = [
        each for each in t.life.medicines
        if taking(each, day) and not each.inpatient and each.course == "1"
    ]  # fmt: skip
    draw = t.chance.draw()
    if not using or draw < 0.45:
        return None
    chosen = t.chance.among(using)
    if draw < 0.62:
        stop(chosen, day, "Seponert ved utskrivning fra sykehus")
        return f"Seponert: {chosen.product}."
    if draw < 0.82 and chosen.dose.amount.startswith("1 "):
        thing = chosen.dose.amount[2:]
        dose = chosen.dose._replace(text=f"{chosen.dose.text} (dobbel dose)", amount=f"2 {thing}")
        change(t, chosen, dose, day, "Dosen er økt ved utskrivning fra sykehus", doctor)
        return f"Økt dose: {chosen.product}."
    prescribe(t, "somac-20", Dose("1 tablett morgen", "1 tablett", "08"), day,
              "Beskytter magen", by=doctor)  # fmt: skip
    return "Nytt: pantoprazol."
