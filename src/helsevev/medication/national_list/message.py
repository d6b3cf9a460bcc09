"""Reads what the service answers: a list of medicines with all that it names, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import (
    concept_text,
    mapping,
    moment,
    objects,
    reference_text,
    text,
)
from helsevev.locale import gettext as _
from helsevev.medication.coding import ATC
from helsevev.medication.national_list.codes import (
    APPLICATION,
    DISCONTINUED,
    FEST,
    NATIONAL_NUMBERS,
    REGISTERED,
    SECTION,
    said,
    values,
)
from helsevev.medication.national_list.dosing import read as read_dosing
from helsevev.medication.national_list.dosing import words_of
from helsevev.medication.national_list.telling import Told, told

_SECTIONS: Final = (
    "sectionMedication", "sectionAllergies", "sectionPLLinfo", "sectionOtherPrescriptions",
    "sectionDispense",
)  # fmt: skip
Resource = Mapping[str, Any]


class NotTheList(ValueError):
    """What came is no list of this patient; the message says why, for the one who asked."""


class Line(Struct, frozen=True):
    """One medicine of the national list: the statement as received, and what it names.

    `problems` are sentences for the reader; `also` is the medicine and its parts by `fullUrl`.
    """

    url: str
    statement: Resource
    also: Mapping[str, Resource]
    name: str
    atc: str
    fest: str
    words: str
    reason: str
    stopped_because: str
    by: str
    problems: tuple[str, ...]
    dosages: tuple[Resource, ...] = ()

    @property
    def identifiers(self) -> frozenset[str]:
        """The numbers of the prescription and of the line, which name it in every message."""
        return frozenset(text(each.get("value")) for each in objects(
            self.statement.get("identifier")) if text(each.get("value")))  # fmt: skip

    @property
    def is_active(self) -> bool:
        """Whether it is in use by the national list."""
        return self.statement.get("status") == "active"

    @property
    def told(self) -> tuple[Told, ...]:
        """All that was received about it."""
        named = [row for resource in self.also.values() for row in told(resource)]
        return (*told(self.statement), *named)


class Source(Struct, frozen=True):
    """One of the registers that the service asks: what it is, and what it answered."""

    name: str
    code: str
    words: str
    at: datetime | None

    @property
    def is_well(self) -> bool:
        """Whether what it holds is in the list."""
        return self.code in ("", "0")


class NationalList(Struct, frozen=True):
    """One answer of the service, with everything in it in one of these places."""

    identifier: str
    made: datetime | None
    bundle: Resource
    lines: tuple[Line, ...]
    former: tuple[Line, ...]
    """Statements that are behind a line, and in no section themselves."""
    allergies: tuple[Resource, ...]
    multidose: tuple[Resource, ...]
    other: tuple[Resource, ...]
    dispensed: tuple[Resource, ...]
    rest: tuple[Resource, ...]
    sources: tuple[Source, ...]
    notices: tuple[str, ...]
    """What a reader must know before trusting the list."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Notices, and what could not be read of the single lines."""
        return (*self.notices, *(f"{line.name}: {each}" for line in self.lines
                                 for each in line.problems))  # fmt: skip

    @property
    def fingerprint(self) -> str:
        """What the lines say, to tell whether two answers are of the same list."""
        return "\n".join(sorted(
            "|".join((*sorted(line.identifiers), str(line.statement.get("status")), line.words))
            for line in self.lines
        ))  # fmt: skip


def read(parameters: Resource, numbers: Sequence[str]) -> NationalList:
    """The list in an answer of `$getMedication`, of the person with one of these numbers.

    Raises `NotTheList` when it is of somebody else, or holds no list.
    """
    given = objects(parameters.get("parameter"))
    bundle = next((mapping(p.get("resource")) for p in given if p.get("name") == "medication"), {})
    entries = {text(e.get("fullUrl")): mapping(e.get("resource"))
               for e in objects(bundle.get("entry"))}  # fmt: skip
    composition = next(
        (r for r in entries.values() if r.get("resourceType") == "Composition"), None
    )
    if composition is None:
        raise NotTheList(_("The answer holds no list of medicines."))
    _must_be(entries, composition, numbers)
    notices = list(_notices(given))
    placed = _sections(composition, entries, notices)
    statements = placed["sectionMedication"]
    named = {url for found in placed.values() for url, _resource in found}
    used: set[str] = set()
    lines = tuple(_line(url, each, entries, used) for url, each in statements)
    former = tuple(
        _line(url, each, entries, used) for url, each in entries.items()
        if each.get("resourceType") == "MedicationStatement" and url not in named
    )  # fmt: skip
    known = {*named, *used, *(line.url for line in former)}
    return NationalList(
        identifier=text(mapping(composition.get("identifier")).get("value")),
        made=_at(bundle.get("timestamp")),
        bundle=bundle,
        lines=lines,
        former=former,
        allergies=tuple(r for _url, r in placed["sectionAllergies"]),
        multidose=tuple(r for _url, r in placed["sectionPLLinfo"]),
        other=tuple(r for _url, r in placed["sectionOtherPrescriptions"]),
        dispensed=tuple(r for _url, r in placed["sectionDispense"]),
        rest=tuple(r for url, r in entries.items() if url not in known),
        sources=tuple(_sources(given)),
        notices=tuple(notices),
    )


