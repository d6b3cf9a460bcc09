"""Diabetes type 2: quarterly controls, tablets, then injections, feet and eyes looked after."""

from __future__ import annotations

from ..chance import step
from ..course import Course, Next, before_window, first_check, rates, table
from ..life import Tale
from ..telling.contacts import coming, visit
from ..telling.documents import note
from ..telling.findings import laboratory, measured, pressure
from ..telling.medication import Dose, prescribe
from ..telling.plans import referral
from ..telling.problems import condition, procedure

_SAYS = (
    "Måler sjelden blodsukker selv. Spiser mindre brød enn før.",
    "Følger opp godt, går tur hver dag.",
    "Strever med kostholdet. Vekten går opp.",
    "Kjenner seg sliten, ellers ingen plager.",
)


def _begins(t: Tale) -> Next:
    age = t.age(t.life.until)
    if not t.chance.happens(step(table("diabetes", "prevalence"), age)):
        return None
    since = before_window(t, 14)
    if t.chance.happens(0.1):
        since = t.life.since + t.chance.whole(0, max(1, t.life.until - t.life.since - 30))
    t.memory["hba1c"] = t.chance.around(53, 7)
    t.memory["weight"] = t.chance.around(84 if t.person.woman else 96, 14)
    return "diagnosed", since


def _diagnosed(t: Tale, day: int) -> Next:
    condition(
        t,
        "Diabetes mellitus type 2",
        day,
        icd10=("E11.9", "Diabetes mellitus type 2 uten komplikasjoner"),
        icpc2=("T90", "Diabetes ikke-insulinavhengig"),
    )
    why = "Type 2-diabetes"
    prescribe(
        t, "metformin-1000", Dose("1 tablett morgen og kveld", "1 tablett", "08 18"), day, why
    )
    if t.chance.happens(0.45):
        prescribe(t, "jardiance-10", Dose("1 tablett morgen", "1 tablett", "08"), day + 200, why)
    if t.chance.happens(0.6):
        prescribe(
            t, "lipitor-20", Dose("1 tablett kveld", "1 tablett", "20"), day, "Høyt kolesterol"
        )
    if t.chance.happens(rates("diabetes")["insulin"]):
        units = 2 * t.chance.whole(6, 22)
        prescribe(t, "lantus", Dose(f"{units} enheter kveld", f"{units} E", "21"), day + 1500, why)
    return "control", first_check(t, day, 180)


def _control(t: Tale, day: int) -> Next:
    """With the general practitioner; the yearly one is larger and leads on to eyes and feet."""
    clinic = t.memory.setdefault("hospital", t.chance.happens(0.12))
    unit = t.person.department("diabetes-clinic") if clinic else t.person.unit("general-practice")
    yearly = t.memory["yearly"] = not t.memory.get("yearly", False)
    what = "Årskontroll diabetes" if yearly else "Diabeteskontroll"
    seen = visit(t, day, what, unit, "physician" if clinic else t.gp(), minutes=30)
    t.memory["hba1c"] = max(38, t.memory["hba1c"] + t.chance.around(0.3, 3.5))
    t.memory["weight"] += t.chance.around(0, 1.4)
    measured(t, "weight", t.memory["weight"], seen)
    pressure(t, t.chance.around(136, 12), t.chance.around(79, 8), seen)
    if seen is not None:
        answers = {"hba1c": (t.memory["hba1c"], 0), "glu": (t.memory["hba1c"] / 6.2, 1)}
        if yearly:
            answers |= {
                "ldl": (t.chance.around(2.3, 0.6), 1),
                "kreat": (t.chance.around(84, 17), 0),
                "acr": (t.chance.between(0.4, 7), 1),
            }
        laboratory(t, seen.start - 20, answers, seen.by, seen.reference)
        note(t, seen, "outpatient" if clinic else "progress", {
            "Aktuelt": t.chance.among(_SAYS),
            "Vurdering": f"HbA1c {t.memory['hba1c']:.0f} mmol/mol.",
            "Plan": "Fortsetter. Ny kontroll om noen måneder.",
        })  # fmt: skip
        if yearly:
            procedure(t, "Undersøkelse av føtter med monofilament", seen)
            _eyes(t, day)
        if t.memory["hba1c"] > 64:
            prescribe(t, "ozempic-1", Dose("1 mg subkutant en gang i uken", "1 dose", "09", "man"),
                      day, "Type 2-diabetes", by=seen.by)  # fmt: skip
            t.memory["hba1c"] -= 9
    following = day + t.chance.whole(85, 190)
    coming(t, following, "Diabeteskontroll", unit, "physician")
    return "control", following


def _eyes(t: Tale, day: int) -> None:
    clinic = t.person.department("eye-clinic")
    when = day + t.chance.whole(30, 120)
    referral(t, day, "Øyebunnsfoto ved diabetes", clinic, t.gp(), "Diabetes", answered=when)
    seen = visit(t, when, "Øyebunnsfoto", clinic, "nurse", minutes=20)
    procedure(t, "Fotografering av øyebunn", seen)


COURSE = Course("diabetes_type_2", _begins, {"diagnosed": _diagnosed, "control": _control})
