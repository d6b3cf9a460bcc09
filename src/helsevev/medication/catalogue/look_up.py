"""The catalogue as others ask it: what one types, a product, a barcode, what meets what.

One for each process and record. It follows the release that is looked up in, so that a catalogue
that was just loaded by another process is the one that answers.
"""

from __future__ import annotations

import json
from asyncio import Lock
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from helsevev.access.medicines import Entry, Medicines
from helsevev.access.services import Services
from helsevev.medication.catalogue.index import Found, Index
from helsevev.medication.catalogue.product import (
    Interaction,
    Package,
    Product,
    SingleDose,
    Statement,
)
from helsevev.medication.catalogue.sentences import Sentence, written_for

MOST_FOUND: Final = 50
MOST_SENTENCES: Final = 8
_LEVELS: Final = (1, 3, 4, 5, 7)
"""Characters of an ATC code at each of its levels."""

_Read = TypeVar("_Read", bound=msgspec.Struct)
_OPEN: WeakKeyDictionary[Medicines, Catalogue] = WeakKeyDictionary()


def catalogue_of(services: Services) -> Catalogue:
    """The catalogue of an opened record, the same one each time."""
    medicines = services.medicines
    found = _OPEN.get(medicines)
    if found is None:
        found = _OPEN[medicines] = Catalogue(medicines)
    return found


class Catalogue:
    """Looks up; nothing here writes."""

    def __init__(self, medicines: Medicines) -> None:
        self._medicines = medicines
        self._index = Index((), {})
        self._made_for: tuple[object, ...] = ()
        self._making = Lock()

    async def find(self, text: str, limit: int = 20) -> list[Found]:
        """Products in use that a text may mean, best first; at most `MOST_FOUND`."""
        index = await self._current()
        return index.find(text, min(limit, MOST_FOUND))

    async def product(self, identifier: str) -> Product | None:
        """A product by its FEST id, withdrawn or not; None when it is not here."""
        found = await self._medicines.entries("product", [identifier])
        return _read(found[0], Product) if found else None

    async def is_withdrawn(self, identifier: str) -> bool:
        """Whether a product was here once and may no longer be ordered."""
        found = await self._medicines.entries("product", [identifier])
        return bool(found) and found[0].withdrawn is not None

    async def scanned(self, code: str) -> tuple[Product, Package | SingleDose] | None:
        """What a barcode (GTIN, item number or number of a single dose) is on, None for unknown.

        A GTIN of fourteen digits begins with a zero where the register has thirteen.
        """
        codes = list(dict.fromkeys((code, code.lstrip("0"), code.zfill(13), code.zfill(14))))
        packages = await self._medicines.by_key("package", codes)
        doses = [] if packages else await self._medicines.by_key("dose", codes)
        held: Package | SingleDose
        if packages:
            held = _read(packages[0], Package)
        elif doses:
            held = _read(doses[0], SingleDose)
        else:
            return None
        product = await self.product(held.brand)
        return None if product is None else (product, held)

    async def interactions(self, atc_codes: Sequence[str]) -> list[Interaction]:
        """What the register says of these substances together: at least two groups are met.

        A group may name a code of any level: N02A means all below it.
        """
        codes = {code[:length] for code in atc_codes for length in _LEVELS if len(code) >= length}
        found = await self._medicines.interactions(sorted(codes))
        read = [_read(each, Interaction) for each in found]
        return [each for each in read if _is_met(each, atc_codes)]

    async def not_assessed(self, atc_codes: Sequence[str]) -> list[str]:
        """Those of the codes whose interactions nobody has assessed."""
        return [each.id for each in await self._medicines.entries("not-assessed", atc_codes)]

    async def terms(self, product: Product) -> list[Statement]:
        """The terms that a product is ordered on, in the register's words."""
        found = await self._medicines.entries("term", product.terms)
        return [_read(each, Statement) for each in found]

    async def reimbursement(self, product: Product) -> list[Statement]:
        """What a product is paid for by the state."""
        found = await self._medicines.entries("reimbursement", product.reimbursement)
        return [_read(each, Statement) for each in found]

    async def sentences(self, product: Product) -> list[Sentence]:
        """How a product is usually ordered: as it is here, then as the content says, each once."""
        learned = await self.learned(product.id)
        written = [each for each in written_for(product) if each not in learned]
        told = [Sentence(each, "use") for each in learned]
        return (told + [Sentence(each, "content") for each in written])[:MOST_SENTENCES]

    async def learned(self, identifier: str) -> list[list[dict[str, Any]]]:
        """How a product is ordered here, as R4 dosages, the most common first."""
        said = await self._medicines.sentences(identifier)
        return [json.loads(each, parse_float=Decimal) for each in said]

    async def _current(self) -> Index:
        release = await self._medicines.release()
        if release is None:
            return Index((), {})
        wanted = (release.id, release.learned_at)
        if wanted != self._made_for:
            async with self._making:
                if wanted != self._made_for:
                    uses = await self._medicines.uses()
                    products = [
                        _read(each, Product)
                        async for page in self._medicines.all_of(release.id, "product")
                        for each in page
                        if each.withdrawn is None
                    ]
                    self._index = Index(products, uses)
                    self._made_for = wanted
        return self._index


def _is_met(interaction: Interaction, codes: Sequence[str]) -> bool:
    """Whether two different substances meet: one alone may be in several groups."""
    sides = [
        {
            code
            for code in codes
            for substance in group.substances
            if substance.atc and code.startswith(substance.atc)
        }
        for group in interaction.groups
    ]
    return any(
        len(one | other) > 1 and one and other
        for place, one in enumerate(sides)
        for other in sides[place + 1 :]
    )


def _read(entry: Entry, shape: type[_Read]) -> _Read:
    return msgspec.json.decode(entry.body, type=shape)
