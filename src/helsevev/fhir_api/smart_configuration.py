"""https://hl7.org/fhir/smart-app-launch/conformance.html: how apps are let in, told to all."""

from __future__ import annotations

from typing import Final

from helsevev.fhir import serialization
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.request import Request

PATH: Final = ".well-known/smart-configuration"


async def answer(doors: Doors, _request: Request) -> Answer:
    """200 with the configuration, whatever the query says."""
    told = doors.services.apps.configuration()
    kept = (b"cache-control", b"public, max-age=300")
    return Answer(200, serialization.encode(told), extra=((b"content-type", _JSON), kept))


_JSON: Final = b"application/json"
INTERACTION: Final = Interaction("smart-configuration", answer, public=True)
