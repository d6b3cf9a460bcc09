"""A flowsheet as it is for one person: each row as a parameter with its codes and its range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from helsevev.content.packs.flowsheets import Flowsheet, Group, Option, Row
from helsevev.content.score_shapes import News2
from helsevev.content.shapes import Measured, VitalSign, VitalSigns
from helsevev.locale import gettext as _
from helsevev.observation.entries import LEVEL_OF_CONSCIOUSNESS, LOINC, SNOMED

OWN_CODES: Final = "http://helsevev.no/fhir/CodeSystem/flowsheet"
"""The code system of parameters that have no code in LOINC or SNOMED CT here: the row's key."""

NEWS2: Final = "news2"
CONSCIOUSNESS: Final = "consciousness"


class Parameter(Struct, frozen=True, kw_only=True):
    """One row: what is typed in it, and how it is stored.

    `kind` is `number`, `pressure` (two numbers), `choice`, `text`, `sum` or `news2`; `parts` the
    numbers, `sign` the vital sign that it is, `options` the answers. `low` and `high` are what is
    normal for the person, as text for the eye in `range`.
    """

    key: str
    kind: str
    label: str
    unit: str
    code: Mapping[str, Any]
    row: Row
    parts: tuple[Measured, ...] = ()
    sign: VitalSign | None = None
    options: tuple[Option, ...] = ()
    range: str = ""

    @property
    def is_typed(self) -> bool:
        """Whether a person fills it in: a sum is worked out."""
        return self.kind not in ("sum", NEWS2)

    @property
    def codes(self) -> tuple[str, ...]:
        """system|code of what is stored."""
        return tuple(f"{each['system']}|{each['code']}" for each in self.code["coding"])

    def option(self, key: str) -> Option | None:
        """The answer with this key; letters may be large or small."""
        wanted = key.strip().casefold()
        for each in self.options:
            if wanted in (each.key.casefold(), each.label.casefold()):
                return each
        return None


class Heading(Struct, frozen=True):
    """Parameters under one heading."""

    label: str
    parameters: tuple[Parameter, ...]


class Sheet:
    """A flowsheet with the ranges of one person's age (whole months, None unknown) and sex."""

    def __init__(
        self, content: Flowsheet, signs: VitalSigns, table: News2, months: int | None, sex: str
    ) -> None:
        self.content = content
        self.months = months
        self.sex = sex
        self.signs = signs
        self.table = table
        self.headings = tuple(
            Heading(group.label, tuple(self._parameters(group))) for group in content.group
        )

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every row, in order."""
        return tuple(each for heading in self.headings for each in heading.parameters)

    @cached_property
    def by_key(self) -> Mapping[str, Parameter]:
        """The rows by key."""
        return {each.key: each for each in self.parameters}

    @cached_property
    def by_code(self) -> Mapping[str, Parameter]:
        """The rows by each system|code that they are stored with."""
        return {code: each for each in self.parameters for code in each.codes}

    @cached_property
    def scored(self) -> Mapping[str, str]:
        """Row -> the part of NEWS2 that it gives; a blood pressure gives the systolic."""
        found = {}
        for each in self.parameters:
            if each.sign is not None or each.row.vital == CONSCIOUSNESS:
                found[each.key] = "systolic" if each.kind == "pressure" else each.row.vital
        return found

    def normal(self, part: Measured) -> tuple[Decimal | None, Decimal | None]:
        """What is normal for the person: low and high, None where there is no limit."""
        found = part.normal_at(self.months, self.sex) if self.months is not None else None
        return (found.low, found.high) if found is not None else (None, None)

    def _parameters(self, group: Group) -> Iterable[Parameter]:
        for row in group.row:
            if row.kind == "vital":
                yield self._vital(row)
            elif row.kind == NEWS2:
                code = _code(SNOMED, self.table.snomed, "", self.table.title)
                yield Parameter(
                    key=row.key, kind=NEWS2, label=self.table.title, unit="", code=code, row=row
                )
            else:
                yield self._own(row)

    def _vital(self, row: Row) -> Parameter:
        if row.vital == CONSCIOUSNESS:
            code = _code(LOINC, LEVEL_OF_CONSCIOUSNESS, "", _("Consciousness"))
            options = tuple(
                Option(key=a.key, label=a.label, snomed=a.snomed or "", points=a.points)
                for a in self.table.consciousness
            )
            return Parameter(
                key=row.key, kind="choice", label=row.label or _("Consciousness"), unit="",
                code=code, row=row, options=options,
            )  # fmt: skip
        sign = next((each for each in self.signs.sign if each.key == row.vital), None)
        if sign is None:
            raise ValueError(f"{row.key}: there is no vital sign {row.vital}")
        first = sign.parts[0]
        code = _code(LOINC, sign.loinc or first.loinc, sign.display or first.display, sign.label)
        return Parameter(
            key=row.key, kind="number" if len(sign.parts) == 1 else "pressure",
            label=row.label or sign.label, unit=first.unit, code=code, row=row, parts=sign.parts,
            sign=sign, range=self._said(sign.parts),
        )  # fmt: skip

    def _own(self, row: Row) -> Parameter:
        system, listed = (LOINC, row.loinc) if row.loinc else (SNOMED, row.snomed)
        code = _code(system, listed, row.display, row.label) if listed else _code(
            OWN_CODES, row.key, "", row.label
        )  # fmt: skip
        parts = (_measured(row),) if row.kind == "number" else ()
        return Parameter(
            key=row.key, kind=row.kind, label=row.label, unit=row.unit, code=code, row=row,
            parts=parts, options=row.option, range=self._said(parts),
        )  # fmt: skip

    def _said(self, parts: Iterable[Measured]) -> str:
        """The ranges as they are read: 12-20, at most 3."""
        said = []
        for part in parts:
            low, high = self.normal(part)
            if low is not None and high is not None:
                said.append(f"{_plain(low)}–{_plain(high)}")
            elif high is not None:
                said.append(f"≤ {_plain(high)}")
            elif low is not None:
                said.append(f"≥ {_plain(low)}")
        return " / ".join(said)


def _plain(value: Decimal) -> str:
    return f"{value:f}".replace(".", ",").replace("-", "\u2212")


def _code(system: str, code: str, display: str, label: str) -> dict[str, Any]:
    shown = {"display": display} if display else {}
    return {"coding": [{"system": system, "code": code, **shown}], "text": label}


def _measured(row: Row) -> Measured:
    return Measured(
        key=row.key, loinc=row.loinc, display=row.display, label=row.label,
        short=row.short or row.label, unit=row.unit, ucum=row.ucum, decimals=row.decimals,
        lowest=row.lowest, highest=row.highest, refused=row.refused, normal=row.normal,
    )  # fmt: skip
