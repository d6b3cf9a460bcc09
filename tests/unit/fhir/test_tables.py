"""The committed tables are what the generator makes of HL7's definitions."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from helsevev.fhir import definitions
from helsevev.fhir.search_parameters import FULL_TEXT, LEFT_OUT, PARAMETERS
from helsevev.fhir.structure_checks import structure_check


@pytest.fixture(scope="module")
def generator(repository: Path) -> ModuleType:
    path = repository / "tools" / "generate_fhir_tables.py"
    spec = importlib.util.spec_from_file_location("generate_fhir_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_tables_are_what_the_definitions_give(
    generator: ModuleType, definitions_folder: Path
) -> None:
    for name, text in generator.tables(definitions_folder).items():
        assert (generator.TABLES / name).read_text(encoding="utf-8") == text, name


def test_every_r4_resource_type_is_known(definitions_folder: Path) -> None:
    bundle = json.loads((definitions_folder / "profiles-resources.json").read_text())
    published = {
        resource["id"]
        for resource in (entry["resource"] for entry in bundle["entry"])
        if resource["resourceType"] == "StructureDefinition"
        and resource.get("fhirVersion") == "4.0.1"
        and resource["kind"] == "resource"
        and not resource["abstract"]
    }
    assert published == definitions.RESOURCE_TYPES
    assert len(definitions.RESOURCE_TYPES) == 146


def test_every_published_search_parameter_is_known_or_left_out_by_name(
    definitions_folder: Path,
) -> None:
    bundle = json.loads((definitions_folder / "search-parameters.json").read_text())
    for parameter in (entry["resource"] for entry in bundle["entry"]):
        if parameter.get("version") != "4.0.1" or parameter["code"] in LEFT_OUT:
            continue
        for base in parameter["base"]:
            plain = {"Binary", "Bundle", "Parameters"} if base == "DomainResource" else set()
            every = PARAMETERS.keys() - plain
            types = every if base in ("Resource", "DomainResource") else [base]
            for resource_type in types:
                known = PARAMETERS[resource_type][parameter["code"]]
                assert known.kind == parameter["type"]
                assert known.expression or parameter["code"] in FULL_TEXT


def test_elements_brought_back_from_later_versions_are_not_r4() -> None:
    assert "url" not in definitions.elements("Binary")
    assert "accounts" not in definitions.elements("Meta")
    assert not definitions.is_structure("ResearchStudy.label")
    assert "participantEffective[x]" in definitions.elements("EvidenceVariable.characteristic")


def test_a_check_can_be_compiled_for_every_type() -> None:
    for resource_type in definitions.RESOURCE_TYPES:
        assert structure_check(resource_type)({"resourceType": resource_type}, None) != []
