"""Forms and scores as professionals write them, and the FHIR Questionnaires they become."""

from __future__ import annotations

from typing import ClassVar

from helsevev.content.packs.item import Item


class Form(Item, frozen=True, kw_only=True):
    """A form or a score."""

    folder: ClassVar[str] = "forms"
