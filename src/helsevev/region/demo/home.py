"""Where people of the demo live. Street names are invented."""

from __future__ import annotations

from typing import NamedTuple

from .codes import MUNICIPALITY, Resource, coding, no_basis


class Place(NamedTuple):
    """A home address; the street is invented, the rest is real."""

    street: str
    postal_code: str
    city: str
    municipality: str
    municipality_name: str


def address(home: Place, *, secret: bool = False) -> Resource:
    """A Norwegian Address with its municipality's number; marked when it must stay secret."""
    extensions: list[Resource] = [{"url": no_basis("address-official"), "valueBoolean": True}]
    if secret:
        extensions.append(
            {
                "url": "http://hl7.no/fhir/StructureDefinition/no-vft-secret-address",
                "valueBoolean": True,
            }
        )
    municipality = coding(MUNICIPALITY, home.municipality, home.municipality_name)
    return {
        "extension": extensions,
        "use": "home",
        "type": "both",
        "line": [home.street],
        "city": home.city,
        "district": home.municipality_name,
        "_district": {
            "extension": [{"url": no_basis("municipalitycode"), "valueCoding": municipality}]
        },
        "postalCode": home.postal_code,
        "country": "NO",
    }
