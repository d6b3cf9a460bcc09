"""Hip fracture: a fall, an operation within a day, a short stay to train, and home again or not."""

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
from ..telling.problems import condition, procedure
from ..telling.stays import Illness, admitted, comes_back

_BROKEN = Illness(
    "Fall med smerter i hoften",
    ("S72.0", "Brudd i lårhals"),
    "orthopaedics",
    (4, 9),
    0.45,
    "Falt på badet. Foten er utadrotert og forkortet.",
    "Hemiprotese første døgn, mobilisert dagen etter.",
    (
        ("oxynorm-5", Dose("1 kapsel fire ganger daglig", "1 kapsel", "08 12 17 22")),
        ("paracet-500", Dose("2 tabletter fire ganger daglig", "2 tablett", "08 12 17 22")),
        ("fragmin-5000", Dose("5000 IE subkutant kveld", "5000 IE", "20")),
    ),
)
_AGAIN = _BROKEN._replace(
    reason="Infeksjon i operasjonssår", icd10=("T84.5", "Infeksjon ved leddprotese"), infected=True,
    story="Rødt og væskende sår en uke etter operasjon.", treatment="Antibiotika intravenøst.",
)  # fmt: skip


def _begins(t: Tale) -> Next:
    risk = step(table("hip_fracture", "incidence"), t.age(t.life.until))
    day = onset_or_event(t, risk * (1.35 if t.person.woman else 0.75))
    return None if day is None else ("broken", day)


def _broken(t: Tale, day: int) -> Next:
    stay = admitted(t, day, _BROKEN)
    if stay is None:
        return None
    surgeon = t.worker(stay.unit, "physician")
    theatre = contact(t, clock(day + 1, t.chance.whole(9, 18)), "inpatient", "Operasjon", stay.unit,
                      surgeon, minutes=80, part_of=stay.reference)  # fmt: skip
    if t.life.in_hospital(clock(day + 1, 12)):
        procedure(t, "Innsetting av hemiprotese i hofteledd", theatre)
    home = stay.end // 1440
    condition(t, "Operert lårhalsbrudd", day, icd10=("S72.0", "Brudd i lårhals"),
              icpc2=("L75", "Brudd lårben"))  # fmt: skip
    prescribe(
        t,
        "paracet-500",
        Dose("2 tabletter tre ganger daglig", "2 tablett", "08 14 20"),
        home,
        "Smerter etter operasjon",
        until=home + 90,
    )
    prescribe(
        t, "calcigran-forte", Dose("1 tyggetablett kveld", "1 tablett", "20"), home, "Beinskjørhet"
    )
    prescribe(t, "fosamax-70", Dose("1 tablett mandag morgen", "1 tablett", "07", "man"), home + 14,
              "Beinskjørhet")  # fmt: skip
    again = comes_back(t, stay, rates("hip_fracture")["readmission"])
    if again is not None:
        admitted(t, again, _AGAIN)
    weeks = t.chance.whole(2, 5)
    if t.age(day) > 70:
        needs(
            t, "short-stay", home, "Opptrening etter hoftebrudd", until=home + 7 * weeks, visits=6
        )
        if t.chance.happens(0.22):
            needs(t, "nursing-home", home + 7 * weeks, "Stort hjelpebehov etter hoftebrudd")
        else:
            needs(t, "home-care", home + 7 * weeks, "Hoftebrudd", visits=4.5)
    return "training", home + 7


def _training(t: Tale, day: int) -> Next:
    number = t.memory["sessions"] = t.memory.get("sessions", 0) + 1
    seen = visit(t, day, "Trening etter hoftebrudd", t.person.unit("therapy"), "physiotherapist",
                 minutes=45, missed=0.05)  # fmt: skip
    if number in (1, 6, 12):
        measured(t, "barthel", min(20, 10 + number // 2 + t.chance.whole(0, 3)), seen)
        note(t, seen, "nursing", {"Observasjon": "Går med rullator, øver på trapp.",
                                  "Tiltak": "Styrke og balanse."})  # fmt: skip
    if number == 7:
        clinic = t.person.department("orthopaedic-clinic")
        checked = visit(t, day + 3, "Kontroll etter hoftebrudd", clinic, "physician", minutes=20)
        note(t, checked, "outpatient", {"Aktuelt": "Kontroll etter operasjon.",
                                        "Funn": "Fint tilhelet, belaster fullt."})  # fmt: skip
    return None if number == 14 else ("training", day + t.chance.whole(4, 9))


COURSE = Course("hip_fracture", _begins, {"broken": _broken, "training": _training})
