"""Professional content loads, is complete, and says the same as the demo's records."""

from __future__ import annotations

import csv
import os
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from helsevev.content import loading
from helsevev.content.packs.shelf import built_in
from helsevev.content.score_shapes import News2, ScoreCase
from helsevev.content.shapes import ContentError, Results, VitalSigns
from helsevev.region.demo import bundles, personas
from helsevev.region.demo.laboratory import ANALYTES
from helsevev.region.demo.news2 import Signs, points
from helsevev.region.demo.notes import NOTES
from helsevev.region.demo.staff import PROFESSIONS_WITHOUT_PATIENTS

SHARED = Path(os.environ.get("HELSEVEV_SHARED", Path(__file__).parents[4] / "shared"))
PREFACE = 'title = "x"\nowner = "x"\nversion = "1"\nstatus = "draft"\nsource = ["x"]\n'
SIGN = """
[[sign]]
key = "{key}"
label = "x"
short = "x"
[[sign.parts]]
key = "{key}"
loinc = "{loinc}"
display = "x"
label = "x"
short = "x"
unit = "x"
ucum = "x"
decimals = 0
lowest = {lowest}
highest = 9
refused = "x"
"""
BROKEN: dict[str, tuple[str, type[VitalSigns | Results]]] = {
    "not TOML": ("title =", VitalSigns),
    "a field nobody knows": (PREFACE + 'colour = "red"\nsign = []', VitalSigns),
    "a field that is missing": ('title = "x"', VitalSigns),
    "a key that occurs twice": (
        PREFACE + SIGN.format(key="a", loinc="1", lowest=0) * 2,
        VitalSigns,
    ),
    "limits the wrong way round": (
        PREFACE + SIGN.format(key="a", loinc="1", lowest=10),
        VitalSigns,
    ),
    "no source": (PREFACE.replace('["x"]', "[]") + "sign = []", VitalSigns),
    "an unknown status": (PREFACE.replace("draft", "ready") + "sign = []", VitalSigns),
    "one code in two places": (
        PREFACE + '[[group]]\nkey = "g"\nlabel = "g"\n'
        + '[[group.result]]\nlabel = "a"\nloinc = ["1"]\n' * 2,
        Results,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", loading.FILES)
def test_every_content_file_fits_its_shape(name: str) -> None:
    text = files("helsevev.content").joinpath(name).read_text(encoding="utf-8")
    content: Any = loading.read(text, loading.FILES[name], name)
    assert content.owner
    assert content.version


def test_every_content_file_in_the_package_is_loaded() -> None:
    folder = Path(str(files("helsevev.content")))
    known = {path.relative_to(folder).as_posix() for path in folder.rglob("*.toml")}
    packs = {
        f"disciplines/{pack.key}/{path}"
        for pack in built_in()
        for path in pack.files
        if path.endswith(".toml")
    }
    assert known == set(loading.FILES) | packs


@pytest.mark.parametrize("why", BROKEN)
def test_content_that_is_wrong_is_refused_with_the_name_of_its_file(why: str) -> None:
    text, shape = BROKEN[why]
    with pytest.raises(ContentError, match="broken.toml"):
        loading.read(text, shape, "broken.toml")


def score(table: News2, case: ScoreCase) -> int:
    saturation = "saturation-1"
    if case.scale_2:
        saturation = "saturation-2-oxygen" if case.oxygen else "saturation-2-air"
    read: dict[str, int | Decimal] = {
        "respiration": case.respiration,
        saturation: case.saturation,
        "systolic": case.systolic,
        "pulse": case.pulse,
        "temperature": case.temperature,
    }
    coded = {each.key: each.points for each in (*table.oxygen, *table.consciousness)}
    total = sum(table.named(key).points(value) for key, value in read.items())
    return total + coded["oxygen" if case.oxygen else "air"] + coded[case.consciousness]


@pytest.mark.parametrize("case", loading.news2().case, ids=lambda case: str(case.name))
def test_news2_gives_the_total_of_its_own_cases(case: ScoreCase) -> None:
    assert score(loading.news2(), case) == case.total


@pytest.mark.parametrize("case", loading.news2().case, ids=lambda case: str(case.name))
def test_the_demo_scores_as_the_content_does(case: ScoreCase) -> None:
    signs = Signs(
        case.respiration, case.saturation, "2.0" if case.oxygen else "0", f"{case.systolic}/70",
        case.pulse, case.consciousness, str(case.temperature), case.scale_2,
    )  # fmt: skip
    assert sum(points(signs).values()) == case.total


def test_measurements_in_the_demo_are_plausible_by_the_form() -> None:
    form = loading.vital_signs()
    for bundle in bundles(date(2026, 11, 21)):
        for entry in bundle["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] != "Observation":
                continue
            for part in (resource, *resource.get("component", [])):
                found = form.part(part["code"]["coding"][0]["code"])
                if found is not None and "valueQuantity" in part:
                    value = part["valueQuantity"]
                    assert found.is_plausible(Decimal(value["value"])), resource["id"]
                    assert value["code"] == found.ucum, resource["id"]


def test_every_analysis_in_the_demo_has_a_group_and_a_name() -> None:
    every = [result for group in loading.results().group for result in group.result]
    nlk = {code for result in every for code in result.nlk}
    loinc = {code for result in every for code in result.loinc}
    assert {each.nlk for each in ANALYTES.values()} <= nlk
    assert {each.loinc for each in ANALYTES.values()} <= loinc


def test_every_profession_that_signs_in_and_meets_patients_has_a_note_to_write() -> None:
    for persona in personas():
        if (
            persona["kind"] == "practitioner"
            and persona["profession"] not in PROFESSIONS_WITHOUT_PATIENTS
        ):
            assert loading.note_types().for_profession(persona["profession"])


def test_notes_in_the_demo_are_of_types_the_content_knows() -> None:
    known = {each.key: (each.code, each.display, each.label) for each in loading.note_types().type}
    for key, note in NOTES.items():
        if key != "referral":
            assert known[key] == note


def test_break_glass_always_asks_for_words() -> None:
    emergencies = [each for each in loading.grounds().ground if each.emergency]
    assert [each.code for each in emergencies] == ["BLAALYS"]
    assert all(each.text_required for each in loading.grounds().ground)


def test_codes_of_the_demo_have_a_bokmal_label() -> None:
    known = loading.labels()
    named = {each.system: each for each in known.set}
    missing = set()
    for bundle in bundles(date(2026, 11, 21)):
        for found in _codings(bundle):
            if found["system"] in named and known.label(found["system"], found["code"]) is None:
                missing.add((found["system"], found["code"]))
    assert missing == set()


def test_laboratory_codes_are_those_of_the_national_code_list() -> None:
    folder = SHARED / "data" / "norway" / "terminology" / "nlk"
    if not folder.is_dir():
        pytest.skip(f"the national laboratory codes are not here: set HELSEVEV_SHARED ({folder})")
    with next(folder.glob("*.csv")).open(encoding="utf-8") as lines:
        valid = {row["kode"] for row in csv.DictReader(lines) if not row["gyldig_til"]}
    used = {code for group in loading.results().group for each in group.result for code in each.nlk}
    assert used - valid == set()


def test_diagnoses_are_those_of_the_national_code_lists() -> None:
    folder = SHARED / "data" / "norway" / "terminology" / "navikt-diagnoser"
    if not folder.is_dir():
        pytest.skip(f"the national diagnosis codes are not here: set HELSEVEV_SHARED ({folder})")
    valid = set()
    for name, system in (("icd10", "icd-10-no"), ("icpc2", "icpc-2")):
        with (folder / f"{name}.csv").open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines, delimiter="#"):
                valid.add((f"http://hl7.org/fhir/sid/{system}", row["code"], row["text"]))
    systems = {system for system, _, _ in valid}
    used = {
        (found["system"], found["code"], found["display"])
        for bundle in bundles(date(2026, 11, 21))
        for found in _codings(bundle)
        if found["system"] in systems
    }
    assert used - valid == set()


def _codings(value: Any) -> list[dict[str, str]]:
    if isinstance(value, dict):
        own = [value] if "code" in value and isinstance(value.get("system"), str) else []
        return own + [found for each in value.values() for found in _codings(each)]
    if isinstance(value, list):
        return [found for each in value for found in _codings(each)]
    return []
