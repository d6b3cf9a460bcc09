"""The pages for blocks: what is blocked, placing one in three steps, lifting one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.blocking import EVERYONE
from helsevev.access.blocks.keeping import Blocks, Holder
from helsevev.access.blocks.wording import (
    CATEGORY,
    ENTRY,
    WHOLE,
    Party,
    Wish,
    choices,
)
from helsevev.access.errors import Invalid
from helsevev.access.guard import actor_of_request
from helsevev.access.policy import Facts, decide
from helsevev.access.services import Services
from helsevev.content.loading import categories
from helsevev.fhir.reading import full_name
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.record import keys
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_LONGEST: Final = 200
_SHORTEST_HOW: Final = 5


@get("/blocks", opt=_RECORD)
async def find_page(request: _Request) -> Response[str]:
    """For those who register blocks on request: whom it is about."""
    return await _find(request, "")


@post("/blocks", opt=_RECORD, status_code=200)
async def find(request: _Request) -> Response[str]:
    """Those who fit a name, a birth date or a national number, which never stands in an address."""
    return await _find(request, str((await request.form()).get("words", ""))[:100].strip())


@get("/patient/{patient_id:str}/blocks", opt=_RECORD)
async def blocks_page(request: _Request, patient_id: str, done: str = "") -> Response[str]:
    """What is blocked for whom, and what was."""
    kept = _blocks(request)
    holder = await kept.held(actor_of_request(request), patient_id)
    listed = await kept.listed(holder)
    names = await kept.names(holder, listed)
    parties = {
        party.reference: party.name
        for block in listed
        for each in (*block.parties, *block.spared)
        if not each.name and each.reference != EVERYONE
        if (party := await kept.party(holder, each.reference)) is not None
    }
    return render(
        request, "access/blocks.html", holder=holder, base=_base(patient_id), done=done,
        active=[each for each in listed if each.active],
        past=[each for each in listed if not each.active], names=names, parties=parties,
        labels={each.key: each.label for each in categories().category}, everyone=EVERYONE,
        is_own=_is_own(holder), place="blocks", page_title=_("Blocks"),
    )  # fmt: skip


@get("/patient/{patient_id:str}/blocks/new", opt=_RECORD)
async def new_block(request: _Request, patient_id: str) -> Response[str]:
    """The first step: who is kept out."""
    holder = await _blocks(request).held(actor_of_request(request), patient_id)
    return await _step(request, holder, "who", {})


@post("/patient/{patient_id:str}/blocks/new", opt=_RECORD, status_code=200)
async def next_step(request: _Request, patient_id: str) -> Response[Any]:
    """The next step of placing a block, or the block itself."""
    kept = _blocks(request)
    holder = await kept.held(actor_of_request(request), patient_id)
    said = {name: str(value).strip()[:_LONGEST] for name, value in (await request.form()).items()}
    party = await kept.party(holder, said.get("who", ""))
    match said.get("go", ""):
        case "search" | "who":
            return await _step(request, holder, "who", said)
        case _ if party is None:
            problem = _("Choose who is kept out.")
            return await _step(request, holder, "who", said, {"who": problem})
        case "what":
            return await _step(request, holder, "what", said)
        case go:
            wish = Wish(party, said.get("what", ""), said.get("until", ""), said.get("how", ""))
            problems = _problems(holder, wish)
            if problems:
                return await _step(request, holder, "what", said, problems)
            if go != "place":
                return await _step(request, holder, "confirm", said)
            try:
                await kept.place(holder, wish)
            except Invalid as refused:
                wrong = {issue.expression: _wrong(issue.expression) for issue in refused.issues}
                return await _step(request, holder, "what", said, wrong)
    return Redirect(f"{_base(patient_id)}?done=placed", status_code=HTTP_303_SEE_OTHER)


@post("/patient/{patient_id:str}/blocks/{consent_id:str}/lift", opt=_RECORD)
async def lift(request: _Request, patient_id: str, consent_id: str) -> Response[Any]:
    """End a block at once; it stays on the list of those that are over."""
    kept = _blocks(request)
    holder = await kept.held(actor_of_request(request), patient_id)
    await kept.lift(holder, consent_id)
    return Redirect(f"{_base(patient_id)}?done=lifted", status_code=HTTP_303_SEE_OTHER)


def _problems(holder: Holder, wish: Wish) -> dict[str, str]:
    found = {}
    if not wish.what:
        found["what"] = _("Choose what is blocked.")
    if holder.is_registering and len(wish.how) < _SHORTEST_HOW:
        found["how"] = _("Say how it was asked for.")
    return found


def _wrong(name: str) -> str:
    if name == "until":
        return _("The last day is a day to come.")
    return _("Choose what is blocked.")


async def _step(
    request: _Request,
    holder: Holder,
    step: str,
    said: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
) -> Response[str]:
    kept = _blocks(request)
    words = said.get("words", "")
    chosen = await kept.party(holder, said.get("who", ""))
    parties: list[Party] = []
    if step == "who":
        parties = await kept.found(holder, words) if words else await kept.met(holder)
        listed = {EVERYONE, *(party.reference for party in parties)}
        if chosen is not None and chosen.reference not in listed:
            parties.insert(0, chosen)
    entries = await kept.entries(holder) if step != "who" else []
    what = said.get("what", "")
    return render(
        request, "access/block_new.html", status_code=422 if problems else 200, step=step,
        holder=holder, base=_base(holder.patient_id), said=said, problems=problems or {},
        parties=parties, words=words, chosen=chosen, everyone=EVERYONE, whole=WHOLE,
        categories=[(f"{CATEGORY}{each.key}", each.label) for each in choices()],
        entries=[(f"{ENTRY}{each.reference}", each.title, each.date) for each in entries],
        what=what, is_own=_is_own(holder), place="blocks", page_title=_("Place a block"),
    )  # fmt: skip


async def _find(request: _Request, words: str) -> Response[str]:
    services, actor = _services(request), actor_of_request(request)
    decision = decide(actor, "keep-blocks", Facts("inhabitant"), "Consent")
    if not decision.allowed:
        await services.gate.refuse(actor, keys.UNASSIGNED, decision, "read-blocks")
    problem, found = "", []
    if words:
        try:
            found = await services.people.find(actor, words)
        except Invalid:
            problem = _("Give at least two letters of a name, a birth date or a national number.")
    rows = [
        {"id": each.patient_id, "name": full_name(each.resource.get("name")),
         "birth_date": each.resource.get("birthDate", ""), "sex": each.resource.get("gender", "")}
        for each in found
    ]  # fmt: skip
    return render(
        request, "access/blocks_find.html", rows=rows, words=words, problem=problem,
        now=clock.now(), place="blocks", page_title=_("Blocks"),
        status_code=422 if problem else 200,
    )  # fmt: skip


def _is_own(holder: Holder) -> bool:
    return holder.verdict.decision.basis == "own"


def _base(patient_id: str) -> str:
    return f"/patient/{patient_id}/blocks"


def _blocks(request: _Request) -> Blocks:
    services = _services(request)
    return Blocks(services.writer, services.searcher)


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (find_page, find, blocks_page, new_block, next_step, lift)
