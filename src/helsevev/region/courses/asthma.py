"""Asthma: controls, inhalers, worse spells in the pollen and virus seasons, a few admissions."""

from __future__ import annotations

from ..calendar import clock
from ..chance import step
from ..course import Course, Next, before_window, first_check, rates, table
from ..life import Tale
from ..telling.contacts import visit
from ..telling.documents import note
from ..telling.findings import measured
from ..telling.medication import Dose, prescribe
from ..telling.problems import condition
from ..telling.stays import Illness, admitted, out_of_hours

_ATTACK = Illness(
    "Astmaanfall", ("J45.9", "Uspesifisert astma"), "children", (1, 3), 0.5,
    "Økende tung pust siden i går, liten effekt av hurtigvirkende medisin.",
    "Forstøver og prednisolon, oksygen den første natten.",
    (("ventoline-neb", Dose("2,5 mL på forstøver seks ganger daglig", "2.5 mL", "06 10 14 18 22")),
     ("prednisolon-20", Dose("1 tablett morgen i fem dager", "1 tablett", "08"))),
)  # fmt: skip


def _begins(t: Tale) -> Next:
    age = t.age(t.life.until)
    if age < 2 or not t.chance.happens(step(table("asthma", "prevalence"), age)):
        return None
    return "diagnosed", before_window(t, min(12.0, age - 1))


def _diagnosed(t: Tale, day: int) -> Next:
    condition(t, "Astma", day, icd10=("J45.9", "Uspesifisert astma"), icpc2=("R96", "Astma"))
    child = t.age(day) < 12
    steady = (
        ("flutide-50", Dose("2 inhalasjoner morgen og kveld", "2 inhalasjon", "08 20"))
        if child
        else ("symbicort", Dose("1 inhalasjon morgen og kveld", "1 inhalasjon", "08 20"))
    )
    if t.chance.happens(0.7):
        prescribe(t, *steady, day, "Astma")
    prescribe(
        t,
        "ventoline",
        Dose("1–2 inhalasjoner ved behov", "2 inhalasjon", as_needed="Tung pust", most=12),
        day,
        "Astma",
        course="3",
    )
    return "control", first_check(t, day, 360)


def _control(t: Tale, day: int) -> Next:
    unit = t.person.unit("general-practice")
    seen = visit(t, day, "Astmakontroll", unit, t.gp(), minutes=20)
    measured(t, "peak-flow", t.chance.around(300 if t.age(day) < 14 else 430, 60), seen)
    note(t, seen, "progress", {"Aktuelt": "Kontroll av astma. Bruker hurtigvirkende et par ganger"
                               " i måneden.", "Plan": "Fortsetter uendret."})  # fmt: skip
    interval = t.chance.whole(200, 420)
    worse = day + t.chance.wait(rates("asthma")["attacks"])
    return ("attack", worse) if worse < day + interval else ("control", day + interval)


def _attack(t: Tale, day: int) -> Next:
    if t.chance.happens(0.22):
        ward = "children" if t.age(day) < 18 else "medical"
        admitted(t, day, _ATTACK._replace(ward=ward))
    else:
        at = clock(day, t.chance.whole(16, 22), t.chance.whole(0, 59))
        out_of_hours(t, at, "Tung pust", "Kjent astma, forkjølet siste dager.", 0.3)
        prescribe(t, "prednisolon-20", Dose("1 tablett morgen i fem dager", "1 tablett", "08"), day,
                  "Forverring av astma", until=day + 5, course="2")  # fmt: skip
    return "control", day + t.chance.whole(10, 30)


COURSE = Course(
    "asthma", _begins, {"diagnosed": _diagnosed, "control": _control, "attack": _attack}
)
