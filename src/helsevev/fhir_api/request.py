"""One request, from the network or from an entry of a batch, with its limits checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from helsevev.access.actor import Actor
from helsevev.fhir import references, serialization
from helsevev.fhir.outcome import error
from helsevev.fhir.xml.reading import from_xml
from helsevev.fhir_api.negotiation import Preference, check_content, is_xml, preference
from helsevev.fhir_api.problem import Problem, bad_request

LONGEST_QUERY: Final = 16 * 1024
"""Most bytes of a query in a URL; longer searches go by POST."""

_SHORT: Final = 400
"""Bytes of a query that is worth remembering."""

LONGEST_FORM: Final = 256 * 1024
MOST_PARAMETERS: Final = 400
LARGEST_RESOURCE: Final = 16 * 1024 * 1024
LARGEST_BUNDLE: Final = 32 * 1024 * 1024

PRESENTATION: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})
"""Parameters about how an answer looks; every interaction knows them."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ETAG: Final = re.compile(r'(?:W/)?"([^"]*)"|([A-Za-z0-9\-.]{1,64})')
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
NO_SUCH_VERSION: Final = -1

Read = Callable[[int], Coroutine[Any, Any, bytes]]


@dataclass(slots=True)
class Request:
    """What is asked, by whom. `segments` is the path below the base, `query` as in the URL.

    `headers` are lower-case; `base` is the absolute URL of the API without a final slash.
    `read` gives the body, of so many bytes at most; `content` is set where there is none to read.
    """

    actor: Actor
    method: str
    segments: tuple[str, ...]
    query: str
    headers: Mapping[bytes, bytes]
    base: str
    read: Read
    content: dict[str, Any] | None = None
    _parameters: list[tuple[str, str]] | None = field(default=None)

    def header(self, name: bytes) -> str:
        """The header's text, "" when it is missing."""
        return self.headers.get(name, b"").decode("latin-1").strip()

    @property
    def prefer(self) -> Preference:
        """What the client prefers."""
        return preference(self.headers.get(b"prefer", b""))

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The URL's parameters in their order. Raises `Problem` 400 or 414."""
        if self._parameters is None:
            self._parameters = parse_parameters(self.query) if self.query else []
        return self._parameters

    def parameter(self, name: str) -> str | None:
        """The last value of a parameter, or None."""
        if not self.query:
            return None
        return next((value for key, value in reversed(self.parameters) if key == name), None)

    def refuse_parameters(self, *known: str) -> None:
        """Raises `Problem` 400 naming each parameter that would be ignored, unless lenient."""
        if not self.query or not self.prefer.strict:
            return
        unknown = [n for n, _ in self.parameters if n not in PRESENTATION and n not in known]
        if unknown:
            names = ", ".join(dict.fromkeys(unknown))
            text = f"This interaction does not know the parameter {names}."
            raise Problem(400, error("not-supported", text))

    async def resource(self, limit: int = LARGEST_RESOURCE) -> dict[str, Any]:
        """The body as decoded JSON or XML. Raises `Problem` 400, 413, 415 or `MalformedJson`."""
        if self.content is not None:
            return self.content
        content_type = self.headers.get(b"content-type", b"")
        check_content(content_type)
        data = await self.body(limit)
        self.content = from_xml(data) if is_xml(content_type) else serialization.decode(data)
        if self.base.encode() in data or b"\\/" in data:
            # Whoever writes this server's address means what is here.
            own = self.content.get("entry") if "entry" in self.content else None
            entries = [e for e in own if type(e) is dict] if type(own) is list else []
            full_urls = {url for e in entries if type(url := e.get("fullUrl")) is str}
            references.localize(self.content, self.base, full_urls)
        return self.content

    async def body(self, limit: int) -> bytes:
        """The body as it was sent. Raises `Problem` 400 when there is none, 413, 415."""
        if self.header(b"content-encoding").lower() not in ("", "identity"):
            text = "The body must be sent uncompressed."
            raise Problem(415, error("not-supported", text))
        data = await self.read(limit)
        if not data:
            raise bad_request("The request has no body.", "required")
        return data

    @property
    def if_match(self) -> int | None:
        """The version named by If-Match; NO_SUCH_VERSION for one this server never gave."""
        text = self.header(b"if-match")
        if not text:
            return None
        match = _ETAG.fullmatch(text)
        if match is None:
            raise bad_request('If-Match names one version: W/"1".', "value")
        return version_number(match[1] or match[2] or "")

    @property
    def idempotency_key(self) -> str | None:
        """The header Idempotency-Key, or None. Raises `Problem` 400 when it is no key."""
        text = self.header(b"idempotency-key").strip('"')
        if len(text) > 255 or not text.isprintable() or not text.isascii():
            raise bad_request("Idempotency-Key has at most 255 ASCII characters.", "value")
        return text or None


def version_number(text: str) -> int:
    """The version that the text names; NO_SUCH_VERSION for one this server never gave."""
    return int(text) if _VERSION.fullmatch(text) else NO_SUCH_VERSION


def is_id(text: str) -> bool:
    """Whether the text can be a resource's id."""
    return _ID.fullmatch(text) is not None


def parse_parameters(query: str, longest: int = LONGEST_QUERY) -> list[tuple[str, str]]:
    """`name=value&…` decoded, in its order. Raises `Problem` 400 or 414."""
    if len(query) <= _SHORT:
        return list(_parsed_before(query))
    if len(query) > longest:
        text = f"The query is longer than {longest} bytes: search with POST …/_search."
        raise Problem(414, error("too-long", text))
    return _parsed(query)


@lru_cache(maxsize=2000)
def _parsed_before(query: str) -> tuple[tuple[str, str], ...]:
    return tuple(_parsed(query))


def _parsed(query: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except UnicodeDecodeError:
        raise bad_request("The parameters are not UTF-8.", "value") from None
    except ValueError:
        text = f"More than {MOST_PARAMETERS} parameters."
        raise Problem(400, error("too-costly", text)) from None
    for name, value in pairs:
        if _CONTROL.search(name) or _CONTROL.search(value):
            raise bad_request("A parameter holds control characters.", "value")
    return pairs
