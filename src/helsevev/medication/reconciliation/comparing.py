"""Lists of medicines beside each other, row by row: the same, changed, in one only, or unclear.

Rows are matched by substance, then by route, schedule and dose; never by name. What cannot be
compared is told as that, and never passes for the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final, Literal

from msgspec import Struct

from helsevev.medication.reconciliation.regimen import UNCLEAR, Regimen, differences

State = Literal["same", "changed", "only", "stopped", "paused", "unclear"]
Status = Literal["active", "paused", "stopped"]
_Fits = Callable[["Line", "Line"], bool]
SUBSTANCE_LENGTH: Final = 7
"""Length of an ATC code that names a substance."""


class Line(Struct, frozen=True):
    """One row of one list. `list` names the list, `key` the row in all lists.

    `atc` are the ATC codes of the medicine, `products` its other codes ("system|code"), `route` a
    code or words without case; all of them may be empty. `words` is what to show.
    """

    key: str
    list: str
    name: str
    atc: tuple[str, ...]
    products: frozenset[str]
    route: str
    doses: tuple[Regimen, ...]
    status: Status = "active"
    words: str = ""

    @property
    def substance(self) -> tuple[str, ...]:
        """What it is matched by: the substances it holds; () when they are not known."""
        whole = {code.upper() for code in self.atc if len(code) == SUBSTANCE_LENGTH}
        return tuple(sorted(whole))

    @property
    def is_as_needed(self) -> bool:
        """Whether it is taken only when there is need."""
        return bool(self.doses) and all(d.schedule and d.schedule.as_needed for d in self.doses)


class Row(Struct, frozen=True):
    """Lines of one medicine, at most one of each list.

    `differs` names what is not the same ("dose", "schedule", "route", "wording"). `is_duplicate`
    when one of the lists has the same substance in another line as well.
    """

    lines: tuple[Line, ...]
    state: State
    differs: frozenset[str] = frozenset()
    is_duplicate: bool = False

    def of(self, name: str) -> Line | None:
        """The line of one list, when it has one."""
        return next((line for line in self.lines if line.list == name), None)

    @property
    def key(self) -> str:
        """What names the row: the keys of its lines."""
        return "+".join(sorted(line.key for line in self.lines))

    @property
    def name(self) -> str:
        """What the medicine is called, in the first list that has it."""
        return self.lines[0].name


def compare(lists: Mapping[str, Iterable[Line]]) -> tuple[Row, ...]:
    """The rows of two or more lists (name -> lines), by name. Every line is in one row.

    A list without any line says nothing, so nothing is missing in it.
    """
    held = {name: list(lines) for name, lines in lists.items()}
    places = list(held)
    groups: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for lines in held.values():
        for line in lines:
            groups[_group(line)].append(line)
    asked = {name for name, lines in held.items() if lines}
    rows = []
    for group in groups.values():
        repeated = _repeated(group)
        for cluster in _clusters(group):
            lines = sorted(cluster, key=lambda line: places.index(line.list))
            rows.append(_row(lines, asked, any(line.key in repeated for line in cluster)))
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.key)))


def _group(line: Line) -> tuple[str, ...]:
    """What lines of one medicine have in common: substances, or else the very product."""
    if line.substance:
        return line.substance
    return ("product", *sorted(line.products)) if line.products else ("line", line.list, line.key)


def _repeated(group: Sequence[Line]) -> set[str]:
    """Lines that take the same substance twice in one list.

    Regularly and as needed of the very same product is one medicine taken in two ways.
    """
    found = set()
    for one, other in combinations(group, 2):
        if one.list != other.list or "stopped" in (one.status, other.status):
            continue
        if _same_product(one, other) and one.is_as_needed != other.is_as_needed:
            continue
        found |= {one.key, other.key}
    return found


def _clusters(group: Sequence[Line]) -> list[list[Line]]:
    """The lines put together, those that are most alike first; never two of the same list."""
    clusters = [[line] for line in sorted(group, key=_content)]
    for fits in _LEVELS:
        merged = True
        while merged:
            merged = False
            for one, other in sorted(combinations(clusters, 2), key=_pair_content):
                lists = [line.list for line in (*one, *other)]
                if len(lists) == len(set(lists)) and _all_fit(one, other, fits):
                    clusters.remove(one)
                    clusters.remove(other)
                    clusters.append([*one, *other])
                    merged = True
                    break
    return clusters


def _all_fit(
    one: Sequence[Line], other: Sequence[Line], fits: Callable[[Line, Line], bool]
) -> bool:
    return all(fits(a, b) for a in one for b in other)


def _content(line: Line) -> tuple[str, ...]:
    """A line's content first and its place last, so that no order of rows or lists matters."""
    return (str(sorted(line.products)), line.route, str(line.doses), line.status, line.key)


def _pair_content(pair: tuple[Sequence[Line], Sequence[Line]]) -> list[tuple[str, ...]]:
    return sorted(_content(line) for cluster in pair for line in cluster)


def _row(lines: Sequence[Line], asked: set[str], is_duplicate: bool) -> Row:
    told: set[str] = set()
    for one, other in combinations(lines, 2):
        told |= _differences(one, other)
    state: State = "same"
    statuses = {line.status for line in lines}
    if len(lines) < len(asked) and len(lines) == 1:
        state = "only"
    elif len(statuses) > 1:
        state = "stopped" if "stopped" in statuses else "paused"
    elif UNCLEAR in told or (len(lines) == 1 and not _is_readable(lines[0])):
        state = "unclear"
    elif told:
        state = "changed"
    elif len(lines) < len(asked):
        state = "only"
    return Row(tuple(lines), state, frozenset(told - {UNCLEAR}), is_duplicate)


def _is_readable(line: Line) -> bool:
    return bool(line.doses) and all(dose.is_readable for dose in line.doses)


def _differences(one: Line, other: Line) -> set[str]:
    same_product = _same_product(one, other)
    told = set(differences(one.doses, other.doses, same_product=same_product))
    if one.route and other.route:
        if one.route != other.route:
            told.add("route")
    elif one.route != other.route and not same_product:
        told.add(UNCLEAR)
    return told


def _same_product(one: Line, other: Line) -> bool:
    return bool(one.products & other.products)


def _alike(*wanted: str) -> _Fits:
    """That two lines differ in nothing but what is named."""

    def fits(one: Line, other: Line) -> bool:
        return _differences(one, other) <= set(wanted)

    return fits


def _same_use(one: Line, other: Line) -> bool:
    return one.is_as_needed == other.is_as_needed and one.route == other.route


_LEVELS: Final[tuple[_Fits, ...]] = (
    _alike(), _alike("wording"), _alike("dose", "wording"), _alike("schedule", "wording"),
    _alike("dose", "schedule"), _same_use, lambda one, other: one.route == other.route,
    lambda _one, _other: True,
)  # fmt: skip
"""From what is the same to what only has its substance in common."""
