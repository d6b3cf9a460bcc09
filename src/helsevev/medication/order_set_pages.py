"""Order sets: several medicines on one page, each on or off and editable, signed once, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from msgspec import Struct, structs

from helsevev.access.entries import created, transaction
from helsevev.access.errors import AccessError, Refused
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.content.order_set_shapes import OrderSet, SetLine
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import mapping
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.choices import choices
from helsevev.medication.catalogue.look_up import catalogue_of
from helsevev.medication.catalogue.product import SUBSTANCE, resource_id
from helsevev.medication.checks import MADE_AS
from helsevev.medication.choosing import Choice, words_of
from helsevev.medication.opened import Opened, open_list
from helsevev.medication.order_checks import Checked, answered, checked_together
from helsevev.medication.order_entry import (
    FIELDS,
    answers_of,
    fields,
    order_of,
    routes_of,
    today,
    typed,
    unanswered,
    with_answers,
)
from helsevev.medication.order_form import dosages_of, of_sentence
from helsevev.medication.prescription import NotPrescribable
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_MOST: Final = 20


class Line(Struct, frozen=True):
    """One medicine of an opened set: its product, what its fields hold, and what comes of it.

    `choice` is None when the catalogue has no such product. `order` is None while it is off, or
    while something is missing, which `issues` says.
    """

    about: SetLine
    choice: Choice | None
    form: Mapping[str, str]
    is_on: bool
    words: str = ""
    order: Mapping[str, Any] | None = None
    issues: tuple[Issue, ...] = ()
    says: Checked | None = None

    @property
    def prefix(self) -> str:
        """What the names of its fields begin with."""
        return f"{self.about.id}."


@get("/patient/{patient_id:str}/medications/sets/{set_id:str}", opt=_RECORD)
async def open_set(request: _Request, patient_id: str, set_id: str) -> Response[Any]:
    """A set with its usual doses, checked together as it stands."""
    opened, chosen = await _opened(request, patient_id), _set(set_id)
    key = str(uuid4())
    return await _page(request, opened, chosen, key, await _lines(opened, chosen, key, None))


@post("/patient/{patient_id:str}/medications/sets/{set_id:str}/check", opt=_RECORD,
      status_code=200)  # fmt: skip
async def check_set(request: _Request, patient_id: str, set_id: str) -> Response[Any]:
    """What the lines mean so far, and what the checks say of them together."""
    opened, chosen = await _opened(request, patient_id), _set(set_id)
    form = await typed(request)
    lines = await _lines(opened, chosen, form["key"], request)
    lines = await _checked(opened, form["key"], lines, "order-select")
    answers = await answers_of(request)
    return render(
        request, "medication/_set_meaning.html", lines=_once(lines), answers=answers, opened=opened
    )


@post("/patient/{patient_id:str}/medications/sets/{set_id:str}", opt=_RECORD, status_code=200)
async def sign_set(request: _Request, patient_id: str, set_id: str) -> Response[Any]:
    """Sign all that is on, in one transaction: all of it is ordered, or nothing is."""
    opened, chosen = await _opened(request, patient_id), _set(set_id)
    form, answers = await typed(request), await answers_of(request)
    lines = await _lines(opened, chosen, form["key"], request)
    try:
        if form["patient"] != patient_id:
            problem = _("This form belongs to another patient. Nothing was ordered.")
            raise NotPrescribable([Issue("error", "conflict", problem)])
        key = str(UUID(form["key"]))
        if not _is_signed(opened, key):
            lines = await _signed(opened, key, lines, answers)
    except Refused:
        raise
    except (NotPrescribable, AccessError) as refusal:
        if not _is_signed(await _opened(request, patient_id), form["key"]):
            return await _page(
                request, opened, chosen, form["key"], lines, refusal.issues, answers
            )  # fmt: skip
    except ValueError:
        problem = _("The form is not complete. Open it again.")
        return await _page(
            request, opened, chosen, str(uuid4()), lines, [error("value", problem)], answers
        )  # fmt: skip
    return Redirect(f"{opened.base}/medications", status_code=303)


async def _signed(
    opened: Opened, key: str, lines: Sequence[Line], answers: Mapping[str, str]
) -> list[Line]:  # fmt: skip
    """Check the lines together and write them. Raises `NotPrescribable` or `AccessError`."""
    if any(line.is_on and line.order is None for line in lines):
        raise NotPrescribable([error("required", _("A line is not complete."))])
    checked = await _checked(opened, key, lines, "order-sign")
    on = [(line.order, line.says) for line in checked if line.order and line.says]
    if not on:
        raise NotPrescribable([error("required", _("Choose at least one medicine."))])
    if any(unanswered(says, answers) for _order, says in on):
        raise NotPrescribable([error("business-rule", _("Answer the warnings first."))])
    bundle = transaction(created(with_answers(order, says, answers)) for order, says in on)
    await opened.services.bundles.transact(opened.actor, bundle, idempotency_key=key)
    for order, says in on:
        await answered(opened.services, opened.permit, says, answers, order)
    return checked


async def _lines(
    opened: Opened, chosen: OrderSet, key: str, request: _Request | None
) -> list[Line]:  # fmt: skip
    """The lines of a set: as content has them, or as the form that was sent has them."""
    sent = await request.form() if request is not None else None
    found = []
    for about in chosen.line:
        choice = await _product(opened, about)
        form = {**dict.fromkeys(FIELDS, ""), **of_sentence(about, today())}
        is_on = about.on and choice is not None
        if sent is not None:
            names = [name for name in FIELDS if f"{about.id}.{name}" in sent]
            form |= {name: str(sent[f"{about.id}.{name}"])[:500] for name in names}
            form |= {"days": " ".join(str(day) for day in sent.getall(f"{about.id}.days", []))}
            form |= {n: str(sent.get(f"{about.id}.{n}", "")) for n in ("multidose", "own_managed")}
            is_on = choice is not None and f"{about.id}.on" in sent
        form["key"] = _key_of(key, about)
        found.append(_drawn(opened, chosen, key, Line(about, choice, form, is_on)))
    return found


def _drawn(opened: Opened, chosen: OrderSet, key: str, line: Line) -> Line:
    """The line in words, with the order it makes when it is on."""
    if line.choice is None:
        return line
    try:
        words = words_of(dosages_of(line.form, today()), line.form["how"])
        order = order_of(opened, line.form, line.choice) if line.is_on else None
    except NotPrescribable as incomplete:
        return structs.replace(line, issues=incomplete.issues)
    if order is not None:
        order["groupIdentifier"] = {"system": MADE_AS, "value": f"urn:uuid:{key}"}
        order["instantiatesUri"] = [f"urn:helsevev:order-set:{chosen.id}:{chosen.version}"]
    return structs.replace(line, words=words, order=order)


async def _checked(
    opened: Opened, key: str, lines: Sequence[Line], hook: str
) -> list[Line]:  # fmt: skip
    """The lines with what the checks say of each, beside the others that are on."""
    on = [line for line in lines if line.order is not None]
    orders = [line.order for line in on if line.order is not None]
    if not orders:
        return list(lines)
    says = await checked_together(
        opened.services, opened.permit, orders, hook=hook, showing=key
    )  # fmt: skip
    told = {line.about.id: each for line, each in zip(on, says, strict=True)}
    return [structs.replace(line, says=told.get(line.about.id)) for line in lines]


def _once(lines: Sequence[Line]) -> list[Line]:
    """The lines with each finding shown once: two of them that meet have the same card."""
    seen: set[str] = set()
    found = []
    for line in lines:
        if line.says is not None:
            cards = [card for card in line.says.cards if card.key not in seen]
            seen |= {card.key for card in cards}
            line = structs.replace(line, says=structs.replace(line.says, cards=cards))
        found.append(line)
    return found


async def _product(opened: Opened, about: SetLine) -> Choice | None:
    """The product of a line: the substance's own where the catalogue has it, else a trade name."""
    found = await catalogue_of(opened.services).find(about.search, _MOST)
    found = [each for each in found if each.atc.startswith(about.atc)]
    found.sort(key=lambda each: each.kind != SUBSTANCE)
    if not found:
        return None
    return await choices(opened.services, opened.actor).one(resource_id(found[0].id), today())


