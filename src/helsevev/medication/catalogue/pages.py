"""Look-up in the catalogue for pages that order: what one types becomes a list to choose from.

The catalogue is about nobody: it is open to whoever is signed in, as terminology is.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import HTTPException

from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.look_up import MOST_FOUND, Catalogue, catalogue_of
from helsevev.medication.catalogue.product import resource_id
from helsevev.medication.dosage import doses
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}
_LIMIT: Final = 12
_LONGEST: Final = 100


@get("/medicines/find", opt=_SIGNED_IN)
async def find_medicines(request: _Request) -> Response[Any]:
    """Products that `q` may mean, best first: options of a list, or JSON to who asks for it."""
    text = request.query_params.get("q", "")
    said = request.query_params.get("limit", str(_LIMIT))
    if not said.isascii() or not said.isdigit() or not 1 <= int(said[:6]) <= MOST_FOUND:
        most = _("limit must be a number from 1 to %(most)s.") % {"most": MOST_FOUND}
        raise HTTPException(most, status_code=400)
    if len(text) > _LONGEST:
        text = text[:_LONGEST]
    found = await _catalogue(request).find(text, int(said))
    if "application/json" in request.headers.get("accept", ""):
        listed = [
            {"reference": f"Medication/{resource_id(each.id)}", **msgspec.to_builtins(each)}
            for each in found
        ]
        return Response(listed, media_type="application/json")
    return render(request, "medication/_medicines_found.html", found=found, text=text.strip())


@get("/medicines/{identifier:str}/sentences", opt=_SIGNED_IN)
async def order_sentences(request: _Request, identifier: str) -> Response[Any]:
    """How a product is usually ordered, as R4 dosages with their words; 404 for no product."""
    catalogue = _catalogue(request)
    product = await catalogue.product(identifier)
    if product is None:
        raise HTTPException(_("There is no such medicine in the catalogue."), status_code=404)
    told = [
        {
            "text": "; ".join(dose.text for dose in doses(sentence.dosage)),
            "source": sentence.source,
            "dosageInstruction": sentence.dosage,
        }
        for sentence in await catalogue.sentences(product)
    ]
    body = msgspec.json.Encoder(decimal_format="number").encode(told)
    return Response(body, media_type="application/json")


def _catalogue(request: _Request) -> Catalogue:
    actor_of_request(request)
    services: Services = request.app.state.services
    return catalogue_of(services)


ROUTES: Final = (find_medicines, order_sentences)
