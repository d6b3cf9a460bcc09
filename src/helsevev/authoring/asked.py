"""What the content pages are asked for: who looks at which pack, and what they typed."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.exceptions import NotFoundException

from helsevev.access.content_changes import Change
from helsevev.access.errors import NotFound
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.authoring.opened import Room, open_room
from helsevev.authoring.trying import PREFIX
from helsevev.content.packs.pack import Pack

_Request = Request[Any, Any, Any]


async def room_of(request: _Request) -> Room:
    """The content, for the member of staff who asks."""
    services: Services = request.app.state.services
    return await open_room(services, staff_of_request(request))


def found_pack(room: Room, key: str) -> Pack:
    """A pack; no such page where there is none."""
    try:
        return room.pack(key)
    except NotFound as problem:
        raise NotFoundException("There is no such pack.") from problem


def waits_for(room: Room, change: Change) -> bool:
    """Whether the reader may approve a change: of their content, and not written by them."""
    pack = {each.key: each for each in room.packs()}.get(change.pack)
    return pack is not None and room.may(pack, change.place) and room.actor.id not in change.authors


async def typed_in(request: _Request) -> dict[str, list[str]]:
    """What stands in the inputs of a form on the page."""
    typed: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str) and name.startswith(PREFIX):
            typed.setdefault(name[len(PREFIX) :], []).append(value)
    return typed
