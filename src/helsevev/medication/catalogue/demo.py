"""The catalogue that comes with the program, made of content, until FEST is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import msgspec
from biip.checksums import gs1_standard_check_digit

from helsevev.access.medicines import Entry
from helsevev.content import loading
from helsevev.content.catalogue_shapes import Form, ListedSubstance, TradeProduct
from helsevev.medication.catalogue.product import (
    BRAND,
    DEMO_PREFIX,
    FORM,
    GROUP,
    ROUTE,
    SUBSTANCE,
    UNIT,
    Amount,
    Coded,
    Ingredient,
    Package,
    Product,
    Substance,
)
from helsevev.terminology.words import fold

SOURCE: Final = "demo"
_EXAMPLES: Final = "952"
_STRENGTH: Final = re.compile(r"(\d+(?:,\d+)?) ?([^\d\s/]+)(?:/(ml|g|dose|time))?")


def entries() -> Iterator[Entry]:
    """The products of the content, and the substances with form and strength that they are of."""
    listed = loading.catalogue_products()
    forms = {form.code: form for form in listed.form}
    generic_ids: set[str] = set()
    for substance in listed.substance:
        yield _entry("substance", Substance(_id("s", substance.name), substance.name))
        for product in substance.product:
            form = forms[product.form]
            generic = _product(substance, product, form, SUBSTANCE)
            brand = _brand(substance, product, form)
            yield _entry("product", brand)
            package = _package(brand)
            yield _entry("package", package, package.barcodes)
            if generic.id not in generic_ids:
                generic_ids.add(generic.id)
                yield _entry("product", generic)


def _entry(kind: str, body: Product | Package | Substance, codes: tuple[str, ...] = ()) -> Entry:
    keys = tuple((0, code) for code in codes)
    return Entry(kind, body.id, msgspec.json.encode(body).decode(), keys)


def packed() -> Iterator[tuple[Product, Package]]:
    """Every product under a trade name, with its package."""
    listed = loading.catalogue_products()
    forms = {form.code: form for form in listed.form}
    for substance in listed.substance:
        for product in substance.product:
            brand = _brand(substance, product, forms[product.form])
            yield brand, _package(brand)


def _package(brand: Product) -> Package:
    """The one package of a product, under a GTIN that GS1 keeps for examples (prefix 952).

    Its number comes from the product's id, so that a label printed once is read ever after.
    """
    number = int.from_bytes(sha256(brand.id.encode()).digest()[:8]) % 10**9
    body = f"{_EXAMPLES}{number:09}"
    key = brand.id.replace(f"{DEMO_PREFIX}b-", f"{DEMO_PREFIX}p-", 1)
    return Package(
        id=key,
        name=brand.name,
        item=key,
        brand=brand.id,
        barcodes=(body + str(gs1_standard_check_digit(body)),),
        atc=brand.atc,
        atc_name=brand.atc_name,
        form=brand.form,
        group=brand.group,
    )


def _product(substance: ListedSubstance, of: TradeProduct, form: Form, kind: str) -> Product:
    named = of.trade if kind == BRAND else substance.name
    return Product(
        id=_id("b" if kind == BRAND else "g", f"{named} {form.short} {of.strength}"),
        kind=kind,
        name=f"{named} {form.short} {of.strength}".strip(),
        trade=of.trade if kind == BRAND else "",
        atc=substance.atc,
        atc_name=substance.name,
        form=Coded(form.code, form.name, FORM),
        group=Coded(substance.group, f"Reseptgruppe {substance.group}", GROUP)
        if substance.group else None,
        ingredients=tuple(_ingredients(substance, of.strength)),
        routes=(Coded(form.route.code, form.route.name, ROUTE),),
        units=(Coded(form.unit.code, form.unit.name, UNIT),) if form.unit else (),
    )  # fmt: skip


def _brand(substance: ListedSubstance, of: TradeProduct, form: Form) -> Product:
    """A product under its trade name, which knows what it is one of."""
    generic = _product(substance, of, form, SUBSTANCE)
    return msgspec.structs.replace(_product(substance, of, form, BRAND), generic=generic.id)


def _ingredients(substance: ListedSubstance, strength: str) -> Iterator[Ingredient]:
    """The substance with its strength; of several substances each has its own, where told apart."""
    amounts = list(_STRENGTH.finditer(strength))
    names = substance.parts or (substance.name,)
    if len(amounts) != len(names):
        yield Ingredient(_id("s", substance.name), substance.name)
        return
    for name, (value, unit, per) in zip(names, (each.groups() for each in amounts), strict=True):
        below = Amount("1", per) if per else None
        yield Ingredient(_id("s", name), name, Amount(value.replace(",", "."), unit), below)


def _id(kind: str, name: str) -> str:
    plain = f"{DEMO_PREFIX}{kind}-{fold(name).replace(' ', '-')}"
    # An id has at most 64 characters, of ASCII letters, digits, points and dashes.
    return re.sub(r"[^a-z0-9-]", lambda other: f"{ord(other[0]):x}", plain)[:64]
