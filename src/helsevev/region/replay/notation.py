"""What a ledger remembers of a resource: its content by itself, the same however it is written."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

_TAG: Final = re.compile(r"<[^>]*>")
_GIVEN_BY_THE_SERVER: Final = frozenset({"id", "meta"})
MARKED: Final = "Merke"
"""The word before a note's mark, which is the last that is written in it, with a full stop."""
_MARK: Final = re.compile(rf"\b{MARKED} (\S+)\.(?!\S)")


def read_json(text: bytes | str) -> Any:
    """Decode FHIR JSON with the digits of its numbers kept. Raises ValueError."""
    return json.loads(text, parse_float=_Digits)


class _Digits(str):
    """A decimal number as it is written, so that 37.0 is not 37."""


def digest(content: Any) -> str:
    """One hash for one content, whatever the order of its names."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def whole(resource: dict[str, Any]) -> Any:
    """A resource without what the server gives it."""
    return {name: value for name, value in resource.items() if name not in _GIVEN_BY_THE_SERVER}


def words(composition: dict[str, Any]) -> list[list[str]]:
    """A note's headings, each with its plain text."""
    return [
        [section.get("title", ""), plain(section.get("text", {}).get("div", ""))]
        for section in composition.get("section", ())
    ]


def mark_of(written: Sequence[Sequence[str]]) -> str:
    """The mark of a note by its `words`, "" without: the last, as those before it are copied."""
    marks = [mark for _, text in written for mark in _MARK.findall(text)]
    return marks[-1] if marks else ""


def plain(xhtml: str) -> str:
    """The words of a narrative, one space between them."""
    return " ".join(html.unescape(_TAG.sub(" ", xhtml)).split())


def values(observations: Sequence[dict[str, Any]]) -> list[list[str]]:
    """What a round measured: code and number of each measurement and component, sorted.

    Scores are left out: they follow from the rest.
    """
    found = []
    for observation in observations:
        if _category(observation) == "vital-signs":
            for part in (observation, *observation.get("component", ())):
                if "valueQuantity" in part:
                    number = part["valueQuantity"].get("value", "")
                    found.append([part["code"]["coding"][0]["code"], str(number)])
    return sorted(found)


def _category(observation: dict[str, Any]) -> str:
    codings = (c for each in observation.get("category", ()) for c in each.get("coding", ()))
    return next((coding.get("code", "") for coding in codings), "")