def _must_be(entries: Mapping[str, Resource], composition: Resource, who: Sequence[str]) -> None:
    subject = entries.get(text(mapping(composition.get("subject")).get("reference")), {})
    said_of = {text(each.get("value")) for each in objects(subject.get("identifier"))
               if each.get("system") in NATIONAL_NUMBERS}  # fmt: skip
    if not said_of & set(who):
        raise NotTheList(_("The answer is about another person. Nothing of it was kept."))
    wanted = {text(mapping(composition.get("subject")).get("reference"))}
    subjects = {
        text(mapping(each.get("subject") or each.get("patient")).get("reference"))
        for each in entries.values()
    }
    if subjects - wanted - {""}:
        raise NotTheList(_("The answer mixes several persons. Nothing of it was kept."))


def _sections(
    composition: Resource, entries: Mapping[str, Resource], notices: list[str]
) -> dict[str, list[tuple[str, Resource]]]:
    placed: dict[str, list[tuple[str, Resource]]] = {name: [] for name in _SECTIONS}
    for section in objects(composition.get("section")):
        code = next((text(c.get("code")) for c in objects(mapping(section.get("code"))
                     .get("coding")) if c.get("system") == SECTION), "")  # fmt: skip
        if code not in placed and section.get("entry"):
            notices.append(_("The list has a part that is not known here: %(title)s.") % {
                "title": text(section.get("title")) or code})  # fmt: skip
        for entry in objects(section.get("entry")):
            url = text(entry.get("reference"))
            if url not in entries:
                notices.append(_("The list names %(what)s, but the answer lacks it.") % {
                    "what": reference_text(entry) or url})  # fmt: skip
            elif code in placed:
                placed[code].append((url, entries[url]))
    return placed


def _notices(given: Sequence[Resource]) -> Iterator[str]:
    for name, words in (
        ("KJHarLaste", _("The summary care record holds locked entries that are not shown.")),
        ("RFHarLaste", _("There are locked prescriptions that are not shown.")),
    ):
        if any(p.get("name") == name and p.get("valueBoolean") is True for p in given):
            yield words
    for source in _sources(given):
        if not source.is_well:
            yield _("%(source)s did not answer (%(why)s): what it holds may be missing.") % {
                "source": source.name, "why": source.words}  # fmt: skip


def _sources(given: Sequence[Resource]) -> Iterator[Source]:
    at = {p.get("name"): _at(p.get("valueDateTime")) for p in given}
    for name, words, when in (
        ("KJFeilkode", _("The summary care record"), "KJHentetTidspunkt"),
        ("RFM96Feilkode", _("The prescription register"), "RFHentetTidspunkt"),
        ("RFM912Feilkode", _("The register of multidose"), "RFHentetTidspunkt"),
    ):
        for each in given:
            if each.get("name") == name:
                concept = mapping(each.get("valueCodeableConcept"))
                coding = next(iter(objects(concept.get("coding"))), {})
                shown = text(coding.get("display")) or concept_text(concept)
                yield Source(words, text(coding.get("code")), shown, at.get(when))


def _at(value: object) -> datetime | None:
    found = moment(value)
    return found.at if found is not None else None


def _line(url: str, statement: Resource, entries: Mapping[str, Resource], used: set[str]) -> Line:
    also: dict[str, Resource] = {}
    _named(statement.get("medicationReference"), entries, also)
    used.update(also)
    reference = mapping(statement.get("medicationReference"))
    product = also.get(text(reference.get("reference")), {})
    code = product.get("code")
    found = {_key(c): text(c.get("code")) for c in objects(mapping(code).get("coding"))}
    name = reference_text(reference) or concept_text(code)
    dosages, problems = read_dosing(statement)
    if not name:
        problems = [*problems, _("The medicine has no name.")]
    return Line(
        url=url,
        statement=statement,
        also=also,
        name=name or _("Unnamed medicine"),
        atc=found.get("atc", ""),
        fest=found.get("fest", ""),
        words=words_of(statement),
        reason=", ".join(
            text(each) for dosage in objects(statement.get("dosage"))
            for each in values(dosage, APPLICATION, "text")
        ),
        stopped_because=", ".join(filter(None, (
            *(concept_text(each) for each in values(statement, DISCONTINUED, "reason")),
            said(statement, DISCONTINUED, "note"),
        ))),
        by=next((reference_text(each) for each in values(statement, REGISTERED, "provider")), ""),
        problems=tuple(problems),
        dosages=tuple(dosages),
    )  # fmt: skip


def _key(coding: Resource) -> str:
    system = text(coding.get("system"))
    return "fest" if system == FEST else "atc" if system == ATC else system


def _named(reference: object, entries: Mapping[str, Resource], also: dict[str, Resource]) -> None:
    """The medicine that is named, and what it is made of."""
    url = text(mapping(reference).get("reference"))
    if url in also or url not in entries:
        return
    also[url] = entries[url]
    for each in objects(entries[url].get("ingredient")):
        _named(each.get("itemReference"), entries, also)


def providers(statement: Resource) -> list[Resource]:
    """Who has registered a line, as the message refers to them."""
    return [mapping(each) for each in values(statement, REGISTERED, "provider")]
