"""Birth and the child programme: the maternity ward, the health station's consultations, growth.

A child keeps near a percentile of its own. One born early is followed by its corrected age, first
in the neonatal unit and later by the hospital's outpatient clinic as well.
"""

from __future__ import annotations

from .. import growth
from ..calendar import clock
from ..course import Course, Next, rates
from ..life import Contact, Tale
from ..telling.contacts import contact, visit
from ..telling.documents import note
from ..telling.findings import measured, observed
from ..telling.medication import Dose, prescribe
from ..telling.plans import referral
from ..telling.problems import condition, procedure
from ..telling.stays import Illness, planned
from ..workforce import Worker

# Consultations of the national programme: age in days, what it is, who leads it, minutes.
_PROGRAMME = (
    (9, "Hjemmebesøk til nyfødt", "public-health-nurse", 60),
    (30, "Konsultasjon 4 uker, i gruppe", "public-health-nurse", 30),
    (43, "Konsultasjon 6 uker med lege", "physician", 30),
    (92, "Konsultasjon 3 måneder", "public-health-nurse", 25),
    (122, "Konsultasjon 4 måneder", "public-health-nurse", 25),
    (153, "Konsultasjon 5 måneder", "public-health-nurse", 25),
    (184, "Konsultasjon 6 måneder med lege", "physician", 30),
    (244, "Konsultasjon 8 måneder", "public-health-nurse", 25),
    (305, "Konsultasjon 10 måneder", "public-health-nurse", 25),
    (366, "Konsultasjon 12 måneder med lege", "physician", 30),
    (457, "Konsultasjon 15 måneder", "public-health-nurse", 25),
    (535, "Konsultasjon 17–18 måneder", "public-health-nurse", 25),
    (731, "Konsultasjon 2 år med lege", "physician", 30),
    (1462, "Konsultasjon 4 år", "public-health-nurse", 45),
)
_SAYS = (
    "Trives og sover godt. Ammes fullt.", "Følger kurven sin. Foreldrene er trygge.",
    "Litt uro om kvelden. Snakket om døgnrytme.", "Nysgjerrig og i god kontakt.",
    "Begynt med fast føde, spiser variert.", "Søsken er sjalu; snakket om det.",
)  # fmt: skip
_NEWBORN = Illness(
    "Nyfødt", ("Z38.0", "Enkeltbarn, født i sykehus"), "maternity", (2, 3), 0.05,
    "Født til termin.", "Rutineundersøkelse av barnelege uten anmerkning.",
)  # fmt: skip
_EARLY = Illness(
    "For tidlig født", ("P07.3", "Annet for tidlig født barn"), "neonatal", (7, 24), 0.25,
    "Født før uke 37.", "Varme, ernæring på sonde, observasjon av pust.",
)  # fmt: skip
_VERY_EARLY = _EARLY._replace(days=(40, 75), severity=0.45, story="Født før uke 32.")


def _begins(t: Tale) -> Next:
    if t.age(t.life.until) > 4.6 or t.person.born > t.life.last_day:
        return None
    chance = t.chance
    t.memory["z"] = {
        what: max(-2.6, min(2.6, chance.around(mean, 0.85)))
        for what, mean in (("weight", 0.15), ("length", 0.25), ("head", 0.2))
    }
    t.memory["next"] = 0
    return "born", t.person.born


def _early(t: Tale) -> int:
    """How many days before term the child was born, 0 from week 37 on."""
    return (40 - t.person.weeks) * 7 if t.person.weeks < 37 else 0


