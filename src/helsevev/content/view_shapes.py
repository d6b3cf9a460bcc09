"""The shape of tables for analysis: SQL-on-FHIR's ViewDefinition, as content."""

from __future__ import annotations

from typing import Any

from .shapes import Document, Shape, unique


class View(Shape, frozen=True, kw_only=True):
    """One ViewDefinition; `where` and `select` are as SQL on FHIR v2 has them."""

    id: str
    title: str
    resource: str
    select: tuple[dict[str, Any], ...]
    where: tuple[dict[str, str], ...] = ()

    def definition(self) -> dict[str, Any]:
        """The ViewDefinition, as plain data."""
        found: dict[str, Any] = {
            "resourceType": "ViewDefinition", "id": self.id, "name": self.id, "title": self.title,
            "status": "active", "resource": self.resource, "select": list(self.select),
        }  # fmt: skip
        return found | ({"where": list(self.where)} if self.where else {})


class Views(Document, frozen=True, kw_only=True):
    """Every table that comes ready for analysis."""

    view: tuple[View, ...]

    def __post_init__(self) -> None:
        """Refuse an id that occurs twice."""
        super().__post_init__()
        unique("view", (each.id for each in self.view))
