"""Shapes of the content that orders several medicines at once: order sets, with their cases."""

from __future__ import annotations

from .medication_shapes import OrderSentence
from .shapes import Document, Shape, unique


class SetLine(OrderSentence, frozen=True, kw_only=True):
    """One medicine of a set, in the terms of the order form.

    `search` are the words by which its product is found in the catalogue. A line that is not `on`
    is offered and not chosen; `why` tells when it is.
    """

    id: str
    search: str
    on: bool = True
    why: str = ""


class SetCase(Shape, frozen=True, kw_only=True):
    """A patient and what is in use, as cases of decision support are written, with the cards met.

    `cards` are `line:rule=level`; `also` turns lines on that are off, `without` others off.
    """

    about: str
    patient: str
    source: str
    uses: str = ""
    also: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()


class OrderSet(Shape, frozen=True, kw_only=True):
    """Medicines that are often ordered together; `words` are what one may type to find it."""

    id: str
    title: str
    owner: str
    version: str
    status: str
    source: tuple[str, ...]
    words: tuple[str, ...]
    note: str
    line: tuple[SetLine, ...]
    case: tuple[SetCase, ...]

    def __post_init__(self) -> None:
        """Refuse a set without lines, cases or a source, and one that nobody owns."""
        if not (self.line and self.case and self.source and self.owner):
            raise ValueError(f"{self.id}: needs an owner, a source, lines and cases")
        if self.status not in ("draft", "approved"):
            raise ValueError(f"{self.id}: status must be draft or approved")
        unique("line", (each.id for each in self.line))


class OrderSets(Document, frozen=True, kw_only=True):
    """Order sets."""

    set: tuple[OrderSet, ...]

    def __post_init__(self) -> None:
        """Refuse one id for two."""
        super().__post_init__()
        unique("set", (each.id for each in self.set))

    def find(self, words: str) -> tuple[OrderSet, ...]:
        """The sets that what is typed may mean: every word begins one of theirs."""
        typed = words.casefold().split()
        return tuple(
            each for each in self.set
            if typed and all(any(w.startswith(t) for w in _words(each)) for t in typed)
        )  # fmt: skip

    def one(self, identifier: str) -> OrderSet | None:
        """A set by its id."""
        return next((each for each in self.set if each.id == identifier), None)


def _words(of: OrderSet) -> list[str]:
    return " ".join((of.title, *of.words)).casefold().replace(",", " ").split()
