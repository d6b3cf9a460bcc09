"""What can be ordered, as one types: products, each with the usual ways to order it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.reading import concept_text, mapping, objects, text
from helsevev.fhir.search_query import parse
from helsevev.medication.coding import ATC
from helsevev.medication.dosage import doses
from helsevev.medication.order_form import dosages_of, of_sentence
from helsevev.medication.prescription import NotPrescribable


class Sentence(Struct, frozen=True):
    """One usual way to order: its words, and what the order form then holds.

    `is_of_use`: learned from what is ordered here, not written by professionals.
    """

    words: str
    form: Mapping[str, str]
    is_of_use: bool = False


class Choice(Struct, frozen=True):
    """One product: `medicine` is the CodeableConcept that an order of it carries.

    `unit` is what it is dosed in, where that is one thing; `routes` (CodeableConcepts) are the ways
    it may be given.
    """

    id: str
    name: str
    detail: str
    medicine: Mapping[str, Any]
    sentences: tuple[Sentence, ...]
    unit: str = ""
    routes: tuple[Mapping[str, Any], ...] = ()


class Choices(Protocol):
    """Where products are looked up."""

    async def find(self, words: str, limit: int, today: date) -> Sequence[Choice]:
        """Products whose trade name, substance or ATC code begins with the words."""

    async def one(self, product_id: str, today: date) -> Choice | None:
        """A product by its id; None when there is none."""


class ProductsOfRecord:
    """The products that the record keeps as Medication resources."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._services = services
        self._actor = actor

    async def find(self, words: str, limit: int, today: date) -> Sequence[Choice]:
        """See `Choices`."""
        words = words.strip()
        if len(words) < 2:
            return ()
        by = "code" if words[:1].isalpha() and words[1:3].isdigit() else "code:text"
        value = f"{ATC}|{words.upper()}" if by == "code" else words
        query = parse("Medication", [(by, value.replace(",", "\\,")), ("_count", "50")], base="")
        page = await self._services.searcher.search(self._actor, query)
        found = [choice_of(stored.resource, today) for stored in page.matches]
        # What can be ordered in one press comes first.
        found.sort(key=lambda c: (not c.sentences, c.name.casefold()))
        return found[:limit]

    async def one(self, product_id: str, today: date) -> Choice | None:
        """See `Choices`."""
        try:
            stored = await self._services.gate.open_resource(self._actor, "Medication", product_id)
        except AccessError:
            return None
        return choice_of(stored.resource, today)


def choice_of(product: Mapping[str, Any], today: date) -> Choice:
    """A Medication as something to order."""
    code = mapping(product.get("code"))
    form = concept_text(product.get("form"))
    atc = next((c for c in objects(code.get("coding")) if c.get("system") == ATC), {})
    substance = text(atc.get("display"))
    name = concept_text(code)
    return Choice(
        id=text(product.get("id")),
        name=name,
        detail=" · ".join(
            part for part in (substance if substance.casefold() not in name.casefold() else "",
                              text(atc.get("code"))) if part
        ),
        medicine=code,
        sentences=sentences(text(atc.get("code")), form or name, today),
    )  # fmt: skip


def sentences(atc: str, form: str, today: date) -> tuple[Sentence, ...]:
    """The usual ways to order a product, the most usual first."""
    found = []
    for each in loading.order_sentences().of(atc, form) if atc else ():
        filled = of_sentence(each, today)
        try:
            found.append(Sentence(words_of(dosages_of(filled, today), filled["how"]), filled))
        except NotPrescribable:
            continue
    return tuple(found)


def words_of(dosages: Sequence[Mapping[str, Any]], how: str = "") -> str:
    """An order's doses in words, as the list says them; a course by its first and last step."""
    said = doses(list(dosages))
    if how == "taper" and len(said) > 1:
        return f"{said[0].text} → {said[-1].text}"
    return "; ".join(dose.words for dose in said if dose.words)
