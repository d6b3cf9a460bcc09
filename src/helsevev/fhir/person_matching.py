"""How likely two Patient resources are one person (http://hl7.org/fhir/R4/patient-operation-match.html).

Each thing that both say adds or takes away; what one of them leaves unsaid counts for nothing.
Names are compared however Norwegian letters are spelled, with their digraphs or without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from helsevev.fhir import identifiers
from helsevev.fhir.search_terms import normalize

Grade = Literal["certain", "probable", "possible", "certainly-not"]
_SPELLINGS: Final = (
    str.maketrans({"\u00e5": "aa", "\u00f8": "oe", "\u00e6": "ae", "\u00e4": "ae", "\u00f6": "oe"}),
    str.maketrans({"\u00e5": "a", "\u00f8": "o", "\u00e6": "e", "\u00e4": "e", "\u00f6": "o"}),
)
_DIGRAPHS: Final = (("aa", "a"), ("oe", "o"), ("ae", "e"), ("th", "t"), ("ph", "f"), ("w", "v"))


@dataclass(frozen=True, slots=True)
class Weights:
    """Points for what is the same, nearly so, or different, and what their sum means."""

    zero: float
    certain: float
    probable: float
    possible: float
    same: Mapping[str, float]
    near: Mapping[str, float]
    different: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score` from 0 to 1, the grade of FHIR's match-grade, and the points that led to it."""

    score: float
    grade: Grade
    points: Mapping[str, float]


def compare(one: dict[str, Any], other: dict[str, Any], weights: Weights) -> Likeness:
    """How likely `one` and `other` are the same person."""
    found = {
        "national_number": _national(one, other),
        "other_identifier": _meet(_identifiers(one), _identifiers(other)),
        "family": _names_alike(_families(one), _families(other)),
        "given": _names_alike(_givens(one), _givens(other)),
        "birth_date": _dates_alike(one.get("birthDate"), other.get("birthDate")),
        "gender": _equal(one.get("gender"), other.get("gender")),
        "phone": _meet(set(_phones(one)), set(_phones(other))),
        "postal_code": _meet(_addresses(one, "postalCode"), _addresses(other, "postalCode")),
        "address": _meet(_addresses(one, "line"), _addresses(other, "line")),
    }
    points = {}
    for what, said in found.items():
        if said == "same":
            points[what] = weights.same[what]
        elif said == "near":
            points[what] = weights.near.get(what, 0.0)
        elif said == "different":
            points[what] = weights.different[what]
    total = sum(points.values())
    score = 1 / (1 + 2.0 ** min(weights.zero - total, 60.0))
    return Likeness(round(score, 4), _grade(total, found["national_number"], weights), points)


_Said = Literal["same", "near", "different", ""]


def _grade(total: float, national: _Said, weights: Weights) -> Grade:
    # Without a number two people who share everything else may still be two.
    if total >= weights.certain and national == "same":
        return "certain"
    if total >= weights.probable:
        return "probable"
    return "possible" if total >= weights.possible else "certainly-not"


def _equal(one: Any, other: Any) -> _Said:
    if not one or not other or "unknown" in (one, other):
        return ""
    return "same" if one == other else "different"


def _meet(one: set[str], other: set[str]) -> _Said:
    if not one or not other:
        return ""
    return "same" if one & other else "different"


def _national(one: dict[str, Any], other: dict[str, Any]) -> _Said:
    """Two numbers of one kind tell people apart; a D-number may have become another number."""
    mine, theirs = (dict(_person_numbers(patient)) for patient in (one, other))
    if set(mine.values()) & set(theirs.values()):
        return "same"
    return "different" if mine.keys() & theirs.keys() else ""


def _person_numbers(patient: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for identifier in patient.get("identifier", ()):
        system, value = identifier.get("system"), identifier.get("value")
        if value and system in identifiers.PERSON_SYSTEMS and identifier.get("use") != "old":
            yield system, value


def _identifiers(patient: dict[str, Any]) -> set[str]:
    return {
        f"{i['system']}|{i['value']}"
        for i in patient.get("identifier", ())
        if i.get("system") and i.get("value") and i["system"] not in identifiers.PERSON_SYSTEMS
    }


def _families(patient: dict[str, Any]) -> list[set[str]]:
    return [
        spellings(part)
        for name in patient.get("name", ())
        for part in _words(name.get("family", ""))
    ]


def _givens(patient: dict[str, Any]) -> list[set[str]]:
    return [
        spellings(part)
        for name in patient.get("name", ())
        for given in name.get("given", ())
        for part in _words(given or "")
    ]


def _words(text: str) -> list[str]:
    return text.replace("-", " ").split()


def spellings(name: str) -> set[str]:
    """The ways in which a name is written without Norwegian letters or with fewer of them."""
    plain = normalize(name)
    found = {plain, *(plain.translate(table) for table in _SPELLINGS)}
    for long, short in _DIGRAPHS:
        found |= {spelling.replace(long, short) for spelling in found}
    return found


def registered_spellings(name: str) -> set[str]:
    """The ways in which a name may stand in the register: with Norwegian letters, or without."""
    found = spellings(name)
    for long, short in (("aa", "\u00e5"), ("oe", "\u00f8"), ("ae", "\u00e6")):
        found |= {spelling.replace(long, short) for spelling in found}
    return found


def _names_alike(one: list[set[str]], other: list[set[str]]) -> _Said:
    if not one or not other:
        return ""
    if any(a & b for a in one for b in other):
        return "same"
    near = any(_is_near(x, y) for a in one for b in other for x in a for y in b)
    return "near" if near else "different"


def _is_near(one: str, other: str) -> bool:
    """One slip of the pen, or an initial."""
    if len(one) == 1 or len(other) == 1:
        return one[:1] == other[:1]
    return min(len(one), len(other)) >= 4 and distance(one, other) <= 1


def distance(one: str, other: str) -> int:
    """How many letters were put in, left out, changed, or swapped with the next (at most 2)."""
    if abs(len(one) - len(other)) > 1:
        return 2
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return min(row[-1], 2)


def _dates_alike(one: Any, other: Any) -> _Said:
    if not one or not other:
        return ""
    if one == other:
        return "same"
    if one.startswith(other) or other.startswith(one):
        return "near"
    mine, theirs = one.split("-"), other.split("-")
    if len(mine) == len(theirs) == 3:
        same = sum(a == b for a, b in zip(mine, theirs, strict=True))
        swapped = mine[0] == theirs[0] and mine[1:] == theirs[:0:-1]
        if swapped or (same == 2 and distance(one, other) <= 1):
            return "near"
    return "different"


def _phones(patient: dict[str, Any]) -> Iterator[str]:
    for point in patient.get("telecom", ()):
        digits = "".join(c for c in point.get("value", "") if c.isdigit())
        if point.get("system") in ("phone", "sms") and len(digits) >= 8:
            yield digits[-8:]


def _addresses(patient: dict[str, Any], element: str) -> set[str]:
    found: set[str] = set()
    for address in patient.get("address", ()):
        value = address.get(element) or ()
        texts: Iterable[str] = (value,) if isinstance(value, str) else value
        found |= {normalize(text) for text in texts if text}
    return found
