"""Content as FHIR resources: every version that was released stands in the record for systems.

A version is a resource of its own, found by `url` and `version`: an answer names one, and another
may be in force. What is in force is active (draft until its owner approves it), the others are
retired. It is worked out from the releases, so that it can be done again after any crash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from helsevev.access.actor import SYSTEM
from helsevev.access.entries import transaction
from helsevev.access.packs import Standing, editions_of, today
from helsevev.access.services import Services
from helsevev.content.packs.item import Item
from helsevev.content.packs.shelf import Edition, built_in
from helsevev.content.shapes import ContentError
from helsevev.fhir.serialization import decode, encode

_AT_ONCE: Final = 100
_OTHER_SIGNS: Final = re.compile(r"[^A-Za-z0-9.-]")
_LONGEST_ID: Final = 64
_KEPT_BY_SERVER: Final = ("meta", "id")


async def publish(services: Services) -> int:
    """Write every version that is not in the record as it should be; how many were written."""
    standing = await services.packs.standing()
    wanted = {(each["resourceType"], each["id"]): each for each in resources(standing)}
    there = await services.gate.store.read_many(wanted)
    entries = []
    for place, resource in wanted.items():
        stored = there.get(place)
        if stored is not None and not stored.deleted and _same(stored.resource, resource):
            continue
        request = {"method": "PUT", "url": "/".join(place)}
        if stored is not None:
            request["ifMatch"] = f'W/"{stored.version}"'
        entries.append({"resource": resource, "request": request})
    for first in range(0, len(entries), _AT_ONCE):
        some = transaction(entries[first : first + _AT_ONCE])
        await services.bundles.transact(SYSTEM, some)
    return len(entries)


def resources(standing: Standing) -> Iterator[dict[str, Any]]:
    """The resources of every version of everything, by what is in force today."""
    on = today()
    owners = {pack.key: pack.about.owner for pack in standing.packs(on)}
    in_force = {
        (each.folder, each.key, each.version)
        for place in ("", *{r.place for r in standing.releases if r.place})
        for each in editions_of(standing.packs(on, place), place)
    }
    every = {(e.folder, e.key, e.version): e for e in editions_of(built_in())}
    every |= {(e.folder, e.key, e.version): e for e in standing.archive.all()}
    for name, edition in every.items():
        try:
            yield from _of(edition, owners.get(edition.pack, ""), name in in_force)
        except ContentError:
            # This program cannot read it any longer; what is in the record stays.
            continue


def _of(edition: Edition, owner: str, holds: bool) -> Iterator[dict[str, Any]]:
    item = edition.item
    for resource in item.resources():
        made = {**resource, "id": id_of(item), "status": _status(item, holds)}
        made.setdefault("publisher", item.owner or owner)
        if made["resourceType"] != "ValueSet" and (item.effective_from or item.effective_to):
            made["effectivePeriod"] = {
                name: day.isoformat()
                for name, day in (("start", item.effective_from), ("end", item.effective_to))
                if day is not None
            }
        if edition.place:
            made["useContext"] = [{
                "code": {
                    "system": "http://terminology.hl7.org/CodeSystem/usage-context-type",
                    "code": "venue",
                },
                "valueReference": {"reference": edition.place},
            }]  # fmt: skip
        yield made


def id_of(item: Item) -> str:
    """The id of the resource that a version of an item is: `barthel-1.0.0`."""
    return _OTHER_SIGNS.sub("-", f"{item.key}-{item.version}")[:_LONGEST_ID]


def _status(item: Item, holds: bool) -> str:
    if not holds:
        return "retired"
    return "active" if item.status == "approved" else "draft"


def _same(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return _bare(there) == _bare(decode(encode(wanted)))


def _bare(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in _KEPT_BY_SERVER}
