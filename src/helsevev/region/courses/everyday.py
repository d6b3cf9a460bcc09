"""Everyday care: the general practitioner, physiotherapy, referrals and small operations."""

from __future__ import annotations

from typing import NamedTuple

from ..chance import step
from ..course import Course, Next, rates, table
from ..life import Tale
from ..telling.contacts import coming, visit
from ..telling.documents import note
from ..telling.findings import laboratory, pressure
from ..telling.medication import Dose, prescribe
from ..telling.plans import referral
from ..telling.problems import Code, condition, procedure
from ..telling.stays import Illness, planned


class _Specialty(NamedTuple):
    clinic: str
    what: str
    reason: str
    share: float
    operation: str | None = None


_SPECIALTIES = (
    _Specialty(
        "orthopaedic-clinic", "Ortopedisk vurdering", "Smerter i kne", 0.2, "Artroskopi av kne"
    ),
    _Specialty("surgical-clinic", "Kirurgisk vurdering", "Lyskebrokk", 0.16, "Brokkoperasjon"),
    _Specialty("eye-clinic", "Øyeundersøkelse", "Sløret syn", 0.17, "Operasjon for grå stær"),
    _Specialty("ear-clinic", "Vurdering hos øre-nese-hals", "Nedsatt hørsel", 0.13),
    _Specialty("skin-clinic", "Vurdering hos hudlege", "Eksem", 0.1),
    _Specialty("heart-clinic", "Ekkokardiografi", "Hjertebank", 0.1),
    _Specialty("neurology-clinic", "Nevrologisk vurdering", "Hodepine", 0.1),
    _Specialty("radiology", "MR av rygg", "Ryggsmerter", 0.2),
)
_COMPLAINTS = (
    "Hoste som ikke går over",
    "Vondt i ryggen",
    "Hodepine",
    "Slapp og trett",
    "Utslett",
    "Vondt i magen",
    "Kontroll av blodtrykk",
    "Søvnvansker",
    "Smerter i skulder",
    "Fornyelse av resept",
)
_HYPERTENSION: Code = ("I10", "Essensiell hypertensjon")


def _begins(t: Tale) -> Next:
    age = t.age(t.life.until)
    t.memory["gp"] = step(table("everyday", "general_practice"), age)
    t.memory["referrals"] = step(table("everyday", "referrals"), age)
    t.memory["therapy"] = step(table("everyday", "therapy"), age)
    if age > 45 and t.chance.happens(min(0.5, (age - 40) / 90)):
        since = t.life.since - t.chance.whole(100, 4000)
        condition(t, "Høyt blodtrykk", since, icd10=_HYPERTENSION,
                  icpc2=("K86", "Hypertensjon ukomplisert"))  # fmt: skip
        prescribe(
            t, "atacand-8", Dose("1 tablett morgen", "1 tablett", "08"), since, "Høyt blodtrykk"
        )
    return "well", max(t.life.since, t.person.born + 400)


def _well(t: Tale, day: int) -> Next:
    """Waits for the first of three: the doctor, a hospital's clinic or physiotherapy."""
    waits = [(t.chance.wait(t.memory[each]), state) for each, state in (
        ("gp", "doctor"), ("referrals", "specialist"), ("therapy", "physiotherapy"))]  # fmt: skip
    days, state = min(waits)
    return state, day + days


def _doctor(t: Tale, day: int) -> Next:
    what = t.chance.among(_COMPLAINTS)
    unit = t.person.unit("general-practice")
    seen = visit(t, day, "Konsultasjon", unit, t.gp(), minutes=20, reason=what, missed=0.05)
    if t.age(day) > 40:
        pressure(t, t.chance.around(132, 14), t.chance.around(80, 8), seen)
    if seen is not None and t.chance.happens(0.25):
        laboratory(
            t,
            seen.start + 10,
            {
                "hb": (t.chance.around(13.8, 1.1), 1),
                "crp": (t.chance.between(1, 15), 0),
                "ferritin": (t.chance.between(15, 220), 0),
            },
            seen.by,
        )
    note(t, seen, "progress", {"Aktuelt": what + ".", "Vurdering": "Ingen faresignaler.",
                               "Plan": "Ser det an, ny time ved behov."})  # fmt: skip
    return "well", day + 2


def _specialist(t: Tale, day: int) -> Next:
    specialty = t.chance.weighted([(each, each.share) for each in _SPECIALTIES])
    clinic = t.person.department(specialty.clinic)
    waits = t.chance.whole(20, 120)
    referral(t, day, specialty.what, clinic, t.gp(), specialty.reason, answered=day + waits)
    coming(t, day + waits, specialty.what, clinic, "physician")
    t.memory["specialty"] = specialty
    t.memory["first"] = True
    t.memory["visits"] = t.chance.weighted(((1, 0.35), (2, 0.25), (4, 0.25), (7, 0.15)))
    return "clinic", day + waits


def _clinic(t: Tale, day: int) -> Next:
    specialty: _Specialty = t.memory["specialty"]
    profession = "radiographer" if specialty.clinic == "radiology" else "physician"
    what = specialty.what if t.memory["first"] else "Kontroll på poliklinikk"
    seen = visit(t, day, what, t.person.department(specialty.clinic), profession,
                 minutes=25, reason=specialty.reason)  # fmt: skip
    if t.memory["first"]:
        procedure(t, specialty.what, seen)
    t.memory["first"] = False
    if t.chance.happens(0.7):
        note(t, seen, "outpatient", {"Aktuelt": specialty.reason + ".",
                                     "Vurdering": "Undersøkt, funn som ventet.",
                                     "Plan": "Kontroll eller tilbake til fastlege."})  # fmt: skip
    t.memory["visits"] -= 1
    if specialty.operation is not None and t.chance.happens(rates("everyday")["operated"]):
        planned(t, day + t.chance.whole(30, 90), Illness(
            specialty.operation, ("Z48.8", "Annen spesifisert kirurgisk etterbehandling"),
            "orthopaedics" if specialty.clinic == "orthopaedic-clinic" else "surgery", (1, 3), 0.15,
            "Planlagt operasjon.", specialty.operation,
            (("paracet-500", Dose("2 tabletter fire ganger daglig", "2 tablett", "08 12 17 22")),),
        ))  # fmt: skip
        return "well", day + 120
    return ("clinic", day + t.chance.whole(14, 60)) if t.memory["visits"] > 0 else ("well", day + 7)


def _physiotherapy(t: Tale, day: int) -> Next:
    t.memory["sessions"] = t.memory.get("sessions") or t.chance.whole(4, 14)
    visit(t, day, "Fysioterapi", t.person.unit("therapy"), "physiotherapist", minutes=30)
    t.memory["sessions"] -= 1
    return (
        ("physiotherapy", day + t.chance.whole(5, 9)) if t.memory["sessions"] else ("well", day + 9)
    )


COURSE = Course(
    "everyday", _begins,
    {"well": _well, "doctor": _doctor, "specialist": _specialist, "clinic": _clinic,
     "physiotherapy": _physiotherapy},
)  # fmt: skip
