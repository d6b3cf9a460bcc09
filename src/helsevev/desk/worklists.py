"""Saved lists: which somebody can open, of the content and of their own; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from helsevev.access.actor import Actor
from helsevev.content.loading import ward
from helsevev.content.packs.worklists import Worklist
from helsevev.fhir.reading import OSLO
from helsevev.follow_up.coding import stamp
from helsevev.follow_up.listing import put_in

KIND: Final = "worklists"
"""The kind under which somebody's own lists are kept."""
MOST: Final = 100
"""Rows of a list."""


def filled(search: str, actor: Actor, now: datetime) -> list[tuple[str, str]]:
    """The search's parameters, with dates and who looks put in for what stands in braces."""
    today = now.astimezone(OSLO).date()
    values = {
        "today": today.isoformat(), "tomorrow": (today + timedelta(days=1)).isoformat(),
        "yesterday": (today - timedelta(days=1)).isoformat(),
        "week-ago": (today - timedelta(days=7)).isoformat(),
        "day-ago": stamp(now - timedelta(days=1)), "now": stamp(now),
        "me": ",".join(actor.person), "unit": ",".join(actor.unit),
    }  # fmt: skip
    asked = [each for each in put_in(search, values) if each[0] != "_count"]
    return [*asked, ("_count", str(MOST))]


def offered(lists: Iterable[Worklist], actor: Actor) -> list[Worklist]:
    """The lists of the content that are for the actor's profession, by title."""
    fits = [each for each in lists if not each.professions or actor.profession in each.professions]
    return sorted(fits, key=lambda each: each.title.casefold())


def own_list(key: str, body: str) -> Worklist:
    """A list that somebody has made for themselves. Raises `msgspec.ValidationError`."""
    said = msgspec.json.decode(body, type=dict[str, str])
    return made(key, said["title"], said["search"])


def made(key: str, title: str, search: str) -> Worklist:
    """A list of one's own. Raises `ValueError` when the search is of no type that is listed."""
    kind = search.partition("?")[0]
    columns = {each.type: each.column for each in ward().own}
    if kind not in columns:
        raise ValueError(f"{kind!r} is not searched in by lists of one's own")
    return Worklist(
        key=key, title=title, version="1", source=(title,), search=search, column=columns[kind]
    )
