"""Orders to the pharmacy on the screen: what is needed, the order, its sending, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.stock import Line
from helsevev.content import loading
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.look_up import catalogue_of
from helsevev.medication.shelf.book import amount_typed, as_body, day_typed, kept_from
from helsevev.medication.stock import ordering
from helsevev.medication.stock.opened import (
    Opened,
    Texts,
    short,
)
from helsevev.medication.stock.order_message import message
from helsevev.medication.stock.ordering import Body, Delivered, Order, OrderLine
from helsevev.medication.stock.page import StockRequest, open_here, page, services_of
from helsevev.medication.stock.planned import planned_doses

_DECIDED: Final = {"decision": "record"}
_MOST_LINES: Final = 200


@get("/stock/orders", opt=_DECIDED)
async def orders_page(request: StockRequest, done: str = "") -> Response[Any]:
    """The unit's orders, the newest first."""
    opened = await open_here(request, "orders")
    return page(
        request, "orders.html", opened, part="orders",
        orders=await _orders(opened), states=_states(),
        done=_done(done), page_title=_("Orders to the pharmacy"),
    )  # fmt: skip


@get("/stock/orders/new", opt=_DECIDED)
async def new_order(request: StockRequest) -> Response[Any]:
    """What is needed, by what the unit wants to have and what its patients will use."""
    opened = await open_here(request, "order")
    days = loading.stock_rules().order_days
    planned, patients = await planned_doses(
        services_of(request), staff_of_request(request), opened.now, days
    )
    return page(
        request, "order_new.html", opened, part="orders",
        needs=ordering.needs(opened.rows, planned), days=days,
        patients=patients, awaited=_awaited(await _orders(opened)), key=str(uuid4()),
        page_title=_("New order"),
    )  # fmt: skip


@post("/stock/orders", opt=_DECIDED, status_code=200)
async def draft_order(request: StockRequest) -> Response[Any]:
    """Keep an order as a draft, of the lines that have an amount."""
    opened, form = await open_here(request, "order"), short(await request.form())
    lines = _lines(form)
    if not lines:
        return Redirect("/stock/orders?done=empty", status_code=303)
    identifier = f"order.{form['key']}"
    said = ordering.said(ordering.ORDER, identifier, "", Body(lines=lines))
    await opened.stock.add("order", [], [said])
    return Redirect(f"/stock/orders/{identifier}", status_code=303)


@get("/stock/orders/{order_id:str}", opt=_DECIDED)
async def order_page(request: StockRequest, order_id: str, done: str = "") -> Response[Any]:
    """One order as it stands, and what can be done with it."""
    opened = await open_here(request, "order")
    return await _order_page(request, opened, await _order(opened, order_id), done=_done(done))


@post("/stock/orders/{order_id:str}/lines", opt=_DECIDED, status_code=200)
async def change_lines(request: StockRequest, order_id: str) -> Response[Any]:
    """Change a draft's lines; one that has been sent stays as it was sent."""
    opened, form = await open_here(request, "order"), short(await request.form())
    order = await _order(opened, order_id)
    if order.state != "draft":
        return await _order_page(request, opened, order, problem=_("The order has been sent."))
    lines = _lines(form)
    if not lines:
        problem = _("An order has at least one line.")
        return await _order_page(request, opened, order, problem=problem)
    said = ordering.said(ordering.LINES, f"lines.{form['key']}", order.id, Body(lines=lines))
    await opened.stock.add("order", [], [said])
    return Redirect(f"/stock/orders/{order_id}?done=kept", status_code=303)


