"""Lists of people: what is new first, found by any word, nobody's secrets in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from helsevev.access.people import Found
from helsevev.desk.palette import groups
from helsevev.desk.patient_lists import fitting, rows
from helsevev.screens.rendering import render_text

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NATIONAL = "urn:oid:2.16.578.1.12.4.1.4.1"


def person(name: str, changed: int | None = None, looked: int | None = None, **more: Any) -> Found:
    resource = {
        "resourceType": "Patient", "name": [{"text": name}], "birthDate": "1950-02-03",
        "identifier": [{"system": NATIONAL, "value": "03825000000"}], **more,
    }  # fmt: skip
    return Found(
        name.lower(), resource, True,
        None if changed is None else NOW - timedelta(hours=changed),
        None if looked is None else NOW - timedelta(hours=looked),
    )  # fmt: skip


def test_what_is_new_stands_first_the_newest_on_top_and_then_everybody_by_name() -> None:
    listed = rows([
        person("Dag", changed=2), person("Bo", changed=1, looked=0),
        person("Cato", changed=5, looked=9), person("Anna"), person("Eva", changed=3, looked=9),
    ])  # fmt: skip
    assert [row.name for row in listed] == ["Eva", "Cato", "Anna", "Bo", "Dag"]
    assert [row.is_new for row in listed] == [True, True, False, False, False]


def test_people_are_found_by_any_part_of_name_birth_date_and_number() -> None:
    listed = rows([person("Anna Vik"), person("Bo Dahl")])
    assert [row.name for row in fitting(listed, "vik 1950-02")] == ["Anna Vik"]
    assert len(fitting(listed, "038250")) == 2
    assert fitting(listed, "nobody") == []


def test_a_closed_record_leads_to_the_page_that_asks_why() -> None:
    found = person("Anna")
    closed = Found(found.patient_id, found.resource, False)
    assert rows([closed])[0].href == "/emergency/anna"
    assert rows([found])[0].href == "/patient/anna"


def test_the_palette_shows_mine_before_others_and_nobody_twice() -> None:
    mine, others = rows([person("Anna")]), rows([person("Anna"), person("Bo")])
    shown = groups("a", mine, others)
    assert [[item["label"] for item in group["items"]] for group in shown[:2]] == [
        ["Anna"], ["Bo"],
    ]  # fmt: skip


def test_the_lists_are_drawn_with_and_without_people() -> None:
    for listed in ([], rows([person("Anna", changed=1, looked=2, deceasedBoolean=True)])):
        for template in ("desk/_patient_rows.html", "desk/_found.html"):
            assert render_text(template, rows=listed, words="", problem="")


def test_in_a_record_the_palette_offers_first_what_can_be_done_there() -> None:
    (group, *_others) = groups("", [], [], "/patient/anna/notes", may_write=True)
    assert [item["href"] for item in group["items"]][:3] == [
        "/patient/anna/notes/new", "/patient/anna/vital-signs", "/patient/anna/tasks/new",
    ]  # fmt: skip
    (group, *_others) = groups("", [], [], "/patient/anna")
    assert "/patient/anna/notes/new" not in [item["href"] for item in group["items"]]
    for strange in ("", "/", "//evil.example/patient/x", "/patient/", "javascript:alert(1)"):
        assert len(groups("", [], [], strange)) == 3
