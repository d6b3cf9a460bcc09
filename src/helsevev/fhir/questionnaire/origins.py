"""Where an answer came from: taken from the record, worked out, or put in its place by a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helsevev.fhir.questionnaire.comparing import same, value_of
from helsevev.fhir.questionnaire.extensions import ORIGIN
from helsevev.fhir.questionnaire.places import Answer


@dataclass(frozen=True, slots=True)
class Origin:
    """`kind` is populated, calculated or overridden; `source` the resource it was taken from.

    `of` is when that was so (the source's own time), "" when it does not say.
    """

    kind: str
    source: str = ""
    of: str = ""


def marked(answer: Answer, origin: Origin) -> Answer:
    """The answer with its origin."""
    parts: list[dict[str, Any]] = [{"url": "kind", "valueCode": origin.kind}]
    if origin.source:
        parts.append({"url": "source", "valueReference": {"reference": origin.source}})
    if origin.of:
        parts.append({"url": "of", "valueDateTime": origin.of})
    rest = [each for each in answer.get("extension", ()) if each.get("url") != ORIGIN]
    return {**answer, "extension": [*rest, {"url": ORIGIN, "extension": parts}]}


def of(answer: Answer) -> Origin | None:
    """Where an answer came from; None when nothing is said: a person gave it."""
    for each in answer.get("extension", ()):
        if each.get("url") == ORIGIN:
            parts = {part.get("url"): part for part in each.get("extension", ())}
            return Origin(
                kind=str(parts.get("kind", {}).get("valueCode", "")),
                source=str(parts.get("source", {}).get("valueReference", {}).get("reference", "")),
                of=str(parts.get("of", {}).get("valueDateTime", "")),
            )
    return None


def calculated(answer: Answer) -> Answer:
    """The answer, marked as worked out."""
    return marked(answer, Origin("calculated"))


def is_overridden(answer: Answer) -> bool:
    """Whether a person put this answer in the place of what is worked out."""
    origin = of(answer)
    return origin is not None and origin.kind == "overridden"


def kept(new: Answer, before: list[Answer]) -> Answer:
    """An answer as a page sent it, with the origin that the same answer had before."""
    if of(new) is not None:
        return new
    for each in before:
        origin = of(each)
        if origin is not None and same(value_of(each), value_of(new)):
            return marked(new, origin)
    return new
