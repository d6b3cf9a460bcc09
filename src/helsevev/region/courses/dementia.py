"""Dementia, from the first suspicion through the memory clinic and home care to a nursing home."""

from __future__ import annotations

from ..chance import step
from ..course import Course, Next, before_window, rates, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import visit
from ..telling.documents import note
from ..telling.findings import laboratory, measured
from ..telling.medication import Dose, prescribe
from ..telling.plans import referral
from ..telling.problems import condition
from ..telling.stays import Illness, admitted

_CONFUSED = Illness(
    "Akutt forvirring", ("F05.1", "Delirium ved demens"), "geriatrics", (3, 9), 0.45,
    "Urolig og redd siden i går. Sover ikke.", "Urinveisinfeksjon behandlet, skjerming og ro.",
    infected=True,
)  # fmt: skip


def _begins(t: Tale) -> Next:
    if not t.chance.happens(step(table("dementia", "prevalence"), t.age(t.life.until))):
        return None
    t.memory["mmse"] = t.chance.around(25, 1.5)
    return "suspected", before_window(t, 7) + t.chance.whole(0, 900)


def _suspected(t: Tale, day: int) -> Next:
    seen = visit(t, day, "Bekymring for hukommelsen", t.person.unit("general-practice"), t.gp(),
                 minutes=40, missed=0.0)  # fmt: skip
    measured(t, "mmse", t.memory["mmse"], seen)
    if seen is not None:
        laboratory(
            t,
            seen.start + 30,
            {
                "tsh": (t.chance.around(2, 0.6), 1),
                "b12": (t.chance.around(330, 90), 0),
                "hb": (t.chance.around(13.4, 1), 1),
            },
            seen.by,
        )
    note(t, seen, "progress", {
        "Aktuelt": "Datter forteller om glemsomhet det siste året: regninger, avtaler, veien hjem.",
        "Plan": "Henvises til hukommelsesklinikken.",
    })  # fmt: skip
    tested = day + t.chance.whole(40, 110)
    referral(t, day, "Utredning av hukommelse", t.person.department("geriatric-clinic"), t.gp(),
             "Mistanke om demens", answered=tested)  # fmt: skip
    return "diagnosed", tested


def _diagnosed(t: Tale, day: int) -> Next:
    seen = visit(
        t,
        day,
        "Utredning ved hukommelsesklinikken",
        t.person.department("geriatric-clinic"),
        "physician",
        minutes=90,
        missed=0.02,
    )
    t.memory["mmse"] -= t.chance.between(0.5, 2)
    measured(t, "mmse", t.memory["mmse"], seen)
    alzheimer = t.chance.happens(0.62)
    icd10 = (
        ("G30.1", "Alzheimers sykdom med sen debut")
        if alzheimer
        else ("F01.9", "Uspesifisert vaskulær demens")
    )
    name = "Alzheimers sykdom" if alzheimer else "Vaskulær demens"
    condition(t, name, day, icd10=icd10, icpc2=("P70", "Demens"))
    if alzheimer:
        prescribe(t, "donepezil-10", Dose("1 tablett kveld", "1 tablett", "20"), day, name)
    note(t, seen, "outpatient", {"Vurdering": f"{name}, mild grad.",
                                 "Plan": "Oppfølging i kommunen, hukommelsesteam."})  # fmt: skip
    needs(t, "home-care", day + t.chance.whole(60, 500), name, visits=4)
    return "followed", day + t.chance.whole(120, 220)


def _followed(t: Tale, day: int) -> Next:
    """Visits by the memory team; worse by two or three points a year."""
    seen = visit(t, day, "Hjemmebesøk av hukommelsesteam", t.person.unit("home-care"), "nurse",
                 minutes=60, kind="home", missed=0.03)  # fmt: skip
    t.memory["mmse"] = max(0, t.memory["mmse"] - t.chance.between(0.4, 2.4))
    measured(t, "mmse", t.memory["mmse"], seen)
    note(t, seen, "nursing", {
        "Observasjon": t.chance.among(("Finner frem hjemme. Glemmer måltider.",
                                       "Har gått ut om natten én gang. Ektefellen er sliten.",
                                       "Trives på dagsenteret.")),
        "Tiltak": "Samtale med pårørende.",
    })  # fmt: skip
    if t.chance.happens(rates("dementia")["delirium"]):
        admitted(t, day + t.chance.whole(5, 80), _CONFUSED)
    if t.memory["mmse"] < 14 or t.chance.happens(0.05):
        return "nursing_home", day + t.chance.whole(20, 120)
    return "followed", day + t.chance.whole(120, 240)


def _nursing_home(t: Tale, day: int) -> Next:
    needs(t, "nursing-home", day, "Demens", visits=4.6)
    if t.chance.happens(0.3):
        prescribe(t, "quetiapin-25", Dose("1 tablett kveld", "1 tablett", "20"), day + 30,
                  "Uro ved demens", until=day + 200, why="Avsluttet etter vurdering")  # fmt: skip
    prescribe(t, "movicol", Dose("1 pose morgen", "1 pose", "08"), day, "Forstoppelse")
    prescribe(t, "paracet-500", Dose("2 tabletter tre ganger daglig", "2 tablett", "08 14 20"), day,
              "Smerter")  # fmt: skip
    return None


COURSE = Course(
    "dementia", _begins,
    {"suspected": _suspected, "diagnosed": _diagnosed, "followed": _followed,
     "nursing_home": _nursing_home},
)  # fmt: skip
