"""Which format is asked for and sent, and what a client prefers (http://hl7.org/fhir/R4/http.html#mime-type)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from helsevev.access.transaction import Returning
from helsevev.fhir.outcome import error
from helsevev.fhir_api.problem import Problem

FHIR_JSON: Final = b"application/fhir+json; charset=utf-8"
PLAIN_JSON: Final = b"application/json; charset=utf-8"
FHIR_XML: Final = b"application/fhir+xml; charset=utf-8"

_JSON: Final = {
    "application/fhir+json": FHIR_JSON,
    "application/json": PLAIN_JSON,
    "application/json+fhir": FHIR_JSON,
    "text/json": PLAIN_JSON,
    "json": FHIR_JSON,
    "application/fhir+xml": FHIR_XML,
    "application/xml+fhir": FHIR_XML,
    "*/*": FHIR_JSON,
    "application/*": FHIR_JSON,
}
# A browser accepts application/xml, and means none of FHIR's: these names are for `_format`, and
# for those who accept nothing else.
_XML: Final = frozenset({"xml", "text/xml", "application/xml"})
_SENT_XML: Final = frozenset(
    {"application/fhir+xml", "application/xml+fhir", "application/xml", "text/xml"}
)
_SENT: Final = frozenset(
    {"application/fhir+json", "application/json", "application/json+fhir", "text/json", *_SENT_XML}
)
_RETURNING: Final[Mapping[str, Returning]] = {
    "minimal": "minimal",
    "representation": "representation",
    "OperationOutcome": "OperationOutcome",
}
_R4: Final = frozenset({"4.0", "4.0.0", "4.0.1", "r4"})


@dataclass(frozen=True, slots=True)
class Preference:
    """What the header Prefer asks: how much to return, and whether to refuse the unknown."""

    returning: Returning = "representation"
    strict: bool = True


_DEFAULT: Final = Preference()


@lru_cache(maxsize=1024)
def media_type(accept: bytes, asked: str | None) -> bytes:
    """The content type to answer with, for the header Accept and the parameter `_format`.

    Raises `Problem` 406 when neither allows JSON or XML, in FHIR's version 4.0.
    """
    if asked is not None:
        # A plus sign that was not escaped has become a space.
        choice = asked.strip().replace(" ", "+")
        found = FHIR_XML if choice.lower() in _XML else _offered(choice)
        if found is not None:
            return found
        raise _not_acceptable(asked)
    if not accept:
        return FHIR_JSON
    text = accept.decode("latin-1")
    ranked = sorted(text.split(","), key=_quality, reverse=True)
    for choice in ranked:
        found = _offered(choice) if _quality(choice) > 0 else None
        if found is not None:
            return found
    if any(_split(choice)[0] in _XML and _quality(choice) > 0 for choice in ranked):
        return FHIR_XML
    raise _not_acceptable(text)


@lru_cache(maxsize=256)
def check_content(content_type: bytes, accepted: frozenset[str] = _SENT) -> None:
    """Raises `Problem` 415 unless the body is declared as one of these; undeclared passes."""
    text = content_type.decode("latin-1")
    kind, parameters = _split(text)
    if kind and kind not in accepted:
        names = " or ".join(sorted(accepted)[:2])
        raise Problem(415, error("not-supported", f"The body must be {names}, not {kind[:80]}."))
    charset = parameters.get("charset", "utf-8").strip('"').lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, error("not-supported", f"The body must be UTF-8, not {charset[:40]}."))
    version = parameters.get("fhirversion", "4.0").strip('"').lower()
    if version not in _R4:
        text = f"The body must be of FHIR 4.0, not {version[:40]}."
        raise Problem(415, error("not-supported", text))


@lru_cache(maxsize=256)
def is_xml(content_type: bytes) -> bool:
    """Whether a body is declared as XML."""
    return _split(content_type.decode("latin-1"))[0] in _SENT_XML


@lru_cache(maxsize=256)
def preference(prefer: bytes) -> Preference:
    """What the header Prefer says; what it does not know it leaves aside, as RFC 7240 asks."""
    if not prefer:
        return _DEFAULT
    returning: Returning = _DEFAULT.returning
    strict = _DEFAULT.strict
    # Of one that is given twice the first counts.
    for part in reversed(prefer.decode("latin-1").replace(";", ",").split(",")):
        name, _, value = part.strip().partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name == "return" and value in _RETURNING:
            returning = _RETURNING[value]
        elif name == "handling" and value in ("strict", "lenient"):
            strict = value == "strict"
    return Preference(returning, strict)


def _offered(choice: str) -> bytes | None:
    kind, parameters = _split(choice)
    if parameters.get("fhirversion", "4.0").strip('"').lower() not in _R4:
        return None
    return _JSON.get(kind)


def _split(text: str) -> tuple[str, dict[str, str]]:
    kind, *rest = text.split(";")
    pairs = (part.partition("=") for part in rest)
    return kind.strip().lower(), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _quality(choice: str) -> float:
    try:
        return float(_split(choice)[1].get("q", "1"))
    except ValueError:
        return 0.0


def _not_acceptable(asked: str) -> Problem:
    offered = "application/fhir+json or application/fhir+xml (FHIR 4.0)"
    text = f"Answers are {offered}, not {asked[:100]!r}."
    return Problem(406, error("not-supported", text))
