"""One entry of FEST at a time becomes what the catalogue calls it.

The elements come with bare names, as `terminology.fest` hands them on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from helsevev.medication.catalogue.product import (
    BRAND,
    DIVISION,
    FORM,
    GROUP,
    ROUTE,
    SUBSTANCE,
    UNIT,
    YES_NO,
    Amount,
    Coded,
    GroupedSubstance,
    Ingredient,
    Interaction,
    NotAssessed,
    Package,
    Product,
    SingleDose,
    Statement,
    Substance,
    SubstanceGroup,
)
from helsevev.terminology.fest import Entry

_RETAIL: Final = "4"
_TRUE: Final = ("true", "1")
_ADMINISTERED: Final = "AdministreringLegemiddel"


class Missing(Exception):
    """An entry lacks what it must have; the message says what."""


def text(element: Element, path: str) -> str:
    """The text at a path, "" when there is none."""
    return (element.findtext(path) or "").strip()


def order(element: Element) -> int:
    """Where among its fellows something stands, last when that is not said."""
    said = text(element, "Sortering")
    return int(said) if said.isdigit() else 1 << 30


def amount(element: Element | None) -> Amount | None:
    """A quantity (`V`, `U`), None when there is no value."""
    if element is None or not element.get("V"):
        return None
    return Amount(element.get("V", "").replace(",", "."), element.get("U", ""))


def coded(element: Element, path: str, system: str = "") -> Coded | None:
    """The code at a path; `system` stands for one that does not say its list."""
    found = element.find(path)
    return None if found is None or not found.get("V") else _coded(found, system)


def _coded(element: Element, system: str) -> Coded:
    said = element.get("S", "").rpartition(".")[2]
    return Coded(element.get("V", "").strip(), element.get("DN", "").strip(), said or system)


def _all_coded(element: Element, path: str, system: str = "") -> tuple[Coded, ...]:
    found = (_coded(each, system) for each in element.iterfind(path) if each.get("V"))
    return tuple(dict.fromkeys(found))


def _texts(element: Element, path: str) -> tuple[str, ...]:
    found = ((each.text or "").strip() for each in element.iterfind(path))
    return tuple(dict.fromkeys(each for each in found if each))


def _needed(element: Element, path: str) -> str:
    if not (found := text(element, path)):
        raise Missing(f"{path} is missing.")
    return found


def _is_true(element: Element, path: str) -> bool:
    return text(element, path).lower() in _TRUE


def product(entry: Entry, ingredients: tuple[Ingredient, ...]) -> Product:
    """A brand or a substance with form and strength. Raises `Missing`."""
    content = entry.content
    atc, atc_name = entry.coded("Atc")
    manner = content.find(_ADMINISTERED)
    manner = Element(_ADMINISTERED) if manner is None else manner
    return Product(
        id=text(content, "Id") or entry.id or _needed(content, "Id"),
        kind=BRAND if entry.kind == "LegemiddelMerkevare" else SUBSTANCE,
        name=_needed(content, "NavnFormStyrke"),
        trade=text(content, "Varenavn"),
        atc=atc.strip(),
        atc_name=atc_name.strip(),
        form=coded(content, "LegemiddelformKort", FORM),
        group=coded(content, "Reseptgruppe", GROUP),
        approval=coded(content, "Preparattype"),
        ingredients=ingredients,
        routes=_all_coded(manner, "Administrasjonsvei", ROUTE),
        units=_all_coded(manner, "EnhetDosering", UNIT),
        short_doses=_all_coded(manner, "Kortdose"),
        intake=_all_coded(manner, "ForhandsregelInntak"),
        divisible=coded(manner, "Deling", DIVISION),
        crushable=coded(manner, "KanKnuses", YES_NO),
        openable=coded(manner, "KanApnes", YES_NO),
        exchange_group=text(content, "PakningByttegruppe/RefByttegruppe"),
        terms=_texts(content, "RefVilkar"),
        reimbursement=_texts(content, "Refusjon/RefRefusjonsgruppe"),
        has_warning=_is_true(content, "ProduktInfo/Varseltrekant"),
        is_followed=content.find("SvartTrekant") is not None,
        manufacturer=text(content, "ProduktInfo/Produsent"),
    )


def package(entry: Entry) -> Package:
    """A package with its item number. Raises `Missing`."""
    content = entry.content
    atc, atc_name = entry.coded("Atc")
    held = content.find("Pakningsinfo")
    held = Element("Pakningsinfo") if held is None else held
    prices = (
        each.find("Pris")
        for each in content.iterfind("PrisVare")
        if (kind := each.find("Type")) is not None and kind.get("V") == _RETAIL
    )
    price = next((each.get("V", "") for each in prices if each is not None), "")
    return Package(
        id=text(content, "Id") or entry.id or _needed(content, "Id"),
        name=_needed(content, "NavnFormStyrke"),
        item=_needed(content, "Varenr"),
        brand=text(held, "RefLegemiddelMerkevare"),
        barcodes=_texts(content, "Ean"),
        atc=atc.strip(),
        atc_name=atc_name.strip(),
        form=coded(content, "LegemiddelformKort", FORM),
        group=coded(content, "Reseptgruppe", GROUP),
        size=text(held, "Pakningsstr"),
        unit=coded(held, "EnhetPakning", "7452"),
        container=coded(held, "Pakningstype", "7449"),
        storage=coded(content, "Oppbevaring"),
        exchange_group=text(content, "PakningByttegruppe/RefByttegruppe"),
        reimbursement=_texts(content, "Refusjon/RefRefusjonsgruppe"),
        marketed=text(content, "Markedsforingsinfo/Markedsforingsdato"),
        ended=text(content, "Markedsforingsinfo/AvregDato"),
        retail_price=price,
    )


def single_dose(entry: Entry) -> SingleDose:
    """The smallest piece handed out. Raises `Missing`."""
    content = entry.content
    return SingleDose(
        id=text(content, "Id") or entry.id or _needed(content, "Id"),
        name=_needed(content, "NavnFormStyrke"),
        number=text(content, "LmrLopenr"),
        brand=text(content, "RefLegemiddelMerkevare"),
        amount=amount(content.find("Mengde")),
        packages=_texts(content, "RefPakning"),
    )


def substance(element: Element, identifier: str) -> Substance:
    """An active substance, by its own id or else the entry's."""
    return Substance(
        text(element, "Id") or identifier, text(element, "Navn"), text(element, "NavnEngelsk"),
        _texts(element, "RefVirkestoff"),
    )  # fmt: skip


