"""COPD: yearly spirometry, worse spells each winter, home nursing when breath grows short."""

from __future__ import annotations

from ..calendar import month_of
from ..chance import step
from ..course import Course, Next, before_window, first_check, rates, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import visit
from ..telling.documents import note
from ..telling.findings import measured, observed
from ..telling.medication import Dose, prescribe
from ..telling.problems import condition
from ..telling.stays import Illness, admitted, comes_back

_WORSE = Illness(
    "Forverring av kols",
    ("J44.1", "Uspesifisert kronisk obstruktiv lungesykdom med akutt forverring"),
    "lungs",
    (3, 8),
    0.62,
    "Økt slim og tung pust i fire dager. Bruker hjelpemuskler.",
    "Forstøver, prednisolon, antibiotika og kontrollert oksygen.",
    (
        ("ventoline-neb", Dose("2,5 mL på forstøver fire ganger daglig", "2.5 mL", "08 12 17 22")),
        ("atrovent-neb", Dose("2 mL på forstøver fire ganger daglig", "2 mL", "08 12 17 22")),
        ("prednisolon-20", Dose("1 tablett morgen", "1 tablett", "08")),
        ("cefotaksim-iv", Dose("1 g intravenøst tre ganger daglig", "1 hetteglass", "06 14 22")),
    ),
    hypercapnic=True,
    infected=True,
)


def _begins(t: Tale) -> Next:
    age = t.age(t.life.until)
    if not t.chance.happens(step(table("copd", "prevalence"), age)):
        return None
    t.memory["fev1"] = t.chance.between(0.9, 2.4)
    return "diagnosed", before_window(t, 10)


def _diagnosed(t: Tale, day: int) -> Next:
    condition(t, "Kols", day, icd10=("J44.9", "Uspesifisert kronisk obstruktiv lungesykdom"),
              icpc2=("R95", "Kronisk obstruktiv lungesykdom"))  # fmt: skip
    if t.memory["fev1"] < 1.5:
        prescribe(t, "trelegy", Dose("1 inhalasjon morgen", "1 inhalasjon", "08"), day, "Kols")
    else:
        prescribe(t, "spiriva", Dose("2 inhalasjoner morgen", "2 inhalasjon", "08"), day, "Kols")
    prescribe(
        t,
        "ventoline",
        Dose("1–2 inhalasjoner ved behov", "2 inhalasjon", as_needed="Tung pust", most=12),
        day,
        "Kols",
        course="3",
    )
    return "control", first_check(t, day, 300)


def _control(t: Tale, day: int) -> Next:
    severe = t.memory["fev1"] < 1.3
    unit = t.person.department("lung-clinic") if severe else t.person.unit("general-practice")
    seen = visit(t, day, "Kontroll av kols med spirometri", unit, "physician", minutes=30)
    t.memory["fev1"] = max(0.4, t.memory["fev1"] - t.chance.between(0.0, 0.07))
    measured(t, "fev1", t.memory["fev1"], seen)
    if seen is not None:
        observed(t, "spo2", t.chance.around(92 if severe else 95, 1.5), seen.start, seen.by,
                 seen.reference)  # fmt: skip
    note(t, seen, "outpatient" if severe else "progress", {
        "Aktuelt": "Årlig kontroll. Tung pust i trapper.",
        "Vurdering": f"FEV1 {t.memory['fev1']:.2f} L.".replace(".", ",", 1),
        "Plan": "Inhalasjonsteknikk gjennomgått. Tilbud om røykeslutt og lungerehabilitering.",
    })  # fmt: skip
    interval = t.chance.whole(250, 400)
    winter = 1.5 if month_of(day) in (11, 12, 1, 2, 3) else 1.0
    per_year = rates("copd")["admissions_severe" if severe else "admissions"] * winter
    worse = day + t.chance.wait(per_year)
    return ("worse", worse) if worse < day + interval else ("control", day + interval)


def _worse(t: Tale, day: int) -> Next:
    stay = admitted(t, day, _WORSE)
    if stay is None:
        return "control", day + 60
    if t.memory["fev1"] < 1.2 and t.chance.happens(0.6):
        needs(t, "home-care", stay.end // 1440, "Kols", visits=3.5)
    again = comes_back(t, stay, rates("copd")["readmission"])
    if again is not None:
        return "worse", again
    return "control", stay.end // 1440 + t.chance.whole(20, 45)


COURSE = Course("copd", _begins, {"diagnosed": _diagnosed, "control": _control, "worse": _worse})
