"""When a patient was on leave from a stay, and when it was known: from the versions of the stay.

A version of an Encounter (http://hl7.org/fhir/R4/encounter.html) says that the patient is away by
its status, and by `statusHistory` when they were or will be. What each says counts while it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from helsevev.fhir import dates
from helsevev.fhir.reading import mapping, objects, text
from helsevev.medication.timing import Leave, Standing

_AWAY = "onleave"


def leaves_of(stays: Iterable[Sequence[Standing]]) -> list[Leave]:
    """The leave that stays tell of; each is the versions of one Encounter, the oldest first."""
    found: list[Leave] = []
    for versions in stays:
        ends = [*(each.since for each in versions[1:]), None]
        for version, until in zip(versions, ends, strict=True):
            found += _said_by(version, until)
    return found


def _said_by(version: Standing, until: datetime | None) -> Iterable[Leave]:
    """What one version says, for as long as it stands."""
    stay = version.order
    ended: list[datetime] = []
    for past in objects(stay.get("statusHistory")):
        period = mapping(past.get("period"))
        start, end = (dates.bounds(text(period.get(name))) for name in ("start", "end"))
        stops = dates.moment(end[1]) if end else None
        if past.get("status") == _AWAY and start:
            yield Leave(dates.moment(start[0]), _first(stops, until), version.since)
        if stops is not None and stops <= version.since:
            ended.append(stops)
    # The state that holds now began when the one before it ended.
    began = max(ended, default=version.since)
    if stay.get("status") == _AWAY:
        yield Leave(began, until, version.since)


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [each for each in (one, other) if each is not None]
    return min(known, default=None)
