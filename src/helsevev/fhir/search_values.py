"""What a FHIR value is worth to a search: parts by kind of parameter and FHIR type.

Every function takes a value of one FHIR type and returns its parts, tuples that begin with a kind:
`(TOKEN, system, code)`, `(REFERENCE, reference)`, `(STRING, text)`, `(DATE, low, high)`,
`(NUMBER, number)`, `(QUANTITY, number, system, code, unit)`, `(URI, uri)`,
`(POSITION, latitude, longitude)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from helsevev.fhir.dates import MAX, MIN, bounds, period_bounds

TOKEN, REFERENCE, STRING, DATE, NUMBER, QUANTITY, URI, COMPOSITE, POSITION = range(1, 10)

KINDS: Mapping[str, int] = MappingProxyType(
    {
        "token": TOKEN,
        "reference": REFERENCE,
        "string": STRING,
        "date": DATE,
        "number": NUMBER,
        "quantity": QUANTITY,
        "uri": URI,
        "composite": COMPOSITE,
        "special": POSITION,
    }
)

CURRENCIES = "urn:iso:std:iso:4217"

# Beyond this exponent a number is kept but not indexed: no database column holds it.
_LARGEST_EXPONENT = 1000

Part = tuple[Any, ...]
Parts = Callable[[Any], list[Part]]


def _coding(value: dict[str, Any]) -> list[Part]:
    system, code = value.get("system"), value.get("code")
    return [(TOKEN, system, code)] if system is not None or code is not None else []


def _codeable_concept(value: dict[str, Any]) -> list[Part]:
    return [
        (TOKEN, coding.get("system"), coding.get("code"))
        for coding in value.get("coding", ())
        if "code" in coding or "system" in coding
    ]


def _identifier(value: dict[str, Any]) -> list[Part]:
    system, found = value.get("system"), value.get("value")
    return [(TOKEN, system, found)] if system is not None or found is not None else []


def _contact_point(value: dict[str, Any]) -> list[Part]:
    return [(TOKEN, None, value["value"])] if "value" in value else []


def _boolean(value: bool) -> list[Part]:
    return [(TOKEN, None, "true" if value else "false")]


def _plain_token(value: str) -> list[Part]:
    return [(TOKEN, None, value)]


def reference_text(value: dict[str, Any]) -> str | None:
    """`Type/id` or the URL a Reference names, without version; None for contained ones."""
    text = value.get("reference")
    if type(text) is not str or text.startswith("#"):
        return None
    return text.partition("/_history/")[0] if "/_history/" in text else text


def reference_type(value: dict[str, Any], text: str) -> str | None:
    """The resource type a Reference says it names, by its text or else by its `type`."""
    found = text.rpartition("/")[0].rpartition("/")[2]
    return found or value.get("type")


def _reference(value: dict[str, Any]) -> list[Part]:
    text = reference_text(value)
    return [(REFERENCE, text)] if text else []


def _inline_resource(value: dict[str, Any]) -> list[Part]:
    if "resourceType" in value and "id" in value:
        return [(REFERENCE, f"{value['resourceType']}/{value['id']}")]
    return []


def _canonical_reference(value: str) -> list[Part]:
    # A search may name the canonical with or without its version.
    plain = value.partition("|")[0]
    if not plain or plain.startswith("#"):
        return []
    return [(REFERENCE, plain)] if plain == value else [(REFERENCE, plain), (REFERENCE, value)]


def _canonical_uri(value: str) -> list[Part]:
    plain = value.partition("|")[0]
    return [(URI, plain)] if plain == value else [(URI, plain), (URI, value)]


def _uri(value: str) -> list[Part]:
    return [(URI, value)]


def _string(value: str) -> list[Part]:
    return [(STRING, value)]


def _strings(*fields: str) -> Parts:
    def parts(value: dict[str, Any]) -> list[Part]:
        found: list[Part] = []
        for field in fields:
            text = value.get(field)
            if type(text) is list:
                found += [(STRING, item) for item in text if item is not None]
            elif text is not None:
                found.append((STRING, text))
        return found

    return parts


def _date(value: str) -> list[Part]:
    found = bounds(value)
    return [(DATE, *found)] if found else []


def _period(value: dict[str, Any]) -> list[Part]:
    found = period_bounds(value.get("start"), value.get("end"))
    return [(DATE, *found)] if found else []


def _timing(value: dict[str, Any]) -> list[Part]:
    """The outer limits of a Timing; the schedule within is not searched (R4 search 3.1.1.5.6)."""
    found = [limits for event in value.get("event", ()) if event and (limits := bounds(event))]
    period = value.get("repeat", {}).get("boundsPeriod")
    if period:
        limits = period_bounds(period.get("start"), period.get("end"))
        if limits:
            found.append(limits)
    if not found:
        return []
    return [(DATE, min(low for low, _ in found), max(high for _, high in found))]


def _indexable(value: object) -> Decimal | None:
    if type(value) is float:
        value = repr(value)  # the digits that encode writes
    elif type(value) is not int and not isinstance(value, Decimal):
        return None
    number = Decimal(value)
    if number.is_finite() and abs(number.adjusted()) <= _LARGEST_EXPONENT:
        return number
    return None


def _number(value: object) -> list[Part]:
    number = _indexable(value)
    return [] if number is None else [(NUMBER, number)]


def _number_range(value: dict[str, Any]) -> list[Part]:
    ends = (value.get("low", {}).get("value"), value.get("high", {}).get("value"))
    return [part for end in ends for part in _number(end)]


def _quantity(value: dict[str, Any]) -> list[Part]:
    number = _indexable(value.get("value"))
    if number is None:
        return []
    return [(QUANTITY, number, value.get("system"), value.get("code"), value.get("unit"))]


def _money(value: dict[str, Any]) -> list[Part]:
    number = _indexable(value.get("value"))
    currency = value.get("currency")
    if number is None:
        return []
    return [(QUANTITY, number, CURRENCIES if currency else None, currency, currency)]


def _quantity_range(value: dict[str, Any]) -> list[Part]:
    ends = (value.get("low"), value.get("high"))
    return [part for end in ends if end for part in _quantity(end)]


def position(value: dict[str, Any]) -> list[Part]:
    """Of Location.position: latitude and longitude in degrees on WGS 84."""
    latitude, longitude = (_indexable(value.get(name)) for name in ("latitude", "longitude"))
    return [] if latitude is None or longitude is None else [(POSITION, latitude, longitude)]


def nothing(_: object) -> list[Part]:
    """A type that has no value of the kind: a Procedure performed "last spring" has no date."""
    return []


# (kind, FHIR type) -> its parts; every pair that R4's parameters meet is here.
PARTS: Mapping[tuple[int, str], Parts] = MappingProxyType(
    {
        (TOKEN, "CodeableConcept"): _codeable_concept,
        (TOKEN, "Coding"): _coding,
        (TOKEN, "ContactPoint"): _contact_point,
        (TOKEN, "Identifier"): _identifier,
        (TOKEN, "boolean"): _boolean,
        (TOKEN, "code"): _plain_token,
        (TOKEN, "id"): _plain_token,
        (TOKEN, "string"): _plain_token,
        (TOKEN, "uri"): _plain_token,
        (REFERENCE, "Reference"): _reference,
        (REFERENCE, "Resource"): _inline_resource,
        (REFERENCE, "canonical"): _canonical_reference,
        (REFERENCE, "uri"): _canonical_reference,
        (REFERENCE, "Attachment"): nothing,
        (STRING, "Address"): _strings(
            "text", "line", "city", "district", "state", "postalCode", "country"
        ),
        (STRING, "HumanName"): _strings("text", "family", "given", "prefix", "suffix"),
        (STRING, "markdown"): _string,
        (STRING, "string"): _string,
        (DATE, "Period"): _period,
        (DATE, "Timing"): _timing,
        (DATE, "date"): _date,
        (DATE, "dateTime"): _date,
        (DATE, "instant"): _date,
        (DATE, "Age"): nothing,
        (DATE, "Range"): nothing,
        (DATE, "string"): nothing,
        (NUMBER, "decimal"): _number,
        (NUMBER, "integer"): _number,
        (NUMBER, "Range"): _number_range,
        (QUANTITY, "Age"): _quantity,
        (QUANTITY, "Duration"): _quantity,
        (QUANTITY, "Money"): _money,
        (QUANTITY, "Quantity"): _quantity,
        (QUANTITY, "Range"): _quantity_range,
        # A series of samples has no one quantity; its origin and limits would mislead.
        (QUANTITY, "SampledData"): nothing,
        (URI, "canonical"): _canonical_uri,
        (URI, "uri"): _uri,
        (URI, "url"): _uri,
    }
)

OPEN_START, OPEN_END = MIN, MAX
