"""Who treats whom in the demo, read from the records, and the table of it for the docs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from . import INHABITANTS, about, inhabitant
from .codes import Resource
from .staff import personas

RELATIONS = {
    "now": "treats",
    "recent": "treated lately",
    "past": "has treated",
    "none": "–",
    "self": "own record",
}
GRACE = timedelta(days=30)
"""How long after its end a contact still opens the record; the gate's own rule, tested equal."""

_TYPES = ("CareTeam", "EpisodeOfCare", "Encounter")
_NOT_YET = ("waitlist", "planned", "proposed", "cancelled")


def relation(persona: dict[str, Any], resources: Sequence[Resource], today: date) -> str:
    """How a persona stands to the inhabitant of these resources: a key of RELATIONS.

    A CareTeam, EpisodeOfCare or Encounter relates a persona when it names them, their unit or an
    organisation their unit is part of: `now` while it has no end, `recent` for a while after.
    """
    if persona["patient"] is not None:
        own = persona["patient"].split("/")[1]
        return "self" if any(each["id"] == own for each in resources) else "none"
    names = {persona["id"], *persona["organisations"]}
    ends = [
        each["period"].get("end")
        for each in resources
        if each["resourceType"] in _TYPES
        and each["status"] not in _NOT_YET
        and names & set(_parties(each))
    ]
    if not ends:
        return "none"
    if None in ends:
        return "now"
    last = date.fromisoformat(max(ends)[:10])
    return "recent" if last + GRACE > date(today.year, today.month, today.day) else "past"


def table(today: date) -> str:
    """The Markdown page that lists the inhabitants and who may open whose record."""
    people = personas()
    head = "| inhabitant | age | " + " | ".join(f"`{each['key']}`" for each in people) + " |"
    lines = [head, "|---|---|" + "---|" * len(people)]
    stories = []
    for key in INHABITANTS:
        story = inhabitant(key, today)
        person = story.resources[0]
        name = person["name"][0]
        full = f"{' '.join(name['given'])} {name['family']}"
        cells = [RELATIONS[relation(each, story.resources, today)] for each in people]
        age = _age(person["birthDate"], today)
        lines.append(f"| {full} (`demo-{key}`) | {age} | " + " | ".join(cells) + " |")
        stories.append(f"- **{full}**, `Patient/demo-{key}`: {about(key)}")
    who = [f"- `{each['key']}`: {_introduced(each)}" for each in people]
    return "\n".join(
        [*_PREFACE, "", *lines, "", *_BETWEEN, "", *who, "", *_STORIES, "", *stories, ""]
    )


def _introduced(persona: dict[str, Any]) -> str:
    if persona["patient"] is not None:
        return f"{persona['name']}, {persona['role'].lower()}, `{persona['patient']}`"
    place = f"{persona['unit_name']}, {persona['organisation_name']}"
    return f"{persona['name']}, {persona['role'].lower()}, {place}"


def _parties(resource: Resource) -> Iterator[str]:
    """References to people and organisations that a resource gives a part in the care."""
    single = ("managingOrganization", "serviceProvider", "careManager")
    for key in single:
        value = resource.get(key)
        for each in value if isinstance(value, list) else [value] if value else []:
            yield each["reference"]
    for participant in resource.get("participant", []):
        for key in ("member", "individual"):
            if key in participant:
                yield participant[key]["reference"]


def _age(birth: str, today: date) -> str:
    born = date.fromisoformat(birth)
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if years:
        return f"{years} y"
    return f"{(today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)} mo"


_PREFACE = (
    "# The demo's inhabitants",
    "",
    "Made by `python -m helsevev.region.demo.relations`; a test compares it with the records.",
    "",
    "Everybody here is invented. National numbers are synthetic (month + 80), HPR numbers begin",
    "with 9990 and telephone numbers with +47 10, so that none can belong to a real person.",
    "",
    "*treats*: a CareTeam, EpisodeOfCare or Encounter that goes on names the persona, their unit",
    (
        "or an organisation above it. *has treated*: only finished ones do. Others must break the "
        "glass."
    ),
)
_BETWEEN = ("## Whom one can sign in as",)
_STORIES = ("## Their stories",)


if __name__ == "__main__":
    sys.stdout.write(table(datetime.now(UTC).date()))
