"""Who reaches past the wall is named here, with what for."""

from __future__ import annotations

import re

import pytest

from .source_files import PACKAGE, sources

USES = {
    "owner": {
        "access/demo.py": "counting rows anew when a region is loaded",
        "access/services.py": "the packer of indexes",
        "access/terminology.py": "loading code systems, which tidies their tables",
        "record/reindexing.py": "older rows worked out anew, whose rows of search are copied",
        "record/store.py": "imports, which are copied into the tables",
    },
    "whole": {
        "access/administration/effective/working_out.py": "who can do what, of others",
        "access/administration/filling.py": "the read model of staff, once, at the start",
        "access/administration/keeping.py": "organisations and staff, who are nobody's record",
        "access/audit/findings.py": "names of those whom the trail is about, for the officer",
        "access/audit/trail_search.py": "the same",
        "access/audit/watching.py": "the job that looks for unusual reads",
        "access/beside.py": "what a write is checked against: the order, and the doses before",
        "access/blocks/keeping.py": "what somebody has blocked, for who may act for them",
        "access/brought.py": "whether an act of a phone was recorded, and what nobody could record",
        "access/bulk.py": "imports: what is there already",
        "access/card_log.py": "counts of cards by rule, of nobody in particular",
        "access/fillings.py": "the job that tells when a list changes after it was filled",
        "access/gate.py": "that a closed record is there, and whose",
        "access/identity/matching.py": "who signs in",
        "access/medicine_figures.py": "counting how medicines are given, of all, naming nobody",
        "access/medicines.py": "counting how medicines are ordered, of all, naming nobody",
        "access/people.py": "what identifies a stranger, traced for each",
        "access/person_matching.py": "the same, by likeness",
        "access/person_merging.py": "making one record of two, by the register's keeper",
        "access/results_waiting.py": "the job that asks for results to be acknowledged",
        "access/services.py": "jobs: the feed of changes, new search parameters",
        "access/stock.py": "a unit's stock: how much doses have taken of it, naming nobody",
        "access/subscriptions/door.py": "subscriptions, which are about nobody and their owner's",
        "access/subscriptions/wiring.py": "the job that sends notifications",
        "access/transaction.py": "what a write follows",
        "access/waiting.py": "what stands on a unit's own list, of nobody, and what is overdue",
        "access/withholding.py": "an address, to take it out of words about a stranger",
        "access/writing.py": "the same",
        "main.py": "the job that seals the trail",
        "record/store.py": "systems, and whether an inhabitant is new",
    },
    "people": {
        "access/acting/choosing.py": "the names of those one may act for",
        "access/audit/events.py": "the ids of those whom the trail is about",
        "access/medicine_figures.py": "those of a unit's week, for who leads it, traced for each",
        "access/people.py": "lists of people",
        "access/person_matching.py": "the same, by likeness",
    },
    "officer": {
        "access/administration/keeping.py": "organisations, staff and roles",
        "access/audit/asking.py": "an inhabitant's question becomes a finding",
        "access/audit/events.py": "the trail, for who follows it up",
        "access/audit/findings.py": "what was found in it",
        "access/audit/trail_search.py": "searching it",
    },
    "see_whole": {
        "access/administration/scim/pages.py": "the HR system, by its token",
        "access/export/exports.py": "a system's export",
        "access/subscriptions/notices.py": "a system's subscription",
        "advice/pages.py": "a system, by its token",
        "fhir_api/application.py": "a system, by its token",
    },
    "open": {
        "record/keeping.py": "copying whole databases, to back up and restore",
        "record/opening.py": "migrations, and the connections that roles are taken on",
    },
}  # fmt: skip
"""Whatever reaches past the wall, by how: which file, and what for."""

_HOW = {
    "owner": re.compile(r"roles\.owner\b"),
    "whole": re.compile(r"roles\.whole\b|\.beyond\b|\bbeyond\(\)"),
    "people": re.compile(r"roles\.people\b"),
    "officer": re.compile(r"roles\.officer\b"),
    "see_whole": re.compile(r"\bsee_whole\(\)"),
    "open": re.compile(r"\bDatabase\.open\(|\bDatabase\("),
}
_WALL = ("record/database.py", "record/roles.py", "record/wall.py")


@pytest.mark.parametrize("how", _HOW)
def test_whatever_reaches_past_the_wall_is_on_the_list(how: str) -> None:
    found = set()
    for path in sources(".py"):
        if PACKAGE not in path.parents or not _HOW[how].search(path.read_text("utf-8")):
            continue
        found.add(path.relative_to(PACKAGE).as_posix())
    assert found - set(_WALL) == USES[how].keys()


def test_no_statement_changes_its_role_or_what_it_may_see() -> None:
    changes = re.compile(
        r"\b(SET|RESET)\s+((LOCAL|SESSION)\s+)?(ROLE|ALL)\b|helsevev\.scope|set_config",
        re.IGNORECASE,
    )
    files = (PACKAGE / "record" / "sql").glob("*.sql")
    assert [path.name for path in files if changes.search(path.read_text("utf-8"))] == []