@post("/stock/orders/{order_id:str}/send", opt=_DECIDED, status_code=200)
async def send_order(request: StockRequest, order_id: str) -> Response[Any]:
    """Say that the order was sent, and how. It can be sent once."""
    opened, form = await open_here(request, "order"), short(await request.form())
    order = await _order(opened, order_id)
    if len(form["how"]) < 2:
        problem = _("Say how it was sent.")
        return await _order_page(request, opened, order, problem=problem)
    if order.state == "closed":
        return await _order_page(request, opened, order, problem=_("The order is closed."))
    said = ordering.said(ordering.SENT, f"sent.{order.id}", order.id, Body(words=form["how"]))
    try:
        await opened.stock.add("order", [], [said])
    except AccessError:
        problem = _("Somebody else has sent it already. It is not sent twice.")
        now = await _order(opened, order_id)
        return await _order_page(request, opened, now, problem=problem)
    return Redirect(f"/stock/orders/{order_id}?done=sent", status_code=303)


@post("/stock/orders/{order_id:str}/deliver", opt=_DECIDED, status_code=200)
async def deliver(request: StockRequest, order_id: str) -> Response[Any]:
    """Check what came line by line against the order, and put it on the shelf."""
    opened, form = await open_here(request, "order"), short(await request.form())
    order = await _order(opened, order_id)
    if order.sent is None or order.state == "closed":
        problem = _("Only an order that is sent and not closed can be delivered.")
        return await _order_page(request, opened, order, problem=problem)
    came, lines, wrong = _delivery(order, form)
    if wrong or not came:
        problem = wrong or _("Write what came of at least one line.")
        return await _order_page(request, opened, order, form=form, problem=problem)
    identifier = f"delivered.{form['key']}"
    said = ordering.said(
        ordering.DELIVERED, identifier, order.id, Body(came=tuple(came), words=form["words"])
    )
    try:
        await _keep_new(request, opened, lines)
        await opened.stock.add("in", lines, [said])
    except AccessError as refused:
        problem = " ".join(issue.diagnostics for issue in refused.issues)
        return await _order_page(request, opened, order, form=form, problem=problem)
    return Redirect(f"/stock/orders/{order_id}?done=delivered", status_code=303)


@post("/stock/orders/{order_id:str}/close", opt=_DECIDED, status_code=200)
async def close(request: StockRequest, order_id: str) -> Response[Any]:
    """Say that no more is awaited of the order, and why."""
    opened, form = await open_here(request, "order"), short(await request.form())
    order = await _order(opened, order_id)
    if len(form["words"]) < 3:
        problem = _("Say why no more is awaited.")
        return await _order_page(request, opened, order, problem=problem)
    said = ordering.said(ordering.CLOSED, f"closed.{order.id}", order.id, Body(words=form["words"]))
    try:
        await opened.stock.add("order", [], [said])
    except AccessError:
        return Redirect(f"/stock/orders/{order_id}?done=closed-already", status_code=303)
    return Redirect(f"/stock/orders/{order_id}?done=closed", status_code=303)


@get("/stock/orders/{order_id:str}/print", opt=_DECIDED)
async def print_order(request: StockRequest, order_id: str) -> Response[Any]:
    """The order as it is printed or saved as PDF, and handed to the pharmacy."""
    opened = await open_here(request, "order print")
    order = await _order(opened, order_id)
    return page(
        request, "order_print.html", opened, part="orders", order=order, page_title=_("Order")
    )


@get("/stock/orders/{order_id:str}/message", opt=_DECIDED)
async def order_message(request: StockRequest, order_id: str) -> Response[Any]:
    """The order as a FHIR message, as a file for the pharmacy's system."""
    opened = await open_here(request, "order message")
    order = await _order(opened, order_id)
    made = message(order, opened.stock.unit, staff_of_request(request).unit_name)
    body = msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(made), indent=2)
    named = {"Content-Disposition": f'attachment; filename="order-{order.at:%Y%m%d-%H%M}.json"'}
    return Response(body, media_type="application/fhir+json", headers=named)


ROUTES: Final = (
    orders_page, new_order, draft_order, order_page, change_lines, send_order, deliver, close,
    print_order, order_message,
)  # fmt: skip


