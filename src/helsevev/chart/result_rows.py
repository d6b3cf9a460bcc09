"""Series of results as rows that a page draws: value, mark, range, sparkline, curve."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from hashlib import blake2b

from msgspec import Struct

from helsevev.chart.labels import analyses, measurements
from helsevev.fhir.reading import Amount
from helsevev.locale import gettext as _
from helsevev.observation.reading import Part, Reading
from helsevev.observation.results import Trend, pair
from helsevev.screens.formatting import quantity

SPARK_POINTS = 24


class ResultRow(Struct, frozen=True):
    """One row of results; `text` stands when the answer is no single number.

    `code` is the interpretation code of the newest value, "N" when nothing says otherwise, so
    that the page judges nothing by itself.
    """

    key: str
    group: str
    place: int
    label: str
    value: Decimal | None
    unit: str
    comparator: str
    text: str
    low: Decimal | None
    high: Decimal | None
    code: str
    time: str | None
    points: tuple[Decimal, ...]
    source: str
    reading_id: str


class ScorePart(Struct, frozen=True):
    """One part of a score."""

    label: str
    value: str
    score: str


class ScoreCard(Struct, frozen=True):
    """A score with its parts; `level` is "low", "medium", "high" or ""."""

    code: str
    name: str
    score: Decimal | None
    level: str
    meaning: str
    time: str | None
    by: str
    parts: tuple[ScorePart, ...]
    points: tuple[Decimal, ...]


def curve_key(key: str) -> str:
    """A short name of a series for its address, the same every time."""
    return blake2b(key.encode(), digest_size=6).hexdigest()


def rows(found: Iterable[Trend]) -> list[ResultRow]:
    """One row for each code, in the order that the content gives; others follow by name."""
    made = [_row(trend) for trend in found]
    made.sort(key=lambda row: (row.place, row.label.casefold()))
    return made


def _named(trend: Trend) -> tuple[str, int, str]:
    """(group, place, name): the content's for what it knows, else the sender's own name."""
    if trend.code in analyses():
        place, group, name = analyses()[trend.code]
        return group, place, name
    if trend.code in measurements():
        place, name = measurements()[trend.code]
        return "", place, name
    return "", 10_000, trend.title or _("Unnamed measurement")


def _row(trend: Trend) -> ResultRow:
    latest = trend.latest
    part = latest.parts[0]
    single = len(latest.parts) == 1 and part.amount is not None and part.amount.value is not None
    amount = part.amount if single else None
    judged = latest.judgement
    normal = part.range if len(latest.parts) == 1 else None
    group, place, name = _named(trend)
    return ResultRow(
        key=curve_key(trend.key),
        group=group,
        place=place,
        label=name,
        value=amount.value if amount else None,
        unit=amount.unit if amount else "",
        comparator=amount.comparator if amount else "",
        text="" if single else reading_text(latest),
        low=normal.low if normal else None,
        high=normal.high if normal else None,
        code=judged.code if judged else "N",
        time=latest.at.text if latest.at else None,
        points=_spark(trend),
        source=_source(latest, normal.text if normal else ""),
        reading_id=latest.id,
    )


def _spark(trend: Trend) -> tuple[Decimal, ...]:
    """The last values of the first part, oldest first, in the newest value's unit."""
    lead = trend.latest.parts[0].amount
    if lead is None:
        return ()
    values = [a.value for a in trend.amounts if a.value is not None and a.unit == lead.unit]
    return tuple(reversed(values[:SPARK_POINTS]))


def _source(latest: Reading, range_text: str) -> str:
    said = [range_text]
    if latest.is_provisional:
        said.append(_("preliminary"))
    elif latest.status in ("amended", "corrected"):
        said.append(_("corrected"))
    if latest.parts and latest.parts[0].judgement and latest.parts[0].judgement.text:
        said.append(latest.parts[0].judgement.text)
    return " · ".join(part for part in said if part)


def reading_text(taken: Reading) -> str:
    """A reading that is no single number, on one line."""
    pressures = pair(taken)
    if pressures is not None:
        upper, lower = pressures
        unit = upper.amount.unit if upper.amount else ""
        return f"{_plain(upper.amount)}/{quantity(_value(lower), unit)}"
    if len(taken.parts) == 1:
        return part_text(taken.parts[0])
    return ", ".join(f"{p.title}: {part_text(p)}" if p.title else part_text(p) for p in taken.parts)


def part_text(part: Part) -> str:
    """One value in words; what is missing is said to be missing."""
    if part.amount is not None and part.amount.value is not None:
        return quantity(part.amount.value, part.amount.unit, part.amount.comparator)
    return part.words or part.absent or _("not stated")


def _plain(amount: Amount | None) -> str:
    return quantity(amount.value) if amount is not None and amount.value is not None else "–"


def _value(part: Part) -> Decimal | None:
    return part.amount.value if part.amount else None


def score_card(trend: Trend) -> ScoreCard:
    """Scores of one kind as a card: the newest total, its parts, and the totals before it."""
    latest = trend.latest
    total, parts = latest.parts[0], latest.parts[1:]
    judged = total.judgement
    level = ""
    if judged is not None:
        level = {"critical-high": "high", "high": "medium", "": "low"}.get(judged.kind, "")
    return ScoreCard(
        code=trend.code,
        name=trend.title,
        score=_value(total),
        level=level,
        meaning=judged.text if judged else "",
        time=latest.at.text if latest.at else None,
        by=latest.performer,
        parts=tuple(ScorePart(p.title, "", part_text(p)) for p in parts),
        points=_spark(trend),
    )
