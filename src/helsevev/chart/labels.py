"""Names for codes as the content gives them: statuses, kinds of contact, analyses, measurements."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from helsevev.content import loading


@cache
def _sets() -> dict[str, Mapping[str, str]]:
    return {each.name: each.label for each in loading.labels().set}


def label(name: str, code: str, otherwise: str = "") -> str:
    """What a code of a label set ("encounter-class" …) is called; `otherwise`, else the code."""
    return _sets().get(name, {}).get(code) or otherwise or code


@cache
def analyses() -> dict[str, tuple[int, str, str]]:
    """Code (NLK or LOINC) -> (place in the chart, group's name, name of the analysis)."""
    found: dict[str, tuple[int, str, str]] = {}
    for group in loading.results().group:
        for result in group.result:
            for code in (*result.nlk, *result.loinc):
                found[code] = (len(found), group.label, result.label)
    return found


@cache
def measurements() -> dict[str, tuple[int, str]]:
    """LOINC code -> (place in the form, name) of what the vital signs form measures."""
    found: dict[str, tuple[int, str]] = {}
    for place, sign in enumerate(loading.vital_signs().sign):
        if sign.loinc:
            found[sign.loinc] = (place, sign.label)
        for part in sign.parts:
            found.setdefault(part.loinc, (place, part.label))
    return found