def _lines(form: Mapping[str, str]) -> tuple[OrderLine, ...]:
    """The lines of a form that have an amount."""
    found = []
    for place in range(_MOST_LINES):
        amount = amount_typed(form.get(f"amount-{place}", ""))
        name = form.get(f"name-{place}", "")
        if amount is not None and name:
            found.append(OrderLine(
                product=form.get(f"product-{place}", "")[:64], name=name[:200], amount=amount,
                unit=form.get(f"unit-{place}", "")[:40] or "stk",
                why=form.get(f"why-{place}", "")[:200],
            ))  # fmt: skip
    return tuple(found)


def _delivery(order: Order, form: Mapping[str, str]) -> tuple[list[Delivered], list[Line], str]:
    """What came, the lines of the book that it is, and what is wrong with what was written."""
    came: list[Delivered] = []
    lines: list[Line] = []
    for place, line in enumerate(order.lines):
        said = form.get(f"came-{place}", "")
        if said in ("", "0"):
            continue
        amount, day = amount_typed(said), day_typed(form.get(f"expires-{place}", ""))
        if amount is None or (day is None and line.product):
            problem = _("%(name)s: write how much came, and when it expires.")
            return [], [], problem % {"name": line.name}
        batch = form.get(f"batch-{place}", "")[:40]
        came.append(Delivered(
            product=line.product, name=line.name, amount=amount, unit=line.unit, batch=batch,
        ))  # fmt: skip
        if line.product:
            lines.append(Line(f"{form.get('key', '')}.{place}", line.product, batch, day,
                              "delivered", amount, form.get("words", ""), order.id))  # fmt: skip
    return came, lines, ""


async def _keep_new(request: StockRequest, opened: Opened, lines: list[Line]) -> None:
    """Have the unit keep what came for the first time."""
    for line in lines:
        if opened.row(line.product) is None:
            product = await catalogue_of(services_of(request)).product(line.product)
            if product is not None:
                await opened.stock.keep(line.product, as_body(kept_from(product)), f"{line.id}.k")


async def _orders(opened: Opened) -> list[Order]:
    return ordering.orders(await opened.stock.notes(ordering.KINDS))


async def _order(opened: Opened, order_id: str) -> Order:
    found = next((each for each in await _orders(opened) if each.id == order_id), None)
    if found is None:
        raise NotFoundException("There is no such order at this unit.")
    return found


def _awaited(orders: list[Order]) -> dict[str, Decimal]:
    """Product -> how much of it is ordered and has not come."""
    found: dict[str, Decimal] = {}
    for order in orders:
        if order.state in ("draft", "sent", "partly"):
            for line in order.lines:
                if line.product:
                    found[line.product] = found.get(line.product, Decimal(0)) + line.amount
            for note in order.deliveries:
                for came in ordering.read(note).came:
                    found[came.product] = found.get(came.product, Decimal(0)) - came.amount
    return {product: amount for product, amount in found.items() if amount > 0}


async def _order_page(
    request: StockRequest, opened: Opened, order: Order, *, form: Texts | None = None,
    problem: str = "", done: str = "",
) -> Response[Any]:  # fmt: skip
    return page(
        request, "order.html", opened, part="orders",
        status_code=422 if problem else 200, order=order,
        states=_states(), form=form or Texts(), problem=problem, done=done, key=str(uuid4()),
        missing={line.name: line for line in order.differences},
        page_title=_("Order"),
    )  # fmt: skip


def _states() -> dict[str, str]:
    return {
        "draft": _("draft"), "sent": _("sent"), "partly": _("partly delivered"),
        "delivered": _("delivered"), "closed": _("closed"),
    }  # fmt: skip


def _done(code: str) -> str:
    return {
        "kept": _("The order is kept."), "sent": _("It is noted as sent."),
        "delivered": _("What came is on the shelf."), "closed": _("The order is closed."),
        "closed-already": _("The order is closed."),
        "empty": _("Nothing was ordered: no line had an amount."),
    }.get(code, "")  # fmt: skip
