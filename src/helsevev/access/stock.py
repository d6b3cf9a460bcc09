"""A unit's stock of medicines as it is kept: lines that are added, and what was said about them.

What the lines mean is the medication chapter's. Everything here is decided for the unit of the role
that somebody is signed in with, and traced; nothing is about an inhabitant but what the record
itself says was taken (`TAKEN`), which is counted here without names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid
from helsevev.access.gate import Gate
from helsevev.access.policy import Facts, decide
from helsevev.fhir.outcome import Issue
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.statements import load

_SQL: Final = load("stock")
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
END: Final = datetime(9000, 1, 1, tzinfo=UTC)
Act = Literal["keep-stock", "settle-stock"]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a unit keeps: the product's id, and its settings as JSON."""

    product: str
    body: str
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line to add to the book: `amount` in the stock's unit, below zero for what goes out."""

    id: str
    product: str
    batch: str
    expires: date | None
    kind: str
    amount: Decimal
    reason: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """A line of the book: who and when. `amount` is None for a dose that nobody could count.

    `about` is another unit, an order, or the dose in the record that it was given as.
    """

    id: str
    at: datetime
    product: str
    batch: str
    expires: date | None
    kind: str
    amount: Decimal | None
    actor: str
    actor_name: str
    reason: str
    about: str


