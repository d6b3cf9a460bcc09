"""Reads the medicine register FEST (M30): its entries one by one, and the code systems in them.

The catalogue of a prescription's world: brands, packages, substances, groups, code lists. Who needs
more than codes (prices, interactions, reimbursement) reads the same entries.
Source: FEST implementation guide 3.5 and ER-M30-2014-12-01.xsd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, ParseError, iterparse

from . import atc, volven
from .opening import File
from .shapes import BadDistribution, Concept, Designation, Distribution, Release, Value

FEST: Final = "http://ehelse.no/fhir/CodeSystem/FEST"
_ATC_LIST: Final = "7180"
_ENTRY: Final = "Oppf"
_NAMED: Final = ("LegemiddelMerkevare", "LegemiddelVirkestoff", "Legemiddelpakning", "Virkestoff")
_PROPERTIES: Final = {
    "kind": "code", "atc": "code", "form": "string", "prescriptionGroup": "code",
    "itemNumber": "string",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a catalogue, such as a `LegemiddelMerkevare`; `content` has bare names."""

    kind: str
    id: str
    changed: str
    active: bool
    content: Element

    def text(self, name: str) -> str:
        """The text of a child, "" when it has none."""
        return (self.content.findtext(name) or "").strip()

    def coded(self, name: str) -> tuple[str, str]:
        """(code, name) of a coded child, empty when there is none."""
        found = self.content.find(name)
        return ("", "") if found is None else (found.get("V", ""), found.get("DN", ""))


def entries(file: File) -> Iterator[Entry]:
    """Every entry of a FEST file, one at a time. Raises `BadDistribution` for what is no FEST."""
    root: Element | None = None
    try:
        with file.open() as stream:
            # expat refuses entities that multiply; nothing outside the file is ever read.
            for event, element in iterparse(stream, ("start", "end")):  # noqa: S314
                if event == "start":
                    root = element if root is None else root
                    continue
                element.tag = element.tag.rpartition("}")[2]
                if element.tag.startswith(_ENTRY):
                    yield _entry(element)
                    element.clear()
                elif element.tag.startswith("Kat") and root is not None:
                    root.clear()
    except ParseError as problem:
        raise BadDistribution(f"{file.name} is not XML: {problem}") from problem


def _entry(element: Element) -> Entry:
    kind = element.tag.removeprefix(_ENTRY)
    status = element.find("Status")
    inner = element.find(kind)
    return Entry(
        kind, (element.findtext("Id") or "").strip(), (element.findtext("Tidspunkt") or "").strip(),
        status is None or status.get("V", "A") == "A", element if inner is None else inner,
    )  # fmt: skip


@dataclass(slots=True)
class _Gathered:
    concepts: dict[str, Concept]
    english: list[Designation]
    atc: dict[str, str]
    lists: list[tuple[str, str, list[Concept]]]
    brands: dict[str, str]
    latest: str = ""


def fest(files: Iterable[File], version: str, source: str) -> Distribution:
    """FEST's medicines and substances, ATC as FEST names it, and its code lists.

    Raises `BadDistribution` when there is no entry.
    """
    found = _Gathered({}, [], {}, [], {})
    for file in files:
        if file.name.lower().endswith(".xml"):
            for entry in entries(file):
                _gather(found, entry)
    if not found.concepts and not found.lists:
        raise BadDistribution("There is no entry of FEST here.")
    version = version or found.latest[:10]
    medicines = [_placed(found, concept) for concept in found.concepts.values()]
    releases = [
        Release(
            FEST, version, "FEST", "nb", source, lambda: iter(medicines),
            designations=lambda: iter(found.english), properties=_PROPERTIES,
        )
    ]  # fmt: skip
    releases += [
        volven.release(number, name, version, source, concepts)
        for number, name, concepts in found.lists
        if number != _ATC_LIST
    ]
    if found.atc:
        whole = any(number == _ATC_LIST for number, _, _ in found.lists)
        content = "complete" if whole else "fragment"
        releases.append(atc.release(found.atc, version, source, "nb", content=content))
    return Distribution(tuple(releases))


def _gather(found: _Gathered, entry: Entry) -> None:
    found.latest = max(found.latest, entry.changed)
    code, name = entry.coded("Atc")
    if code and name:
        found.atc.setdefault(code, name)
    if entry.kind == "Kodeverk":
        _list(found, entry)
    elif entry.kind in _NAMED:
        key = entry.text("Id") or entry.id
        display = entry.text("NavnFormStyrke") or entry.text("Navn")
        if key and display:
            found.concepts[key] = _medicine(entry, key, display)
        english = entry.text("NavnEngelsk")
        if english:
            found.english.append(Designation(key, "en", english, "", True))
        if entry.kind == "LegemiddelVirkestoff":
            for reference in entry.content.iterfind("RefLegemiddelMerkevare"):
                found.brands[(reference.text or "").strip()] = key


def _medicine(entry: Entry, key: str, display: str) -> Concept:
    properties: dict[str, list[Value]] = {"kind": [entry.kind]}
    for name, value in (
        ("atc", entry.coded("Atc")[0]),
        ("form", entry.coded("LegemiddelformKort")[1]),
        ("prescriptionGroup", entry.coded("Reseptgruppe")[0]),
        ("itemNumber", entry.text("Varenr")),
    ):
        if value:
            properties[name] = [value]
    brand = (entry.content.findtext("Pakningsinfo/RefLegemiddelMerkevare") or "").strip()
    parents = (brand,) if brand else ()
    return Concept(key, display, parents, active=entry.active, properties=properties)


def _placed(found: _Gathered, concept: Concept) -> Concept:
    """A brand below the substance, form and strength that it is one of."""
    above = found.brands.get(concept.code)
    if above is None or above not in found.concepts or concept.parents:
        return concept
    return Concept(
        concept.code, concept.display, (above,), concept.definition, concept.active,
        properties=concept.properties,
    )  # fmt: skip


def _list(found: _Gathered, entry: Entry) -> None:
    info = entry.content.find("Info")
    if info is None:
        return
    number = (info.findtext("Id") or "").strip().rpartition(".")[2]
    elements = entry.content.findall("Element")
    code_of = {(e.findtext("Id") or ""): (e.findtext("Kode") or "").strip() for e in elements}
    concepts: list[Concept] = []
    for each in elements:
        code = (each.findtext("Kode") or "").strip()
        name = (each.findtext("Term/Term") or "").strip()
        parent = code_of.get(each.findtext("ParentId") or "", "")
        if code:
            concepts.append(Concept(code, name, (parent,) if parent else ()))
            if number == _ATC_LIST:
                found.atc[code] = name
    found.lists.append((number, (info.findtext("Betegnelse") or number).strip(), concepts))
