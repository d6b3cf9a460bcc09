"""Loads a catalogue: its entries at once, then its products as resources of the record.

What is looked up in changes in one transaction. The resources follow a hundred at a time; a loading
that was cut short goes on where it was when it is run again, and one that was done does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from helsevev.access.actor import SYSTEM
from helsevev.access.entries import transaction
from helsevev.access.medicines import Entry
from helsevev.access.services import Services
from helsevev.content import loading as content
from helsevev.decision_support.knowledge import encoded
from helsevev.medication.catalogue import demo, fest, resources
from helsevev.medication.catalogue.interaction_list import interaction_list
from helsevev.medication.catalogue.product import Interaction, Package, Product
from helsevev.medication.catalogue.resources import Resource
from helsevev.terminology import fest as register
from helsevev.terminology.opening import files, fingerprint

_READER: Final = "1"
"""A new number makes what was loaded before be loaded anew."""
_TOGETHER: Final = 100

Tell = Callable[[str, int, int], None]
"""Hears what goes on, how far it is, and of how much."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of it: (kind, entries, withdrawn) and how many resources were written."""

    version: str
    contents: list[tuple[str, int, int]]
    written: int
    unchanged: bool


def _silent(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


async def load_fest(
    services: Services, path: Path, tell: Tell = _silent, *, even_so: bool = False
) -> Loaded:
    """Load FEST from a file, a folder or an archive, and its code lists.

    Raises `BadDistribution` for what is no FEST, and `WouldWithdraw` when most of what is in use
    is missing and not `even_so`; then nothing was changed.
    """
    digest = fingerprint(path, fest.SOURCE, _READER)
    current = await services.medicines.release()
    unchanged = current is not None and current.fingerprint == digest
    if not unchanged:
        found = files(path)
        known = fest.references(found, lambda what, done: tell(what, done, 0))
        entries = fest.entries(found, known, lambda what, done: tell(what, done, known.total))
        version = known.latest[:10]
        await services.medicines.replace((fest.SOURCE, version, digest), entries, even_so=even_so)
    distribution = register.fest(files(path), "", path.name)
    await services.terminology.load(
        distribution, digest, progress=lambda what, done: tell(what, done, 0)
    )
    await _check_by(services)
    return await _finish(services, tell, unchanged=unchanged)


async def _check_by(services: Services) -> None:
    """Have orders checked against the interactions of the release, when it has any."""
    release = await services.medicines.release()
    assert release is not None
    found = [
        msgspec.json.decode(entry.body, type=Interaction)
        async for page in services.medicines.all_of(release.id, "interaction")
        for entry in page
    ]
    if found:
        made = interaction_list(found, release.version)
        await services.knowledge_base.load(encoded(made))


async def load_catalogue(services: Services, _people: object = None) -> Loaded | None:
    """Load the catalogue of the content, unless another is here; None when one is."""
    current = await services.medicines.release()
    if current is not None and current.source != demo.SOURCE:
        return None
    entries = list(demo.entries())
    digest = sha256(msgspec.json.encode([_READER, [e.body for e in entries]])).hexdigest()
    unchanged = current is not None and current.fingerprint == digest
    if not unchanged:
        release = (demo.SOURCE, content.catalogue_products().version, digest)
        await services.medicines.replace(release, entries, even_so=True)
    return await _finish(services, _silent, unchanged=unchanged)


async def _finish(services: Services, tell: Tell, *, unchanged: bool) -> Loaded:
    release = await services.medicines.release()
    assert release is not None
    contents = await services.medicines.contents(release.id)
    written = 0
    if not release.is_written:
        written = await _write(services, release.id, contents, tell)
        await services.medicines.written(release.id)
    return Loaded(release.version, contents, written, unchanged)


async def _write(
    services: Services, release: int, contents: Iterable[tuple[str, int, int]], tell: Tell
) -> int:
    """Have the record's resources say what the entries say; gives how many had not."""
    total = sum(count for kind, count, _ in contents if kind in _WRITTEN)
    done = written = 0
    for kind, make in _WRITTEN.items():
        async for page in services.medicines.all_of(release, kind):
            for at in range(0, len(page), _TOGETHER):
                some = page[at : at + _TOGETHER]
                made = [resource for entry in some for resource in make(entry)]
                written += await _put(services, made)
                done += len(some)
                tell("Writing products into the record", done, total)
    return written


async def _put(services: Services, made: Sequence[Resource]) -> int:
    """Write those of the resources that are not in the record as they are; gives how many."""
    wanted = [(each["resourceType"], each["id"]) for each in made]
    there = await services.gate.open_many(SYSTEM, wanted, interaction="load-medicines")
    changes = []
    for place, resource in zip(wanted, made, strict=True):
        current = there.get(place)
        if current is not None and _content(current) == resource:
            continue
        request: Resource = {"method": "PUT", "url": "/".join(place)}
        if current is not None:
            request["ifMatch"] = f'W/"{current["meta"]["versionId"]}"'
        changes.append({"resource": resource, "request": request})
    if changes:
        await services.bundles.transact(SYSTEM, transaction(changes))
    return len(changes)


def _content(resource: Mapping[str, Any]) -> Resource:
    return {name: value for name, value in resource.items() if name != "meta"}


def _of_product(entry: Entry) -> Iterator[Resource]:
    product = msgspec.json.decode(entry.body, type=Product)
    withdrawn = entry.withdrawn is not None
    yield resources.medication(product, withdrawn=withdrawn)
    yield resources.knowledge(product, withdrawn=withdrawn)


def _of_package(entry: Entry) -> Iterator[Resource]:
    held = msgspec.json.decode(entry.body, type=Package)
    yield resources.package(held, withdrawn=entry.withdrawn is not None)


_WRITTEN: Final = {"product": _of_product, "package": _of_package}
