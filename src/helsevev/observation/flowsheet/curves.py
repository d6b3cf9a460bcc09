"""The rows of a flowsheet as curves over the hours in view."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct

from helsevev.content.shapes import Measured
from helsevev.observation.flowsheet.grid import Grid
from helsevev.observation.flowsheet.sheet import NEWS2, Parameter, Sheet


class Drawn(Struct, frozen=True):
    """One curve: its title and unit, what is normal, and its points, oldest first."""

    key: str
    title: str
    unit: str
    low: Decimal | None
    high: Decimal | None
    points: tuple[dict[str, Any], ...]


def curves(sheet: Sheet, laid: Grid) -> list[Drawn]:
    """A curve for each number of each row that the content draws, where there are two points."""
    found = []
    for parameter in sheet.parameters:
        if not (parameter.row.curve or parameter.kind == NEWS2):
            continue
        if parameter.parts:
            found += [_drawn(sheet, laid, parameter, part.key, part) for part in parameter.parts]
        else:
            found.append(_drawn(sheet, laid, parameter, parameter.key, None))
    return [each for each in found if len(each.points) > 1]


def _drawn(
    sheet: Sheet, laid: Grid, parameter: Parameter, number: str, part: Measured | None
) -> Drawn:
    low, high = sheet.normal(part) if part is not None else (None, None)
    points = tuple(
        {
            "time": cell.local.isoformat(),
            "value": cell.numbers[number],
            "source": cell.by or cell.device,
        }
        for cell in laid.cells
        if cell.parameter == parameter.key
        and number in cell.numbers
        and not cell.is_unconfirmed
        and laid.window.start <= cell.at <= laid.window.end
    )
    title = part.label if part is not None and len(parameter.parts) > 1 else parameter.label
    return Drawn(f"{parameter.key}-{number}", title, parameter.unit, low, high, points)
