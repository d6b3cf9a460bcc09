"""Releases are loaded whole or not at all, side by side, and say what a walk would say."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.actor import SYSTEM
from helsevev.access.expansion import MOST, Asked
from helsevev.access.services import Services
from helsevev.access.terminology import Coded, Terminology
from helsevev.access.terminology_errors import CannotTell, NotKnown
from helsevev.record import terminology as terminology_tables
from helsevev.record import terminology_loading
from helsevev.terminology.distributions import read
from helsevev.terminology.shapes import BadDistribution, Concept, Distribution, Release

from .synthetic_snomed import Edition

SNOMED = "http://snomed.info/sct"
SYSTEM_URL = "http://example.org/cs"
SIZE = 400


def silent(_what: str, _count: int) -> None:
    """Progress that nobody watches."""


def listed(version: str, *codes: str) -> Distribution:
    """A release with a few codes."""
    found = tuple(Concept(code, f"{code} in {version}") for code in codes)
    return Distribution(
        (Release(SYSTEM_URL, version, "Example", "en", "test", lambda: iter(found)),)
    )


@pytest.fixture(scope="module")
def terminology(services: Services) -> Terminology:
    """The service over a fresh record."""
    return services.terminology


@pytest.fixture(scope="module")
def edition() -> Edition:
    """A small edition in SNOMED CT's format."""
    return Edition(SIZE, 4)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def loaded(
    terminology: Terminology, edition: Edition, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Edition]:
    """The edition, loaded."""
    folder = edition.write(tmp_path_factory.mktemp("rf2"))
    await terminology.load(read("snomed", folder), "first", progress=silent)
    yield edition


def below(edition: Edition, code: str) -> set[str]:
    """A concept and all below it, by walking."""
    children: dict[int, list[int]] = {}
    for n, parents in enumerate(edition.parents):
        for parent in parents:
            children.setdefault(parent, []).append(n)
    codes = [edition.code(n) for n in range(SIZE)]
    reached = {codes.index(code)}
    waiting = list(reached)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    return {codes[n] for n in reached}


async def test_subsumption_by_numbers_is_what_a_walk_finds(
    terminology: Terminology, loaded: Edition
) -> None:
    chance = random.Random(3)
    for _ in range(60):
        a, b = (loaded.code(chance.randrange(SIZE)) for _ in range(2))
        walked = below(loaded, a)
        expected = "not-subsumed"
        if a == b:
            expected = "equivalent"
        elif b in walked:
            expected = "subsumes"
        elif a in below(loaded, b):
            expected = "subsumed-by"
        assert await terminology.subsumes(SNOMED, a, b) == expected
        assert set(await terminology.codes_below(SNOMED, a)) == walked
        above = await terminology.codes_above(SNOMED, a)
        assert all(a in below(loaded, code) for code in above)
        assert len(above) == sum(a in below(loaded, loaded.code(n)) for n in range(SIZE))


async def test_an_edition_goes_by_its_uri_with_a_date_and_without(
    terminology: Terminology, loaded: Edition
) -> None:
    module = f"{SNOMED}/51000202101"
    for version in ("", module, f"{module}/version/20260415"):
        found = await terminology.lookup(SNOMED, loaded.code(7), version)
        assert found.release.version == f"{module}/version/20260415"
    with pytest.raises(NotKnown, match="not here in version"):
        await terminology.lookup(SNOMED, loaded.code(7), f"{module}/version/20200101")


async def test_names_are_norwegian_before_english(
    terminology: Terminology, loaded: Edition
) -> None:
    found = await terminology.lookup(SNOMED, loaded.code(7))
    norwegian = [n.value for n in found.names if n.language == "nb" and n.preferred]
    assert found.display == norwegian[0]
    english = await terminology.lookup(SNOMED, loaded.code(7), languages=("en",))
    assert english.display in [n.value for n in english.names if n.language == "en"]


