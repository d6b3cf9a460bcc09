"""Old age at home: weaker year by year, with home nursing, falls and at last a nursing home."""

from __future__ import annotations

from ..chance import step
from ..course import Course, Next, first_check, rates, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import visit
from ..telling.documents import note
from ..telling.findings import measured
from ..telling.medication import Dose, prescribe
from ..telling.problems import allergy, condition
from ..telling.stays import Illness, admitted, comes_back

_FALL = Illness(
    "Fall hjemme", ("S01.9", "Åpent sår i uspesifisert del av hodet"), "medical", (1, 4), 0.3,
    "Funnet på gulvet av hjemmesykepleien. Husker ikke fallet.",
    "Sår sydd. Observert for hodeskade.",
)  # fmt: skip
# Product, dose, reason and how many of the old take it.
_USUAL = (
    ("paracet-500", Dose("2 tabletter morgen, middag og kveld", "2 tablett", "08 14 20"),
     "Smerter i ledd", 0.5),
    ("albyl-e-75", Dose("1 tablett morgen", "1 tablett", "08"), "Forebygger blodpropp", 0.36),
    ("lipitor-20", Dose("1 tablett kveld", "1 tablett", "20"), "Høyt kolesterol", 0.45),
    ("amlodipin-5", Dose("1 tablett morgen", "1 tablett", "08"), "Høyt blodtrykk", 0.43),
    ("selo-zok-50", Dose("1 tablett morgen", "1 tablett", "08"), "Høyt blodtrykk", 0.38),
    ("eliquis-2-5", Dose("1 tablett morgen og kveld", "1 tablett", "08 20"), "Atrieflimmer", 0.2),
    ("levaxin-50", Dose("1 tablett morgen", "1 tablett", "07"), "Lavt stoffskifte", 0.13),
    ("calcigran-forte", Dose("1 tyggetablett kveld", "1 tablett", "20"), "Beinskjørhet", 0.42),
    ("laktulose", Dose("15 mL morgen", "15 mL", "08"), "Forstoppelse", 0.36),
    ("somac-20", Dose("1 tablett morgen", "1 tablett", "08"), "Sure oppstøt", 0.32),
    ("imovane-3-75", Dose("1 tablett til natten", "1 tablett", "22"), "Søvnvansker", 0.25),
    ("vagifem", Dose("1 vagitorie to kvelder i uken", "1 vagitorie", "20", "man tor"),
     "Tørre slimhinner", 0.06),
    ("b-vitamin", Dose("1 tablett morgen", "1 tablett", "08"), "Mangel på vitamin B12", 0.15),
)  # fmt: skip


def _begins(t: Tale) -> Next:
    life = t.life
    age = t.age(life.until)
    if not t.chance.happens(step(table("frailty", "home_nursing"), age)):
        return None
    # The need began at some time in the last seven years, so that about as many begin as end.
    since = life.until - t.chance.whole(30, 2600)
    for product, dose, reason, share in _USUAL:
        if t.chance.happens(share):
            prescribe(t, product, dose, since - t.chance.whole(100, 2500), reason)
    if t.chance.happens(0.14):
        allergy(t, "Penicillin", ("J01C", "Betalaktamantibakterielle midler, penicilliner"),
                ("247472004", "Elveblest"), "moderate", since - 4000)  # fmt: skip
    if t.chance.happens(0.5):
        condition(t, "Høyt blodtrykk", since - 3000, icd10=("I10", "Essensiell hypertensjon"),
                  icpc2=("K86", "Hypertensjon ukomplisert"))  # fmt: skip
    if t.chance.happens(0.3):
        condition(t, "Slitasjegikt i hofte", since - 2000,
                  icd10=("M16.9", "Uspesifisert hofteleddsartrose"),
                  icpc2=("L89", "Hofteleddsartrose"))  # fmt: skip
    return "assessed", since


def _assessed(t: Tale, day: int) -> Next:
    medicines = t.chance.happens(rates("frailty")["with_medicines"])
    needs(t, "home-care", day, "Nedsatt funksjon", visits=t.chance.between(0.9, 4.8),
          medicines=medicines)  # fmt: skip
    seen = visit(t, day - 5, "Kartlegging av hjelpebehov", t.person.unit("home-care"), "nurse",
                 minutes=60, missed=0.0, kind="home")  # fmt: skip
    measured(t, "barthel", t.chance.whole(9, 18), seen)
    note(t, seen, "nursing-summary", {
        "Funksjon": "Klarer stell selv, trenger hjelp til dusj og til å følge opp legemidler.",
        "Behov": "Hjemmesykepleie, trygghetsalarm.",
        "Pårørende": "God kontakt med familien.",
    })  # fmt: skip
    return "at_home", first_check(t, day, 300)


def _at_home(t: Tale, day: int) -> Next:
    """Every year or so something happens: a fall, or a review by the general practitioner."""
    if t.chance.happens(0.14):
        stay = admitted(t, day, _FALL)
        again = comes_back(t, stay, 0.13)
        if again is not None:
            admitted(t, again, _FALL)
    else:
        seen = visit(t, day, "Årskontroll hos fastlege", t.person.unit("general-practice"), t.gp())
        note(t, seen, "progress", {
            "Aktuelt": "Årskontroll og gjennomgang av legemidler.",
            "Vurdering": "Skrøpelig, men klarer seg med hjelp.",
        })  # fmt: skip
    weak = 0.035 if t.age(day) < 85 else 0.09
    if t.chance.happens(weak):
        return "nursing_home", day + t.chance.whole(10, 60)
    return "at_home", day + t.chance.whole(120, 330)


def _nursing_home(t: Tale, day: int) -> Next:
    needs(t, "nursing-home", day, "Stort pleiebehov", visits=4.5)
    return None


COURSE = Course(
    "frailty", _begins,
    {"assessed": _assessed, "at_home": _at_home, "nursing_home": _nursing_home},
)  # fmt: skip
