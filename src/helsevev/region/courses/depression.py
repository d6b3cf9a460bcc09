"""Depression: the doctor, the wait for a first talk, weekly therapy, better or a new round."""

from __future__ import annotations

from ..chance import step
from ..course import Course, Next, onset_or_event, rates, table
from ..life import Tale
from ..telling.contacts import coming, visit
from ..telling.documents import note
from ..telling.findings import measured
from ..telling.medication import Dose, prescribe
from ..telling.plans import care_plan, referral
from ..telling.problems import condition
from ..telling.stays import Illness, planned

_WARD = Illness(
    "Alvorlig depresjon",
    ("F32.2", "Alvorlig depressiv episode uten psykotiske symptomer"),
    "psychiatry",
    (10, 30),
    0.1,
    "Spiser og sover nesten ikke. Tanker om at livet ikke er verdt å leve.",
    "Trygging, samtaler, medisin og plan for utskrivning.",
    (("zopiklon-7-5", Dose("1 tablett til natten", "1 tablett", "22")),),
)
_SAYS = (
    "Fortsatt lite energi, men har vært ute hver dag.", "Grubler mye om natten.",
    "Begynt å svare på meldinger igjen.", "Snakket om tap og skyldfølelse.",
    "Tilbake i jobb to dager i uken.",
)  # fmt: skip


def _begins(t: Tale) -> Next:
    day = onset_or_event(t, step(table("depression", "incidence"), t.age(t.life.until)))
    if day is None:
        return None
    t.memory["phq9"] = t.chance.around(16, 3)
    t.memory["municipal"] = t.chance.happens(0.5)
    t.memory["talks"] = 0
    return "asks_for_help", day


def _unit_and_profession(t: Tale) -> tuple[str, str]:
    return (
        ("mental-health", "nurse") if t.memory["municipal"] else ("mental-clinic", "psychologist")
    )


def _asks_for_help(t: Tale, day: int) -> Next:
    young = t.age(day) < 18
    seen = visit(t, day, "Nedstemthet", t.person.unit("general-practice"), t.gp(), missed=0.03)
    measured(t, "phq9", t.memory["phq9"], seen)
    note(t, seen, "progress", {"Aktuelt": "Nedstemt siden i vår. Sover dårlig, orker ikke jobben.",
                               "Vurdering": "Moderat depresjon.", "Plan": "Henvises."})  # fmt: skip
    condition(t, "Depresjon", day, icd10=("F32.1", "Moderat depressiv episode"),
              icpc2=("P76", "Depressiv lidelse"))  # fmt: skip
    if not young and t.chance.happens(0.55):
        prescribe(t, "sertralin-50", Dose("1 tablett morgen", "1 tablett", "08"), day, "Depresjon")
    kind, profession = _unit_and_profession(t)
    if young:
        kind, profession = "youth-clinic", "psychologist"
        t.memory["municipal"] = False
    t.memory["kind"], t.memory["profession"] = kind, profession
    unit = t.person.unit(kind) if t.memory["municipal"] else t.person.department(kind)
    waits = t.chance.whole(4, 18) if t.memory["municipal"] else t.chance.whole(18, 75)
    referral(t, day, "Samtalebehandling", unit, t.gp(), "Depresjon", answered=day + waits)
    coming(t, day + waits, "Første samtale", unit, profession)
    return "talks", day + waits


def _talks(t: Tale, day: int) -> Next:
    kind, profession = t.memory["kind"], t.memory["profession"]
    unit = t.person.unit(kind) if t.memory["municipal"] else t.person.department(kind)
    first = t.memory["talks"] == 0
    seen = visit(t, day, "Første samtale" if first else "Samtale", unit, profession, minutes=45,
                 missed=rates("depression")["missed"])  # fmt: skip
    t.memory["talks"] += 1
    t.memory["phq9"] = max(1.0, t.memory["phq9"] - t.chance.between(-1.0, 1.9))
    if t.memory["talks"] % 4 == 1:
        measured(t, "phq9", t.memory["phq9"], seen)
        measured(t, "gad7", min(21, t.memory["phq9"] * 0.7), seen)
    note(
        t,
        seen,
        "outpatient",
        {"Aktuelt": t.chance.among(_SAYS), "Plan": "Atferdsaktivering, neste samtale om en uke."},
    )
    if first and seen is not None:
        care_plan(
            t,
            day,
            "Behandling for depresjon",
            seen.by,
            ("Ukentlige samtaler", "Aktivitetsplan", "Kriseplan"),
            "Tilbake i arbeid",
        )
    if t.memory["talks"] == 3 and t.chance.happens(rates("depression")["ward"]):
        return "ward", day + 3
    if t.memory["phq9"] < 7 or t.memory["talks"] > 24:
        return None
    return "talks", day + t.chance.whole(6, 15)


def _ward(t: Tale, day: int) -> Next:
    stay = planned(t, day, _WARD)
    t.memory["phq9"] -= 4
    return "talks", (day if stay is None else stay.end // 1440) + 7


COURSE = Course(
    "depression", _begins, {"asks_for_help": _asks_for_help, "talks": _talks, "ward": _ward}
)
