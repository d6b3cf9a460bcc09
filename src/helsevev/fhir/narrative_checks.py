"""Narratives: one <div> of XHTML that formats text and does nothing.

http://hl7.org/fhir/R4/narrative.html, txt-1. Parsed, since a browser reads entities and odd
spacing that no pattern sees. What shows nothing (txt-2) harms nobody and is kept, as HL7's own
examples have it.
"""

from __future__ import annotations

import re
from typing import Any, Final
from xml.parsers import expat

XHTML: Final = "http://www.w3.org/1999/xhtml"
_ELEMENTS: Final = frozenset(
    {"a", "abbr", "acronym", "b", "big", "blockquote", "br", "caption", "cite", "code", "col",
     "colgroup", "dd", "dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
     "i", "img", "li", "ol", "p", "pre", "q", "samp", "small", "span", "strong", "sub", "sup",
     "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul", "var"}
)  # fmt: skip
_ATTRIBUTES: Final = frozenset(
    {"abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellhalign",
     "cellpadding", "cellspacing", "cellvalign", "char", "charoff", "charset", "cite", "class",
     "colspan", "compact", "coords", "dir", "frame", "headers", "height", "href", "hreflang",
     "hspace", "id", "lang", "longdesc", "name", "nowrap", "rel", "rev", "rowspan", "rules",
     "scope", "shape", "span", "src", "start", "style", "summary", "tabindex", "title", "type",
     "valign", "value", "vspace", "width", "xml:lang", "xml:space", "xmlns"}
)  # fmt: skip
_LINKS: Final = frozenset({"cite", "href", "longdesc", "src"})
_SPACE: Final = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_SCRIPT: Final = re.compile(r"(?:java|vb|live)script:|data:(?!image/(?!svg))", re.IGNORECASE)
_ACTIVE_STYLE: Final = re.compile(
    r"url\((?!data:image/(?!svg))|expression\(|@import|behaviou?r:|-moz-binding|\\", re.IGNORECASE
)


class _Refused(Exception):
    """What the narrative does that it must not."""


class _Reader:
    """Looks at each element as the parser meets it."""

    def __init__(self) -> None:
        self._root = True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._root:
            if name != "div" or attributes.get("xmlns", XHTML) != XHTML:
                raise _Refused("txt-1: a narrative is one <div> element of XHTML")
            self._root = False
        if name not in _ELEMENTS:
            raise _Refused(f"txt-1: <{name[:40]}> does not format text")
        for key, value in attributes.items():
            if key not in _ATTRIBUTES:
                raise _Refused(f"txt-1: the attribute {key[:40]} does not format text")
            plain = _SPACE.sub("", value)
            if key in _LINKS and _SCRIPT.match(plain):
                raise _Refused(f"txt-1: {key} must not run anything")
            if key == "style" and _ACTIVE_STYLE.search(plain):
                raise _Refused("txt-1: a style must not load or run anything")


def _no_declaration(*_: Any) -> None:
    raise _Refused("txt-1: a narrative has no declarations and no processing instructions")


def fault(text: str) -> tuple[str, str] | None:
    """What is wrong with a narrative's text, as an issue's code and words, or None."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = _Reader().start
    parser.StartDoctypeDeclHandler = _no_declaration
    parser.ProcessingInstructionHandler = _no_declaration
    parser.XmlDeclHandler = _no_declaration
    try:
        parser.Parse(text, True)
    except _Refused as refused:
        return "invariant", str(refused)
    except expat.ExpatError as problem:
        reason = expat.errors.messages[problem.code]
        return "value", f"a narrative is one <div> of well-formed XHTML: {reason}"
    return None
