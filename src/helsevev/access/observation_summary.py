"""The newest of each kind of observation, and statistics of many, as far as the actor may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Unprocessable
from helsevev.access.searching import Searcher
from helsevev.fhir import dates, search_query
from helsevev.fhir.observation_statistics import statistic
from helsevev.fhir.outcome import error
from helsevev.record.store import Stored

MOST_READ: Final = 20_000
"""Most observations that are read for one answer."""

_PAGE: Final = "1000"
_NOT_MEASURED: Final = frozenset({"entered-in-error", "cancelled", "registered"})
Pairs = Sequence[tuple[str, str]]
Kind = tuple[str, str]
"""System and code."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One kind of observation in one unit: its statistics, and how many it lacked a number for."""

    codes: list[dict[str, Any]]
    unit: dict[str, Any]
    values: dict[str, Decimal | None]


class ObservationSummaries:
    """Reads the observations that a search finds, all of them, and sums them up."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    async def last_of_each(self, actor: Actor, search: Pairs, most: int) -> list[Stored]:
        """The newest `most` of each code, those of one code together, newest first.

        Codings that are said of one observation are one kind. Raises as a search does, and
        `Unprocessable` for more than can be read.
        """
        groups: dict[Kind, int] = {}
        members: defaultdict[int, list[Stored]] = defaultdict(list)
        for stored in await self._all(actor, search):
            kinds = _kinds(stored.resource)
            known = sorted({groups[kind] for kind in kinds if kind in groups})
            group = known[0] if known else len(groups)
            for other in known[1:]:
                members[group] += members.pop(other, [])
                groups = {k: group if g == other else g for k, g in groups.items()}
            groups.update(dict.fromkeys(kinds, group))
            members[group].append(stored)
        found = []
        for of_one in members.values():
            of_one.sort(key=lambda stored: _when(stored.resource), reverse=True)
            found += of_one[:most]
        return found

    async def statistics(
        self, actor: Actor, search: Pairs, wanted: Sequence[Kind], kinds: Sequence[str]
    ) -> list[Figures]:
        """Figures for each wanted code and unit; components count by their own code."""
        values: defaultdict[tuple[Kind, Kind], list[Decimal]] = defaultdict(list)
        codes: dict[tuple[Kind, Kind], dict[str, Any]] = {}
        units: dict[tuple[Kind, Kind], dict[str, Any]] = {}
        for stored in await self._all(actor, search):
            resource = stored.resource
            if resource.get("status") in _NOT_MEASURED:
                continue
            for part in (resource, *resource.get("component", ())):
                quantity = part.get("valueQuantity", {})
                number = quantity.get("value")
                for coding in part.get("code", {}).get("coding", ()):
                    kind = (coding.get("system", ""), coding.get("code", ""))
                    if number is None or not _is_wanted(kind, wanted):
                        continue
                    unit = {k: quantity[k] for k in ("unit", "system", "code") if k in quantity}
                    key = kind, (unit.get("system", ""), unit.get("code") or unit.get("unit", ""))
                    codes.setdefault(key, coding)
                    units.setdefault(key, unit)
                    values[key].append(Decimal(number))
        return [
            Figures([codes[key]], units[key], {k: statistic(k, numbers) for k in kinds})
            for key, numbers in sorted(values.items())
        ]

    async def _all(self, actor: Actor, search: Pairs) -> list[Stored]:
        found: list[Stored] = []
        cursor: str | None = ""
        while cursor is not None:
            more = [("_cursor", cursor)] if cursor else []
            query = search_query.parse("Observation", [*search, ("_count", _PAGE), *more])
            page = await self._searcher.search(actor, query)
            found += page.matches
            cursor = page.next_cursor
            if len(found) > MOST_READ:
                text = f"More than {MOST_READ} observations: narrow by date, code or category."
                raise Unprocessable([error("too-costly", text)])
        return found


def _kinds(resource: dict[str, Any]) -> list[Kind]:
    code = resource.get("code", {})
    codings = [(c.get("system", ""), c.get("code", "")) for c in code.get("coding", ())]
    return [kind for kind in codings if kind[1]] or [("", code.get("text", ""))]


def _is_wanted(kind: Kind, wanted: Sequence[Kind]) -> bool:
    return any(kind[1] == code and system in ("", kind[0]) for system, code in wanted)


def _when(resource: dict[str, Any]) -> tuple[int, str]:
    period = resource.get("effectivePeriod", {})
    names = ("effectiveDateTime", "effectiveInstant", "issued")
    said = next((resource[name] for name in names if name in resource), period.get("start", ""))
    bounds = dates.bounds(said) if said else None
    return (bounds[0] if bounds else dates.MIN), resource["meta"]["lastUpdated"]
