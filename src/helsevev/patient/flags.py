"""Flags: what everybody who opens the chart must see at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helsevev.fhir.reading import (
    Moment,
    concept_text,
    concept_texts,
    of_patient,
    reference_text,
    sort_key,
    start_and_end,
    text,
)


@dataclass(frozen=True, slots=True)
class FlagLine:
    """One active warning: what, of which kind, since when and from whom."""

    id: str
    text: str
    categories: tuple[str, ...]
    since: Moment | None
    author: str


def active_flags(
    resources: Iterable[Mapping[str, Any]],
    now: datetime,
    names: Mapping[str, str] | None = None,
) -> tuple[FlagLine, ...]:
    """The Flag resources that hold now, newest first; one without a status counts as active."""
    found: list[FlagLine] = []
    for resource in of_patient(resources):
        since, until = start_and_end(resource.get("period"))
        if resource.get("status") == "inactive" or (until is not None and until.end < now):
            continue
        found.append(
            FlagLine(
                id=text(resource.get("id")),
                text=concept_text(resource.get("code")),
                categories=tuple(concept_texts(resource.get("category"))),
                since=since,
                author=reference_text(resource.get("author"), names),
            )
        )
    found.sort(key=lambda flag: sort_key(flag.since), reverse=True)
    return tuple(found)
