"""Pregnancy: controls by midwife and doctor, ultrasound, birth in hospital, the time after.

A mother's pregnancies are those of the children in her household; the others are under way when
the window ends.
"""

from __future__ import annotations

from ..chance import step
from ..course import Course, Next, rates, table
from ..life import Tale
from ..telling.contacts import coming, contact, visit
from ..telling.documents import note
from ..telling.findings import laboratory, measured, pressure
from ..telling.medication import Dose, prescribe
from ..telling.problems import condition, procedure
from ..telling.stays import Illness, planned

# Weeks of the basic programme (Helsedirektoratet): week, who, ultrasound.
_CONTROLS = (8, 12, 18, 24, 28, 32, 34, 36, 38, 40)
_BIRTH = Illness(
    "Fødsel", ("O80.0", "Spontan fødsel i bakhodepresentasjon"), "maternity", (2, 4), 0.1,
    "Rier siden i natt, vannet er gått.", "Normal fødsel.",
    (("paracet-500", Dose("2 tabletter fire ganger daglig", "2 tablett", "08 12 17 22")),),
)  # fmt: skip
_SECTION = _BIRTH._replace(
    icd10=("O82.1", "Forløsning ved akutt keisersnitt"),
    days=(3, 5),
    treatment="Akutt keisersnitt.",
)


def _begins(t: Tale) -> Next:
    t.memory["births"] = [each for each in t.person.births if each[0] > t.life.since - 60]
    if not t.memory["births"] and t.person.woman and t.person.role != "child":
        rate = step(table("pregnancy", "under_way"), t.age(t.life.until))
        if t.chance.happens(rate):
            # The child is not born yet: its day lies after the window.
            due = t.life.until + t.chance.whole(5, 240)
            t.memory["births"] = [(due, 40, len(t.person.births) + 1)]
    return _next_pregnancy(t)


def _next_pregnancy(t: Tale) -> Next:
    births = t.memory["births"]
    if not births:
        return None
    born, weeks, _ = t.memory["birth"] = births.pop(0)
    t.memory["conceived"] = born - weeks * 7
    t.memory["control"] = 0
    t.memory["weight"] = t.chance.around(68, 10)
    t.memory["diabetes"] = t.chance.happens(rates("pregnancy")["diabetes"])
    return "pregnant", t.memory["conceived"] + 45


def _pregnant(t: Tale, day: int) -> Next:
    born, _, order = t.memory["birth"]
    if day * 1440 >= t.life.start:
        condition(
            t,
            "Graviditet",
            day,
            icd10=("Z34.9", "Kontroll av uspesifisert normalt svangerskap"),
            icpc2=("W78", "Svangerskap"),
            until=born,
        )
    prescribe(t, "folsyre-0-4", Dose("1 tablett morgen", "1 tablett", "08"), day, "Svangerskap",
              until=day + 50, course="2")  # fmt: skip
    t.memory["order"] = order
    return "control", t.memory["conceived"] + _CONTROLS[0] * 7


def _control(t: Tale, day: int) -> Next:
    born, _, _ = t.memory["birth"]
    week = _CONTROLS[t.memory["control"]]
    t.memory["control"] += 1
    _checked(t, day, week)
    if t.memory["control"] == len(_CONTROLS):
        return "birth", born
    following = t.memory["conceived"] + _CONTROLS[t.memory["control"]] * 7 + t.chance.whole(-2, 3)
    if following >= born - 1:
        return "birth", born
    coming(t, following, "Svangerskapskontroll", t.person.unit("health-station"), "midwife")
    return "control", following


def _checked(t: Tale, day: int, week: int) -> None:
    if week == 18:
        clinic = t.person.department("maternity-clinic")
        seen = visit(t, day, "Ultralyd i uke 18", clinic, "midwife", minutes=40, missed=0.01)
        procedure(t, "Ultralyd av fosteret", seen)
        note(t, seen, "maternity", {"Observasjon": "Ett levende foster, termin bekreftet.",
                                    "Plan": "Videre kontroll hos jordmor."})  # fmt: skip
        return
    doctor = week in (12, 32)
    unit = t.person.unit("general-practice" if doctor else "health-station")
    seen = visit(t, day, f"Svangerskapskontroll uke {week}", unit, t.gp() if doctor else "midwife",
                 minutes=40, missed=0.02)  # fmt: skip
    t.memory["weight"] += t.chance.between(0.3, 2.2)
    measured(t, "weight", t.memory["weight"], seen)
    pressure(t, t.chance.around(116, 9), t.chance.around(70, 7), seen)
    if week >= 24:
        measured(t, "fundal-height", week - 1 + t.chance.around(0, 1.2), seen)
        measured(t, "fetal-heart", t.chance.around(140, 7), seen)
    if week in (8, 28) and seen is not None:
        laboratory(t, seen.start + 20, {"hb": (t.chance.around(12.2, 0.8), 1),
                                        "ferritin": (t.chance.between(12, 60), 0),
                                        "hba1c": (t.chance.around(33, 3), 0)}, seen.by)  # fmt: skip
    if week == 28 and t.memory["diabetes"]:
        condition(
            t,
            "Svangerskapsdiabetes",
            day,
            icd10=("O24.4", "Diabetes mellitus som oppstår under svangerskap"),
            icpc2=("W85", "Svangerskapsdiabetes"),
            until=t.memory["birth"][0],
        )
    note(t, seen, "maternity", {"Observasjon": f"Uke {week}. Kjenner seg bra.",
                                "Plan": "Neste kontroll etter planen."})  # fmt: skip


def _birth(t: Tale, day: int) -> Next:
    section = t.chance.happens(rates("pregnancy")["section"])
    stay = planned(t, day, _SECTION if section else _BIRTH)
    if stay is not None:
        midwife = t.worker(stay.unit, "midwife")
        given = contact(t, stay.start + 200, "inpatient", "Fødsel", stay.unit, midwife, minutes=120,
                        part_of=stay.reference)  # fmt: skip
        procedure(t, "Keisersnitt" if section else "Fødselshjelp", given)
    return "after", day + 42


def _after(t: Tale, day: int) -> Next:
    seen = visit(t, day, "Etterkontroll", t.person.unit("general-practice"), t.gp(), minutes=30)
    note(
        t,
        seen,
        "maternity",
        {"Observasjon": "Godt restituert. Ammer.", "Plan": "Ingen oppfølging."},
    )
    return _next_pregnancy(t)


COURSE = Course(
    "pregnancy", _begins,
    {"pregnant": _pregnant, "control": _control, "birth": _birth, "after": _after},
)  # fmt: skip
