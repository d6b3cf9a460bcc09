"""The demo: its personas, who sign in by a link, and its inhabitants, loaded through the gate."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from rich.progress import Progress

from helsevev.access.actor import SYSTEM, Actor, actor_of
from helsevev.access.services import Services
from helsevev.kit import clock
from helsevev.kit.secret import secret
from helsevev.kit.settings import Settings
from helsevev.record import keys
from helsevev.record.statements import load as load_statements
from helsevev.record.store import Store
from helsevev.region import demo
from helsevev.region.generate import Plan

_SQL: Final = load_statements("keeping")
_REGION: Final = "demo-region"
LOGIN: Final = "demo-login"


def personas() -> dict[str, Actor]:
    """The demo's personas by the name one signs in with."""
    return {persona["key"]: actor_of(persona) for persona in demo.personas()}


def login_links(settings: Settings, address: str) -> dict[str, str]:
    """One link per persona that signs in at once; worthless on another data folder."""
    key = secret(settings.data, LOGIN)
    return {actor.name: f"{address}/sign-in/{name}?key={key}" for name, actor in personas().items()}


async def load(services: Services, today: datetime) -> int:
    """Load the demo's inhabitants unless they are there; returns how many bundles were loaded.

    The day of the first loading stays the stories' today, so a second run changes nothing; so does
    a first run over an imported region, which has them already.
    """
    store = services.gate.store
    bundles = list(demo.bundles(today))
    if await store.remembered(SYSTEM.id, "demo-0") is None and await _are_there(store, bundles):
        return 0
    reference, *inhabitants = [(f"demo-{n}", today, bundle) for n, bundle in enumerate(bundles)]
    past = [(f"demo-past-{n}", *told) for n, told in enumerate(demo.history(today))]
    stories = [reference, *past, *inhabitants]
    if past and await store.remembered(SYSTEM.id, "demo-1") is not None:
        stories = [reference, *inhabitants]  # It was loaded before there was a past.
    with Progress(transient=True) as progress:
        task = progress.add_task("Loading the demo's inhabitants", total=len(stories))
        loaded = 0
        for key, at, bundle in stories:
            if await store.remembered(SYSTEM.id, key) is None:
                # What goes before is written as of its own days, everything else now.
                with clock.told_at(at) if at < today else nullcontext():
                    await services.bundles.transact(SYSTEM, bundle, idempotency_key=key)
                loaded += 1
            progress.advance(task)
    return loaded


async def _are_there(store: Store, bundles: Iterable[dict[str, Any]]) -> bool:
    """Whether any inhabitant of the stories is in the record."""
    people = {
        ("Patient", entry["resource"]["id"])
        for bundle in bundles
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    }
    return bool(await store.read_many(people))


@dataclass(frozen=True, slots=True)
class LoadedRegion:
    """The generated region of this record: by which plan, and how many of its bundles are there.

    `is_whole` is False while it is being loaded; `bundles` counts those of an earlier, smaller one.
    """

    plan: Plan
    bundles: int
    is_whole: bool


async def region(services: Services) -> LoadedRegion | None:
    """The generated region that was loaded, or begun to be; None when there is none."""
    found = await services.gate.store.remembered(SYSTEM.id, _REGION)
    return None if found is None else msgspec.json.decode(found[1], type=LoadedRegion)


async def remember_region(services: Services, loaded: LoadedRegion) -> None:
    """Note what is loaded. Once it is whole, its tables' statistics are fit for searches."""
    database = services.gate.store.roles.owner
    if loaded.is_whole:
        await database.execute(_SQL["analyze"])
    told = msgspec.json.encode(loaded).decode()
    await database.execute(
        _SQL["remember"], SYSTEM.id, _REGION, keys.next_key(), clock.now(), b"", told
    )
