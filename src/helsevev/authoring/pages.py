"""The content that is in force: packs, their items, their releases, and going back."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.errors import AccessError, NotFound, Refused
from helsevev.authoring.asked import found_pack, room_of, typed_in, waits_for
from helsevev.authoring.cases import run
from helsevev.authoring.difference import of_file
from helsevev.authoring.field_words import kind_word
from helsevev.authoring.opened import Room, path_of, state_words
from helsevev.authoring.publishing import publish
from helsevev.authoring.trying import PREFIX, answer, outline_of, sheet_of
from helsevev.content.packs.kinds import KINDS
from helsevev.content.packs.pack import Pack
from helsevev.content.packs.shelf import Edition
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}
_MOST_LISTED: Final = 100


@get("/content", opt=_SIGNED_IN)
async def content_page(request: _Request) -> Response[str]:
    """The packs, what is being changed of them, and what waits for the reader."""
    room = await room_of(request)
    changes = await room.changes.under_way()
    return render(
        request, "authoring/content.html", room=room, packs=room.packs(), changes=changes,
        names=await room.names([*room.places(), *(each.place for each in changes)]),
        state_words=state_words, titles={each.key: each.about.title for each in room.packs()},
        mine=[each for each in changes if each.state == "review" and waits_for(room, each)],
        page_title=_("Professional content"),
    )  # fmt: skip


@get("/content/packs/{pack:str}", opt=_SIGNED_IN)
async def pack_page(request: _Request, pack: str) -> Response[str]:
    """One pack: its items by kind, and its releases."""
    return await _pack(request, pack, "")


@post("/content/packs/{pack:str}", opt=_SIGNED_IN, status_code=200)
async def roll_back(request: _Request, pack: str) -> Response[Any]:
    """Bring back what an earlier release held."""
    room = await room_of(request)
    form = await request.form()
    number = str(form.get("number", ""))
    if not number.isdigit() or len(number) > 15:
        raise NotFoundException("There is no such release.")
    try:
        await room.releases.roll_back(
            room.actor, pack, str(form.get("place", ""))[:200], int(number),
            str(form.get("words", "")),
        )  # fmt: skip
    except Refused:
        raise
    except NotFound as problem:
        raise NotFoundException(str(problem)) from problem
    except AccessError as problem:
        return await _pack(request, pack, str(problem))
    await publish(room.services)
    return Redirect(f"/content/packs/{pack}?done=1", status_code=303)


async def _pack(request: _Request, key: str, problem: str) -> Response[str]:
    room = await room_of(request)
    pack = found_pack(room, key)
    changes = [each for each in await room.changes.under_way() if each.pack == key]
    history = room.history(key)[:_MOST_LISTED]
    places = [each for each in room.actor.organisations if room.may(pack, each)]
    return render(
        request, "authoring/pack.html", room=room, pack=pack, kinds=room.kinds(pack),
        release=room.release(key), history=history, changes=changes, places=places,
        names=await room.names([*room.places(), *places, *(each.place for each in changes)]),
        may=room.may(pack), state_words=state_words, problem=problem,
        done=request.query_params.get("done") == "1",
        newer=room.is_newer_included(key), status_code=422 if problem else 200,
        page_title=pack.about.title,
    )  # fmt: skip


@get("/content/packs/{pack:str}/{folder:str}/{key:str}", opt=_SIGNED_IN)
async def item_page(request: _Request, pack: str, folder: str, key: str) -> Response[str]:
    """One item as its users meet it, with its cases, its versions, and what changed when."""
    room = await room_of(request)
    found = found_pack(room, pack)
    edition, versions = _edition(room, found, folder, key, request.query_params.get("version", ""))
    item, kind = edition.item, KINDS[folder]
    places = [each for each in room.actor.organisations if room.may(found, each)]
    earlier = next((each for each in versions[versions.index(edition) + 1 :]), None)
    return render(
        request, "authoring/item.html", room=room, pack=found, folder=folder, key=key, item=item,
        kind=kind_word(folder), edition=edition, versions=versions,
        ran=run(item, room.standing.shelf((), room.on)),
        changed=None if earlier is None else of_file(edition.path, earlier.text, edition.text),
        earlier=earlier, sheet=(sheet := sheet_of(item, {})), prefix=PREFIX,
        try_url=f"{request.url.path}/try?version={edition.version}",
        outline=None if sheet else outline_of(edition.text, kind),
        may=room.may(found), places=places, names=await room.names([*places, edition.place]),
        page_title=item.title,
    )  # fmt: skip


@post("/content/packs/{pack:str}/{folder:str}/{key:str}/try", opt=_SIGNED_IN, status_code=200)
async def try_item(request: _Request, pack: str, folder: str, key: str) -> Response[Any]:
    """What a form makes of answers that somebody tries; nothing is kept."""
    room = await room_of(request)
    version = request.query_params.get("version", "")
    edition, _versions = _edition(room, found_pack(room, pack), folder, key, version)
    sheet = sheet_of(edition.item, await typed_in(request))
    if sheet is None:
        raise NotFoundException("There is nothing to try.")
    return Response(answer(sheet), headers={"Cache-Control": "no-store"})


def _edition(
    room: Room, pack: Pack, folder: str, key: str, version: str
) -> tuple[Edition, list[Edition]]:
    """(the one that is asked for, every one, the newest first)."""
    if folder not in KINDS:
        raise NotFoundException("There is no such content.")
    versions = room.standing.archive.every(folder, key)
    try:
        path = path_of(pack, folder, key)
        item = pack.items[folder][key]
        now = Edition(folder=folder, key=key, version=item.version, pack=pack.key, path=path,
                      text=pack.files[path])  # fmt: skip
        versions = [now, *(each for each in versions if each.version != now.version)]
    except NotFound:
        now = None
    wanted = next((each for each in versions if each.version == version), now)
    if wanted is None or (version and wanted.version != version):
        raise NotFoundException("There is no such content.")
    return wanted, versions


ROUTES: Final = (content_page, pack_page, roll_back, item_page, try_item)
