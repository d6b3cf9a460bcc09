"""The values of a search, read by the kind of their parameter.

The grammar is http://hl7.org/fhir/R4/search.html (3.1.1.5), where a backslash escapes comma, bar,
dollar and itself. Every function takes escaped text and raises TermError with words for the caller.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Context, Decimal, InvalidOperation

from helsevev.fhir import dates, references
from helsevev.fhir.definitions import RESOURCE_TYPES

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[-+.\d])")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LARGEST_EXPONENT = 1000
_FARTHEST = 20_100_000.0  # half of the way around the Earth

METRES = {"km": 1000.0, "m": 1.0, "[mi_i]": 1609.344, "[mi_us]": 1609.347219}
# Letters with a stroke or a tail, which Unicode does not take apart; many are Sámi.
_FOLDED = str.maketrans({"đ": "d", "ŋ": "n", "ŧ": "t", "ł": "l", "ð": "d", "þ": "th", "œ": "oe"})
_KEPT = frozenset("æøå")


class TermError(ValueError):
    """The value cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class TokenTerm:
    """`code` alone: `system` is None, any system. `|code`: `system` is "", no system.

    `system|`: `code` is None, any code of the system.
    """

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class ReferenceTerm:
    """`texts` are the references that match, any of them: `Type/id`, or a URL as it stands.

    An id without a type stands for that id in every type the parameter may name.
    """

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StringTerm:
    """`text` as written, and `normalized` to compare with (begins with, contains)."""

    text: str
    normalized: str


@dataclass(frozen=True, slots=True)
class DateTerm:
    """A range `[low, high)` in µs since 1970, compared with a stored `[L, H)` by prefix.

    eq: low <= L and H <= high; ne: not eq; gt: H > high; lt: L < low; ge: gt or eq;
    le: lt or eq; sa: L >= high; eb: H <= low; ap: L < high and H > low.
    """

    prefix: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class NumberTerm:
    """`number` as written and the range `[low, high)` its precision implies.

    eq and ap: low <= x < high; ne: not so; gt and sa: x > number; lt and eb: x < number;
    ge: x >= number; le: x <= number.
    """

    prefix: str
    number: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class QuantityTerm:
    """A NumberTerm with a unit: `system` None means any; `code` None means any.

    With a system the code must match; without one either the code or the unit may.
    """

    number: NumberTerm
    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class UriTerm:
    """A URI, compared as it stands."""

    uri: str


@dataclass(frozen=True, slots=True)
class NearTerm:
    """Within `metres` of a point on WGS 84, in degrees; metres are along the Earth's surface."""

    latitude: float
    longitude: float
    metres: float


@dataclass(frozen=True, slots=True)
class CompositeTerm:
    """One term for each component, all of which hold in the same element."""

    parts: tuple[Term, ...]


Term = (
    TokenTerm
    | ReferenceTerm
    | StringTerm
    | DateTerm
    | NumberTerm
    | QuantityTerm
    | UriTerm
    | NearTerm
    | CompositeTerm
)


def normalize(text: str) -> str:
    """Text for comparison: no case, no accents, single spaces; æ, ø and å stay themselves."""
    if not text.isascii():
        composed = unicodedata.normalize("NFC", text).casefold()
        bare = "".join(letter if letter in _KEPT else _bare(letter) for letter in composed)
        text = bare.casefold().translate(_FOLDED)
    return " ".join(text.casefold().split())


def split(text: str, separator: str) -> list[str]:
    """Text cut at separators that are not escaped; escapes are kept."""
    if "\\" not in text:
        return text.split(separator)
    parts = [""]
    escaped = False
    for letter in text:
        if letter == separator and not escaped:
            parts.append("")
        else:
            parts[-1] += letter
        escaped = letter == "\\" and not escaped
    return parts


def unescape(text: str) -> str:
    """Text without its escapes; TermError when one is left open at the end."""
    if "\\" not in text:
        return text
    if (len(text) - len(text.rstrip("\\"))) % 2:
        raise TermError("a backslash at the end escapes nothing")
    return _ESCAPE.sub(r"\1", text)


