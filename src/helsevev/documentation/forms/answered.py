"""A signed form as it is read: in its own words, as it was when it was signed.

The answers carry the questions' texts; the form's own version adds points and helps where it is
known. Pure: resources in, what a page draws out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from helsevev.documentation.forms.sheet import answer_words, origin_words
from helsevev.documentation.forms.signing import reason_of, signatures_of
from helsevev.fhir.questionnaire import Item, Option, Prepared
from helsevev.fhir.questionnaire.origins import of
from helsevev.fhir.reading import Moment, mapping, moment, objects, of_patient, text
from helsevev.locale import gettext as _

TITLE: Final = "http://hl7.org/fhir/StructureDefinition/display"
SUMMARY: Final = "http://helsevev.no/fhir/StructureDefinition/form-summary"
FORMS: Final = "https://helsevev.no/fhir/Questionnaire/"
SIGNED: Final = ("completed", "amended", "entered-in-error", "stopped")


class Line(Struct, frozen=True):
    """One line: a heading (`answer` ""), or a question with its answer; `level` from 0."""

    level: int
    words: str
    answer: str = ""
    points: str = ""
    came: str = ""
    file: str = ""
    is_heading: bool = False


class AnsweredForm(Struct, frozen=True):
    """One signed form as lists and panels show it."""

    id: str
    key: str
    version: str
    title: str
    at: Moment | None
    by: str
    summary: tuple[str, ...]
    status: str
    reason: str


def answered_forms(
    responses: Iterable[Mapping[str, Any]], titles: Mapping[str, str] | None = None
) -> list[AnsweredForm]:
    """The signed forms, newest first; drafts of other systems and mistakes are left out."""
    found = [
        answered_form(each, titles)
        for each in of_patient(responses)
        if text(each.get("status")) in SIGNED
    ]
    return sorted(found, key=lambda form: form.at.text if form.at else "", reverse=True)


def answered_form(
    response: Mapping[str, Any], titles: Mapping[str, str] | None = None
) -> AnsweredForm:
    """What a signed form is called, who signed it, and what came out of it."""
    key, version = named_by(response)
    signatures = signatures_of(response)
    title = _own_title(response) or (titles or {}).get(key, "")
    summary = tuple(
        text(each.get("valueString"))
        for each in objects(response.get("extension"))
        if each.get("url") == SUMMARY
    )
    return AnsweredForm(
        id=text(response.get("id")), key=key, version=version,
        title=title or key.replace("-", " ").replace("_", " ") or _("Form"),
        at=moment(response.get("authored")), by=signatures[0][0] if signatures else "",
        summary=summary, status=text(response.get("status")), reason=reason_of(response),
    )  # fmt: skip


def named_by(response: Mapping[str, Any]) -> tuple[str, str]:
    """(key or address, version) of the form that was answered."""
    address, _bar, version = text(response.get("questionnaire")).partition("|")
    return address.removeprefix(FORMS), version


def _own_title(response: Mapping[str, Any]) -> str:
    told = mapping(response.get("_questionnaire"))
    return next(
        (text(e.get("valueString")) for e in objects(told.get("extension"))
         if e.get("url") == TITLE), "",
    )  # fmt: skip


def lines_of(
    response: Mapping[str, Any],
    prepared: Prepared | None = None,
    sources: Mapping[str, str] | None = None,
) -> list[Line]:
    """The answers in the order in which they were given."""
    return list(_lines(objects(response.get("item")), prepared, sources or {}, 0))


def _lines(
    items: Sequence[Mapping[str, Any]],
    prepared: Prepared | None,
    sources: Mapping[str, str],
    level: int,
) -> Iterator[Line]:
    for node in items:
        item = prepared.by_link.get(text(node.get("linkId"))) if prepared else None
        words = text(node.get("text")) or (item.text if item else "") or text(node.get("linkId"))
        answers = objects(node.get("answer"))
        hidden = item is not None and item.look.hidden
        if not answers and not hidden:
            yield Line(level, words, is_heading=True)
        elif not hidden:
            yield Line(
                level, words,
                answer=", ".join(filter(None, (answer_words(each) for each in answers))),
                points=" + ".join(filter(None, (_points(each, item) for each in answers))),
                came=next(
                    (came for e in answers if (came := origin_words(of(dict(e)), sources))), ""
                ),
                file=next((text(mapping(e.get("valueAttachment")).get("url"))
                           for e in answers), ""),
            )  # fmt: skip
        inner = objects(node.get("item")) + [x for e in answers for x in objects(e.get("item"))]
        yield from _lines(inner, prepared, sources, level + (not hidden))


def _points(answer: Mapping[str, Any], item: Item | None) -> str:
    option = _chosen(answer, item)
    return "" if option is None or option.weight is None else f"{option.weight}".replace(".", ",")


def _chosen(answer: Mapping[str, Any], item: Item | None) -> Option | None:
    coding = mapping(answer.get("valueCoding"))
    if item is None or not coding:
        return None
    for option in item.options:
        meant = mapping(option.value.get("valueCoding"))
        if (meant.get("system"), meant.get("code")) == (coding.get("system"), coding.get("code")):
            return option
    return None
