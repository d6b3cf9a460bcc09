"""The demo's answered forms, signed by the verbs that pages use: so the demo shows what they do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import Services
from helsevev.documentation.forms.opening import open_form
from helsevev.documentation.forms.signing_in import Signed, sign, signed_before
from helsevev.documentation.forms.typed import token_of
from helsevev.fhir.questionnaire import Prepared
from helsevev.kit import clock
from helsevev.region.demo.answered import ANSWERED, Answered


async def load_forms(services: Services, people: Mapping[str, Actor]) -> int:
    """Sign the demo's forms unless they are signed; gives how many were.

    One that asks otherwise than it did is left out.
    """
    if await services.searcher.match(SYSTEM, "QuestionnaireResponse", "patient=demo-aslaug", 1):
        return 0
    now = clock.now()
    return sum([await _signed(services, people[each.by], each, now) for each in ANSWERED])


async def _signed(services: Services, actor: Actor, said: Answered, now: datetime) -> int:
    key = str(uuid5(NAMESPACE_URL, f"demo/{said.patient}/{said.form}/{said.days}"))
    opened = await open_form(services, actor, f"demo-{said.patient}", said.form, key)
    if await signed_before(opened) is not None:
        return 0
    typed = {link: [_token(opened.prepared, link, points)] for link, points in said.points.items()}
    sheet = opened.sheet(typed, whole=True)
    at = now - timedelta(days=said.days, minutes=40)
    return isinstance(await sign(opened, sheet, at=at), Signed)


def _token(prepared: Prepared, link: str, points: int) -> str:
    item = prepared.by_link.get(link)
    options = item.options if item else ()
    return next((token_of(each.value) for each in options if each.weight == points), "")
