"""Reads the medicine register FEST (M30) into the catalogue's entries, one at a time.

The file names substances after the products that hold them, so it is read twice: once for what is
referred to, once for the entries. Neither time is more than one entry in memory.
Source: ER-M30-2014-12-01.xsd, Forskrivning-2014-12-01.xsd, FEST implementation guide 3.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

import msgspec

from helsevev.access.medicines import Entry
from helsevev.medication.catalogue import fest_parts as parts
from helsevev.medication.catalogue.product import Amount, Ingredient, Product
from helsevev.terminology.fest import Entry as Read
from helsevev.terminology.fest import entries as read
from helsevev.terminology.opening import File
from helsevev.terminology.shapes import BadDistribution

SOURCE: Final = "fest"
_HEAD: Final = 1 << 16

Tell = Callable[[str, int], None]
"""Hears what is being read and how many entries of the file have been."""


@dataclass(slots=True)
class References:
    """What products refer to: names of substances, strengths, what each brand is one of."""

    names: dict[str, str] = field(default_factory=dict)
    strengths: dict[str, tuple[str, Amount | None, Amount | None]] = field(default_factory=dict)
    generics: dict[str, str] = field(default_factory=dict)
    packages: Counter[str] = field(default_factory=Counter)
    total: int = 0
    latest: str = ""

    def ingredients(self, entry: Read) -> tuple[Ingredient, ...]:
        """The substances of a product in the order that the register gives them."""
        found: list[tuple[int, Ingredient]] = []
        for each in entry.content.iterfind("SortertVirkestoffMedStyrke"):
            reference = parts.text(each, "RefVirkestoffMedStyrke")
            substance, strength, per = self.strengths.get(reference, ("", None, None))
            named = self.names.get(substance, "")
            found.append((parts.order(each), Ingredient(substance, named, strength, per)))
        for each in entry.content.iterfind("SortertVirkestoffUtenStyrke"):
            substance = parts.text(each, "RefVirkestoff")
            named = self.names.get(substance, "")
            found.append((parts.order(each), Ingredient(substance, named)))
        return tuple(ingredient for _, ingredient in sorted(found, key=lambda each: each[0]))


def references(files: Sequence[File], tell: Tell) -> References:
    """What the entries of the files refer to. Raises `BadDistribution` when there is no entry."""
    found = References()
    for _, entry in _all(files):
        found.total += 1
        tell("Reading what is referred to", found.total)
        found.latest = max(found.latest, entry.changed)
        if entry.kind == "Virkestoff":
            _substance(found, entry)
        elif entry.kind == "LegemiddelVirkestoff":
            key = entry.text("Id") or entry.id
            for each in entry.content.iterfind("RefLegemiddelMerkevare"):
                found.generics[(each.text or "").strip()] = key
        elif entry.kind == "Legemiddelpakning" and entry.active:
            for each in entry.content.iterfind("Pakningsinfo/RefLegemiddelMerkevare"):
                found.packages[(each.text or "").strip()] += 1
    if not found.total:
        raise BadDistribution("There is no entry of FEST here.")
    return found


def entries(files: Sequence[File], known: References, tell: Tell) -> Iterator[Entry]:
    """The catalogue's entries. Raises `BadDistribution`, which names the entry and its place."""
    seen: set[tuple[str, str]] = set()
    for number, (file, entry) in enumerate(_all(files), 1):
        tell("Loading", number)
        make = _KINDS.get(entry.kind)
        if make is None or len(entry.content) == 0:
            # What has expired may stand there as an id alone: by its absence it is withdrawn.
            continue
        try:
            made = list(make(entry, known))
        except parts.Missing as problem:
            place = f"{file.name}, entry {number} ({entry.kind} {entry.id or 'without id'})"
            raise BadDistribution(f"{place}: {problem}") from problem
        ended = None if entry.active else _day(entry.changed)
        for kind, key, body, keys in made:
            if (kind, key) in seen:
                place = f"{file.name}, entry {number} ({entry.kind} {entry.id})"
                raise BadDistribution(f"{place}: the id {key} is used by an earlier {kind}.")
            seen.add((kind, key))
            yield Entry(kind, key, msgspec.json.encode(body).decode(), tuple(keys), ended)


