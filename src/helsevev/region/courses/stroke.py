"""Stroke: the acute chain, the stroke unit, rehabilitation in hospital and municipality."""

from __future__ import annotations

from ..chance import step
from ..course import Course, Next, onset_or_event, rates, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import visit
from ..telling.documents import note
from ..telling.findings import measured
from ..telling.medication import Dose, prescribe
from ..telling.problems import condition
from ..telling.stays import Illness, admitted, comes_back, planned

_STROKE = Illness(
    "Plutselig lammelse og skjevhet i ansiktet", ("I63.9", "Uspesifisert hjerneinfarkt"), "stroke",
    (4, 11), 0.5, "Sist sett frisk for en time siden. Skjevhet i munnvik, svak i høyre arm.",
    "Trombolyse gitt etter CT. Overvåket på slagenheten, tidlig mobilisering.",
)  # fmt: skip
_REHABILITATION = Illness(
    "Rehabilitering etter hjerneslag",
    ("Z50.8", "Behandling som omfatter bruk av andre spesifiserte rehabiliteringstiltak"),
    "rehabilitation",
    (14, 28),
    0.1,
    "Overflyttet til rehabilitering.",
    "Daglig trening, tverrfaglig.",
)


def _begins(t: Tale) -> Next:
    day = onset_or_event(t, step(table("stroke", "incidence"), t.age(t.life.until)))
    return None if day is None else ("struck", day)


def _struck(t: Tale, day: int) -> Next:
    stay = admitted(t, day, _STROKE)
    if stay is None:
        return None
    home = stay.end // 1440
    condition(t, "Gjennomgått hjerneinfarkt", day, icd10=("I63.9", "Uspesifisert hjerneinfarkt"),
              icpc2=("K90", "Hjerneslag"))  # fmt: skip
    prescribe(
        t, "plavix-75", Dose("1 tablett morgen", "1 tablett", "08"), home, "Forebygger nytt slag"
    )
    prescribe(
        t, "lipitor-40", Dose("1 tablett kveld", "1 tablett", "20"), home, "Forebygger nytt slag"
    )
    prescribe(t, "amlodipin-5", Dose("1 tablett morgen", "1 tablett", "08"), home, "Høyt blodtrykk")
    t.memory["barthel"] = t.chance.whole(4, 18)
    if t.memory["barthel"] < 13:
        return "rehabilitation", home
    again = comes_back(t, stay, rates("stroke")["readmission"])
    if again is not None:
        admitted(t, again, _STROKE._replace(reason="Ny forverring etter hjerneslag", days=(2, 5)))
    return "training", home + t.chance.whole(5, 12)


def _rehabilitation(t: Tale, day: int) -> Next:
    stay = planned(t, day + 1, _REHABILITATION)
    home = day + 20 if stay is None else stay.end // 1440
    t.memory["barthel"] = min(20, t.memory["barthel"] + t.chance.whole(1, 6))
    if t.memory["barthel"] < 7:
        needs(t, "nursing-home", home, "Følger etter hjerneslag", visits=4)
    else:
        needs(
            t,
            "short-stay",
            home,
            "Opptrening etter hjerneslag",
            until=home + t.chance.whole(14, 28),
            visits=6,
        )
        needs(t, "home-care", home + 21, "Følger etter hjerneslag", visits=5)
    return "training", home + 14


def _training(t: Tale, day: int) -> Next:
    """Physiotherapy and occupational therapy in the municipality, fewer as function returns."""
    number = t.memory["sessions"] = t.memory.get("sessions", 0) + 1
    unit = t.person.unit("therapy")
    profession = "occupational-therapist" if number % 4 == 0 else "physiotherapist"
    seen = visit(t, day, "Trening etter hjerneslag", unit, profession, minutes=45, missed=0.06)
    if number % 4 == 1:
        t.memory["barthel"] = min(20, t.memory["barthel"] + t.chance.whole(0, 2))
        measured(t, "barthel", t.memory["barthel"], seen)
        note(t, seen, "nursing", {"Observasjon": "Tryggere balanse, øver på trapp.",
                                  "Tiltak": "Egentrening to ganger daglig."})  # fmt: skip
    if number == 10:
        clinic = t.person.department("neurology-clinic")
        checked = visit(t, day + 5, "Kontroll tre måneder etter hjerneslag", clinic, "physician")
        note(t, checked, "outpatient", {"Aktuelt": "Kontroll etter hjerneslag.",
                                        "Vurdering": "God fremgang."})  # fmt: skip
    return None if number == 26 else ("training", day + t.chance.whole(5, 12))


COURSE = Course(
    "stroke", _begins,
    {"struck": _struck, "rehabilitation": _rehabilitation, "training": _training},
)  # fmt: skip
