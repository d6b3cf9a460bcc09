"""Takes a protected address out of a resource: its elements, and the text wherever it is repeated.

What is left says that it is masked, by HL7's data-absent-reason, and keeps the grade of protection,
so that screens and apps can say that there is an address they do not show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from helsevev.fhir import serialization
from helsevev.record.labels import PERSONS

Secrets = tuple[str, ...]
"""Texts that tell where somebody lives: streets with numbers, whole addresses."""

_ABSENT: Final = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "masked",
}
_REDACTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "REDACTED",
}
_INSTEAD: Final = "•••"
_TELLS: Final = ("address", "telecom", "position", "text")
"""Elements of a person or a place that tell how to get there; the narrative repeats them."""

_OF_PLACE: Final = ("name", "alias", "description")
_SHORTEST: Final = 5
_STREET: Final = re.compile(r"\w.*\d")


def secrets_of(persons: Iterable[Mapping[str, Any]]) -> Secrets:
    """What tells where these persons live or lived, longest first."""
    found: set[str] = set()
    for person in persons:
        for address in _addresses(person):
            lines = [line for line in address.get("line", ()) if line]
            found.update(line for line in lines if _STREET.match(line))
            found.update(text for text in [address.get("text")] if text)
            if lines:
                found.add(", ".join(lines))
            found.update(_named_lines(address))
    return tuple(sorted((s for s in found if len(s) >= _SHORTEST), key=len, reverse=True))


def masked(resource: dict[str, Any], secrets: Secrets) -> bytes | None:
    """The resource's JSON without the address; None when it has none to take out."""
    before = serialization.encode(resource)
    without = _without(resource, of_person=resource["resourceType"] in PERSONS)
    text = serialization.encode(without)
    if secrets:
        pattern = _pattern(secrets)
        text = pattern.sub(_INSTEAD, text.decode()).encode()
    if text == before:
        return None
    left = serialization.decode_kept(text)
    meta = left.setdefault("meta", {})
    meta["security"] = [*meta.get("security", ()), _REDACTED]
    return serialization.encode(left)


def _pattern(secrets: Secrets) -> re.Pattern[str]:
    """Finds a secret as JSON writes it, however its words are spaced and its letters are cased."""
    parts = (
        r"(?:\s|&nbsp;|\\[nrt])+".join(
            re.escape(serialization.encode(word).decode()[1:-1]) for word in secret.split()
        )
        for secret in secrets
    )
    return re.compile("|".join(parts), re.IGNORECASE)


def _without(value: Any, *, of_person: bool) -> Any:
    if isinstance(value, list | tuple):
        return [_without(each, of_person=of_person) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("resourceType")
    if kind is not None:
        of_person = kind in PERSONS
    left: dict[str, Any] = {}
    for name, inner in value.items():
        if name == "valueAddress":
            left["valueAddress"] = {"extension": [_ABSENT]}
        elif of_person and name == "address":
            several = isinstance(inner, list)
            left[name] = [_absent(each) for each in inner] if several else _absent(inner)
        elif of_person and name in _TELLS:
            # A name has a text too; the narrative is the one with a div.
            if name == "text" and not isinstance(inner, dict):
                left[name] = inner
        elif kind == "Location" and name in _OF_PLACE:
            continue
        else:
            left[name] = _without(inner, of_person=of_person)
    if str(left.get("reference", "")).startswith("Location/"):
        left.pop("display", None)
    return left


def _absent(address: Mapping[str, Any]) -> dict[str, Any]:
    graded = [
        extension
        for extension in address.get("extension", ())
        if any(word in str(extension.get("url", "")).lower() for word in ("confidential", "secret"))
    ]
    return {"extension": [_ABSENT, *graded]}


def _addresses(value: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from _addresses(each)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ("address", "valueAddress"):
                yield from ([inner] if isinstance(inner, dict) else inner)
            else:
                yield from _addresses(inner)


def _named_lines(address: Mapping[str, Any]) -> Iterable[str]:
    """The street that the parts of a line name, as iso21090 has them."""
    street = number = ""
    for line in address.get("_line", ()):
        for extension in (line or {}).get("extension", ()):
            url, text = str(extension.get("url", "")), str(extension.get("valueString", ""))
            street = text if url.endswith("ADXP-streetName") else street
            number = text if url.endswith("ADXP-houseNumber") else number
    if street and number:
        yield f"{street} {number}"


__all__ = ["Secrets", "masked", "secrets_of"]