def _all(files: Sequence[File]) -> Iterator[tuple[File, Read]]:
    for file in files:
        if file.name.lower().endswith(".xml"):
            with file.open() as stream:
                if b"<!DOCTYPE" in stream.read(_HEAD):
                    raise BadDistribution(f"{file.name} declares a document type; FEST has none.")
            for entry in read(file):
                yield file, entry


def _substance(found: References, entry: Read) -> None:
    for each in entry.content.iter():
        if each.tag == "VirkestoffMedStyrke":
            per = parts.amount(each.find("StyrkeNevner"))
            strength = parts.amount(each.find("Styrke"))
            held = (parts.text(each, "RefVirkestoff"), strength, per)
            found.strengths[parts.text(each, "Id")] = held
        elif each.tag == "Virkestoff":
            found.names[parts.text(each, "Id") or entry.id] = parts.text(each, "Navn")


Made = Iterator[tuple[str, str, msgspec.Struct, Sequence[tuple[int, str]]]]


def _product(entry: Read, known: References) -> Made:
    product: Product = parts.product(entry, known.ingredients(entry))
    generic = known.generics.get(product.id, "")
    count = known.packages[product.id]
    yield "product", product.id, msgspec.structs.replace(
        product, generic=generic, packages=count
    ), ()  # fmt: skip


def _package(entry: Read, _: References) -> Made:
    package = parts.package(entry)
    keys = [(0, key) for key in dict.fromkeys((package.item, *package.barcodes)) if key]
    yield "package", package.id, package, keys


def _dose(entry: Read, _: References) -> Made:
    dose = parts.single_dose(entry)
    yield "dose", dose.id, dose, [(0, dose.number)] if dose.number else []


def _substances(entry: Read, _: References) -> Made:
    for each in entry.content.iter():
        if each.tag == "Virkestoff" and parts.text(each, "Navn"):
            substance = parts.substance(each, entry.id)
            yield "substance", substance.id, substance, ()


def _interaction(entry: Read, _: References) -> Made:
    outside = entry.content.find("InteraksjonIkkeVurdert")
    if outside is not None:
        code = parts.coded(outside, "Atc")
        if code is None:
            raise parts.Missing("Atc is missing.")
        yield "not-assessed", code.code, parts.not_assessed(code), ()
        return
    interaction = parts.interaction(entry)
    keys = {
        (number, substance.atc)
        for number, group in enumerate(interaction.groups)
        for substance in group.substances
        if substance.atc
    }
    yield "interaction", interaction.id, interaction, sorted(keys)


def _term(entry: Read, _: References) -> Made:
    term = parts.term(entry)
    yield "term", term.id, term, ()


def _exchange_group(entry: Read, _: References) -> Made:
    group = parts.exchange_group(entry)
    yield "exchange-group", group.id, group, ()


def _reimbursement(entry: Read, _: References) -> Made:
    for group in parts.reimbursements(entry):
        yield "reimbursement", group.id, group, ()


_KINDS: Final[Mapping[str, Callable[[Read, References], Made]]] = MappingProxyType(
    {
        "LegemiddelMerkevare": _product,
        "LegemiddelVirkestoff": _product,
        "Legemiddelpakning": _package,
        "Legemiddeldose": _dose,
        "Virkestoff": _substances,
        "Interaksjon": _interaction,
        "Vilkar": _term,
        "Byttegruppe": _exchange_group,
        "Refusjon": _reimbursement,
    }
)


def _day(moment: str) -> date:
    try:
        return date.fromisoformat(moment[:10])
    except ValueError:
        return date(1900, 1, 1)
