"""One inhabitant's records as they are told: what every resource in a story has in common."""

from __future__ import annotations

import re
from datetime import date
from html import escape
from typing import Any

from .codes import Resource
from .staff import practitioner
from .timeline import Timeline
from .units import unit

_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")
_SPELLED = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "é": "e"})


class Story:
    """Collects the resources about one inhabitant, in the order the story is told.

    `key` is the inhabitant's short name; the Patient's id is `demo-<key>` and every other id starts
    with it, so that loading a story again replaces it and never doubles it.
    """

    def __init__(self, key: str, today: date) -> None:
        self.key = key
        self.time = Timeline(today)
        self.resources: list[Resource] = []
        self._ids: set[str] = set()

    @property
    def patient(self) -> str:
        """Reference to the inhabitant."""
        return f"Patient/demo-{self.key}"

    def subject(self) -> Resource:
        """The Reference that clinical resources carry."""
        return {"reference": self.patient}

    def add(self, resource_type: str, slug: str, **content: Any) -> str:
        """Keep one resource and return its reference. None values are left out.

        ValueError when two resources of the story would get the same id.
        """
        name = f"demo-{self.key}"
        if slug:
            name += "-" + _NOT_IN_IDS.sub("-", slug.lower().translate(_SPELLED)).strip("-")
        reference = f"{resource_type}/{name}"
        if reference in self._ids:
            raise ValueError(f"{reference} is told twice")
        self._ids.add(reference)
        resource: Resource = {"resourceType": resource_type, "id": name}
        resource.update({key: value for key, value in content.items() if value is not None})
        self.resources.append(resource)
        return reference

    def bundle(self) -> Resource:
        """A transaction that puts every resource at its own id: loading it twice is harmless."""
        return transaction(self.resources)


def transaction(resources: list[Resource]) -> Resource:
    """A transaction Bundle with one PUT for each resource."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:helsevev:demo:{each['resourceType']}:{each['id']}",
                "resource": each,
                "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
            }
            for each in resources
        ],
    }


def ref(reference: str | None, display: str | None = None) -> Resource | None:
    """A Reference, or None for none."""
    if reference is None:
        return None
    return (
        {"reference": reference}
        if display is None
        else {
            "reference": reference,
            "display": display,
        }
    )


def organisation(unit_id: str) -> Resource:
    """A Reference to one of the demo's units, with its name."""
    return {"reference": f"Organization/{unit_id}", "display": unit(unit_id).name}


def staff(member_id: str | None) -> Resource | None:
    """A Reference to a member of staff, or None for none."""
    return None if member_id is None else practitioner(member_id)


def narrative(*paragraphs: str) -> Resource:
    """A generated Narrative: one paragraph for each text; a text with lines becomes a list."""
    parts = []
    for text in paragraphs:
        lines = [escape(line.strip(), quote=False) for line in text.strip().split("\n")]
        if len(lines) == 1:
            parts.append(f"<p>{lines[0]}</p>")
        else:
            parts.append("<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>")
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(parts)}</div>'
    return {"status": "generated", "div": div}
