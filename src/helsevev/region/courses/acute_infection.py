"""Acute infections: a call or a visit to the legevakt, antibiotics, and for some the hospital."""

from __future__ import annotations

from ..calendar import clock
from ..chance import step
from ..course import Course, Next, rates, table
from ..life import Tale
from ..telling.contacts import contact
from ..telling.medication import Dose, prescribe
from ..telling.stays import Illness, admitted, comes_back, out_of_hours

_PNEUMONIA = Illness(
    "Feber og tung pust",
    ("J18.9", "Uspesifisert pneumoni"),
    "medical",
    (3, 8),
    0.6,
    "Hoste og feber i fem dager, blitt slapp og tungpusten.",
    "Antibiotika intravenøst, oksygen.",
    (
        (
            "benzylpenicillin-iv",
            Dose("1,2 g intravenøst fire ganger daglig", "1 hetteglass", "06 12 18 23"),
        ),
        ("paracet-500", Dose("2 tabletter fire ganger daglig", "2 tablett", "08 12 17 22")),
        ("fragmin-5000", Dose("5000 IE subkutant kveld", "5000 IE", "20")),
    ),
    infected=True,
)
_SEPSIS = _PNEUMONIA._replace(
    reason="Feber og forvirring",
    icd10=("A41.9", "Uspesifisert sepsis"),
    severity=0.82,
    days=(5, 11),
    story="Frysninger siden i natt, forvirret, lite urin.",
    treatment="Sepsisbehandling innen en time.",
)
_URINARY = _PNEUMONIA._replace(
    reason="Feber og flankesmerter",
    icd10=("N10", "Akutt tubulointerstitiell nefritt"),
    severity=0.5,
    days=(2, 5),
    story="Svie ved vannlating, nå høy feber.",
    treatment="Antibiotika intravenøst.",
)
_OTHER = Illness(
    "Smerter i magen", ("R10.4", "Andre og uspesifiserte buksmerter"), "surgery", (1, 4), 0.35,
    "Sterke smerter siden i går, kvalm.", "Observert, blodprøver og CT. Tilbakegang.",
    (("ringer", Dose("1000 mL intravenøst morgen og kveld", "1 pose", "08 20")),
     ("paracet-500", Dose("2 tabletter fire ganger daglig", "2 tablett", "08 12 17 22"))),
)  # fmt: skip
_CHEST = Illness(
    "Brystsmerter", ("R07.4", "Uspesifiserte brystsmerter"), "heart", (1, 3), 0.3,
    "Klemmende smerte i brystet i to timer.", "Troponin og EKG uten tegn til infarkt.",
    (("albyl-e-75", Dose("1 tablett morgen", "1 tablett", "08")),),
)  # fmt: skip
_SMALL = (
    ("Feber hos barn", "Feber og hoste i to dager, drikker litt."),
    ("Sår hals", "Vondt å svelge."),
    ("Svie ved vannlating", "Hyppig og vondt siden i går."),
    ("Ørevondt", "Våken i natt av smerter."),
    ("Kuttskade", "Skar seg på kjøkkenkniv."),
    ("Utslett", "Kløende utslett etter middag."),
    ("Magesmerter", "Oppkast og diaré i et døgn."),
    ("Vridd ankel", "Tråkket over i trapp."),
)


def _begins(t: Tale) -> Next:
    age = t.age(t.life.until)
    t.memory["calls"] = step(table("acute_infection", "legevakt"), age)
    t.memory["admissions"] = step(table("acute_infection", "admissions"), age)
    return "well", max(t.life.since, t.person.born + 20)


def _well(t: Tale, day: int) -> Next:
    """Waits for the first of two: something small, or something that needs a hospital."""
    small = t.chance.wait(t.memory["calls"])
    large = t.chance.wait(t.memory["admissions"])
    return ("small", day + small) if small < large else ("large", day + large)


def _small(t: Tale, day: int) -> Next:
    reason, story = t.chance.among(_SMALL)
    at = clock(day, t.chance.whole(9, 22), t.chance.whole(0, 59))
    unit = t.person.unit("out-of-hours")
    if t.life.in_hospital(at):
        return "well", day + 10
    contact(t, at, "virtual", "Telefonråd på legevakt", unit, "nurse", minutes=12, reason=reason)
    if t.chance.happens(0.6):
        out_of_hours(t, at + t.chance.whole(50, 200), reason, story, t.chance.between(0.0, 0.3))
        if t.chance.happens(0.3):
            product = t.chance.among(("apocillin-660", "selexid-200"))
            prescribe(
                t,
                product,
                Dose("1 tablett tre ganger daglig i fem dager", "1 tablett", "08 14 21"),
                day,
                reason,
                until=day + 5,
                course="2",
            )
    return "well", day + 3


def _large(t: Tale, day: int) -> Next:
    old = t.age(day) > 65
    illness = t.chance.weighted((
        (_PNEUMONIA, 0.34 if old else 0.12), (_SEPSIS, 0.14 if old else 0.04),
        (_URINARY, 0.14), (_OTHER, 0.3), (_CHEST, 0.24 if t.age(day) > 35 else 0.02),
    ))  # fmt: skip
    if t.age(day) < 18:
        illness = illness._replace(ward="children", days=(1, 4))
    stay = admitted(t, day, illness)
    if stay is None:
        return "well", day + 20
    again = comes_back(
        t, stay, rates("acute_infection")["readmission_old" if old else "readmission"]
    )
    return ("large", again) if again is not None else ("well", stay.end // 1440 + 12)


COURSE = Course("acute_infection", _begins, {"well": _well, "small": _small, "large": _large})
