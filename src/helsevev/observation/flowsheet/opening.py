"""A flowsheet opened for one person: the content's rows, and the grid of what stands in it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.content.packs.flowsheets import Flowsheet
from helsevev.content.packs.shelf import Shelf
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.observation.flowsheet.grid import Grid, grid, window_of
from helsevev.observation.flowsheet.sheet import Sheet
from helsevev.observation.opened import Opened, open_to_measure

MOST: Final = 3000
"""How many observations are read: two days of a monitored patient and more."""
_RECENT: Final = timedelta(hours=48)


class OpenSheet(Struct, frozen=True):
    """The sheet and its grid; `day` is the day looked at, None for the hours up to now."""

    opened: Opened
    sheet: Sheet
    grid: Grid
    shelf: Shelf
    now: datetime
    day: datetime | None
    late: bool

    @property
    def base(self) -> str:
        """The address of the sheet."""
        return f"{self.opened.base}/flowsheets/{self.sheet.content.key}"

    @property
    def query(self) -> str:
        """What keeps the same hours in view."""
        if self.day is None:
            return ""
        return f"?day={self.day:%Y-%m-%d}{'&late=1' if self.late else ''}"

    @property
    def here(self) -> str:
        """The address of what is in view."""
        return self.base + self.query


class Offered(Struct, frozen=True):
    """A sheet that can be chosen; `last` is when anything of its own was last measured."""

    key: str
    title: str
    last: datetime | None
    is_own: bool


class NoSuchSheet(LookupError):
    """There is no such sheet, or no such day."""


async def open_sheet(
    services: Services,
    actor: Actor,
    patient_id: str,
    key: str,
    day: str = "",
    *,
    late: bool = False,
    most: int = MOST,
) -> OpenSheet:
    """Open the record and lay out the sheet. Raises `AccessError`, or NoSuchSheet."""
    shelf = await services.packs.current()
    content = shelf.one(Flowsheet, key)
    if content is None:
        raise NoSuchSheet(key)
    opened = await open_to_measure(services, actor, patient_id, observations=most)
    person = opened.person
    sheet = Sheet(content, loading.vital_signs(), loading.news2(), person.months, person.sex)
    now, chosen = clock.now(), _day(day)
    laid = grid(sheet, opened.found["Observation"], window_of(content, now, chosen), now, late=late)
    return OpenSheet(opened, sheet, laid, shelf, now, chosen, late)


def _day(said: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(said), time(), OSLO) if said else None
    except ValueError:
        raise NoSuchSheet(said) from None


def offered(opened: Opened, shelf: Shelf, profession: str, now: datetime) -> list[Offered]:
    """The sheets for a person of this age and sex: those in use first, then one's own.

    A sheet is in use when something that only few sheets have was measured lately.
    """
    person = opened.person
    signs, table = loading.vital_signs(), loading.news2()
    sheets = {
        key: Sheet(each, signs, table, person.months, person.sex)
        for key, each in shelf.all(Flowsheet).items()
        if each.is_for(person.months, person.sex)
    }
    last: dict[str, datetime] = {}
    recent = [
        (str(coding.get("system")) + "|" + str(coding.get("code")), each)
        for each in opened.found["Observation"]
        for coding in each.get("code", {}).get("coding", ())
    ]
    newest: dict[str, datetime] = {}
    for code, each in recent:
        at = _at(each)
        if at is not None and now - at <= _RECENT:
            newest[code] = max(at, newest.get(code, at))
    for key, sheet in sheets.items():
        own = [
            newest[code]
            for parameter in sheet.parameters
            if parameter.sign is None and parameter.is_typed
            for code in parameter.codes
            if code in newest
        ]
        if own:
            last[key] = max(own)
    disciplines = {
        key: pack.about.discipline
        for pack in shelf.packs
        for key in pack.of(Flowsheet)
    }  # fmt: skip
    found = [
        Offered(key, sheet.content.title, last.get(key), disciplines.get(key) == profession)
        for key, sheet in sheets.items()
    ]
    oldest = datetime.min.replace(tzinfo=OSLO)
    found.sort(key=lambda each: each.title.casefold())
    found.sort(key=lambda each: (each.last or oldest, each.is_own), reverse=True)
    return found


def _at(observation: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(observation.get("effectiveDateTime", "")))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
