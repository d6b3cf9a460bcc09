"""What can be ordered now: every catalogue of the content together, found by what one types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from helsevev.content.packs.orders import (
    IMAGING,
    LABORATORY,
    PROCEDURE,
    REFERRAL,
    SETS,
    Orderable,
    OrderedTogether,
    Orders,
    asked_words,
    place_of,
)
from helsevev.content.packs.shelf import Shelf
from helsevev.observation.orders.coding import CATALOGUE, NLK

_PLACES: Final = (LABORATORY, IMAGING, PROCEDURE, REFERRAL, SETS)


class Ordering(Struct, frozen=True):
    """Something to order, and the catalogue that says how it is done."""

    what: Orderable
    of: Orders

    @property
    def key(self) -> str:
        """Its key among all that can be ordered."""
        return self.what.key


class Catalogue:
    """Everything that can be ordered, and what is ordered together."""

    def __init__(self, shelf: Shelf) -> None:
        """Take what is in force; the first catalogue that has a key keeps it."""
        self.orders: dict[str, Ordering] = {}
        self.sets: dict[str, OrderedTogether] = {}
        for of in sorted(shelf.all(Orders).values(), key=lambda o: (_PLACES.index(o.kind), o.key)):
            for what in of.order:
                self.orders.setdefault(what.key, Ordering(what, of))
            for several in of.set:
                self.sets.setdefault(several.key, several)

    def find(self, typed: str, most: int) -> list[Ordering | OrderedTogether]:
        """What typed words may mean, the closest first, sets before single things."""
        asked = asked_words(typed)
        found: list[tuple[tuple[int, int], Ordering | OrderedTogether]] = []
        every: tuple[Ordering | OrderedTogether, ...] = (
            *self.sets.values(), *self.orders.values(),
        )  # fmt: skip
        for each in every if asked else ():
            what: Orderable | OrderedTogether = each.what if isinstance(each, Ordering) else each
            if (place := place_of(what, asked)) is not None:
                found.append((place, each))
        found.sort(key=lambda pair: pair[0])
        return [each for _, each in found[:most]]

    def unknown(self) -> Iterator[str]:
        """Keys that sets name and no catalogue has, as "set: key"."""
        for each in self.sets.values():
            yield from (f"{each.key}: {key}" for key in each.orders if key not in self.orders)

    def of_code(self, codings: Mapping[str, str]) -> Ordering | None:
        """What codings (code by system) of an order are in this catalogue."""
        found = self.orders.get(codings.get(CATALOGUE, ""))
        if found is None and (nlk := codings.get(NLK)):
            found = next((o for o in self.orders.values() if o.what.nlk == nlk), None)
        return found
