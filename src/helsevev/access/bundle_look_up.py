"""What a plan needs to know of the record, looked up for all entries at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

from helsevev.access.bundle_plan import Place
from helsevev.record.store import Store, Stored

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


async def newest(store: Store, wanted: Iterable[Place]) -> dict[Place, Stored]:
    """The newest version of each (type, id) that ever existed.

    A deletion comes as a `Stored` without body, whose time is not looked up. Two or three
    statements, however many are asked for.
    """
    places = list(dict.fromkeys(wanted))
    if not places:
        return {}
    found = await store.read_many(places)
    missing = [place for place in places if place not in found]
    if not missing:
        return found
    versions = await store.newest_versions(missing)
    if not versions:
        return found
    patients = await store.places_of(versions)
    for place, (version, deleted) in versions.items():
        found[place] = Stored(patients[place], *place, version, _LONG_AGO, deleted, b"")
    return found


def identifier_of(query: str) -> tuple[str | None, str] | None:
    """System and value when the query asks for one identifier and nothing else, else None.

    The system is None when the query names none (any will do), "" for `|value`.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError):
        return None
    if len(pairs) != 1 or pairs[0][0] != "identifier":
        return None
    text = pairs[0][1]
    if not text.isprintable() or any(special in text for special in ",\\$"):
        return None
    system, bar, value = text.partition("|")
    if not bar:
        return (None, system) if system else None
    return (system, value) if value else None