@dataclass(frozen=True, slots=True)
class Balance:
    """How much there is of one batch: the sum of the lines. `last` is when it last changed."""

    product: str
    batch: str
    expires: date | None
    amount: Decimal
    last: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """Something to keep about a stock; what can be said once has an id that says of what."""

    id: str
    kind: str
    about: str
    body: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was said about a stock, by whom and when; `body` is JSON."""

    id: str
    at: datetime
    kind: str
    about: str
    actor: str
    actor_name: str
    body: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What another unit has sent here: from which unit, its line, and what the product is there."""

    unit: str
    line: Booked
    item: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A dose taken from the stock, of which the record does not say how much in its unit."""

    product: str
    source_type: str
    source_id: str
    at: datetime
    actor_name: str


Check = Callable[[Sequence[Balance]], Sequence[Issue]]
"""What is wrong with what is to be added, beside what there is now; pure."""


class Stock:
    """One unit's stock, for one who works there."""

    def __init__(self, gate: Gate, actor: Actor) -> None:
        self._gate = gate
        self._actor = actor
        # Doses are counted over the patients of a unit, and named to nobody.
        self._database = gate.store.roles.whole
        self.unit = actor.organisations[0] if actor.organisations else ""

    async def open(self, what: str, act: Act = "keep-stock") -> None:
        """Decide, and trace that the stock was looked at. Raises `Refused`, audited."""
        await self._decide(act, "read")
        await self._gate.trace_nothing(self._actor, "stock", f"stock {what}".strip())

    def may(self, act: Act) -> bool:
        """Whether the actor's profession and role do this at their unit."""
        return bool(self.unit) and decide(self._actor, act, Facts("reference")).allowed

    async def items(self) -> list[Item]:
        """What the unit keeps."""
        return [Item(*row) for row in await self._database.fetch(_SQL["items"], self.unit)]

    async def balances(self, products: Sequence[str] | None = None) -> list[Balance]:
        """How much there is of each batch, also of what is used up."""
        wanted = None if products is None else list(products)
        rows = await self._database.fetch(_SQL["balances"], self.unit, wanted)
        return [Balance(*row) for row in rows]

    async def book(
        self, product: str, start: datetime = BEGINNING, end: datetime = END
    ) -> list[Booked]:
        """The lines of one product in a time, the oldest first."""
        rows = await self._database.fetch(_SQL["book"], self.unit, product, start, end)
        return [Booked(*row) for row in rows]

    async def before(self, product: str, at: datetime) -> Decimal:
        """How much there was of a product at a time."""
        found: Decimal = await self._database.fetchval(_SQL["before"], self.unit, product, at)
        return found

    async def notes(self, kinds: Iterable[str], since: datetime = BEGINNING) -> list[Note]:
        """What was said of some kinds, the oldest first."""
        rows = await self._database.fetch(_SQL["notes"], self.unit, list(kinds), since)
        return [Note(*row) for row in rows]

    async def line(self, identifier: str) -> Booked | None:
        """One line of the book; None when there is none."""
        row = await self._database.fetchrow(_SQL["movement"], self.unit, identifier)
        return None if row is None else Booked(*row)

    async def unwitnessed(self, kinds: Iterable[str], products: Iterable[str]) -> list[Booked]:
        """Lines of some kinds that somebody else has not signed."""
        rows = await self._database.fetch(
            _SQL["unwitnessed"], self.unit, list(kinds), list(products)
        )
        return [Booked(*row) for row in rows]

    async def on_the_way(self) -> list[Sent]:
        """What other units have sent here and nobody has received."""
        rows = await self._database.fetch(_SQL["on_the_way"], self.unit)
        return [Sent(row[0], Booked(*row[1:12]), row[12] or "") for row in map(tuple, rows)]

    async def unclear(self, since: datetime) -> list[Unclear]:
        """Doses taken in an amount that nobody could tell."""
        rows = await self._database.fetch(_SQL["taken_unclear"], self.unit, since)
        return [Unclear(*row) for row in rows]

    async def keep(self, product: str, body: str, press: str) -> None:
        """Keep settings of a product at the unit, and that they were changed."""
        await self._decide("keep-stock", "write")
        now = clock.now()
        async with self._database.transaction() as connection:
            await connection.execute(
                _SQL["keep_item"], self.unit, product, body, now, self._actor.id
            )
            said = Said(f"item.{press}", "item", product, body)
            await connection.fetch(_SQL["add_notes"], *self._by(now), *_columns([said], _SAID))
        await self._trace("stock-item", product)

    async def add(
        self,
        what: str,
        lines: Sequence[Line],
        said: Sequence[Said] = (),
        check: Check | None = None,
        act: Act = "keep-stock",
    ) -> bool:
        """Add lines and what was said, all or nothing; True unless all was there already.

        `check` looks at what there is, in turn with others who take of the same. Raises `Invalid`
        with what it finds, or when something can be said once and another has; then nothing is
        added. Sending the same again (the same ids, by the same person) adds nothing.
        """
        await self._decide(act, "write")
        now, products = clock.now(), sorted({line.product for line in lines})
        async with self._database.transaction() as connection:
            kept = {r[0] for r in await connection.fetch(_SQL["turn"], self.unit, products)}
            if missing := [each for each in products if each not in kept]:
                text = f"The unit does not keep {', '.join(missing)}."
                raise Invalid([Issue("error", "not-found", text, "product")])
            added = await connection.fetch(
                _SQL["add_movements"], *self._by(now), *_columns(lines, _LINE)
            )
            if lines and not added:
                return False
            told = await connection.fetch(_SQL["add_notes"], *self._by(now), *_columns(said, _SAID))
            if len(told) < len(said):
                if not lines and not told and await self._is_mine(connection, said):
                    return False
                text = "Somebody else has done this already."
                raise Invalid([Issue("error", "duplicate", text)])
            if check is not None:
                rows = await connection.fetch(_SQL["balances"], self.unit, products)
                if issues := list(check([Balance(*row) for row in rows])):
                    raise Invalid(issues)
        await self._trace(f"stock-{what}", " ".join(products))
        return True

    async def _is_mine(self, connection: Any, said: Sequence[Said]) -> bool:
        kinds = sorted({each.kind for each in said})
        rows = await connection.fetch(_SQL["notes"], self.unit, kinds, BEGINNING)
        mine = {row["id"] for row in rows if row["actor"] == self._actor.id}
        return all(each.id in mine for each in said)

    def _by(self, now: datetime) -> tuple[str, datetime, str, str]:
        return self.unit, now, self._actor.id, self._actor.name

    async def _decide(self, act: Act, action: str) -> None:
        decision = decide(self._actor, act, Facts("reference"))
        if not decision.allowed or not self.unit or self._actor.scopes is not None:
            await self._gate.refuse(self._actor, keys.REFERENCE, decision, "stock", action=action)

    async def _trace(self, interaction: str, about: str) -> None:
        target = f"stock {about}".strip()[:400]
        await self._gate.trace_nothing(self._actor, interaction, target, action="write")


_LINE: Final = ("id", "product", "batch", "expires", "kind", "amount", "reason", "about")
_SAID: Final = ("id", "kind", "about", "body")


def _columns(rows: Sequence[object], names: Sequence[str]) -> list[list[Any]]:
    return [[getattr(row, name) for row in rows] for name in names]
