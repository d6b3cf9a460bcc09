"""Counting by two: what each of them found, what does not agree, and who explained it. Pure.

Of what is controlled, two different people count, each signed in themselves, and the second without
seeing what the first found (as with the round's second signature, neither signs for the other).
A difference from the book is corrected by a line of its own and is an incident until the unit's
manager has explained it. Norwegian regulation on the handling of medicines, FOR-2008-04-03-320 § 4;
what is accounted for and how often stands in content/medication/stock.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import Struct

from helsevev.access.stock import Balance, Line, Note, Said
from helsevev.locale import gettext as _
from helsevev.medication.shelf.book import Row, plain

COUNT: Final = "count"
SECOND: Final = "counted"
DIFFERS: Final = "count-differs"
WITNESS: Final = "witness"
INCIDENT: Final = "incident"
EXPLAINED: Final = "explained"
CORRECTED: Final = "corrected"
RECEIVED: Final = "received"
KINDS: Final = (COUNT, SECOND, DIFFERS, INCIDENT, EXPLAINED)


class CountRefused(ValueError):
    """The count cannot be kept as it was made; the message says why, for people."""


class Found(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What somebody counted of one batch, and what the book said at that moment."""

    batch: str
    expires: date | None = None
    counted: Decimal
    book: Decimal

    @property
    def difference(self) -> Decimal:
        """How much more there is than the book says."""
        return self.counted - self.book


class Counted(Struct, frozen=True, omit_defaults=True):
    """A count of one product, by batch, and what was said of it."""

    found: tuple[Found, ...]
    words: str = ""
    line: str = ""


class Incident(Struct, frozen=True):
    """A difference that has to be explained, and what was said of it.

    `signed` are the references of those who found it, who do not explain it themselves.
    """

    id: str
    product: str
    at: datetime
    by: str
    difference: Decimal
    words: str
    signed: frozenset[str] = frozenset()
    explained_by: str = ""
    explained_at: datetime | None = None
    explanation: str = ""


class Counts(Struct, frozen=True):
    """How the counting of one product stands.

    `last` is when it was last counted (by two, where that is asked for); `open_first` a count that
    awaits a second person.
    """

    last: datetime | None = None
    last_by: tuple[str, ...] = ()
    open_first: Note | None = None


def counts_by_product(notes: Iterable[Note]) -> dict[str, Counts]:
    """How counting stands for each product; a newer first count takes the place of an older."""
    by_product: dict[str, Counts] = {}
    firsts: dict[str, Note] = {}
    for note in notes:
        before = by_product.get(note.about, Counts())
        if note.kind == COUNT:
            firsts[note.id] = note
            by_product[note.about] = Counts(before.last, before.last_by, note)
        elif note.kind == SECOND:
            first = firsts.get(first_of(note.id))
            by = tuple(dict.fromkeys(n.actor_name for n in (first, note) if n is not None))
            by_product[note.about] = Counts(note.at, by, None)
    return by_product


def due(row: Row, counts: Counts, now: datetime) -> timedelta | None:
    """How long a controlled product's count is overdue; None when it is not, or is not asked for.

    What is not on the shelf and never was counted is due for nothing.
    """
    control = row.kept.control
    if control is None or (counts.last is None and not row.batches):
        return None
    if counts.last is None:
        return timedelta(0)
    late = now - counts.last - timedelta(days=control.count_days)
    return late if late >= timedelta(0) else None


def found_of(typed: Mapping[str, Decimal | None], batches: Sequence[Balance]) -> tuple[Found, ...]:
    """What was counted, by the place of each batch. Raises `CountRefused` for what is not said."""
    found = []
    for place, batch in enumerate(batches):
        counted = typed.get(str(place))
        if counted is None or counted < 0:
            raise CountRefused(_("Count every batch; what is not there is 0."))
        found.append(
            Found(batch=batch.batch, expires=batch.expires, counted=counted, book=batch.amount)
        )
    return tuple(found)


def first_count(product: str, press: str, found: tuple[Found, ...]) -> Said:
    """The first person's count, which awaits a second."""
    return Said(f"{COUNT}.{press}", COUNT, product, _body(Counted(found)))


