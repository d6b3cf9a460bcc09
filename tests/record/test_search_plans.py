"""The common searches walk the index that is meant for them, also for the sixth time."""

from __future__ import annotations

import contextlib
import json
import time
from random import Random
from statistics import median
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from helsevev.fhir.search_query import parse
from helsevev.kit import clock
from helsevev.record import keys, rows, search_cost
from helsevev.record.database import Database, TookTooLong
from helsevev.record.search import Scope, Search
from helsevev.record.search_cost import TooCostly
from helsevev.record.statements import load
from helsevev.record.store import Store, Write

pytestmark = pytest.mark.soak

PEOPLE, EACH = 500, 100
LOINC = "http://loinc.org"
SOUNDS = ("ber", "han", "nor", "lie", "ost", "dal", "vik", "ås", "mo", "ha", "ru", "sta")


def person(n: int, chance: Random) -> dict[str, Any]:
    family = "".join(chance.sample(SOUNDS, 3)).capitalize()
    return {
        "resourceType": "Patient", "id": f"p{n}",
        "birthDate": f"{1930 + n % 90}-01-{n % 28 + 1:02}",
        "name": [{"family": family, "given": [chance.choice(SOUNDS).capitalize()]}],
        "identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": f"{n:011}"}],
    }  # fmt: skip


def entry(who: int, n: int, chance: Random) -> dict[str, Any]:
    when = f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 28):02}"
    subject = {"reference": f"Patient/p{who}"}
    code = {"coding": [{"system": LOINC, "code": f"{min(chance.randrange(400), 60)}-1"}]}
    if n % 10 == 0:
        return {"resourceType": "Encounter", "id": f"e{who}-{n}", "status": "finished",
                "subject": subject, "period": {"start": when, "end": when},
                "serviceProvider": {"reference": f"Organization/o{who % 20}"}}  # fmt: skip
    if n % 10 == 1:
        contact = {"reference": f"Encounter/e{who}-{n - 1}"}
        return {"resourceType": "Condition", "id": f"c{who}-{n}", "subject": subject, "code": code,
                "recordedDate": when, "encounter": contact}  # fmt: skip
    status = "amended" if who % 100 == 7 and n == 12 else "final"
    return {"resourceType": "Observation", "id": f"o{who}-{n}", "status": status, "code": code,
            "category": [{"coding": [{"system": "urn:c", "code": "laboratory"}]}],
            "subject": subject, "effectiveDateTime": when,
            "component": [{"code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
                           "valueQuantity": {"value": chance.randrange(80, 1080)}}],
            "encounter": {"reference": f"Encounter/e{who}-{n // 10 * 10}"},
            "valueQuantity": {"value": chance.randrange(200), "unit": "mmol/L"}}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def region(store: Store, author: Any) -> None:
    """Some fifty thousand entries about five hundred people."""
    chance = Random(3)
    for who in range(PEOPLE):
        made = [person(who, chance), *(entry(who, n, chance) for n in range(EACH))]
        at = clock.now()
        built = [rows.build(rows.stamped(r, 1, at), 1, rows.locality(r)) for r in made]
        await store.write(Write(keys.next_key(), at, author, built))
    for table in ("resource", "search_string", "search_date", "search_quantity", "coding",
                  "treatment_relation"):  # fmt: skip
        await store.roles.owner.execute(f"VACUUM ANALYZE {table}")