async def test_pages_of_an_expansion_join_without_gap_or_repetition(
    terminology: Terminology, loaded: Edition
) -> None:
    url = f"{SNOMED}?fhir_vs=isa/{loaded.code(0)}"
    whole = below(loaded, loaded.code(0))
    codes: list[str] = []
    while True:
        _, page = await terminology.expand(url, Asked(offset=len(codes), count=37))
        assert page.total == len(whole)
        if not page.contains:
            break
        codes += [each["code"] for each in page.contains]
    assert len(codes) == len(set(codes))
    assert set(codes) == whole


async def test_typed_text_finds_exactly_the_names_with_words_that_begin_so(
    terminology: Terminology, loaded: Edition
) -> None:
    _, page = await terminology.expand(f"{SNOMED}?fhir_vs", Asked(filter="infek kron"))
    found = {each["code"] for each in page.contains}
    expected = set()
    for n in range(SIZE):
        names = (await terminology.lookup(SNOMED, loaded.code(n))).names
        if any("infeksjon" in n.value and "kronisk" in n.value for n in names):
            expected.add(loaded.code(n))
    assert found == expected
    assert expected


@pytest.mark.parametrize("typed", ["'", "\\", "%", "_", "a & b", ":*", "!", "(", "\x00", " " * 50])
async def test_whatever_is_typed_is_text(
    terminology: Terminology, loaded: Edition, typed: str
) -> None:
    await terminology.expand(f"{SNOMED}?fhir_vs", Asked(filter=typed, count=5))


@given(st.text(max_size=30))
async def test_whatever_is_asked_about_is_answered_or_not_known(
    terminology: Terminology, loaded: Edition, text: str
) -> None:
    if "\x00" in text or not text.isprintable():
        return
    for ask in (
        terminology.lookup(SNOMED, text),
        terminology.lookup(text, "1"),
        terminology.expand(text),
        terminology.validate_in(f"{SNOMED}?fhir_vs", Coded(SNOMED, text)),
    ):
        try:
            await ask
        except (NotKnown, CannotTell):
            pass


async def test_versions_stand_side_by_side_and_the_newest_loaded_is_current(
    terminology: Terminology,
) -> None:
    await terminology.load(listed("1", "a", "b"), "one", progress=silent)
    await terminology.load(listed("2", "a"), "two", progress=silent)
    assert (await terminology.lookup(SYSTEM_URL, "a")).display == "a in 2"
    assert (await terminology.lookup(SYSTEM_URL, "b", "1")).display == "b in 1"
    await terminology.load(listed("3", "c"), "three", make_current=False, progress=silent)
    assert (await terminology.lookup(SYSTEM_URL, "a")).release.version == "2"
    assert (await terminology.lookup(SYSTEM_URL, "c", "3")).display == "c in 3"


async def test_loading_again_changes_nothing_and_other_content_takes_the_place(
    terminology: Terminology,
) -> None:
    await terminology.load(listed("9", "a"), "same", progress=silent)
    (again,) = await terminology.load(listed("9", "a"), "same", progress=silent)
    assert again.unchanged
    (other,) = await terminology.load(listed("9", "z"), "other", progress=silent)
    assert not other.unchanged
    with pytest.raises(NotKnown):
        await terminology.lookup(SYSTEM_URL, "a", "9")
    versions = [r["version"] for r in await terminology.releases() if r["system"] == SYSTEM_URL]
    assert versions.count("9") == 1


async def test_a_release_that_breaks_halfway_leaves_what_was_there(
    terminology: Terminology,
) -> None:
    await terminology.load(listed("10", "a"), "whole", progress=silent)
    calls = iter(range(10))

    def breaking() -> Iterator[Concept]:
        yield Concept("new", "New")
        if next(calls):
            raise BadDistribution("The file ends in the middle.")

    half = Release(SYSTEM_URL, "10", "Example", "en", "test", breaking)
    with pytest.raises(BadDistribution, match="in the middle"):
        await terminology.load(Distribution((half,)), "half", progress=silent)
    assert (await terminology.lookup(SYSTEM_URL, "a", "10")).display == "a in 10"


async def test_what_is_too_large_for_one_answer_is_refused_with_what_to_ask(
    terminology: Terminology,
) -> None:
    many = listed("many", *(f"c{n}" for n in range(MOST + 1)))
    await terminology.load(many, "many", make_current=False, progress=silent)
    value_set = {"compose": {"include": [{"system": SYSTEM_URL, "version": "many"}]}}
    with pytest.raises(CannotTell, match="count and offset"):
        await terminology.expand(value_set)
    _, page = await terminology.expand(value_set, Asked(count=10))
    assert (len(page.contains), page.total) == (10, MOST + 1)


