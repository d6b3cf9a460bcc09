"""What a round is narrowed to (unit, room, route and time), as its address says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from msgspec import Struct, structs

from helsevev.fhir.reading import OSLO
from helsevev.medication.round import Round, Row
from helsevev.medication.round_opening import OpenedRound

_LONGEST = 100


class Filters(Struct, frozen=True):
    """What is asked for; "" for all. `hour` is an hour of the day in Norway, such as "08"."""

    unit: str = ""
    room: str = ""
    route: str = ""
    hour: str = ""

    @property
    def query(self) -> str:
        """What comes behind an address to narrow it so: empty, or `?` and more."""
        said = {name: value for name, value in structs.asdict(self).items() if value}
        return f"?{urlencode(said)}" if said else ""

    def fits(self, opened: OpenedRound) -> bool:
        """Whether the patient is where it is asked for, and has something that is asked for."""
        if self.unit not in ("", opened.unit) or self.room not in ("", opened.room):
            return False
        found = self.of(opened.round)
        return bool(found.rows or found.contradictions)

    def narrow(self, opened: OpenedRound) -> OpenedRound:
        """The patient with those doses alone that are asked for."""
        return structs.replace(opened, round=self.of(opened.round))

    def of(self, found: Round) -> Round:
        """The round with those doses that are asked for. What was signed twice stays in sight."""
        return structs.replace(found, rows=tuple(row for row in found.rows if self._fits(row)))

    def _fits(self, row: Row) -> bool:
        return self.route in ("", row.route) and self.hour in ("", hour_of(row))


class Choices(Struct, frozen=True):
    """What there is to choose among, in order, as options of a field."""

    units: list[dict[str, str]]
    rooms: list[dict[str, str]]
    routes: list[dict[str, str]]
    hours: list[dict[str, str]]


def filters_of(query: Mapping[str, str]) -> Filters:
    """The filters of an address; what is nonsense fits nothing."""
    return Filters(**{name: str(query.get(name, ""))[:_LONGEST]
                      for name in Filters.__struct_fields__})  # fmt: skip


def choices_of(opened: Iterable[OpenedRound]) -> Choices:
    """What the patients and doses of a list can be told apart by."""
    listed = list(opened)
    rows = [row for each in listed for row in each.round.rows]
    return Choices(
        units=_told(each.unit for each in listed),
        rooms=_told(each.room for each in listed),
        routes=_told(row.route for row in rows),
        hours=_told(hour_of(row) for row in rows),
    )


def hour_of(row: Row) -> str:
    """The hour of the day in Norway at which a dose is due."""
    return f"{row.at.astimezone(OSLO):%H}"


def _told(values: Iterable[str]) -> list[dict[str, str]]:
    return [{"value": each, "label": each} for each in sorted({v for v in values if v})]
