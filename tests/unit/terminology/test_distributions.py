"""Every kind of distribution, small and in its real format, is read into the same shapes."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from helsevev.terminology.classifications import ICD10, ICPC2, ICPC2B
from helsevev.terminology.distributions import read
from helsevev.terminology.hierarchy import number
from helsevev.terminology.opening import fingerprint
from helsevev.terminology.shapes import BadDistribution, Concept, Distribution, Release


def release(found: Distribution, system: str) -> Release:
    """The one release of a system."""
    (one,) = (each for each in found.releases if each.system == system)
    return one


def concepts(one: Release) -> dict[str, Concept]:
    """Its concepts by code."""
    return {concept.code: concept for concept in one.concepts()}


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_icd_10_stands_below_its_categories_and_chapters(tmp_path: Path) -> None:
    path = write(
        tmp_path, "icd10.csv", "system#code#text\nICD10#E10.9#Diabetes, type 1\nICD10#A46#Rosen\n"
    )
    one = release(read("icd10", path, "2026"), ICD10)
    found = concepts(one)
    assert found["E10.9"].parents == ("E10",)
    assert found["E10"].parents == ("IV",)
    assert found["E10"].abstract
    assert found["A46"].parents == ("I",)
    assert one.version == "2026"


def test_the_directorate_s_list_of_icd_10_tells_parents_and_ends(tmp_path: Path) -> None:
    lines = [
        {"Kode": "E10", "Tekst_uten_lengdebegrensning": "Diabetes mellitus type 1"},
        {"Kode": "E10.9", "Tekst_uten_lengdebegrensning": "Uten", "Foreldrekode": "E10"},
        {"Kode": "E10.8", "Tekst_uten_lengdebegrensning": "Gammel", "Gyldig_til": "2001-12-31"},
    ]  # fmt: skip
    path = write(tmp_path, "icd10.json", json.dumps(lines))
    found = concepts(release(read("icd10", path), ICD10))
    assert found["E10.9"].parents == ("E10",)
    assert not found["E10"].abstract
    assert [found[c].active for c in ("E10.9", "E10.8")] == [True, False]


def test_terms_of_icpc_2b_are_a_system_and_find_their_rubric(tmp_path: Path) -> None:
    path = write(
        tmp_path, "icpc2b.csv",
        "system#code#text#parent_code#parent_text\n"
        "ICPC2B#A01.0000#Smerte generell#A01#Smerte generell\n"
        "ICPC2B#A01.0001#Kronisk smerte#A01#Smerte generell\n",
    )  # fmt: skip
    found = read("icpc2", path)
    assert set(concepts(release(found, ICPC2))) == {"A", "A01"}
    assert [d.value for d in release(found, ICPC2).designations()] == ["Kronisk smerte"]
    terms = concepts(release(found, ICPC2B))
    assert terms["A01.0001"].parents == ("A01",)


def test_icpc_2_maps_to_icd_10_where_the_list_says_so(tmp_path: Path) -> None:
    path = write(
        tmp_path, "icpc.txt",
        "--ICPC-2n\n--Columns: ICPC2_Code,Title,Shorttitle,Icd10_DATCODE,Icd10_DATTEXT,X\n-----\n"
        '"A04","Slapphet/tretthet","Slapphet","G933","x","y"\n'
        '"A04","Slapphet/tretthet","Slapphet","R53","x","y"\n',
    )  # fmt: skip
    one = release(read("icpc2", path), ICPC2)
    (concept_map,) = one.maps
    lines = [(m.source, m.target, m.equivalence) for m in concept_map.lines()]
    assert lines == [("A04", "G93.3", "relatedto"), ("A04", "R53", "relatedto")]
    assert [d.value for d in one.designations()] == ["Slapphet"]


def test_an_atc_code_is_below_its_beginning(tmp_path: Path) -> None:
    path = write(
        tmp_path, "atc.csv", "Kode;Navn\nA;Fordøyelse\nA10;Diabetesmidler\nA10BA02;Metformin\n"
    )
    found = concepts(release(read("atc", path), "http://www.whocc.no/atc"))
    assert found["A10BA02"].parents == ("A10",)
    assert found["A10"].parents == ("A",)


def test_a_table_in_windows_letters_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "atc.csv", "Kode;Navn\nA;Fordøyelsesorganer\n", "cp1252")
    found = concepts(release(read("atc", path), "http://www.whocc.no/atc"))
    assert found["A"].display == "Fordøyelsesorganer"


FEST = """<?xml version='1.0' encoding='utf-8'?>
<FEST xmlns='http://www.kith.no/xmlstds/eresept/m30/2014-12-01'><HentetDato>2026-01-02T03:00:00</HentetDato>
<KatLegemiddelMerkevare><OppfLegemiddelMerkevare><Id>ID_O1</Id><Tidspunkt>2026-01-01T00:00:00</Tidspunkt>
<Status V='A' DN='Aktiv oppføring'/><LegemiddelMerkevare xmlns='http://www.kith.no/xmlstds/eresept/forskrivning/2014-12-01'>
<Atc V='A10BA02' S='2.16.578.1.12.4.1.1.7180' DN='Metformin'/><NavnFormStyrke>Glucophage tab 500 mg</NavnFormStyrke>
<Reseptgruppe V='C' DN='C'/><LegemiddelformKort V='53' DN='Tablett'/><Id>ID_M1</Id></LegemiddelMerkevare></OppfLegemiddelMerkevare></KatLegemiddelMerkevare>
<KatVirkestoff><OppfVirkestoff><Id>ID_O2</Id><Tidspunkt>2026-01-01T00:00:00</Tidspunkt><Status V='U' DN='Utgått'/>
<Virkestoff xmlns='http://www.kith.no/xmlstds/eresept/forskrivning/2014-12-01'><Id>ID_V1</Id><Navn>Metformin</Navn><NavnEngelsk>Metformin hydrochloride</NavnEngelsk></Virkestoff></OppfVirkestoff></KatVirkestoff>
<KatKodeverk><OppfKodeverk><Id>ID_O3</Id><Tidspunkt>2026-01-01T00:00:00</Tidspunkt><Status V='A'/>
<Info><Id>2.16.578.1.12.4.1.1.7180</Id><Betegnelse>ATC</Betegnelse><Kortnavn>ATC</Kortnavn><AnsvarligUtgiver>WHO</AnsvarligUtgiver></Info>
<Element><Id>ID_E1</Id><Kode>A10BA</Kode><Term><Term>Biguanider</Term></Term></Element></OppfKodeverk></KatKodeverk></FEST>
"""  # noqa: E501


def test_fest_holds_medicines_substances_and_atc(tmp_path: Path) -> None:
    found = read("fest", write(tmp_path, "fest.xml", FEST))
    medicines = concepts(release(found, "http://ehelse.no/fhir/CodeSystem/FEST"))
    assert medicines["ID_M1"].properties["atc"] == ["A10BA02"]
    assert not medicines["ID_V1"].active
    atc = release(found, "http://www.whocc.no/atc")
    assert concepts(atc)["A10BA02"].parents == ("A10BA",)
    assert atc.content == "complete"


def test_an_entity_that_multiplies_is_refused(tmp_path: Path) -> None:
    entities = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 12))
    text = f"<!DOCTYPE FEST [<!ENTITY e0 '{'x' * 100}'>{entities}]><FEST>&e11;</FEST>"
    with pytest.raises(BadDistribution, match="not XML"):
        read("fest", write(tmp_path, "bomb.xml", text))


def test_loinc_has_parts_above_answers_and_other_languages(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "Loinc_2.78.zip", "w") as archive:
        archive.writestr("LoincTable/Loinc.csv", (
            '"LOINC_NUM","COMPONENT","PROPERTY","SYSTEM","CLASS","STATUS","SHORTNAME","LONG_COMMON_NAME"\n'
            '"8867-4","Heart rate","NRat","XXX","HRTRATE.ATOM","ACTIVE","Heart rate","Heart rate"\n'
            '"1-1","Old","X","Y","CHEM","DEPRECATED","Old one","Old one"\n'
        ))  # fmt: skip
        archive.writestr("Accessory/ComponentHierarchyBySystem.csv", (
            "PATH_TO_ROOT,SEQUENCE,IMMEDIATE_PARENT,CODE,CODE_TEXT\n"
            ",1,,LP1,Root\nLP1,1,LP1,8867-4,Heart rate\n"
        ))  # fmt: skip
        archive.writestr("AccessoryFiles/AnswerFile/AnswerList.csv", (
            "AnswerListId,AnswerListName,AnswerStringId,DisplayText\nLL1-1,YesNo,LA1-1,Yes\n"
        ))  # fmt: skip
        archive.writestr("AccessoryFiles/LinguisticVariants/nbNO30LinguisticVariant.csv", (
            "LOINC_NUM,LONG_COMMON_NAME\n8867-4,Hjertefrekvens\n"
        ))  # fmt: skip
    one = release(read("loinc", tmp_path / "Loinc_2.78.zip"), "http://loinc.org")
    found = concepts(one)
    assert one.version == "2.78"
    assert found["8867-4"].parents == ("LP1",)
    assert not found["1-1"].active
    assert [(m.group, m.code) for m in one.members()] == [("LL1-1", "LA1-1")]
    assert ("nb", "Hjertefrekvens") in {(d.language, d.value) for d in one.designations()}


def test_national_lists_go_by_all_their_urls(tmp_path: Path) -> None:
    answer = {
        "id": "1101", "title": "Ja, nei", "version": "1.0.0",
        "concepts": [{"code": "1", "display": "Ja"}, {"code": "2", "display": "Nei"}],
    }  # fmt: skip
    write(tmp_path, "1101.json", json.dumps(answer))
    one = release(read("volven", tmp_path), "urn:oid:2.16.578.1.12.4.1.1.1101")
    assert "http://helsedir.no/fhir/CodeSystem/no-kodeverk-1101" in one.aliases
    assert (one.name, one.version, set(concepts(one))) == ("Ja, nei", "1.0.0", {"1", "2"})


def test_laboratory_codes_keep_what_is_said_of_an_analysis(tmp_path: Path) -> None:
    path = write(
        tmp_path, "nlk.csv",
        "kode,gyldig_til,norsk_bruksnavn,kodedefinisjon,komponent,enhet\n"
        "NPU1,,P-Natrium,Plasma - Sodium,Natrium,mmol/L\nNOR1,2020-02-29 23:59:00,P-ACE,,,\n",
    )  # fmt: skip
    found = concepts(release(read("volven", path, "7280.77"), "urn:oid:2.16.578.1.12.4.1.1.7280"))
    assert found["NPU1"].properties["unit"] == ["mmol/L"]
    assert not found["NOR1"].active


def test_resources_are_found_in_bundles_lines_and_packages(tmp_path: Path) -> None:
    system = {
        "resourceType": "CodeSystem", "url": "http://example.org/cs", "version": "1",
        "status": "active", "content": "complete",
        "concept": [{"code": "a", "display": "A", "concept": [{"code": "b", "display": "B"}]}],
    }  # fmt: skip
    bundle = {"resourceType": "Bundle", "entry": [{"resource": system}]}
    lines = json.dumps(bundle) + "\n" + json.dumps({"resourceType": "Patient"}) + "\n"
    (tmp_path / "all.ndjson.gz").write_bytes(gzip.compress(lines.encode()))
    one = release(read("fhir", tmp_path), "http://example.org/cs")
    assert concepts(one)["b"].parents == ("a",)


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("icd10", "a.csv", "one column\nonly\n"),
        ("icpc2", "a.csv", "number;thing\n1;2\n"),
        ("atc", "a.csv", "Kode;Navn\nnot atc;x\n"),
        ("fest", "a.xml", "<FEST/>"),
        ("fest", "a.xml", "<FEST"),
        ("snomed", "a.txt", "x"),
        ("loinc", "a.csv", "x,y\n"),
        ("volven", "a.json", "{}"),
        ("volven", "a.csv", "code,display\n1,Ja\n"),
        ("fhir", "a.json", "not json"),
        ("fhir", "a.json", '{"resourceType": "Patient"}'),
        ("fhir", "a.zip", "no archive"),
    ],
)
def test_what_is_not_what_it_is_said_to_be_is_refused_with_words(
    tmp_path: Path, kind: str, name: str, text: str
) -> None:
    with pytest.raises(BadDistribution, match=r".{10}"):
        read(kind, write(tmp_path, name, text))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadDistribution, match="There is no"):
        read("fhir", tmp_path / "nowhere")


def test_a_fingerprint_changes_with_any_byte(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "code;text\n1;a\n")
    before = fingerprint(path, "icd10")
    assert fingerprint(path, "icd10") == before
    assert fingerprint(path, "icpc2") != before
    write(tmp_path, "a.csv", "code;text\n1;b\n")
    assert fingerprint(path, "icd10") != before


def test_the_real_norwegian_samples_are_read(shared: Path) -> None:
    norway = shared / "data" / "norway"
    counted = {}
    for kind, place in (
        ("icd10", "terminology/navikt-diagnoser/icd10.csv"),
        ("icpc2", "terminology/navikt-diagnoser/icpc2b.csv"),
        ("icpc2", "terminology/sarepta/ICPC-2n-v40-RASTXT_CSV.txt"),
        ("atc", "terminology/atc"),
        ("fest", "fest"),
        ("volven", "terminology/fat-samples"),
        ("volven", "terminology/nlk"),
        ("volven", "volven"),
        ("fhir", "fhir/no-basis/no-basis-2.2.2.tgz"),
    ):
        found = read(kind, norway / place)
        counted[place] = sum(
            len(number((c.code, c.parents) for c in each.concepts()).numbers)
            for each in found.releases
        )
    assert counted["terminology/navikt-diagnoser/icd10.csv"] > 19_633
    assert counted["terminology/nlk"] == 11_391
    assert counted["terminology/atc"] > 6_000
    assert counted["volven"] > 17_000
    assert min(counted.values()) > 1
