"""What prescribing pages offer as one types: the catalogue's products, as ordered here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import structs

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.fhir.reading import codings
from helsevev.medication.catalogue.index import Found
from helsevev.medication.catalogue.look_up import catalogue_of
from helsevev.medication.catalogue.product import ATC, Product, resource_id
from helsevev.medication.catalogue.resources import concept
from helsevev.medication.choosing import (
    Choice,
    Choices,
    ProductsOfRecord,
    Sentence,
    choice_of,
    words_of,
)
from helsevev.medication.order_form import of_dosages


class ProductsOfCatalogue:
    """The catalogue's products in use; what it does not know is looked for in the record."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._services = services
        self._actor = actor
        self._catalogue = catalogue_of(services)
        self._others = ProductsOfRecord(services, actor)

    async def find(self, words: str, limit: int, today: date) -> Sequence[Choice]:
        """See `Choices`; the best first, and of those what can be ordered in one press."""
        found = await self._catalogue.find(words, limit)
        if not found:
            return await self._others.find(words, limit, today)
        wanted = [("Medication", resource_id(each.id)) for each in found]
        there = await self._services.gate.open_many(self._actor, wanted, interaction="search-type")
        made = [
            await self._as_ordered_here(choice_of(there[place], today), each)
            for place, each in zip(wanted, found, strict=True)
            if place in there
        ]
        made.sort(key=lambda choice: not choice.sentences)
        return made

    async def one(self, product_id: str, today: date) -> Choice | None:
        """See `Choices`."""
        choice = await self._others.one(product_id, today)
        if choice is None:
            return None
        named = [code for system, code in codings(choice.medicine) if system != ATC]
        product = await self._catalogue.product(named[0]) if named else None
        return choice if product is None else _as_given(choice, product)

    async def _as_ordered_here(self, choice: Choice, found: Found) -> Choice:
        if not found.used_by:
            return choice
        learned = []
        for dosage in await self._catalogue.learned(found.id):
            words = words_of(dosage)
            learned.append(Sentence(words, of_dosages(dosage, words), is_of_use=True))
        said = {each.words for each in learned}
        others = (each for each in choice.sentences if each.words not in said)
        return structs.replace(choice, sentences=(*learned, *others))


def _as_given(choice: Choice, product: Product) -> Choice:
    """A choice with the product's unit, where it has one, and its routes."""
    units = {each.display for each in product.units}
    return structs.replace(
        choice, unit=units.pop() if len(units) == 1 else "",
        routes=tuple(concept(each) for each in product.routes),
    )  # fmt: skip


def choices(services: Services, actor: Actor) -> Choices:
    """Where this actor looks products up."""
    return ProductsOfCatalogue(services, actor)
