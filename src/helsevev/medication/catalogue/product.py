"""What the catalogue holds, as plain data: products, packages, doses, interactions, groups."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

BRAND: Final = "brand"
SUBSTANCE: Final = "substance"
VOLVEN: Final = "urn:oid:2.16.578.1.12.4.1.1."
FEST: Final = "http://ehelse.no/fhir/CodeSystem/FEST"
DEMO: Final = "https://helsevev.example/fhir/CodeSystem/demo-product"
"""What the catalogue of the content is coded in: its products are not the register's."""
DEMO_PREFIX: Final = "demo-"
ATC: Final = "http://www.whocc.no/atc"
FORM: Final = "7448"
ROUTE: Final = "7477"
UNIT: Final = "7480"
GROUP: Final = "7421"
DIVISION: Final = "7472"
YES_NO: Final = "1103"


class Coded(Struct, frozen=True, omit_defaults=True):
    """A code of a national list (`system` is its number) with its name."""

    code: str
    display: str = ""
    system: str = ""


class Amount(Struct, frozen=True, omit_defaults=True):
    """An amount as it is written, with a point; `unit` as written, such as `mg`."""

    value: str
    unit: str = ""


class Ingredient(Struct, frozen=True, omit_defaults=True):
    """An active substance: how much of it (`strength`) in how much (`per`), where that is said."""

    id: str
    name: str
    strength: Amount | None = None
    per: Amount | None = None


class Product(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What can be ordered: a trade name's form and strength, or a substance's.

    `name` is the whole name with form and strength; `generic` the substance product that a brand is
    one of; `terms` and `reimbursement` are ids of those entries. `crushable`, `openable` and
    `divisible` are None where nothing is said.
    """

    id: str
    kind: str
    name: str
    trade: str = ""
    atc: str = ""
    atc_name: str = ""
    form: Coded | None = None
    group: Coded | None = None
    approval: Coded | None = None
    ingredients: tuple[Ingredient, ...] = ()
    routes: tuple[Coded, ...] = ()
    units: tuple[Coded, ...] = ()
    short_doses: tuple[Coded, ...] = ()
    intake: tuple[Coded, ...] = ()
    divisible: Coded | None = None
    crushable: Coded | None = None
    openable: Coded | None = None
    generic: str = ""
    exchange_group: str = ""
    terms: tuple[str, ...] = ()
    reimbursement: tuple[str, ...] = ()
    has_warning: bool = False
    is_followed: bool = False
    manufacturer: str = ""
    packages: int = 0

    @property
    def substances(self) -> str:
        """The substances in words, else what the ATC code is called."""
        return " / ".join(i.name for i in self.ingredients if i.name) or self.atc_name


class Package(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is bought: an item number, the barcodes on it, and how much of which brand it holds."""

    id: str
    name: str
    item: str
    brand: str
    barcodes: tuple[str, ...] = ()
    atc: str = ""
    atc_name: str = ""
    form: Coded | None = None
    group: Coded | None = None
    size: str = ""
    unit: Coded | None = None
    container: Coded | None = None
    storage: Coded | None = None
    exchange_group: str = ""
    reimbursement: tuple[str, ...] = ()
    marketed: str = ""
    ended: str = ""
    retail_price: str = ""


class SingleDose(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The smallest piece that is handed out, by its number (LMR), with the packages it is from."""

    id: str
    name: str
    number: str
    brand: str
    amount: Amount | None = None
    packages: tuple[str, ...] = ()


class Substance(Struct, frozen=True, omit_defaults=True):
    """An active substance; `of` are the substances that it is a form of, such as a salt."""

    id: str
    name: str
    english: str = ""
    of: tuple[str, ...] = ()


class GroupedSubstance(Struct, frozen=True, omit_defaults=True):
    """A substance of an interaction, by ATC code of any level or by the register's own ids."""

    name: str
    atc: str = ""
    ids: tuple[str, ...] = ()


class SubstanceGroup(Struct, frozen=True, omit_defaults=True):
    """One side of an interaction."""

    name: str
    substances: tuple[GroupedSubstance, ...]


class Interaction(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What happens when a substance of one group meets one of another.

    `relevance` 1: avoid together; 2: take precautions; 3: no measure needed. Texts are the
    register's own words.
    """

    id: str
    relevance: Coded
    consequence: str
    groups: tuple[SubstanceGroup, ...]
    situation: str = ""
    mechanism: str = ""
    basis: Coded | None = None
    handling: str = ""
    shown: tuple[Coded, ...] = ()
    references: tuple[str, ...] = ()


class Statement(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A term of prescribing, a group of reimbursement or one of exchangeable packages."""

    id: str
    text: str
    code: Coded | None = None
    applies: Coded | None = None
    atc: str = ""
    terms: tuple[str, ...] = ()
    codes: tuple[Coded, ...] = ()
    starts: str = ""
    ends: str = ""


class NotAssessed(Struct, frozen=True):
    """A substance whose interactions nobody has looked at: no interaction found is no answer."""

    id: str
    name: str


def resource_id(identifier: str) -> str:
    """The id of a product's resources: FHIR's ids have no underscore."""
    return identifier.replace("_", "-")[:64]


def system_of(identifier: str) -> str:
    """The code system that a product's, package's or substance's id is of."""
    return DEMO if identifier.startswith(DEMO_PREFIX) else FEST