def agrees(first: Counted, second: tuple[Found, ...]) -> bool:
    """Whether two have found the same: each beside what the book said when they counted.

    Doses may have been given in between.
    """

    def differences(found: Iterable[Found]) -> dict[tuple[str, date | None], Decimal]:
        return {(f.batch, f.expires): f.difference for f in found if f.difference}

    return differences(first.found) == differences(second)


def settled(
    product: str, said_id: str, found: tuple[Found, ...], words: str, *, controlled: bool
) -> tuple[list[Line], list[Said]]:
    """What is added when a count stands: corrections, and an incident when something differed.

    `said_id` names what was said: `counted.` and the first count's id, or a count by one.
    Raises `CountRefused` when a difference is not said why, or what was seen.
    """
    differing = [each for each in found if each.difference]
    if differing and len(words.strip()) < 3:
        raise CountRefused(_("It does not agree with the book: say what you know about why."))
    lines = [
        Line(f"{said_id}.{place}", product, each.batch, each.expires, CORRECTED, each.difference,
             words.strip(), said_id)
        for place, each in enumerate(differing)
    ]  # fmt: skip
    said = [Said(said_id, SECOND, product, _body(Counted(found, words.strip())))]
    if differing and controlled:
        said.append(Said(f"{INCIDENT}.{said_id}", INCIDENT, product, _body(Counted(
            tuple(differing), words.strip()))))  # fmt: skip
    return lines, said


def disagreement(product: str, press: str, first: Note, found: tuple[Found, ...]) -> Said:
    """That two have counted otherwise: kept, and to be counted again."""
    return Said(f"{DIFFERS}.{press}", DIFFERS, product, _body(Counted(found, line=first.id)))


def incidents(notes: Iterable[Note]) -> list[Incident]:
    """Differences, the newest first, with who explained them."""
    listed = list(notes)
    explained = {note.about: note for note in listed if note.kind == EXPLAINED}
    actors = {note.id: note.actor for note in listed}
    found = []
    for note in listed:
        if note.kind != INCIDENT:
            continue
        said = read(note)
        by = explained.get(note.id)
        found.append(Incident(
            note.id, note.about, note.at, note.actor_name,
            sum((each.difference for each in said.found), Decimal(0)), said.words,
            frozenset({note.actor, actors.get(first_of(note.id), note.actor)}),
            by.actor_name if by else "", by.at if by else None, read(by).words if by else "",
        ))  # fmt: skip
    return list(reversed(found))


def explanation(incident: Incident, by: str, words: str) -> Said:
    """What the manager (a reference) found out.

    Raises `CountRefused` when it says too little, or by one of those who counted.
    """
    if by in incident.signed:
        raise CountRefused(_("Who counted does not explain the difference."))
    if len(words.strip()) < 10:
        raise CountRefused(_("Explain in at least 10 characters."))
    body = _body(Counted((), words.strip()))
    return Said(f"{EXPLAINED}.{incident.id}", EXPLAINED, incident.id, body)


def first_of(said_id: str) -> str:
    """The id of the first count that a settled one, or the incident of it, goes back to."""
    return said_id.removeprefix(f"{INCIDENT}.").removeprefix(f"{SECOND}.")


def witnessed(line: str, product: str) -> Said:
    """That somebody else has seen what a line says."""
    return Said(f"{WITNESS}.{line}", WITNESS, line, _body(Counted((), line=product)))


def received(unit: str, line: str, found: Found, product: str, words: str) -> list[Said]:
    """That something another unit sent was received, and an incident when less or more came."""
    counted = Counted((found,), words.strip(), f"{unit}.{line}")
    said = [Said(f"{RECEIVED}.{unit}.{line}", RECEIVED, product, _body(counted))]
    if found.difference:
        said.append(Said(f"{INCIDENT}.{unit}.{line}", INCIDENT, product, _body(counted)))
    return said


def read(note: Note) -> Counted:
    """What a note of counting says."""
    return msgspec.json.decode(note.body, type=Counted)


def in_words(found: Iterable[Found], unit: str) -> str:
    """What differed, in words: `-2 tablett`."""
    return ", ".join(
        f"{'+' if each.difference > 0 else '−'}{plain(abs(each.difference))} {unit}"
        + (f" ({each.batch})" if each.batch else "")
        for each in found if each.difference
    )  # fmt: skip


def _body(counted: Counted) -> str:
    return msgspec.json.encode(counted).decode()
