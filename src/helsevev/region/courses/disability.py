"""Services of a lifetime: those under 67 who live in assisted living or have long help at home."""

from __future__ import annotations

from ..chance import step
from ..course import Course, Next, first_check, table
from ..life import Tale
from ..services import needs
from ..telling.contacts import visit
from ..telling.documents import note
from ..telling.medication import Dose, prescribe
from ..telling.problems import condition

_MORNING_EVENING = Dose("1 tablett morgen og kveld", "1 tablett", "08 20")
_EVENING = Dose("1 tablett kveld", "1 tablett", "20")
_SACHET = Dose("1 pose morgen", "1 pose", "08")
_MORNING = Dose("1 tablett morgen", "1 tablett", "08")
_KINDS = (
    (
        "Psykisk utviklingshemming",
        ("F70", "Lett psykisk utviklingshemming"),
        ("P85", "Psykisk utviklingshemming"),
        0.35,
        (("lamictal-100", _MORNING_EVENING), ("quetiapin-25", _EVENING), ("movicol", _SACHET)),
    ),
    (
        "Schizofreni",
        ("F20.0", "Paranoid schizofreni"),
        ("P72", "Schizofreni"),
        0.3,
        (
            ("olanzapin-10", _EVENING),
            ("quetiapin-25", _MORNING_EVENING),
            ("metformin-1000", _MORNING_EVENING),
        ),
    ),
    (
        "Epilepsi",
        ("G40.9", "Uspesifisert epilepsi"),
        ("N88", "Epilepsi"),
        0.15,
        (("lamictal-100", _MORNING_EVENING), ("somac-20", _MORNING)),
    ),
    (
        "Multippel sklerose",
        ("G35", "Multippel sklerose"),
        ("N86", "Multippel sklerose"),
        0.2,
        (("cipralex-10", _MORNING), ("movicol", _SACHET), ("imovane-3-75", _EVENING)),
    ),
)


def _begins(t: Tale) -> Next:
    age = t.age(t.life.until)
    draw = t.chance.draw()
    living = step(table("disability", "assisted_living"), age)
    if draw < living:
        t.memory["kind"] = "assisted-living"
    elif draw < living + step(table("disability", "home_nursing"), age):
        t.memory["kind"] = "home-care"
    else:
        return None
    return "served", max(t.person.born + 6600, t.life.since - t.chance.whole(0, 3000))


def _served(t: Tale, day: int) -> Next:
    name, icd10, icpc2, medicines = t.chance.weighted(
        [((text, code, other, taken), share) for text, code, other, share, taken in _KINDS]
    )
    condition(t, name, day - 400, icd10=icd10, icpc2=icpc2)
    for product, dose in medicines:
        prescribe(t, product, dose, day - t.chance.whole(0, 300), name)
    prescribe(
        t, "paracet-500", Dose("1 tablett morgen og kveld", "1 tablett", "08 20"), day, "Smerter"
    )
    if t.chance.happens(0.5):
        prescribe(t, "calcigran-forte", Dose("1 tyggetablett kveld", "1 tablett", "20"), day,
                  "Lite D-vitamin")  # fmt: skip
    visits = 6.5 if t.memory["kind"] == "assisted-living" else t.chance.between(1.5, 6)
    needs(t, t.memory["kind"], day, name, visits=visits, medicines=t.chance.happens(0.95))
    return "yearly", first_check(t, day, 365)


def _yearly(t: Tale, day: int) -> Next:
    seen = visit(
        t,
        day,
        "Årskontroll med legemiddelgjennomgang",
        t.person.unit("general-practice"),
        t.gp(),
        minutes=40,
    )
    note(t, seen, "progress", {"Aktuelt": "Årskontroll sammen med primærkontakt.",
                               "Plan": "Legemidlene er gjennomgått."})  # fmt: skip
    return "yearly", day + t.chance.whole(330, 400)


COURSE = Course("disability", _begins, {"served": _served, "yearly": _yearly})
