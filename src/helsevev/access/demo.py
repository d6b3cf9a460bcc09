"""The demo: its personas, who sign in by a link, and its inhabitants, loaded through the gate."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from rich.progress import Progress

from helsevev.access.actor import SYSTEM, Actor, actor_of
from helsevev.access.services import Services
from helsevev.kit.secret import secret
from helsevev.kit.settings import Settings
from helsevev.region import demo

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

    The day of the first loading stays the stories' today, so a second run changes nothing.
    """
    store = services.gate.store
    bundles = list(demo.bundles(today))
    with Progress(transient=True) as progress:
        task = progress.add_task("Loading the demo's inhabitants", total=len(bundles))
        loaded = 0
        for number, bundle in enumerate(bundles):
            key = f"demo-{number}"
            if await store.remembered(SYSTEM.id, key) is None:
                await services.bundles.transact(SYSTEM, bundle, idempotency_key=key)
                loaded += 1
            progress.advance(task)
    return loaded
