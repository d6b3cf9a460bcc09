"""Cancer pathway: referral with a deadline, diagnosis, surgery, courses of treatment, controls."""

from __future__ import annotations

from typing import NamedTuple

from ..chance import step
from ..course import Course, Next, onset_or_event, rates, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import coming, visit
from ..telling.documents import note
from ..telling.findings import laboratory
from ..telling.medication import Dose, prescribe
from ..telling.plans import care_plan, referral, task
from ..telling.problems import Code, condition, procedure
from ..telling.stays import Illness, admitted, comes_back, planned


class _Kind(NamedTuple):
    name: str
    icd10: Code
    icpc2: Code
    suspicion: str
    operation: str
    tablet: tuple[str, Dose] | None
    women: float
    men: float


_KINDS = (
    _Kind(
        "Brystkreft",
        ("C50.9", "Ondartet svulst i bryst, uspesifisert"),
        ("X76", "Ondartet svulst bryst"),
        "Kul i brystet",
        "Brystbevarende operasjon",
        ("arimidex-1", Dose("1 tablett morgen", "1 tablett", "08")),
        0.34,
        0.0,
    ),
    _Kind(
        "Prostatakreft",
        ("C61", "Ondartet svulst i blærehalskjertel"),
        ("Y77", "Ondartet svulst prostata"),
        "Forhøyet PSA",
        "Radikal prostatektomi",
        ("zoladex", Dose("1 sprøyte hver tredje måned", "1 sprøyte")),
        0.0,
        0.36,
    ),
    _Kind(
        "Tykktarmskreft",
        ("C18.9", "Ondartet svulst i tykktarm, uspesifisert"),
        ("D75", "Ondartet svulst tykktarm/endetarm"),
        "Blod i avføringen",
        "Reseksjon av tykktarm",
        None,
        0.28,
        0.28,
    ),
    _Kind(
        "Lungekreft",
        ("C34.9", "Ondartet svulst i bronkie eller lunge, uspesifisert"),
        ("R84", "Ondartet svulst bronkier/lunge"),
        "Skygge på røntgen av lungene",
        "Lobektomi",
        None,
        0.2,
        0.2,
    ),
    _Kind(
        "Malignt melanom",
        ("C43.9", "Malignt melanom i hud, uspesifisert"),
        ("S77", "Ondartet svulst hud"),
        "Føflekk i endring",
        "Utvidet eksisjon",
        None,
        0.18,
        0.16,
    ),
)
_FEVER = Illness(
    "Feber under cellegiftbehandling", ("D70", "Agranulocytose"), "oncology", (3, 7), 0.5,
    "Frysninger og 39 grader, en uke etter kur.", "Antibiotika intravenøst, isolat.",
    (("cefotaksim-iv", Dose("1 g intravenøst tre ganger daglig", "1 hetteglass", "06 14 22")),),
    infected=True,
)  # fmt: skip


def _begins(t: Tale) -> Next:
    day = onset_or_event(t, step(table("cancer", "incidence"), t.age(t.life.until)))
    if day is None:
        return None
    woman = t.person.woman
    kind = t.chance.weighted([(each, each.women if woman else each.men) for each in _KINDS])
    t.memory["kind"] = kind
    t.memory["cures"] = 0
    t.memory["controls"] = 0
    return "suspected", day


def _suspected(t: Tale, day: int) -> Next:
    kind: _Kind = t.memory["kind"]
    seen = visit(t, day, kind.suspicion, t.person.unit("general-practice"), t.gp(), missed=0.0)
    note(
        t, seen, "progress", {"Aktuelt": kind.suspicion, "Plan": "Henvist i pakkeforløp for kreft."}
    )
    examined = day + t.chance.whole(5, 12)
    referral(t, day, f"Pakkeforløp: mistanke om {kind.name.lower()}",
             t.person.department("surgical-clinic"), t.gp(), kind.suspicion, urgent=True,
             answered=examined)  # fmt: skip
    return "examined", examined


