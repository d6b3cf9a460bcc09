"""Instruments that the packs leave out, and why: so that nobody writes them in by mistake."""

from __future__ import annotations

from helsevev.content.shapes import Document, Shape, unique


class LeftOutForm(Shape, frozen=True, kw_only=True):
    """One instrument: what it is called, who has the rights, what would let it in.

    `instead` is a form of the packs that serves the same need, "" when there is none.
    """

    name: str
    about: str
    holder: str
    why: str
    instead: str = ""


class LeftOutForms(Document, frozen=True, kw_only=True):
    """All that are left out."""

    form: tuple[LeftOutForm, ...]

    def __post_init__(self) -> None:
        """Refuse an instrument that stands twice."""
        super().__post_init__()
        unique("form", (each.name for each in self.form))
