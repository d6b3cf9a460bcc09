"""Reads the national code lists ("kodeverk i standarder", earlier Volven) and the laboratory codes.

From the national API's answers (one JSON document for each list), from tables of several lists
(`volven_id,oid,code,display`), and the Norwegian laboratory codes (7280) as their table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .opening import File
from .shapes import BadDistribution, Concept, Designation, Distribution, Release, Value
from .tables import DISPLAY, END, Row, codes, document, is_over, pick

OID: Final = "urn:oid:2.16.578.1.12.4.1.1."
_CANONICAL: Final = "http://helsedir.no/fhir/CodeSystem/no-kodeverk-"
_COLLECTION: Final = "https://finnkode.helsedirektoratet.no/adm/collections/"
_LABORATORY: Final = "7280"
_LABORATORY_COLUMN: Final = "norskbruksnavn"
_ABOUT_ANALYSES: Final = {
    "component": "komponent", "system": "system", "kind-of-property": "egenskapsart",
    "unit": "enhet", "specialty": "primrtfagomrde", "group": "gruppering",
    "replaced-by": "erstattesav",
}  # fmt: skip


def volven(files: Iterable[File], version: str, source: str) -> Distribution:
    """Every list that the files hold. Raises `BadDistribution` when there is none."""
    releases: list[Release] = []
    for file in files:
        if file.name.endswith(".json"):
            read = document(file)
            if isinstance(read, dict) and "id" in read and "concepts" in read:
                releases.append(_of_answer(read, version, source))
        elif file.name.lower().endswith((".csv", ".tsv", ".txt")):
            releases += _of_table(file, version, source)
    if not releases:
        raise BadDistribution("There is no code list here that could be read.")
    return Distribution(tuple(releases))


def release(
    number: str, name: str, version: str, source: str, concepts: Iterable[Concept], **more: Any
) -> Release:
    """A national list by its number, under all the URLs that it goes by."""
    listed = tuple({concept.code: concept for concept in concepts}.values())
    return Release(
        f"{OID}{number}", version, name, "nb", source, lambda: iter(listed),
        aliases=(f"{_CANONICAL}{number}", f"{_COLLECTION}{number}"), **more,
    )  # fmt: skip


def _of_answer(read: Mapping[str, Any], version: str, source: str) -> Release:
    def concepts() -> Iterable[Concept]:
        waiting = [(each, "") for each in reversed(read["concepts"])]
        while waiting:
            each, parent = waiting.pop()
            yield Concept(
                str(each["code"]), each.get("display") or "", (parent,) if parent else (),
                each.get("definition") or "", each.get("active", True) is not False,
            )  # fmt: skip
            inner = each.get("concepts") or each.get("children") or ()
            waiting += [(child, str(each["code"])) for child in reversed(inner)]

    name = read.get("title") or read.get("name") or str(read["id"])
    return release(str(read["id"]), name, version or read.get("version") or "", source, concepts())


def _of_table(file: File, version: str, source: str) -> list[Release]:
    lists: dict[str, list[tuple[str, str, Row]]] = {}
    laboratory: list[tuple[str, str, Row]] = []
    for code, display, row in codes(file):
        if _LABORATORY_COLUMN in row:
            laboratory.append((code, display, row))
        else:
            number = pick(row, ("volvenid", "kodeverk", "codelist", "oid")).rpartition(".")[2]
            if not number.isdigit():
                text = f"{file.name} does not say which list {code!r} is of (column volven_id)."
                raise BadDistribution(text)
            lists.setdefault(number, []).append((code, display, row))
    found = [
        release(number, number, version, source, (_plain(*line) for line in lines))
        for number, lines in lists.items()
    ]
    if laboratory:
        found.append(_laboratory(laboratory, version, source))
    return found


def _plain(code: str, display: str, row: Row) -> Concept:
    return Concept(code, display, active=not is_over(pick(row, END)))


def _laboratory(lines: list[tuple[str, str, Row]], version: str, source: str) -> Release:
    concepts: list[Concept] = []
    names: list[Designation] = []
    for code, _, row in lines:
        properties: dict[str, list[Value]] = {
            name: [row[key]] for name, key in _ABOUT_ANALYSES.items() if row.get(key, "").strip()
        }
        display = pick(row, DISPLAY)
        active = not is_over(pick(row, END))
        definition = row.get("kodedefinisjon", "")
        concepts.append(Concept(code, display, (), definition, active, properties=properties))
        component = row.get("komponent", "").strip()
        if component and component != display:
            names.append(Designation(code, "nb", component))
    return release(
        _LABORATORY, "Norsk laboratoriekodeverk", version, source, concepts,
        properties=dict.fromkeys(_ABOUT_ANALYSES, "string"),
        designations=lambda: iter(names),
    )  # fmt: skip