def _key_of(key: str, about: SetLine) -> str:
    """What an order of the set is named by, the same each time the form is sent."""
    return str(uuid5(NAMESPACE_URL, f"{key}/{about.id}"))


def _is_signed(opened: Opened, key: str) -> bool:
    """Whether the set that was opened under this key stands on the list."""
    return any(
        mapping(resource.get("groupIdentifier")).get("value") == f"urn:uuid:{key}"
        for resource in opened.resources.values()
    )


async def _page(
    request: _Request,
    opened: Opened,
    chosen: OrderSet,
    key: str,
    lines: Sequence[Line],
    issues: Sequence[Issue] = (),
    answers: Mapping[str, str] | None = None,
) -> Response[Any]:
    lines = await _checked(opened, key, lines, "order-select")
    drawn = [
        (
            line,
            fields(line.form, line.issues if line.is_on else ()),
            routes_of(line.choice) if line.choice else (),
        )
        for line in _once(lines)
    ]
    return render(
        request, "medication/order_set.html", status_code=422 if issues else 200, opened=opened,
        chosen=chosen, key=key, drawn=drawn, lines=_once(lines), answers=answers or {},
        units=loading.order_sentences().units, problems=[i.diagnostics for i in issues],
        place="patients", page_title=chosen.title,
    )  # fmt: skip


def _set(set_id: str) -> OrderSet:
    chosen = loading.order_sets().one(set_id)
    if chosen is None:
        raise NotFoundException("There is no such order set.")
    return chosen


async def _opened(request: _Request, patient_id: str) -> Opened:
    services: Services = request.app.state.services
    return await open_list(services, actor_of_request(request), patient_id, interaction="prescribe")


ROUTES: Final = (open_set, check_set, sign_set)
