"""Shapes of the content that the demo's catalogue of medicines is made of."""

from __future__ import annotations

from .shapes import Document, Shape, unique


class ListedCode(Shape, frozen=True, kw_only=True):
    """A code of a national list with its name."""

    code: str
    name: str


class Form(Shape, frozen=True, kw_only=True):
    """A form (7448): how names shorten it, its usual route (7477) and unit of dosing (7480)."""

    code: str
    name: str
    short: str
    route: ListedCode
    unit: ListedCode | None = None


class TradeProduct(Shape, frozen=True, kw_only=True):
    """A trade name in one form and strength; `form` is the code of one."""

    trade: str
    form: str
    strength: str


class ListedSubstance(Shape, frozen=True, kw_only=True):
    """A substance with its ATC code, its prescription group (7421), and products of it.

    Of several substances in one, `parts` are their names in the order of the strengths.
    """

    name: str
    atc: str
    product: tuple[TradeProduct, ...]
    group: str = ""
    parts: tuple[str, ...] = ()


class CatalogueProducts(Document, frozen=True, kw_only=True):
    """Common medicines by substance."""

    form: tuple[Form, ...]
    substance: tuple[ListedSubstance, ...]

    def __post_init__(self) -> None:
        """Refuse a product twice, and one in a form that is not listed."""
        super().__post_init__()
        unique("form", (each.code for each in self.form))
        products = [each for substance in self.substance for each in substance.product]
        unique("product", (f"{p.trade} {p.form} {p.strength}" for p in products))
        forms = {each.code for each in self.form}
        for each in products:
            if each.form not in forms:
                raise ValueError(f"{each.trade}: there is no form {each.form!r}")
