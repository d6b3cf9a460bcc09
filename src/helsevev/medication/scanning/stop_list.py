"""What scanning has stopped at one patient's bedside lately, for those who take over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir import dates
from helsevev.fhir.reading import concept_text, is_mistake, objects, reference_text, text
from helsevev.medication.scanning.stops import stop_code, stopped_at
from helsevev.medication.scanning.words import outcomes

LATELY: Final = timedelta(hours=24)


class After(Struct, frozen=True):
    """What came after a stop, and when."""

    text: str
    at: datetime | None


class Stop(Struct, frozen=True):
    """A stop in words: when, what, who scanned, and what came after."""

    at: datetime
    title: str
    text: str
    by: str
    after: tuple[After, ...]


def stops_lately(issues: Iterable[Mapping[str, Any]], now: datetime) -> list[Stop]:
    """The stops of the last day, the newest first."""
    found = [
        Stop(
            at=at,
            title=outcomes().get(stop_code(issue), ""),
            text=text(issue.get("detail")),
            by=reference_text(issue.get("author")),
            after=tuple(_after(each) for each in objects(issue.get("mitigation"))),
        )
        for issue in issues
        if stop_code(issue) and not is_mistake(issue)
        and (at := stopped_at(issue)) is not None and at > now - LATELY
    ]  # fmt: skip
    return sorted(found, key=lambda stop: stop.at, reverse=True)


def _after(mitigation: Mapping[str, Any]) -> After:
    said = dates.bounds(text(mitigation.get("date")))
    return After(concept_text(mitigation.get("action")), dates.moment(said[0]) if said else None)
