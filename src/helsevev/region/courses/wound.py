"""A wound that heals slowly: dressed at home, measured every week, now and then infected."""

from __future__ import annotations

from ..calendar import clock
from ..chance import step
from ..course import Course, Next, onset_or_event, rates, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import contact, visit
from ..telling.documents import note
from ..telling.findings import measured
from ..telling.medication import Dose, prescribe
from ..telling.plans import care_plan
from ..telling.problems import condition, procedure

_KINDS = (
    ("Venøst leggsår", ("I83.0", "Åreknuter i underekstremitet med sår"), 0.5),
    ("Trykksår grad 2", ("L89.1", "Dekubitalsår, grad II"), 0.25),
    (
        "Diabetisk fotsår",
        ("E11.5", "Diabetes mellitus type 2 med perifere sirkulatoriske komplikasjoner"),
        0.25,
    ),
)


def _begins(t: Tale) -> Next:
    day = onset_or_event(t, step(table("wound", "incidence"), t.age(t.life.until)))
    if day is None:
        return None
    t.memory["area"] = t.chance.between(1.5, 18)
    t.memory["healing"] = t.chance.between(0.955, 0.995)
    return "found", day


def _found(t: Tale, day: int) -> Next:
    name, icd10 = t.chance.weighted([((text, code), share) for text, code, share in _KINDS])
    condition(t, name, day, icd10=icd10, icpc2=("S97", "Kronisk sår hud"))
    seen = visit(t, day, "Sår som ikke gror", t.person.unit("general-practice"), t.gp(), missed=0.0)
    measured(t, "wound-area", t.memory["area"], seen)
    needs(t, "home-care", day + 2, name, until=day + 2 + t.chance.whole(40, 200), visits=1,
          medicines=False)  # fmt: skip
    if seen is not None:
        care_plan(t, day, f"Sårstell, {name.lower()}", seen.by,
                  ("Skift av bandasje tre ganger i uken", "Måling av såret hver uke", "Kompresjon"),
                  "Såret er grodd")  # fmt: skip
    return "dressed", day + 2


def _dressed(t: Tale, day: int) -> Next:
    number = t.memory["times"] = t.memory.get("times", 0) + 1
    unit = t.person.unit("home-care")
    at = clock(day, t.chance.whole(8, 14), t.chance.whole(0, 55))
    if not t.life.in_hospital(at):
        seen = contact(t, at, "home", "Sårstell", unit, "nurse", minutes=25)
        t.memory["area"] *= t.memory["healing"]
        if number % 3 == 1:
            measured(t, "wound-area", t.memory["area"], seen)
        if number % 4 == 1:
            note(
                t,
                seen,
                "home-visit",
                {
                    "Observasjon": f"Sår {t.memory['area']:.1f} cm², rent, granulerer.".replace(
                        ".", ",", 1
                    ),
                    "Tiltak": "Skylt, ny skumbandasje, kompresjon.",
                },
            )
        if number % 8 == 0:
            procedure(t, "Revisjon av sår", seen)
    if t.chance.happens(rates("wound")["infection"]):
        prescribe(
            t,
            "dalacin-300",
            Dose("1 kapsel tre ganger daglig i ti dager", "1 kapsel", "08 14 20"),
            day,
            "Sårinfeksjon",
            until=day + 10,
            course="2",
        )
    if t.memory["area"] < 0.3 or number > 110:
        return None
    return "dressed", day + t.chance.whole(2, 3)


COURSE = Course("wound", _begins, {"found": _found, "dressed": _dressed})
