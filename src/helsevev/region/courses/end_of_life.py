"""The last weeks of those who die expected: relief at home or in a nursing home, seen every day."""

from __future__ import annotations

from ..calendar import clock
from ..course import Course, Next, rates
from ..life import Tale
from ..services import needs
from ..telling.contacts import contact
from ..telling.documents import note, written
from ..telling.findings import observed
from ..telling.medication import Dose, prescribe
from ..telling.plans import care_plan
from ..telling.problems import condition

_SAYS = (
    "Sover mye. Rolig ansikt, varm og tørr hud.", "Litt uro i natt, fikk midazolam med effekt.",
    "Familien er hos henne hele tiden.", "Tar små slurker. Munnstell hver time.",
    "Surklete pust, snudd i sengen, bedre nå.",
)  # fmt: skip


def _begins(t: Tale) -> Next:
    dies = t.person.dies
    if dies is None or t.age(dies) < 40 or not t.chance.happens(rates("end_of_life")["expected"]):
        return None
    t.memory["home"] = t.chance.happens(rates("end_of_life")["at_home"])
    return "turns", dies - t.chance.whole(21, 90)


def _turns(t: Tale, day: int) -> Next:
    """It is said aloud that life is near its end: a plan, and a service every day."""
    doctor = t.gp()
    condition(t, "Palliativ fase", day, icd10=("Z51.5", "Palliativ behandling"),
              icpc2=("A99", "Sykdom/tilstand IKA"))  # fmt: skip
    care_plan(t, day, "Lindring ved livets slutt", doctor,
              ("Samtale med familien", "Medikamentskrin i hjemmet", "Daglig tilsyn"),
              "Være uten smerter og sammen med sine")  # fmt: skip
    kind = "home-care" if t.memory["home"] else "nursing-home"
    needs(t, kind, day, "Palliativ fase", visits=7)
    prescribe(
        t,
        "oxycontin-10",
        Dose("1 tablett morgen og kveld", "1 tablett", "08 20"),
        day,
        "Smerter",
        until=t.life.end // 1440 - 4,
        why="Kan ikke svelge",
    )
    prescribe(t, "laktulose", Dose("15 mL morgen", "15 mL", "08"), day, "Forstoppelse av opioider")
    return "last_days", t.life.end // 1440 - 5


def _last_days(t: Tale, day: int) -> Next:
    prescribe(
        t,
        "morfin-sc",
        Dose("5 mg subkutant hver fjerde time", "5 mg", "02 06 10 14 18 22"),
        day,
        "Smerter og tung pust",
        by=t.gp(),
    )
    prescribe(
        t,
        "midazolam-sc",
        Dose("2,5 mg subkutant ved uro", "2.5 mg", as_needed="Uro", most=6),
        day,
        "Uro",
        by=t.gp(),
        course="3",
    )
    kind = "home-care" if t.memory["home"] else "nursing-home-ward"
    unit = t.person.unit(kind)
    for following in range(day, t.life.last_day + 1):
        at = clock(following, t.chance.whole(8, 20), t.chance.whole(0, 55))
        if t.life.in_hospital(at):
            continue
        where = "home" if t.memory["home"] else "inpatient"
        seen = contact(t, at, where, "Tilsyn ved livets slutt", unit, "nurse", minutes=45)
        note(t, seen, "nursing", {"Observasjon": t.chance.among(_SAYS)})
        if seen is not None:
            observed(t, "pain", t.chance.whole(0, 5), at, seen.by, seen.reference)
    written(t, t.life.end - 30, "progress", t.gp(), unit, {
        "Aktuelt": "Tilsyn. Døende, uten tegn til smerte. Familien er informert og til stede.",
    })  # fmt: skip
    return None


COURSE = Course("end_of_life", _begins, {"turns": _turns, "last_days": _last_days})