def _examined(t: Tale, day: int) -> Next:
    kind: _Kind = t.memory["kind"]
    seen = visit(t, day, "Utredning i pakkeforløp", t.person.department("surgical-clinic"),
                 "physician", minutes=45, missed=0.01)  # fmt: skip
    procedure(t, "Biopsi", seen)
    scanned = visit(t, day + 4, "CT", t.person.department("radiology"), "radiographer", missed=0.01)
    procedure(t, "CT av thorax, abdomen og bekken", scanned)
    told = visit(
        t,
        day + 11,
        "Svar på utredning",
        t.person.department("oncology-clinic"),
        "physician",
        minutes=45,
        missed=0.0,
    )
    note(
        t,
        told,
        "outpatient",
        {
            "Vurdering": f"{kind.name} bekreftet. Drøftet i tverrfaglig møte.",
            "Plan": "Operasjon, deretter vurdering av cellegift.",
        },
    )
    if told is not None:
        condition(t, kind.name, day + 11, icd10=kind.icd10, icpc2=kind.icpc2, by=told.by)
        care_plan(t, day + 11, f"Pakkeforløp for {kind.name.lower()}", told.by,
                  ("Operasjon innen fristen", "Kreftkoordinator i kommunen", "Kontroller i fem år"),
                  "Bli frisk av kreften")  # fmt: skip
    return "operated", day + t.chance.whole(22, 40)


def _operated(t: Tale, day: int) -> Next:
    kind: _Kind = t.memory["kind"]
    stay = planned(
        t,
        day,
        Illness(
            kind.operation,
            kind.icd10,
            "surgery",
            (2, 6),
            0.3,
            f"Innlagt til operasjon for {kind.name.lower()}.",
            kind.operation,
            (
                ("paracet-500", Dose("2 tabletter fire ganger daglig", "2 tablett", "08 12 17 22")),
                ("fragmin-5000", Dose("5000 IE subkutant kveld", "5000 IE", "20")),
            ),
        ),
    )
    if stay is None:
        return "controlled", day + 90
    home = stay.end // 1440
    if kind.tablet is not None:
        prescribe(t, *kind.tablet, home + 30, kind.name)
    if t.age(day) > 74:
        needs(t, "home-care", home, kind.name, until=home + t.chance.whole(30, 120), visits=4,
              medicines=False)  # fmt: skip
        task(
            t, home, "Stell av operasjonssår annenhver dag", t.person.unit("home-care"), t.gp(), 14
        )
    again = comes_back(t, stay, rates("cancer")["readmission"])
    if again is not None:
        admitted(t, again, _FEVER._replace(reason="Feber etter operasjon"))
    return ("treated" if t.chance.happens(0.55) else "controlled"), home + t.chance.whole(25, 40)


def _treated(t: Tale, day: int) -> Next:
    """Courses of chemotherapy every third week as a day patient, some with fever between."""
    clinic = t.person.department("oncology-clinic")
    seen = visit(t, day, "Cellegiftkur", clinic, "nurse", minutes=240, missed=0.01)
    if seen is not None:
        laboratory(t, seen.start - 40, {
            "hb": (t.chance.around(11.6, 1), 1), "leuk": (t.chance.between(2.2, 8), 1),
            "tromb": (t.chance.between(110, 320), 0), "kreat": (t.chance.around(76, 12), 0),
        }, seen.by, seen.reference)  # fmt: skip
        procedure(t, "Intravenøs cellegift", seen)
    prescribe(t, "afipran-10", Dose("1 tablett ved behov", "1 tablett", as_needed="Kvalme", most=3),
              day, "Kvalme ved cellegift", until=day + 130, course="3")  # fmt: skip
    if t.chance.happens(rates("cancer")["fever"]):
        admitted(t, day + t.chance.whole(7, 11), _FEVER)
    t.memory["cures"] += 1
    return ("treated", day + 21) if t.memory["cures"] < 6 else ("controlled", day + 40)


def _controlled(t: Tale, day: int) -> Next:
    clinic = t.person.department("oncology-clinic")
    seen = visit(t, day, "Kontroll etter kreftbehandling", clinic, "physician", minutes=30)
    note(t, seen, "outpatient", {"Aktuelt": "Kontroll. Ingen tegn til tilbakefall.",
                                 "Plan": "Ny kontroll etter planen."})  # fmt: skip
    t.memory["controls"] += 1
    following = day + (90 if t.memory["controls"] < 4 else 180)
    coming(t, following, "Kontroll etter kreftbehandling", clinic, "physician")
    return "controlled", following


COURSE = Course(
    "cancer", _begins,
    {"suspected": _suspected, "examined": _examined, "operated": _operated, "treated": _treated,
     "controlled": _controlled},
)  # fmt: skip
