"""Substance use: alcohol or opioids, detoxification, the municipal team, medicines handed out."""

from __future__ import annotations

from ..calendar import clock
from ..chance import step
from ..course import Course, Next, before_window, first_check, rates, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import visit
from ..telling.documents import note
from ..telling.findings import measured
from ..telling.medication import Dose, prescribe
from ..telling.problems import condition
from ..telling.stays import Illness, admitted, comes_back, out_of_hours

_DETOX = Illness(
    "Avrusning",
    ("F10.3", "Abstinenstilstand ved bruk av alkohol"),
    "detoxification",
    (5, 12),
    0.3,
    "Drukket daglig i to måneder, ønsker å slutte.",
    "Nedtrapping, vitaminer, motiverende samtaler.",
    (("zopiklon-7-5", Dose("1 tablett til natten", "1 tablett", "22")),),
)
_SAYS = (
    "Uten rus i to uker.",
    "Sprakk i helgen, kom likevel til timen.",
    "Fått tilbud om leilighet.",
    "Ønsker å starte i jobb igjen.",
    "Savner struktur i helgene.",
)


def _begins(t: Tale) -> Next:
    if not t.chance.happens(step(table("substance_use", "prevalence"), t.age(t.life.until))):
        return None
    t.memory["opioids"] = t.chance.happens(0.25)
    return "known", before_window(t, 6)


def _known(t: Tale, day: int) -> Next:
    if t.memory["opioids"]:
        condition(
            t,
            "Opioidavhengighet",
            day,
            icd10=("F11.2", "Avhengighetssyndrom ved bruk av opioider"),
            icpc2=("P19", "Stoffmisbruk"),
        )
        prescribe(t, "buprenorfin-8", Dose("2 tabletter under tungen morgen", "2 tablett", "09"),
                  day + 60, "Legemiddelassistert rehabilitering")  # fmt: skip
        needs(t, "home-care", day + 60, "Legemiddelassistert rehabilitering", visits=1)
    else:
        condition(
            t,
            "Alkoholavhengighet",
            day,
            icd10=("F10.2", "Avhengighetssyndrom ved bruk av alkohol"),
            icpc2=("P15", "Kronisk alkoholmisbruk"),
        )
    return "team", first_check(t, day, 14)


def _team(t: Tale, day: int) -> Next:
    """Talks with the municipal team; now and then a fall-back with detoxification or legevakt."""
    unit = t.person.unit("mental-health")
    seen = visit(t, day, "Samtale om rus", unit, "social-educator", minutes=45,
                 missed=rates("substance_use")["missed"])  # fmt: skip
    number = t.memory["talks"] = t.memory.get("talks", 0) + 1
    if number % 6 == 1:
        measured(t, "audit", t.chance.whole(9, 30), seen)
    if number % 2 == 0:
        note(
            t, seen, "nursing", {"Observasjon": t.chance.among(_SAYS), "Tiltak": "Ny time avtalt."}
        )
    interval = t.chance.whole(9, 24)
    relapse = day + t.chance.wait(rates("substance_use")["relapse"])
    return ("relapse", relapse) if relapse < day + interval else ("team", day + interval)


def _relapse(t: Tale, day: int) -> Next:
    if t.chance.happens(0.5):
        out_of_hours(
            t,
            clock(day, t.chance.whole(18, 23), t.chance.whole(0, 59)),
            "Beruset og urolig",
            "Hentet av politiet. Ønsker hjelp.",
            0.25,
        )
        return "team", day + 5
    stay = admitted(t, day, _DETOX)
    again = comes_back(t, stay, rates("substance_use")["readmission"])
    return ("relapse", again) if again is not None else ("team", day + 18)


COURSE = Course("substance_use", _begins, {"known": _known, "team": _team, "relapse": _relapse})
