"""Who in the gate's room reaches below the wall is named here, with what for."""

from __future__ import annotations

import re

from .source_files import PACKAGE, name_of, sources

BELOW = {
    "acting/choosing.py": "for whom one may act",
    "administration": "organisations, people and roles",
    "apps": "the register of apps, and their tokens",
    "audit": "the trail itself, and those who look after it",
    "blocks": "whom somebody keeps out, also for those who register it and see nothing else",
    "bulk.py": "writing much at once",
    "conditional.py": "turns of writers",
    "demo.py": "loading the demo",
    "explaining.py": "the ties themselves, past ones too",
    "export/exports.py": "the list of exports",
    "gate.py": "ties and the trail",
    "identity": "who signs in",
    "limits.py": "how often somebody asks",
    "live.py": "when somebody looked last",
    "people.py": "finding anyone by name or number, of whom strangers see what identifies",
    "person_matching.py": "the same, by likeness",
    "person_merging.py": "making one record of two",
    "subscriptions": "standing orders, each decided when it is sent",
    "terminology.py": "codes and their names",
    "transaction.py": "turns of writers, and what they write after",
    "writing.py": "what a write follows",
}  # fmt: skip
_BELOW = re.compile(r"(?<!self)\.database\b(?! import)|\.beyond\b|\bbeyond\(\)")


def test_whoever_reaches_below_the_wall_is_on_the_list() -> None:
    found = set()
    for path in sources(".py"):
        if PACKAGE / "access" not in path.parents or not _BELOW.search(path.read_text("utf-8")):
            continue
        inside = path.relative_to(PACKAGE / "access")
        found.add(inside.as_posix() if inside.as_posix() in BELOW else inside.parts[0])
    assert found - BELOW.keys() == set()
    assert BELOW.keys() - found <= {"limits.py"}


def test_nobody_outside_the_gate_s_room_does() -> None:
    rooms = ("chart", "desk", "documentation", "fhir_api", "medication", "observation", "patient")
    found = [
        name_of(path)
        for path in sources(".py")
        if any(PACKAGE / room in path.parents for room in rooms)
        and _BELOW.search(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_statement_changes_its_role_or_what_it_may_see() -> None:
    changes = re.compile(
        r"\b(SET|RESET)\s+((LOCAL|SESSION)\s+)?(ROLE|ALL)\b|helsevev\.scope|set_config",
        re.IGNORECASE,
    )
    files = (PACKAGE / "record" / "sql").glob("*.sql")
    assert [path.name for path in files if changes.search(path.read_text("utf-8"))] == []