def interaction(entry: Entry) -> Interaction:
    """An interaction with its sides. Raises `Missing`."""
    content = entry.content
    relevance = coded(content, "Relevans")
    groups = tuple(
        SubstanceGroup(text(group, "Navn"), tuple(_grouped(group)))
        for group in content.iterfind("Substansgruppe")
    )
    if relevance is None:
        raise Missing("Relevans is missing.")
    if len(groups) < 2:
        raise Missing("A second Substansgruppe is missing.")
    sources = (
        " ".join(part for part in (text(each, "Kilde"), _address(each)) if part)
        for each in content.iterfind("Referanse")
    )
    return Interaction(
        id=text(content, "Id") or entry.id or _needed(content, "Id"),
        relevance=relevance,
        consequence=_needed(content, "KliniskKonsekvens"),
        groups=groups,
        situation=text(content, "Situasjonskriterium"),
        mechanism=text(content, "Interaksjonsmekanisme"),
        basis=coded(content, "Kildegrunnlag"),
        handling=text(content, "Handtering"),
        shown=_all_coded(content, "Visningsregel"),
        references=tuple(each for each in sources if each),
    )


def _address(reference: Element) -> str:
    link = reference.find("Lenke")
    return "" if link is None else link.get("V", "")


def _grouped(group: Element) -> Iterator[GroupedSubstance]:
    for each in group.iterfind("Substans"):
        code = coded(each, "Atc")
        yield GroupedSubstance(
            text(each, "Substans"), code.code if code else "", _texts(each, "RefVirkestoff")
        )


def not_assessed(code: Coded) -> NotAssessed:
    """A substance that nobody has assessed, by its ATC code."""
    return NotAssessed(code.code, code.display)


def term(entry: Entry) -> Statement:
    """A term of prescribing. Raises `Missing`."""
    content = entry.content
    return Statement(
        id=text(content, "Id") or entry.id or _needed(content, "Id"),
        text=_needed(content, "Tekst"),
        code=coded(content, "Gruppe"),
        applies=coded(content, "GjelderFor"),
        starts=text(content, "GyldigFraDato"),
        ends=text(content, "GyldigTilDato"),
    )


def exchange_group(entry: Entry) -> Statement:
    """Packages that a pharmacy may give for one another. Raises `Missing`."""
    content = entry.content
    return Statement(
        id=text(content, "Id") or entry.id or _needed(content, "Id"),
        text=text(content, "BeskrivelseByttbarhet"),
        code=coded(content, "Kode"),
        starts=text(content, "GyldigFraDato"),
        ends=text(content, "GyldigTilDato"),
    )


def reimbursements(entry: Entry) -> Iterator[Statement]:
    """The groups below a legal basis for reimbursement. Raises `Missing`."""
    outside = entry.content.find("Refusjonshjemmel")
    legal = entry.content if outside is None or len(outside) == 0 else outside
    basis = coded(legal, "Refusjonshjemmel")
    for group in legal.iterfind("Refusjonsgruppe"):
        atc = coded(group, "Atc")
        yield Statement(
            id=_needed(group, "Id"),
            text=text(group, "RefusjonsberettighetBruk"),
            code=coded(group, "GruppeNr"),
            applies=basis,
            atc=atc.code if atc else "",
            terms=_texts(group, "RefVilkar"),
            codes=_all_coded(group, "Refusjonskode/Refusjonskode"),
        )
