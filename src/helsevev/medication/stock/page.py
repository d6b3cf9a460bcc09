"""What the pages of the stock share: opening it for whoever asks, and the frame around."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.medication.stock.opened import Opened, kind_names, open_stock, said_amount
from helsevev.screens.rendering import render

StockRequest = Request[Any, Any, Any]


async def open_here(request: StockRequest, what: str = "") -> Opened:
    """The stock of the unit that one works at; `what` is told to the trail. Raises `Refused`."""
    return await open_stock(services_of(request), staff_of_request(request), what)


def services_of(request: StockRequest) -> Services:
    """The services of the application that was asked."""
    services: Services = request.app.state.services
    return services


def page(
    request: StockRequest,
    template: str,
    opened: Opened,
    *,
    part: str,
    status_code: int = 200,
    **context: Any,
) -> Response[Any]:
    """A page of the stock; `part` is the tab that it is under."""
    return render(
        request, f"medication/stock/{template}", status_code=status_code, opened=opened,
        amount=said_amount, kinds=kind_names(), place="stock", part=part,
        unit=staff_of_request(request).unit_name, **context,
    )  # fmt: skip
