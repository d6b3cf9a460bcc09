"""Heart failure: outpatient clinic, worse spells with admission, readmission, home nursing."""

from __future__ import annotations

from ..chance import step
from ..course import Course, Next, before_window, first_check, rates, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import coming, visit
from ..telling.documents import note
from ..telling.findings import laboratory, measured, pressure
from ..telling.medication import Dose, prescribe
from ..telling.plans import task
from ..telling.problems import condition
from ..telling.stays import Illness, admitted, comes_back

_WORSE = Illness(
    "Tung pust og økende ødemer", ("I50.9", "Uspesifisert hjertesvikt"), "heart", (3, 9), 0.6,
    "Tre dager med økende tung pust, må sove halvt sittende. Opp fire kilo på en uke.",
    "Diuretika intravenøst, væskerestriksjon og daglig veiing.",
    (("diural-40", Dose("40 mg intravenøst tre ganger daglig", "40 mg", "08 14 20")),
     ("fragmin-5000", Dose("5000 IE subkutant kveld", "5000 IE", "20"))),
)  # fmt: skip


_SAYS = ("Uendret funksjon, NYHA II.", "Mer tungpusten i bakker, NYHA III.")


def _begins(t: Tale) -> Next:
    age = t.age(t.life.until)
    if not t.chance.happens(step(table("heart_failure", "prevalence"), age)):
        return None
    since = before_window(t, 8)
    if t.chance.happens(0.2):
        since = t.life.since + t.chance.whole(0, t.life.until - t.life.since)
    t.memory["weight"] = t.chance.around(78 if t.person.woman else 88, 12)
    return "diagnosed", since


def _diagnosed(t: Tale, day: int) -> Next:
    condition(t, "Hjertesvikt", day, icd10=("I50.9", "Uspesifisert hjertesvikt"),
              icpc2=("K77", "Hjertesvikt"))  # fmt: skip
    reason = "Hjertesvikt"
    for product, dose in (
        ("selo-zok-50", Dose("1 tablett morgen", "1 tablett", "08")),
        ("entresto-49", Dose("1 tablett morgen og kveld", "1 tablett", "08 20")),
        ("forxiga-10", Dose("1 tablett morgen", "1 tablett", "08")),
        ("diural-40", Dose("1 tablett morgen", "1 tablett", "08")),
        ("spirix-25", Dose("1 tablett morgen", "1 tablett", "08")),
    ):
        if t.chance.happens(0.82):
            prescribe(t, product, dose, day + t.chance.whole(0, 40), reason)
    if t.chance.happens(0.4):
        condition(t, "Atrieflimmer", day - 200, icd10=("I48.9", "Uspesifisert atrieflimmer"),
                  icpc2=("K78", "Atrieflimmer/atrieflutter"))  # fmt: skip
        prescribe(t, "eliquis-5", Dose("1 tablett morgen og kveld", "1 tablett", "08 20"), day,
                  "Atrieflimmer")  # fmt: skip
    return "clinic", first_check(t, day, 120)


def _clinic(t: Tale, day: int) -> Next:
    """Control by the heart-failure nurse; between controls some get worse."""
    clinic = t.person.department("heart-clinic")
    seen = visit(t, day, "Kontroll ved hjertesviktpoliklinikken", clinic, "nurse", minutes=45)
    t.memory["weight"] += t.chance.around(0, 1.0)
    measured(t, "weight", t.memory["weight"], seen)
    pressure(t, t.chance.around(118, 13), t.chance.around(70, 8), seen)
    measured(t, "pulse", t.chance.around(68, 9), seen)
    if seen is not None:
        laboratory(t, seen.start - 30, {
            "bnp": (t.chance.between(400, 3200), 0), "k": (t.chance.around(4.4, 0.35), 1),
            "kreat": (t.chance.around(98, 18), 0), "na": (t.chance.around(138, 2.5), 0),
        }, seen.by, seen.reference)  # fmt: skip
        note(t, seen, "outpatient", {
            "Aktuelt": t.chance.among(_SAYS),
            "Vurdering": "Vekt og blodprøver gjennomgått.",
            "Plan": "Fortsetter behandlingen, ny kontroll om et halvt år.",
        })  # fmt: skip
    per_year = rates("heart_failure")["admissions"]
    interval = t.chance.whole(130, 230)
    worse = day + t.chance.wait(per_year)
    if worse < day + interval:
        return "worse", worse
    coming(t, day + interval, "Kontroll ved hjertesviktpoliklinikken", clinic, "nurse", minutes=45)
    return "clinic", day + interval


def _worse(t: Tale, day: int) -> Next:
    stay = admitted(t, day, _WORSE)
    if stay is None:
        return "clinic", day + 60
    home = stay.end // 1440
    if t.age(day) > 72 and t.chance.happens(0.6):
        needs(t, "home-care", home, "Hjertesvikt", visits=4, until=None)
        task(t, home, "Vekt og ødemer kontrolleres to ganger i uken", t.person.unit("home-care"),
             t.gp(), 14)  # fmt: skip
    again = comes_back(t, stay, rates("heart_failure")["readmission"])
    if again is not None:
        return "worse", again
    return "clinic", home + t.chance.whole(10, 28)


COURSE = Course(
    "heart_failure", _begins, {"diagnosed": _diagnosed, "clinic": _clinic, "worse": _worse}
)
