"""The answers that a form opened with, and where they are from, as a draft keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from msgspec import Struct

from helsevev.fhir import serialization


class Given(Struct, frozen=True):
    """The answers a form opens with, what the record calls their sources, and what was looked up.

    `sources` is "Observation/x" -> its name; `found` what the form's queries gave, by name.
    """

    response: Mapping[str, Any]
    sources: Mapping[str, str]
    found: Mapping[str, Any]

    def as_text(self) -> str:
        """As a draft keeps it: numbers keep their digits."""
        whole = {"response": self.response, "sources": self.sources, "found": self.found}
        return serialization.encode(whole).decode()

    @classmethod
    def of_text(cls, kept: str) -> Self:
        """What a draft has kept."""
        whole = serialization.decode_kept(kept.encode())
        return cls(whole["response"], whole["sources"], whole["found"])
