"""The unit's stock on the screen: what is there, what is to be seen to, taking in and out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from msgspec import structs

from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.stock import BEGINNING, Balance, Item, Line
from helsevev.content import loading
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.look_up import catalogue_of
from helsevev.medication.shelf.book import (
    Kept,
    Row,
    allowed,
    amount_typed,
    as_body,
    day_typed,
    kept_from,
    kept_of,
    way_out,
    with_balance,
)
from helsevev.medication.stock import counting
from helsevev.medication.stock.opened import (
    Opened,
    Scanned,
    Texts,
    said_amount,
    scanned,
    short,
)
from helsevev.medication.stock.page import StockRequest, open_here, page, services_of

_DECIDED: Final = {"decision": "record"}
_FOUND: Final = 12
_SHOWN: Final = timedelta(days=60)
_LINE_SEPARATOR: Final = "|"


@dataclass(frozen=True, slots=True)
class _Problems:
    """What is wrong with a form: by field, and in all."""

    by_field: Texts
    told: tuple[str, ...] = ()
    may_go_on: bool = False


_NONE: Final = _Problems(Texts())


@get("/stock", opt=_DECIDED)
async def overview(request: StockRequest, code: str = "", done: str = "") -> Response[Any]:
    """What is on the shelf and what needs somebody; a code that is scanned opens its product."""
    code = code.strip()[:200]
    opened = await open_here(request)
    rows = opened.rows
    if code:
        found = await scanned(services_of(request), code)
        if found is not None and opened.row(found.product.id) is not None:
            return Redirect(f"/stock/{found.product.id}", status_code=303)
        if found is not None:
            return Redirect(f"/stock/take-in?{urlencode({'code': code})}", status_code=303)
        words = code.casefold().split()
        rows = tuple(r for r in rows if all(w in r.kept.name.casefold() for w in words))
    return page(
        request, "overview.html", opened, shown=rows, code=code, done=_done(done),
        part="shelf", page_title=_("Ward stock"),
    )  # fmt: skip


@get("/stock/take-in", opt=_DECIDED)
async def take_in_page(request: StockRequest, code: str = "", product: str = "") -> Response[Any]:
    """Put something on the shelf: find it by scanning or typing, then say batch, day and amount."""
    opened = await open_here(request, "take-in")
    return await _take_in(request, opened, code.strip()[:200], product[:64], Texts(), _NONE)


@post("/stock/take-in", opt=_DECIDED, status_code=200)
async def take_in(request: StockRequest) -> Response[Any]:
    """Put it on the shelf."""
    opened, form = await open_here(request, "take-in"), short(await request.form())
    product, services = form.get("product", ""), services_of(request)
    known = await catalogue_of(services).product(product)
    if known is None and opened.row(product) is None:
        raise NotFoundException("There is no such medicine.")
    amount, expires, wrong = _typed(form)
    if wrong or amount is None:
        return await _take_in(request, opened, "", product, form, _Problems(Texts(wrong)))
    line = Line(f"{form.get('key', '')}.0", product, form.get("batch", "")[:40], expires,
                "found" if form.get("kind") == "found" else "delivered", amount,
                form.get("reason", ""))  # fmt: skip
    try:
        if opened.row(product) is None and known is not None:
            held = await scanned(services, form.get("code", ""))
            kept = kept_from(known, held.package if held else None)
            await opened.stock.keep(product, as_body(kept), f"{form.get('key', '')}.k")
        await opened.stock.add("in", [line])
    except AccessError as problem:
        return await _take_in(request, opened, "", product, form, _told(problem))
    return Redirect(f"/stock/{product}?done=in", status_code=303)


@get("/stock/{product:str}", opt=_DECIDED)
async def product_page(request: StockRequest, product: str, done: str = "") -> Response[Any]:
    """One thing on the shelf: its batches, taking out, settings, the newest lines of its book."""
    opened = await open_here(request, product)
    return await _product(request, opened, _row(opened, product), Texts(), _NONE, done)


@post("/stock/{product:str}/out", opt=_DECIDED, status_code=200)
async def take_out(request: StockRequest, product: str) -> Response[Any]:
    """Take something off the shelf. More than there is, or expired, asks for a reason."""
    opened, form = await open_here(request, product), short(await request.form())
    row = _row(opened, product)
    way, amount = way_out(form.get("way", "")), amount_typed(form.get("amount", ""))
    batch = _batch(row, form.get("batch", ""))
    reason = form.get("reason", "") or form.get("other", "")
    wrong: dict[str, str] = {}
    if way is None:
        wrong["way"] = _("Choose what happens to it.")
    if amount is None:
        wrong["amount"] = _("Say how much, in %(unit)s.") % {"unit": row.kept.unit}
    if batch is None:
        wrong["batch"] = _("Choose the batch.")
    if way is not None and way.needs_reason and len(reason) < 3:
        wrong["reason"] = _("Choose or write why.")
    receiver = form.get("receiver", "")
    if way is not None and way.code == "moved-out" and not receiver.startswith("Organization/"):
        wrong["receiver"] = _("Choose the unit that it is sent to.")
    if wrong or way is None or amount is None or batch is None:
        return await _product(request, opened, row, form, _Problems(Texts(wrong)))
    about = receiver if way.code == "moved-out" else ""
    out = [Line(f"{form.get('key', '')}.0", product, batch.batch, batch.expires, way.code,
                -amount, reason, about)]  # fmt: skip
    check = allowed(out, opened.today, row.kept.unit, even_so=form.get("even_so") == "yes")
    try:
        await opened.stock.add("out", out, check=check)
    except AccessError as problem:
        return await _product(request, opened, row, form, _told(problem))
    return Redirect(f"/stock/{product}?done=out", status_code=303)


@post("/stock/{product:str}/settings", opt=_DECIDED, status_code=200)
async def change_settings(request: StockRequest, product: str) -> Response[Any]:
    """Say how much the unit wants to have, and whether the round takes of it."""
    opened, form = await open_here(request, product), short(await request.form())
    row = _row(opened, product)
    numbers = {name: _none_or_amount(form.get(name, "")) for name in ("minimum", "fill_to")}
    wrong = {name: _("Write a number.") for name, said in numbers.items() if said is None}
    minimum, fill_to = numbers["minimum"], numbers["fill_to"]
    if minimum is None or fill_to is None:
        return await _product(request, opened, row, form, _Problems(Texts(wrong)))
    kept = structs.replace(
        row.kept, minimum=minimum, fill_to=fill_to, uses_round=form.get("uses_round") == "yes"
    )
    await opened.stock.keep(product, as_body(kept), form.get("key", ""))
    return Redirect(f"/stock/{product}?done=settings", status_code=303)


@post("/stock/witness", opt=_DECIDED, status_code=200)
async def witness(request: StockRequest) -> Response[Any]:
    """Sign as the second what somebody else has taken out."""
    opened, form = await open_here(request, "witness"), short(await request.form())
    line = next((each for each in opened.waiting if each.id == form.get("line")), None)
    if line is None:
        return Redirect("/stock/controlled?done=witnessed-already", status_code=303)
    if line.actor == staff_of_request(request).id:
        return Redirect("/stock/controlled?done=witness-self", status_code=303)
    try:
        await opened.stock.add("witness", [], [counting.witnessed(line.id, line.product)])
    except AccessError:
        return Redirect("/stock/controlled?done=witnessed-already", status_code=303)
    return Redirect("/stock/controlled?done=witnessed", status_code=303)


@post("/stock/receive", opt=_DECIDED, status_code=200)
async def receive(request: StockRequest) -> Response[Any]:
    """Take in what another unit has sent: all of it, or what there was, with what is said of it."""
    opened, form = await open_here(request, "receive"), short(await request.form())
    sent = next((each for each in opened.sent if each.line.id == form.get("line")), None)
    if sent is None:
        return Redirect("/stock?done=received-already", status_code=303)
    amount, said = amount_typed(form.get("amount", "")), -(sent.line.amount or 0)
    words = form.get("words", "")
    if amount is None or (amount != said and len(words) < 3):
        return Redirect("/stock?done=receive-say", status_code=303)
    line = sent.line
    if opened.row(line.product) is None and sent.item:
        key = f"from.{line.id}"
        await opened.stock.keep(line.product, as_body(_as_sent(sent.item)), key)
    came = Line(f"from.{sent.unit}.{line.id}", line.product, line.batch, line.expires, "moved-in",
                amount, words, sent.unit)  # fmt: skip
    found = counting.Found(
        batch=line.batch, expires=line.expires, counted=amount, book=Decimal(said)
    )
    note = counting.received(sent.unit, line.id, found, line.product, words)
    try:
        await opened.stock.add("in", [came], note)
    except AccessError:
        return Redirect("/stock?done=received-already", status_code=303)
    return Redirect("/stock?done=received", status_code=303)


ROUTES: Final = (
    overview, take_in_page, take_in, product_page, take_out, change_settings, witness, receive,
)  # fmt: skip


async def _take_in(
    request: StockRequest,
    opened: Opened,
    code: str,
    product: str,
    form: Texts,
    problems: _Problems,
) -> Response[Any]:
    services = services_of(request)
    catalogue = catalogue_of(services)
    chosen = await scanned(services, code) if code else None
    if product and (known := await catalogue.product(product)) is not None:
        chosen = Scanned(known)
    listed = [] if chosen or not code else await catalogue.find(code, _FOUND)
    row = opened.row(chosen.product.id) if chosen else None
    kept: Kept | None = None
    if chosen is not None:
        kept = row.kept if row else kept_from(chosen.product, chosen.package)
    return page(
        request, "take_in.html", opened, status_code=422 if problems is not _NONE else 200,
        chosen=chosen, kept=kept, listed=listed, code=code, form=form, problems=problems,
        key=str(uuid4()), part="shelf", page_title=_("Take in"),
    )  # fmt: skip


async def _product(
    request: StockRequest,
    opened: Opened,
    row: Row,
    form: Texts,
    problems: _Problems,
    done: str = "",
) -> Response[Any]:
    since = opened.now - _SHOWN
    lines = await opened.stock.book(row.product, since)
    before = await opened.stock.before(row.product, since)
    newest = list(reversed(with_balance(before, lines)))
    units = await _units(request)
    return page(
        request, "product.html", opened, status_code=422 if problems is not _NONE else 200,
        row=row, book=newest, form=form, problems=problems, key=str(uuid4()), done=_done(done),
        ways=loading.stock_rules().out, batches=_choices(row), units=units,
        part="shelf", page_title=row.kept.name,
    )  # fmt: skip


async def _units(request: StockRequest) -> list[dict[str, str]]:
    """The units that something can be sent to: those of the same organisation."""
    actor = staff_of_request(request)
    stored = await services_of(request).searcher.match(actor, "Organization", "active=true", 500)
    found = [each.resource for each in stored]
    return sorted(
        (
            {"value": f"Organization/{each['id']}", "label": str(each.get("name", ""))}
            for each in found
            if each.get("partOf") and f"Organization/{each['id']}" not in actor.unit
            and (each["partOf"].get("reference") in actor.organisations)
        ),
        key=lambda option: option["label"],
    )  # fmt: skip


def _choices(row: Row) -> list[dict[str, str]]:
    """The batches that something can be taken of, what expires first first."""
    there = [b for b in row.batches if b.amount > 0] or list(row.batches)
    listed = [
        {"value": f"{b.batch}{_LINE_SEPARATOR}{b.expires or ''}", "label": batch_in_words(b, row)}
        for b in there
    ]
    return listed or [{"value": _LINE_SEPARATOR, "label": _("no batch")}]


def batch_in_words(batch: Balance, row: Row) -> str:
    """A batch for a list: its number, its day and how much there is."""
    named = batch.batch or _("no batch")
    day = f", {batch.expires:%d.%m.%Y}" if batch.expires else ""
    return f"{named}{day}: {said_amount(batch.amount)} {row.kept.unit}"


def _batch(row: Row, said: str) -> Balance | None:
    batch, _separator, day = said.rpartition(_LINE_SEPARATOR)
    for each in row.batches:
        if each.batch == batch and str(each.expires or "") == day:
            return each
    if not row.batches and said == _LINE_SEPARATOR:
        return Balance(row.product, "", None, Decimal(0), BEGINNING)
    return None


def _typed(form: dict[str, str]) -> tuple[Decimal | None, date | None, dict[str, str]]:
    amount, said = amount_typed(form.get("amount", "")), form.get("expires", "")
    expires = day_typed(said) if said else None
    wrong: dict[str, str] = {}
    if amount is None:
        wrong["amount"] = _("Write how much, a number above zero.")
    if said and expires is None:
        wrong["expires"] = _("Write the day as it stands on the package.")
    if not said:
        wrong["expires"] = _("Say when it expires.")
    return amount, expires, wrong


def _none_or_amount(said: str) -> Decimal | None:
    return Decimal(0) if said in ("", "0") else amount_typed(said)


def _told(problem: AccessError) -> _Problems:
    told = tuple(issue.diagnostics for issue in problem.issues)
    asks = any(issue.code in ("below-zero", "expired", "required") for issue in problem.issues)
    return _Problems(Texts(), told, asks)


def _row(opened: Opened, product: str) -> Row:
    row = opened.row(product)
    if row is None:
        raise NotFoundException("The unit does not keep this.")
    return row


def _as_sent(body: str) -> Kept:
    kept = kept_of(Item("", body, BEGINNING, ""))
    return structs.replace(kept, minimum=Decimal(0), fill_to=Decimal(0))


def _done(code: str) -> str:
    return {
        "in": _("It is on the shelf."), "out": _("It is taken out."),
        "settings": _("The settings are kept."), "received": _("It is received."),
        "received-already": _("Somebody else has received it already."),
        "receive-say": _("Say how much came, and what is known when it is not what was sent."),
    }.get(code, "")  # fmt: skip
