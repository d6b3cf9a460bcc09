"""School health: the first consultation, the eighth grade, and talks behind the nurse's door."""

from __future__ import annotations

from .. import growth
from ..calendar import age_on
from ..course import Course, Next, rates
from ..life import Tale
from ..telling.contacts import visit
from ..telling.documents import note
from ..telling.findings import measured

_TALKS = (
    "Snakket om søvn og skjermbruk.", "Vondt i magen før prøver. Avtalt nye samtaler.",
    "Konflikt i vennegjengen. Ønsker at foreldrene ikke får vite det ennå.",
    "Skilsmisse hjemme. Vil ha noen å snakke med.", "Lurer på prevensjon.",
)  # fmt: skip


def _begins(t: Tale) -> Next:
    if not 5.5 < t.age(t.life.until) < 20:
        return None
    t.memory["z"] = t.chance.around(0.25, 0.9)
    t.memory["talks"] = t.chance.happens(rates("school_health")["talks"])
    return "programme", t.life.since


def _programme(t: Tale, _: int) -> Next:
    """Starting school and the eighth grade have a consultation; the third grade is measured."""
    for age, what in ((6, "Skolestartundersøkelse"), (8, "Måling i 3. trinn"),
                      (13, "Helsesamtale i 8. trinn")):  # fmt: skip
        when = age_on(t.person.born, age) + 90
        if not t.life.since <= when <= t.life.last_day:
            continue
        seen = visit(t, when, what, t.person.unit("school"), "public-health-nurse", minutes=30,
                     missed=0.03)  # fmt: skip
        if seen is None:
            continue
        months = (seen.start // 1440 - t.person.born) / 30.4375
        girl = t.person.woman
        height = growth.value("length", months, t.memory["z"], girl=girl)
        bmi = growth.value("bmi", months, t.chance.around(0.3, 0.9), girl=girl)
        measured(t, "height", height, seen)
        measured(t, "weight", bmi * (height / 100) ** 2, seen)
        note(t, seen, "health-station", {"Observasjon": "Trives på skolen.",
                                         "Plan": "Ingen ekstra oppfølging."})  # fmt: skip
    if t.memory["talks"]:
        return "talk", t.life.since + t.chance.whole(0, 300)
    return None


def _talk(t: Tale, day: int) -> Next:
    unit = t.person.unit("school")
    if t.age(day) < 6:
        return "talk", day + 120
    seen = visit(t, day, "Samtale med helsesykepleier", unit, "public-health-nurse", minutes=30,
                 missed=0.09)  # fmt: skip
    note(t, seen, "health-station", {"Samtale": t.chance.among(_TALKS)})
    return "talk", day + t.chance.whole(14, 160)


COURSE = Course("school_health", _begins, {"programme": _programme, "talk": _talk})