def token(text: str) -> TokenTerm:
    """`code`, `system|code`, `|code` or `system|`."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) > 2:
        raise TermError("a token has at most one |; escape others as \\|")
    if len(parts) == 1:
        if not parts[0]:
            raise TermError("an empty token matches nothing")
        return TokenTerm(None, parts[0])
    system, code = parts
    if not system and not code:
        raise TermError("a token has a system or a code")
    return TokenTerm(system, code or None)


def reference(text: str, targets: tuple[str, ...], base: str = "") -> ReferenceTerm:
    """An id, `Type/id`, or a URL; `targets` are the types the parameter may name."""
    value = unescape(text)
    if not value:
        raise TermError("an empty reference matches nothing")
    local = references.relative(value, base)
    if local is not None:
        if local[0] not in RESOURCE_TYPES:
            raise TermError(f"R4 has no resource type {local[0]}")
        if targets and local[0] not in targets:
            raise TermError(f"the parameter refers to {', '.join(targets)}, not to {local[0]}")
        return ReferenceTerm(("/".join(local),))
    if _ID.fullmatch(value):
        types = targets or tuple(sorted(RESOURCE_TYPES))
        return ReferenceTerm(tuple(f"{name}/{value}" for name in types))
    return ReferenceTerm((references.unversioned(value),))


def string(text: str) -> StringTerm:
    """Text to be found at the beginning, anywhere or exactly, as the modifier says."""
    value = unescape(text)
    if not value.strip():
        raise TermError("an empty text matches nothing")
    return StringTerm(value, normalize(value))


def date(text: str, now: int | None = None) -> DateTerm:
    """A date of any precision with its prefix; `now` (µs) is needed for `ap`.

    `ap` reaches a tenth of the distance to now to both sides (R4 search 3.1.1.5.4).
    """
    prefix, value = _prefixed(unescape(text))
    bounds = dates.bounds(value)
    if bounds is None:
        raise TermError(f"not a date: {value}")
    low, high = bounds
    if prefix == "ap" and now is not None:
        reach = abs(now - low) // 10
        low, high = max(dates.MIN, low - reach), min(dates.MAX, high + reach)
    return DateTerm(prefix, low, high)


def number(text: str) -> NumberTerm:
    """A number with its prefix and the range its digits imply (R4 search 3.1.1.5.5)."""
    prefix, value = _prefixed(unescape(text))
    if _NUMBER.fullmatch(value) is None:
        raise TermError(f"not a number: {value}")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise TermError(f"not a number that can be compared: {value}") from None
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int) or abs(found.adjusted()) > _LARGEST_EXPONENT:
        raise TermError(f"not a number that can be compared: {value}")
    # Python rounds to 28 digits by itself; what is asked for may have more, as what is stored may.
    exactly = Context(prec=len(found.as_tuple().digits) + 5)
    if prefix == "ap":
        reach = exactly.abs(found).scaleb(-1, exactly)
    else:
        # R4's own example: 1e2 stands for [95, 105), 100 for [99.5, 100.5).
        reach = Decimal(5).scaleb(exponent - 2 if exponent > 0 else exponent - 1)
    return NumberTerm(prefix, found, exactly.subtract(found, reach), exactly.add(found, reach))


def quantity(text: str) -> QuantityTerm:
    """`number`, `number|system|code`, or `number||unit`."""
    parts = split(text, "|")
    if len(parts) not in (1, 3):
        raise TermError("a quantity is number, number|system|code or number||code")
    found = number(parts[0])
    if len(parts) == 1:
        return QuantityTerm(found, None, None)
    return QuantityTerm(found, unescape(parts[1]) or None, unescape(parts[2]) or None)


def uri(text: str) -> UriTerm:
    """A URI as it stands."""
    value = unescape(text)
    if not value:
        raise TermError("an empty uri matches nothing")
    return UriTerm(value)


def typed_identifier(text: str) -> TokenTerm:
    """`system|code|value` of an Identifier's type and value, as a token of the two together."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts):
        raise TermError("a value is system|code|value: the type's system and code, and the value")
    system, code, value = parts
    return TokenTerm(f"{system}|{code}", value)


def near(text: str) -> NearTerm:
    """`latitude|longitude|distance|unit` (R4's special parameter of Location); km unless said."""
    parts = [unescape(part).strip() for part in split(text, "|")]
    if len(parts) not in (2, 3, 4):
        raise TermError("a position is latitude|longitude|distance|unit")
    unit = parts[3] if len(parts) == 4 and parts[3] else "km"
    if unit not in METRES:
        raise TermError(f"the distance is in {', '.join(METRES)}, not in {unit}")
    distance = parts[2] if len(parts) > 2 and parts[2] else "1"
    if not all(_NUMBER.fullmatch(part) and len(part) < 40 for part in (*parts[:2], distance)):
        raise TermError(f"not numbers: {text}")
    latitude, longitude, metres = float(parts[0]), float(parts[1]), float(distance) * METRES[unit]
    if abs(latitude) > 90 or abs(longitude) > 180 or not 0 <= metres <= _FARTHEST:
        raise TermError("this is no place on Earth, or too far from it")
    return NearTerm(latitude, longitude, metres)


def above(term: UriTerm) -> tuple[UriTerm, ...]:
    """The URL and every one that it lies under: what is before each of its slashes."""
    uri = term.uri
    ends = [place for place, letter in enumerate(uri) if letter == "/"]
    shorter = {uri, *(uri[:end] for end in ends), *(uri[: end + 1] for end in ends)}
    return tuple(UriTerm(text) for text in sorted(shorter) if text)


def typed(term: ReferenceTerm, resource_type: str) -> ReferenceTerm:
    """The references of the term that name the type."""
    texts = tuple(text for text in term.texts if text.startswith(resource_type + "/"))
    if not texts:
        raise TermError(f"this does not name a {resource_type}")
    return replace(term, texts=texts)


def _bare(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _prefixed(text: str) -> tuple[str, str]:
    match = _PREFIX.match(text)
    return (match[1], text[2:]) if match else ("eq", text)
