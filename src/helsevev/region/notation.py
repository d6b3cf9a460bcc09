"""FHIR's dict notation, with the parts that repeat already encoded.

`Raw` parts are JSON that the encoder copies as it stands; a resource that holds them decodes to the
same data as one written out in full.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from .demo.codes import coding, concept, hl7

Raw = msgspec.Raw
_encoder = msgspec.json.Encoder(decimal_format="number")
encode = _encoder.encode
"""Plain data, with `Raw` parts and Decimals, as JSON bytes."""


def raw(value: Any) -> Raw:
    """Plain data as a part that is encoded once."""
    return Raw(encode(value))


@cache
def number(written: str) -> Raw:
    """A number exactly as it is written: `72.50` keeps both decimals."""
    return Raw(written.encode())


@cache
def words(text: str) -> Raw:
    """A CodeableConcept with words only."""
    return raw({"text": text})


@cache
def coded(system: str, code: str, text: str) -> Raw:
    """A CodeableConcept with one code and its words."""
    return raw(concept(text, coding(system, code, text)))


@cache
def hl7_coded(name: str, code: str, text: str | None = None) -> Raw:
    """A CodeableConcept with one code of HL7's own system `name`."""
    return raw(concept(text, coding(hl7(name), code)))


@cache
def link(reference: str, display: str | None = None) -> Raw:
    """A Reference to something many refer to: an organisation, a place, a member of staff."""
    found = {"reference": reference}
    if display is not None:
        found["display"] = display
    return raw(found)


@cache
def narrative_of(*paragraphs: str) -> Raw:
    """A generated Narrative that many share."""
    from .demo.story import narrative

    return raw(narrative(*paragraphs))
