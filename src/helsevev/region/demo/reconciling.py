"""Medicines reconciled and told of: the List that was signed, and the task for who takes over."""

from __future__ import annotations

from typing import Any

from .codes import Resource, coding, concept
from .story import Story, organisation, ref, staff

_RECONCILIATION = "http://helsevev.no/fhir/CodeSystem/reconciliation"
_EXTENSION = "http://helsevev.no/fhir/StructureDefinition/"
_CHANGES = "urn:oid:1.2.36.1.2001.1001.101.104.16592"
_TASK = "http://helsevev.no/fhir/CodeSystem/task"
_FLAGS = {"continue": "01", "change": "02", "start": "04", "stop": "05", "pause": "06"}
_TITLES = {"admission": "Samstemt ved innleggelse", "discharge": "Samstemt ved utskrivning"}


def reconciled(
    story: Story,
    slug: str,
    at: str,
    when: str,
    by: str,
    encounter: str,
    became: tuple[tuple[str, str, str], ...],
) -> str:
    """A signed reconciliation; each row is (what became of it, the line's slug, in words)."""
    entries: list[Resource] = []
    for verb, line, words in became:
        entry: Resource = {
            "extension": [{"url": f"{_EXTENSION}change-in-words", "valueString": words}],
            "flag": concept(None, coding(_CHANGES, _FLAGS[verb])),
            "item": {"reference": f"MedicationStatement/demo-{story.key}-lib-{line}"},
        }
        entries.append(entry | ({"deleted": True} if verb == "stop" else {}))
    return story.add(
        "List",
        f"samstemming-{slug}",
        status="current",
        mode="changes",
        title=_TITLES[at],
        code=concept(None, coding(_RECONCILIATION, at)),
        subject=story.subject(),
        encounter=ref(encounter),
        date=story.time.stamp(when),
        source=staff(by),
        entry=entries,
    )


def told(
    story: Story,
    slug: str,
    record: str,
    unit_id: str,
    when: str,
    due: str,
    by: str,
    lines: tuple[str, ...],
) -> None:
    """The task for a unit that takes over: what changed, to be acknowledged before `due`."""
    words: dict[str, Any] = {"for": story.subject()}
    story.add(
        "Task",
        f"oppgave-{slug}",
        status="requested",
        intent="order",
        priority="routine",
        code=concept("Legemidler endret ved utskrivning", coding(_TASK, "medication-handover")),
        description="\n".join(lines),
        focus=ref(record),
        authoredOn=story.time.stamp(when),
        lastModified=story.time.stamp(when),
        requester=staff(by),
        owner=organisation(unit_id),
        restriction={"period": {"end": story.time.stamp(due)}},
        **words,
    )
