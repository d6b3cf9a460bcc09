"""Changing content: begun, written as fields or text, tried, reviewed by another, released."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.content_changes import Change
from helsevev.access.errors import AccessError, Conflict, NotFound, Refused
from helsevev.access.packs import today
from helsevev.authoring.asked import found_pack, room_of, typed_in, waits_for
from helsevev.authoring.checking import Checked, check
from helsevev.authoring.difference import of_files
from helsevev.authoring.field_words import kind_word
from helsevev.authoring.fields import NotFields, filled, shown
from helsevev.authoring.opened import Room, act_words, state_words
from helsevev.authoring.publishing import publish
from helsevev.authoring.skeletons import skeleton
from helsevev.authoring.trying import PREFIX, answer, outline_of, sheet_of
from helsevev.content.packs.editing import next_version, version_of, with_change, with_version
from helsevev.content.packs.kinds import KINDS
from helsevev.content.packs.pack import PAGE, kind_of
from helsevev.content.shapes import ContentError
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{1,59}")
_FIELD: Final = "f:"


@post("/content/changes", opt=_SIGNED_IN)
async def start_change(request: _Request) -> Response[Any]:
    """Begin a change of a pack, and open the file that it is about."""
    room = await room_of(request)
    said = await _said(request)
    pack, path = said.get("pack", ""), said.get("path", "")
    found_pack(room, pack)
    try:
        made = await room.changes.start(
            room.actor, pack, said.get("title", ""), said.get("place", "")[:200]
        )
    except Refused:
        raise
    except AccessError:
        return Redirect(f"/content/packs/{quote(pack)}", status_code=303)
    return Redirect(_file_link(made, path) if path else f"/content/changes/{made}", status_code=303)


@get("/content/changes/{change_id:int}", opt=_SIGNED_IN)
async def change_page(request: _Request, change_id: int) -> Response[str]:
    """A change: what it does, whether it holds, and what has been said of it."""
    return await _change(request, change_id, "")


@post("/content/changes/{change_id:int}", opt=_SIGNED_IN, status_code=200)
async def act_on_change(request: _Request, change_id: int) -> Response[Any]:
    """Send it to review, send it back, approve it, release it, add a file to it, or give it up."""
    room, said = await room_of(request), await _said(request)
    change = await _seen(room, change_id, said)
    act, words = said.get("act", ""), said.get("words", "")
    try:
        match act:
            case "submit":
                must_hold(_checked(room, change))
                await room.changes.submit(room.actor, change, words)
            case "send-back":
                await room.changes.send_back(room.actor, change, words)
            case "approve":
                must_hold(_checked(room, change))
                await room.changes.approve(room.actor, change, words)
            case "release":
                must_hold(_checked(room, change))
                await room.changes.release(room.actor, change, words)
                await publish(room.services)
                return Redirect(f"/content/packs/{change.pack}?done=1", status_code=303)
            case "drop":
                await room.changes.drop(room.actor, change, words)
                return Redirect("/content", status_code=303)
            case "add":
                path = await _add_file(room, change, said)
                return Redirect(_file_link(change_id, path), status_code=303)
            case _:
                raise NotFoundException("There is no such act.")
    except Refused:
        raise
    except AccessError as problem:
        return await _change(request, change_id, "; ".join(i.diagnostics for i in problem.issues))
    return Redirect(f"/content/changes/{change_id}", status_code=303)


async def _change(request: _Request, change_id: int, problem: str) -> Response[str]:
    room = await room_of(request)
    change = await _found(room, change_id)
    pack = found_pack(room, change.pack)
    before, after = room.before(change), room.after(change)
    checked = check(change.pack, after, room.packs(), today())
    touched = set(change.files)
    places = room.actor.organisations
    return render(
        request, "authoring/change.html", room=room, change=change, pack=pack,
        found=of_files(before, after), checked=checked,
        faults=[each for each in checked.faults if each.path in touched or each.path == PAGE],
        ran={path: checked.ran[path] for path in sorted(touched) if path in checked.ran},
        lines=[each for each in await room.changes.lines(change_id) if each.act != "save"],
        acts=act_words(), state=state_words(change.state), may=room.may(pack, change.place),
        reviews=waits_for(room, change), kinds=[(each, kind_word(each)) for each in sorted(KINDS)],
        files=sorted(change.files), titles=_titles(after), link=_file_link,
        items=sorted((path, title) for path, title in _titles(before).items() if path != PAGE),
        names=await room.names([change.place, *places]), problem=problem,
        status_code=422 if problem else 200, page_title=change.title,
    )  # fmt: skip


@get("/content/changes/{change_id:int}/file", opt=_SIGNED_IN)
async def file_page(request: _Request, change_id: int) -> Response[str]:
    """One file of a change, to be written as fields or as text."""
    room = await room_of(request)
    change = await _found(room, change_id)
    path = request.query_params.get("path", "")
    text = room.file(change, path)
    if text is None:
        raise NotFoundException("There is no such file.")
    return await _file(request, room, change, path, text, "")


@post("/content/changes/{change_id:int}/file", opt=_SIGNED_IN, status_code=200)
async def save_file(request: _Request, change_id: int) -> Response[Any]:
    """Keep what was written in a file; its version is raised the first time."""
    room, said = await room_of(request), await _said(request)
    change = await _seen(room, change_id, said)
    path, act = said.get("path", ""), said.get("act", "")
    before = room.file(change, path)
    if before is None:
        raise NotFoundException("There is no such file.")
    try:
        if act == "take-away":
            await room.changes.save(room.actor, change, {**change.files, path: None})
            return Redirect(f"/content/changes/{change_id}", status_code=303)
        if act == "as-before":
            files = {each: text for each, text in change.files.items() if each != path}
            await room.changes.save(room.actor, change, files)
            return Redirect(f"/content/changes/{change_id}", status_code=303)
        text = _written(path, before, said, act)
        text = _raised(room, change, path, text, said.get("what", ""))
        await room.changes.save(room.actor, change, {**change.files, path: text})
    except NotFields as problem:
        return await _file(request, room, change, path, said.get("text") or before, str(problem))
    except Refused:
        raise
    except AccessError as problem:
        kept = said.get("text") or before
        return await _file(request, room, change, path, kept, str(problem))
    as_text = "&text=1" if "text" in said else ""
    kept_at = "" if act in ("", "save") else f"#{quote(act.split()[-1])}"
    return Redirect(f"{_file_link(change_id, path)}{as_text}&saved=1{kept_at}", status_code=303)


@post("/content/changes/{change_id:int}/try", opt=_SIGNED_IN, status_code=200)
async def try_file(request: _Request, change_id: int) -> Response[Any]:
    """What a form of the change makes of answers that somebody tries; nothing is kept."""
    room = await room_of(request)
    change = await _found(room, change_id)
    path = request.query_params.get("path", "")
    made = _item(change, path, room.file(change, path) or "")
    sheet = None if made is None else sheet_of(made, await typed_in(request))
    if sheet is None:
        raise NotFoundException("There is nothing to try.")
    return Response(answer(sheet), headers={"Cache-Control": "no-store"})


async def _file(
    request: _Request, room: Room, change: Change, path: str, text: str, problem: str
) -> Response[str]:
    pack = found_pack(room, change.pack)
    item = _item(change, path, text)
    after = {**room.after(change), path: text}
    checked = check(change.pack, after, room.packs(), today())
    fields, kind = None, None if path == PAGE else kind_of(path, change.pack)[0]
    as_text = request.query_params.get("text") == "1" or path.endswith(".json") or kind is None
    if kind is not None and not as_text:
        try:
            fields = shown(text, kind)
        except NotFields as found:
            problem = problem or str(found)
    sheet = None if item is None else sheet_of(item, {})
    return render(
        request, "authoring/file.html", room=room, change=change, pack=pack, path=path, text=text,
        fields=fields, item=item, sheet=sheet, prefix=PREFIX, faults=checked.of(path),
        ran=checked.ran.get(path), may=room.may(pack, change.place) and change.ended_at is None,
        outline=None if sheet or kind is None else outline_of(text, kind), field_prefix=_FIELD,
        try_url=f"/content/changes/{change.id}/try?path={quote(path, safe='')}",
        kind=kind_word(kind.folder) if kind else _("The pack itself"), link=_file_link,
        saved=request.query_params.get("saved") == "1", problem=problem, as_text=as_text,
        names=await room.names([change.place]), is_new=path not in room.before(change),
        status_code=422 if problem else 200, page_title=item.title if item else path,
    )  # fmt: skip


def _written(path: str, before: str, said: dict[str, str], act: str) -> str:
    if "text" in said:
        return said["text"].replace("\r\n", "\n")
    fields = {n[len(_FIELD) :]: value for n, value in said.items() if n.startswith(_FIELD)}
    kind, _key = kind_of(path, "")
    if act.startswith("field "):
        group = act.removeprefix("field ")
        act = f"{act} {said.get('more-' + ('' if group == '.' else group), '')}"
    return filled(before, kind, fields, "" if act == "save" else act)


def _raised(room: Room, change: Change, path: str, text: str, what: str) -> str:
    """The text with the version after the one in force, the first time that it is changed."""
    shared = room.before(change).get(path)
    if shared is None or text == shared or path.endswith(".json") or path == PAGE:
        return text
    version = version_of(shared)
    if not version or version_of(text) != version:
        return text
    raised = next_version(version, change.place)
    return with_change(with_version(text, raised), raised, today(), what or change.title)


async def _add_file(room: Room, change: Change, said: dict[str, str]) -> str:
    """A new file in the change: a copy of another, or the beginnings of its kind."""
    key, folder, like = said.get("key", "").strip(), said.get("folder", ""), said.get("like", "")
    if like:
        folder = like.rpartition("/")[0]
    path = f"{folder}/{key}.{like.rpartition('.')[2] or 'toml'}"
    if folder not in KINDS or not _KEY.fullmatch(key):
        raise Conflict(_("A key is small letters, digits and hyphens."), None)
    if room.file(change, path) is not None:
        raise Conflict(_("There is one by that key already."), None)
    text = room.file(change, like) if like else skeleton(KINDS[folder], change.title, today())
    await room.changes.save(room.actor, change, {**change.files, path: text or ""})
    return path


def must_hold(checked: Checked) -> None:
    """Raises `Conflict` where something stands in the way."""
    if not checked.holds:
        first = checked.faults[0]
        told = _("It cannot go on as it is: %(file)s: %(words)s")
        raise Conflict(told % {"file": first.path, "words": first.words}, None)


def _checked(room: Room, change: Change) -> Checked:
    return check(change.pack, room.after(change), room.packs(), today())


def _item(change: Change, path: str, text: str) -> Any:
    try:
        kind, key = kind_of(path, change.pack)
        return kind.read(text, path, key)
    except ContentError:
        return None


def _titles(files: dict[str, str]) -> dict[str, str]:
    found = {}
    for path, text in files.items():
        title = re.search(r'"?title"?\s*[=:]\s*"([^"\n]+)"', text)
        found[path] = title[1] if title else path
    return found


async def _found(room: Room, change_id: int) -> Change:
    try:
        return await room.changes.one(change_id)
    except NotFound as problem:
        raise NotFoundException("There is no such change.") from problem


async def _seen(room: Room, change_id: int, said: dict[str, str]) -> Change:
    """The change as the page that was sent had seen it: what came in between is not overwritten."""
    change = await _found(room, change_id)
    turn = said.get("turn", "")
    if not turn.isdigit() or len(turn) > 9:
        raise NotFoundException("There is no such change.")
    return Change(
        **{name: getattr(change, name) for name in Change.__slots__} | {"turn": int(turn)}
    )


async def _said(request: _Request) -> dict[str, str]:
    return {n: v for n, v in (await request.form()).items() if isinstance(v, str)}


def _file_link(change_id: int, path: str) -> str:
    return f"/content/changes/{change_id}/file?path={quote(path, safe='')}"


ROUTES: Final = (start_change, change_page, act_on_change, file_page, save_file, try_file)