async def test_member_codes_are_all_codes_of_a_value_set(
    services: Services, terminology: Terminology
) -> None:
    value_set = {
        "resourceType": "ValueSet", "id": "members", "status": "active",
        "url": "http://example.org/members",
        "compose": {"include": [
            {"system": SYSTEM_URL, "version": "1"},
            {"system": "http://example.org/none", "concept": [{"code": "x"}]},
        ]},
    }  # fmt: skip
    await services.writer.write(SYSTEM, value_set)
    found = {
        s.system: s.codes for s in await terminology.member_codes("http://example.org/members")
    }
    assert found == {SYSTEM_URL: ["a", "b"], "http://example.org/none": ["x"]}


async def test_what_comes_with_the_program_is_told_as_a_part(terminology: Terminology) -> None:
    await terminology.load_included()
    count = len(await terminology.releases())
    await terminology.load_included()
    assert len(await terminology.releases()) == count
    found = await terminology.lookup("http://loinc.org", "8867-4")
    assert found.release.content == "fragment"
    with pytest.raises(NotKnown, match="Only a part"):
        await terminology.validate_code(Coded("http://loinc.org", "1-8"))


async def test_the_real_norwegian_lists_answer(terminology: Terminology, shared: Path) -> None:
    norway = shared / "data" / "norway" / "terminology"
    for kind, place in (
        ("icd10", "navikt-diagnoser/icd10.csv"),
        ("icpc2", "sarepta/ICPC-2n-v40-RASTXT_CSV.txt"),
    ):
        await terminology.load(read(kind, norway / place, "2026"), place, progress=silent)
    icd10, icpc2 = "http://hl7.org/fhir/sid/icd-10-no", "http://hl7.org/fhir/sid/icpc-2"
    assert await terminology.subsumes(icd10, "E10", "E10.9") == "subsumes"
    assert (
        await terminology.lookup("urn:oid:2.16.578.1.12.4.1.1.7110", "A46")
    ).display == "Erysipelas"
    _, page = await terminology.expand(f"{icd10}?fhir_vs", Asked(filter="hjerteinf", count=10))
    assert "I21" in {each["code"][:3] for each in page.contains}
    translated = await terminology.translate(Coded(icpc2, "A04"), target_system=icd10)
    assert {"G93.3", "R53"} <= {match.code for match in translated.matches}


async def test_common_words_are_found_as_rare_ones_are(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is looked at instead of the index of words, and what the index is asked for the rest."""
    monkeypatch.setattr(terminology_loading, "COMMON", 50)
    monkeypatch.setattr(terminology_tables, "SMALL", 10)
    names = [f"{('akutt', 'kronisk')[n % 2]} smerte i sted{n}" for n in range(400)]
    names += ["gammel sjelden smerte", "smerte"]
    concepts = [Concept(f"c{n}", name) for n, name in enumerate(names)]
    release = Release("urn:common", "1", "Common", "nb", "test", lambda: concepts)
    await services.terminology.load(
        Distribution((release,)), "common", progress=lambda _what, _count: None
    )

    async def found(text: str, count: int = 20) -> list[str]:
        asked = Asked(filter=text, count=count)
        whole = {"compose": {"include": [{"system": "urn:common"}]}}
        _, expansion = await services.terminology.expand(whole, asked)
        return [each["display"] for each in expansion.contains]

    for text, count in (("smer", 20), ("i smer", 20), ("kron sme", 20), ("sme", 500)):
        shown = await found(text, count)
        fitting = [n for n in names if all(f" {word}" in f" {n}" for word in text.split())]
        assert set(shown) <= set(fitting)
        assert len(shown) == len(set(shown)) == min(count, len(fitting))
    assert await found("sjel sme") == ["gammel sjelden smerte"]
    assert await found("akutt kronisk") == []
    assert (await found("smerte"))[0] == "smerte"