class Explained:
    """A database that keeps the plans of what it is asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.plans: list[str] = []
        self.hurried = False
        """Whether what should be quick never is."""
        self.seconds: list[float] = []

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        plan = await self._database.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
        self.plans.append(plan if isinstance(plan, str) else json.dumps(plan))
        begun = time.perf_counter()
        found = await self._database.fetch(statement, *arguments)
        self.seconds.append(time.perf_counter() - begun)
        return found

    async def fetch_within(self, seconds: float, statement: str, *arguments: Any) -> Any:
        if statement.startswith("EXPLAIN"):
            return await self._database.fetch(statement, *arguments)
        if seconds == search_cost.QUICK and self.hurried:
            raise TookTooLong("A statement was stopped.")
        return await self.fetch(statement, *arguments)


def over(store: Store, explained: Explained) -> Search:
    """A search that asks through `explained`."""
    made = SimpleNamespace(
        database=explained, shown=explained, places_of=store.places_of, custom=store.custom
    )
    return Search(made)  # type: ignore[arg-type]


SEARCHES = [
    ("Observation", [("patient", "p7"), ("_count", "50")], "resource_by_patient_date"),
    ("Observation", [("patient", "p7"), ("_sort", "-date")], "resource_by_patient_date"),
    ("Observation", [("patient", "p7"), ("code", f"{LOINC}|3-1")], "resource_by_"),
    ("Observation", [("patient", "p7"), ("category", "laboratory")], "resource_by_patient_date"),
    ("Observation", [("code", f"{LOINC}|3-1"), ("_count", "50")], "resource_by_code_date"),
    ("Observation", [("code", "3-1")], "resource_by_code_date"),
    ("Observation", [("code", f"{LOINC}|3-1"), ("date", "ge2025")], "resource_by_code_date"),
    ("Observation", [("code", f"{LOINC}|60-1"), ("_sort", "-date")], "resource_by_code_date"),
    ("Observation", [("encounter", "Encounter/e7-20")], "resource_by_key"),
    ("Encounter", [("service-provider", "Organization/o7")], "resource_by_key"),
    ("Patient", [("identifier", "urn:oid:2.16.578.1.12.4.1.4.1|00000000007")], "resource_by_key"),
    ("Patient", [("identifier", "00000000007")], "resource_by_key"),
    ("Patient", [("name", "berhannor")], "search_string_in_order"),
    ("Patient", [("family", "berhannor"), ("birthdate", "gt1940")], "search_string_in_order"),
    ("Observation", [("code-value-quantity", f"{LOINC}|3-1$gt190")], "search_quantity_by_value"),
    ("Observation", [("code-value-quantity", "3-1$gt190||mmol/L")], "search_quantity_by_value"),
    (
        "Observation",
        [("component-code-value-quantity", f"{LOINC}|8480-6$gt1077")],
        "search_quantity_by_value",
    ),
    (
        "Observation",
        [("patient.identifier", "00000000007"), ("code", f"{LOINC}|3-1")],
        "resource_by_key",
    ),
    ("Observation", [("subject:Patient.family", "berhannor")], "search_string_in_order"),
    (
        "Patient",
        [("_has:Encounter:patient:service-provider", "Organization/o7")],
        "resource_by_key",
    ),
    (
        "Observation",
        [("encounter:Encounter.service-provider", "Organization/o7"), ("patient", "p7")],
        "resource_by_",
    ),
    ("Patient", [("_id", "p7")], "resource_"),
    ("Observation", [("_id", "o7-3,o8-4,none")], "resource_"),
    ("Observation", [("status", "amended"), ("date", "ge2010")], "resource_by_tokens"),
    ("Observation", [("code", f"{LOINC}|60-1"), ("status", "amended")], "resource_by_"),
    ("Observation", [("status", "final"), ("date", "2019-03-03")], "resource_by_code_date"),
]
SCOPE = Scope("Practitioner/x", ("Organization/o7", "Organization/o8"), clock.now())


@pytest.mark.parametrize("scope", [None, SCOPE], ids=["all", "scoped"])
@pytest.mark.parametrize(("kind", "pairs", "index"), SEARCHES)
async def test_a_common_search_walks_its_index(
    store: Store, kind: str, pairs: list[tuple[str, str]], index: str, scope: Scope | None
) -> None:
    explained = Explained(store.roles.whole)
    search = over(store, explained)
    for _ in range(8):
        await search.run(parse(kind, pairs), scope)
        explained.plans, last = [], explained.plans[-1]
    assert '"Node Type": "Seq Scan"' not in last.replace("treatment_relation", ""), last
    # Within few inhabitants the planner may rightly begin with them.
    assert index in last or (scope is not None and "resource_" in last), last
    assert median(explained.seconds) < 0.05


async def test_what_is_yet_to_come_is_found_without_reading_what_was(store: Store) -> None:
    search = over(store, explained := Explained(store.roles.whole))
    explained.hurried = True
    for _ in range(8):
        assert (await search.run(parse("Observation", [("date", "ge2027")]))).rows == []
    assert "resource_lasting" in explained.plans[-1]
    assert '"resource_by_code_date"' in explained.plans[-1]


@pytest.mark.parametrize("statement", ["by_keys", "first_by_keys"])
async def test_what_nobody_carries_is_found_missing_by_its_index(
    store: Store, statement: str
) -> None:
    """A conditional create asks this each time, and mostly there is nothing."""
    explained = Explained(store.roles.whole)
    for number in range(8):
        nobody = rows.token_hash("identifier", "urn:pressed", str(number))
        assert await explained.fetch(load("conditionals")[statement], ["Task"], [nobody]) == []
    assert "resource_by_key" in explained.plans[-1]
    assert '"Node Type": "Seq Scan"' not in explained.plans[-1]


COSTLY = [
    ("Patient", [("name:contains", "hannor")]),
    ("Observation", [("_total", "accurate")]),
    ("Observation", [("_summary", "count"), ("status", "final")]),
    ("Observation", [("_sort", "code")]),
    ("Observation", [("code:text", "puls")]),
    ("Observation", [("_content", "puls")]),
    ("Encounter", [("_has:Observation:encounter:status", "final")]),
    ("Observation", [("encounter.status", "finished")]),
]


@pytest.mark.parametrize(("kind", "pairs"), COSTLY)
async def test_a_search_that_would_read_too_much_is_refused_before_it_is_run(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, pairs: list[tuple[str, str]]
) -> None:
    """The limit is lowered to where this small record is to a hundred million rows."""
    monkeypatch.setattr(search_cost, "MOST", 900.0)
    explained = Explained(store.roles.whole)
    explained.hurried = True
    with pytest.raises(TooCostly) as told:
        await over(store, explained).run(parse(kind, [*pairs, ("_count", "50")]))
    text = told.value.issues[0].diagnostics
    assert told.value.issues[0].code == "too-costly"
    assert any(word in text for word in ("Name an", "name an", "Narrow", "rarer")), text
    assert sum(explained.seconds) < 0.2


@pytest.mark.parametrize(("kind", "pairs", "index"), SEARCHES)
async def test_no_common_search_is_refused_under_the_same_limit(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    pairs: list[tuple[str, str]],
    index: str,
) -> None:
    monkeypatch.setattr(search_cost, "MOST", 900.0)
    explained = Explained(store.roles.whole)
    explained.hurried = True
    await over(store, explained).run(parse(kind, pairs))


@pytest.mark.parametrize(
    "pairs",
    [
        [("component-code", f"{LOINC}|8480-6"), ("value-quantity:missing", "true")],
        [("category:not", "urn:c|laboratory")],
        [("value-quantity", "gt199")],
        [("value-quantity", "gt198"), ("_total", "accurate")],
    ],
)
async def test_what_the_planner_thinks_cheap_is_stopped_by_the_clock(
    store: Store, monkeypatch: pytest.MonkeyPatch, pairs: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr(search_cost, "QUICK", 0.01)
    monkeypatch.setattr(search_cost, "SECONDS", 0.02)
    begun = time.perf_counter()
    for _ in range(6):
        with contextlib.suppress(TooCostly):
            await Search(store).run(parse("Observation", pairs))
    assert time.perf_counter() - begun < 2