def _born(t: Tale, day: int) -> Next:
    weeks = t.person.weeks
    illness = _NEWBORN if weeks >= 37 else _EARLY if weeks >= 32 else _VERY_EARLY
    text = f"Født i uke {weeks}."
    stay = planned(t, day, illness._replace(story=text)) if t.life.holds(clock(day, 9)) else None
    if weeks < 37:
        condition(t, f"Prematurt født, gestasjonsuke {weeks}", day,
                  icd10=("P07.3", "Annet for tidlig født barn"),
                  icpc2=("A93", "Prematurt/immaturt født barn"))  # fmt: skip
    if stay is not None:
        doctor = t.worker(stay.unit, "physician")
        for days in range(0, (stay.end - stay.start) // 1440, 3):
            _measured_at(t, clock(day + days, 10), days, doctor, stay.reference)
    prescribe(t, "d-vitamindraper", Dose("5 dråper daglig", "5 dråpe", "09"), day + 28,
              "Forebygging av D-vitaminmangel")  # fmt: skip
    while _due(t, t.memory["next"]) < t.life.since and t.memory["next"] < len(_PROGRAMME) - 1:
        t.memory["next"] += 1
    if weeks < 34:
        return "clinic", max(day + 100, t.life.since + 40)
    return "station", _due(t, t.memory["next"])


def _due(t: Tale, number: int) -> int:
    born = t.person.born
    # A child in the neonatal unit begins the programme when it is home.
    late = 45 if t.person.weeks < 32 and number == 0 else 0
    return born + _PROGRAMME[number][0] + late + int(t.chance.between(-3, 6))


def _station(t: Tale, day: int) -> Next:
    number = t.memory["next"]
    _, what, profession, minutes = _PROGRAMME[number]
    unit = t.person.unit("health-station")
    if number == 0:
        at = clock(day, t.chance.whole(9, 14))
        seen = contact(t, at, "home", what, unit, profession, minutes=minutes)
    else:
        seen = visit(t, day, what, unit, profession, minutes=minutes,
                     missed=rates("child")["missed"])  # fmt: skip
    _growth(t, seen)
    note(t, seen, "health-station", {
        "Observasjon": t.chance.among(_SAYS),
        "Plan": "Neste konsultasjon etter programmet.",
    })  # fmt: skip
    if seen is not None and number == 5 and t.chance.happens(0.03):
        referral(
            t,
            day + 1,
            "Henvist til barnelege for vekst",
            t.person.department("children-clinic"),
            seen.by,
            "Faller på vektkurven",
        )
    t.memory["next"] += 1
    if t.memory["next"] == len(_PROGRAMME):
        return None
    return "station", max(day + 14, _due(t, t.memory["next"]))


def _clinic(t: Tale, day: int) -> Next:
    """The hospital follows those born before week 34; the health station goes on meanwhile."""
    unit = t.person.department("children-clinic")
    seen = visit(t, day, "Oppfølging etter for tidlig fødsel", unit, "physician", minutes=45)
    _growth(t, seen)
    note(
        t,
        seen,
        "outpatient",
        {
            "Aktuelt": "Kontroll etter prematur fødsel.",
            "Vurdering": "Vurdert etter korrigert alder. God fremgang.",
        },
    )
    procedure(t, "Nevromotorisk undersøkelse", seen)
    return "station", _due(t, t.memory["next"])


def _growth(t: Tale, seen: Contact | None) -> None:
    if seen is None:
        return
    days = seen.start // 1440 - t.person.born
    months = max(0.0, (days - _early(t)) / 30.4375)
    for what, name in (("weight", "baby-weight"), ("length", "length"), ("head", "head")):
        if what == "head" and days > 740:
            continue
        girl = t.person.woman
        measured(t, name, growth.value(what, months, _z(t, what), girl=girl), seen)


def _measured_at(t: Tale, at: int, days: int, by: Worker, encounter: str) -> None:
    early = _early(t)
    weight = growth.value("weight", 0, _z(t, "weight"), girl=t.person.woman)
    # Born early is born small: about 1.4 per cent of the weight at term for every day.
    weight *= max(0.28, (1 - 0.0165) ** early) * (1 + 0.011 * days if early else 1.0)
    if days in (3, 6):
        weight *= 0.95
    observed(t, "baby-weight", weight, at, by, encounter)


def _z(t: Tale, what: str) -> float:
    """The child's own percentile with a little wandering: it stays on its curve."""
    z: dict[str, float] = t.memory["z"]
    z[what] += t.chance.around(0, 0.10)
    z[what] = max(-2.8, min(2.8, z[what]))
    return z[what] + t.chance.around(0, 0.06)


COURSE = Course("child_programme", _begins, {"born": _born, "station": _station, "clinic": _clinic})
