"""What is accounted for: the books of controlled drugs, counting by two, and explaining."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.stock import Balance, Booked
from helsevev.fhir.reading import OSLO, full_name, reference_key
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.shelf.book import Row, day_typed, with_balance
from helsevev.medication.stock import counting
from helsevev.medication.stock.counting import CountRefused, Counts, Found
from helsevev.medication.stock.opened import (
    Opened,
    Texts,
    short,
)
from helsevev.medication.stock.page import StockRequest, open_here, page, services_of

_DECIDED: Final = {"decision": "record"}
_PERIOD: Final = timedelta(days=30)
_MOST_NAMES: Final = 500


@get("/stock/controlled", opt=_DECIDED)
async def controlled(request: StockRequest, done: str = "") -> Response[Any]:
    """Every controlled product: how much, when it was counted by whom, and what is not settled."""
    return await _controlled(request, await open_here(request, "controlled"), done=_done(done))


@get("/stock/{product:str}/count", opt=_DECIDED)
async def count_page(request: StockRequest, product: str) -> Response[Any]:
    """Count what is there, without being told what the book or another has."""
    opened = await open_here(request, product)
    return _count(request, opened, _row(opened, product), Texts(), "")


@post("/stock/{product:str}/count", opt=_DECIDED, status_code=200)
async def count(request: StockRequest, product: str) -> Response[Any]:
    """Keep what was counted: as the first of two, as the second, or alone where two are not needed.

    The second is somebody else, signed in themselves. When they have found otherwise, that is kept,
    and both count again.
    """
    opened, form = await open_here(request, product), short(await request.form())
    row, me = _row(opened, product), staff_of_request(request).id
    batches = _batches(row)
    typed = {
        place: _counted(form.get(f"counted-{place}", "")) for place in map(str, range(len(batches)))
    }
    first = opened.counts.get(product, Counts()).open_first
    as_second = first is not None and form.get("first") == first.id
    press = form.get("key", "")
    try:
        if first is not None and as_second and first.actor == me:
            raise CountRefused(_("Somebody else has to count as the second."))
        if first is None and form.get("first"):
            raise CountRefused(_("The count that you were to confirm is settled or replaced."))
        found = counting.found_of(typed, batches)
        if row.kept.control is not None and not as_second:
            await opened.stock.add("count", [], [counting.first_count(product, press, found)])
            return Redirect("/stock/controlled?done=counted-first", status_code=303)
        if first is not None and as_second and not counting.agrees(counting.read(first), found):
            said = counting.disagreement(product, press, first, found)
            await opened.stock.add("count", [], [said])
            raise CountRefused(_("You have not found the same. Count together, again."))
        said_id = f"counted.{first.id if first is not None and as_second else press}"
        lines, said_all = counting.settled(
            product, said_id, found, form.get("words", ""),
            controlled=row.kept.control is not None,
        )  # fmt: skip
        await opened.stock.add("count", lines, said_all)
    except CountRefused as refused:
        needs_words = any(f.difference for f in _maybe(typed, batches))
        return _count(request, opened, row, form, str(refused), asks=needs_words)
    except AccessError as problem:
        said_words = " ".join(issue.diagnostics for issue in problem.issues)
        return _count(request, opened, row, form, said_words)
    where = "/stock/controlled" if row.kept.control is not None else f"/stock/{product}"
    return Redirect(f"{where}?done=counted", status_code=303)


@post("/stock/explain", opt=_DECIDED, status_code=200)
async def explain(request: StockRequest) -> Response[Any]:
    """The manager says what a difference was."""
    opened, form = await open_here(request, "explain"), short(await request.form())
    incident = next((i for i in opened.open_incidents if i.id == form.get("incident")), None)
    if incident is None:
        return Redirect("/stock/controlled?done=explained-already", status_code=303)
    try:
        me = staff_of_request(request).id
        said = counting.explanation(incident, me, form.get("words", ""))
    except CountRefused as refused:
        return await _controlled(request, opened, problem=str(refused))
    await opened.stock.add("explain", [], [said], act="settle-stock")
    return Redirect("/stock/controlled?done=explained", status_code=303)


@get("/stock/{product:str}/account", opt=_DECIDED)
async def account(
    request: StockRequest, product: str, start: str = "", end: str = ""
) -> Response[Any]:
    """The account of one product in a time, as it is printed: each line with what was left."""
    opened = await open_here(request, f"account {product}")
    row, last = _row(opened, product), day_typed(end) or opened.today
    first = day_typed(start) or last - _PERIOD
    since, until = _midnight(first), _midnight(last + timedelta(days=1))
    lines = await opened.stock.book(product, since, until)
    before = await opened.stock.before(product, since)
    notes = await opened.stock.notes((*counting.KINDS, counting.WITNESS), since)
    seen = {n.about: n for n in notes if n.kind == counting.WITNESS}
    counts = [n for n in notes if n.about == product and n.kind == counting.SECOND and n.at < until]
    firsts = {n.id: n.actor_name for n in await opened.stock.notes([counting.COUNT])}
    return page(
        request, "account.html", opened, part="controlled", row=row,
        lines=with_balance(before, lines), before=before,
        first=first, last=last, seen=seen, patients=await _patients(request, lines),
        counts=[
            (note, counting.read(note), firsts.get(counting.first_of(note.id), ""))
            for note in counts
        ],
        in_words=counting.in_words,
        incidents=[i for i in opened.incidents if i.product == product and since <= i.at < until],
        page_title=_("The account of %(name)s") % {"name": row.kept.name},
    )  # fmt: skip


ROUTES: Final = (controlled, count_page, count, explain, account)


async def _controlled(
    request: StockRequest, opened: Opened, *, done: str = "", problem: str = ""
) -> Response[Any]:
    return page(
        request, "controlled.html", opened, part="controlled", status_code=422 if problem else 200,
        counts=opened.counts, me=staff_of_request(request).id, done=done, problem=problem,
        page_title=_("Controlled drugs"),
    )  # fmt: skip


async def _patients(request: StockRequest, lines: list[Booked]) -> dict[str, str]:
    """Line -> to whom it was given, of those whose records the reader may open."""
    wanted = {
        (kind, key)
        for line in lines
        if line.kind in ("given", "filled", "taken-back")
        for kind, _slash, key in (line.about.partition("/"),)
    }
    if not wanted or len(wanted) > _MOST_NAMES:
        return {}
    gate, actor = services_of(request).gate, staff_of_request(request)
    doses = await gate.open_many(actor, wanted, interaction="stock-account")
    about = {place: reference_key(dose.get("subject")) for place, dose in doses.items()}
    people = {("Patient", each.partition("/")[2]) for each in about.values() if each}
    found = await gate.open_many(actor, people, interaction="stock-account")
    names = {f"Patient/{key}": full_name(p.get("name")) for (_kind, key), p in found.items()}
    return {f"{kind}/{key}": names.get(who, "") for (kind, key), who in about.items()}


def _count(
    request: StockRequest, opened: Opened, row: Row, form: Texts, problem: str,
    *, asks: bool = False,
) -> Response[Any]:  # fmt: skip
    first = opened.counts.get(row.product, Counts()).open_first
    me = staff_of_request(request).id
    return page(
        request, "count.html", opened, part="controlled",
        status_code=422 if problem else 200, row=row, form=form,
        first=first, is_second=first is not None and first.actor != me, problem=problem,
        asks_words=asks or row.kept.control is None, batches=_batches(row), key=str(uuid4()),
        page_title=_("Count %(name)s") % {"name": row.kept.name},
    )  # fmt: skip


def _batches(row: Row) -> list[Balance]:
    """The batches to count, in one order for everybody; what has none is counted as one."""
    there = sorted(row.batches, key=lambda b: (b.expires or date.max, b.batch))
    return there or [Balance(row.product, "", None, Decimal(0), clock.now())]


def _maybe(typed: dict[str, Decimal | None], batches: list[Balance]) -> tuple[Found, ...]:
    try:
        return counting.found_of(typed, batches)
    except CountRefused:
        return ()


def _counted(said: str) -> Decimal | None:
    said = said.replace(" ", "").replace(",", ".")
    if not said or not said.replace(".", "", 1).isdigit() or not said.isascii() or len(said) > 9:
        return None
    return Decimal(said)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), OSLO)


def _row(opened: Opened, product: str) -> Row:
    row = opened.row(product)
    if row is None:
        raise NotFoundException("The unit does not keep this.")
    return row


def _done(code: str) -> str:
    return {
        "counted": _("The count is kept."),
        "counted-first": _("Your count is kept. Somebody else counts as the second."),
        "witnessed": _("Signed as the second."),
        "witnessed-already": _("Somebody else has signed it already."),
        "witness-self": _("Somebody else has to sign as the second."),
        "explained": _("The explanation is kept."),
        "explained-already": _("It has been explained already."),
    }.get(code, "")
