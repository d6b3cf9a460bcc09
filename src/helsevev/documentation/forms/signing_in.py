"""Signing a form that is open: its answers, what follows from them, and the task that asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.entries import replaced
from helsevev.access.errors import Conflict, Unprocessable
from helsevev.documentation.forms.answered import SUMMARY, TITLE
from helsevev.documentation.forms.opened import Opened
from helsevev.documentation.forms.sheet import Sheet, words_of
from helsevev.documentation.forms.signing import PRESSED, bundle_of, check, signed_response
from helsevev.documentation.note import Author
from helsevev.documentation.notes import files
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.questionnaire import extract
from helsevev.fhir.reading import objects, reference_key, text
from helsevev.follow_up import answering
from helsevev.follow_up.answering import CannotAnswer
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.opened import calls_of

FROM_FORM: Final = "http://helsevev.no/fhir/StructureDefinition/from-form"
"""Names the answers that a resource was made of, where its type has no element for that."""


class Signed(Struct, frozen=True):
    """A form that is part of the record."""

    response_id: str


async def sign(
    opened: Opened, sheet: Sheet, task: str = "", *, at: datetime | None = None
) -> Signed | Sequence[Issue]:
    """Sign the form under its draft's key: whoever presses twice signs once.

    `task` is the id of the Task that it completes, `at` when it was answered (now). Gives what
    stands in the way instead, and then nothing was kept. Raises `AccessError`.
    """
    if issues := hindrances(sheet):
        return issues
    actor, at = opened.actor, at or clock.now()
    encounter = f"Encounter/{opened.encounter['id']}" if opened.encounter else None
    response = signed_response(
        sheet.filled.response, patient_id=opened.permit.patient_id, author=author_of(actor),
        at=at, encounter=encounter, pressed=opened.key,
    )  # fmt: skip
    if issues := check(response):
        return issues
    response = with_title(response, opened.form.title, summaries(sheet))
    url = f"urn:uuid:{UUID(opened.key)}"
    extracted = follows_from(opened, sheet, url, at)
    response, more = await with_files(opened, response, at)
    more += await calls_of(opened.services, actor, opened.permit.patient_id, extracted, at)
    more += await _task_done(opened, task, url) if task else []
    bundle = bundle_of(response, url, extracted, more)
    try:
        answer = await opened.services.bundles.transact(actor, bundle, idempotency_key=opened.key)
    except (Unprocessable, Conflict):
        # A second press of the same button: what is signed already is signed.
        before = await signed_before(opened)
        if before is None:
            raise
        if before.get("item") == response["item"]:
            return Signed(text(before.get("id")))
        told = _("This form has been signed already. Open it to correct it.")
        return [error("conflict", told)]
    location = text(answer["entry"][0]["response"]["location"])
    return Signed(location.split("/")[1])


async def with_files(
    opened: Opened, response: dict[str, Any], at: datetime
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The answers with their files where these are kept, and the entries that keep them."""
    kept: dict[str, str] = {}
    entries: list[dict[str, Any]] = []
    encounter = f"Encounter/{opened.encounter['id']}" if opened.encounter else None
    for name, file in opened.files.items():
        held = await opened.services.draft_files.content(opened.permit, opened.key, name)
        if held is not None:
            reference, made = files.entries(
                text(file.get("title")), files.Taken(*held), patient_id=opened.permit.patient_id,
                author=author_of(opened.actor), at=at, encounter=encounter,
            )  # fmt: skip
            kept[name] = text(reference["reference"])
            entries += made
    return {**response, "item": [_with_addresses(each, kept) for each in response["item"]]}, entries


def _with_addresses(node: Any, kept: Mapping[str, str]) -> Any:
    """The answers, each file of a draft under the address that it is kept at."""
    if isinstance(node, list):
        return [_with_addresses(each, kept) for each in node]
    if not isinstance(node, Mapping):
        return node
    if "valueAttachment" in node:
        file = node["valueAttachment"]
        if (name := text(file.get("id"))) in kept:
            rest = {key: value for key, value in file.items() if key != "id"}
            return {**node, "valueAttachment": {**rest, "url": kept[name]}}
    return {key: _with_addresses(value, kept) for key, value in node.items()}


async def signed_before(opened: Opened) -> Mapping[str, Any] | None:
    """What was signed under the draft's key; None when nothing was."""
    query = urlencode({"identifier": f"{PRESSED}|{opened.key}"})
    found = await opened.services.searcher.match(opened.actor, "QuestionnaireResponse", query, 1)
    return found[0].resource if found else None


def summaries(sheet: Sheet) -> list[str]:
    """What came out of the form, a line for each sum: "Barthel: 14, moderately dependent"."""
    found = []
    for score in sheet.filled.scores:
        if score.value is None:
            continue
        value = f"{score.value}".replace(".", ",")
        said = f"{score.text}: {value}"
        found.append(f"{said}, {score.band.label}" if score.band else said)
    return found


def with_title(response: Mapping[str, Any], title: str, summary: Sequence[str]) -> dict[str, Any]:
    """The answers with what the form is called, and what came out of it, as they were then."""
    kept = [e for e in objects(response.get("extension")) if e.get("url") != SUMMARY]
    said = [{"url": SUMMARY, "valueString": line} for line in summary]
    named = {"extension": [{"url": TITLE, "valueString": title}]}
    return {**response, "_questionnaire": named, "extension": [*kept, *said]}


def hindrances(sheet: Sheet) -> list[Issue]:
    """What has to be put right before the form can be signed, in words."""
    found = [error(each.code, each.diagnostics, each.expression) for each in sheet.unread]
    places = sheet.filled.by_key
    for issue in sheet.filled.issues:
        if issue.stops:
            place = places.get(issue.key)
            asked = (place.item.look.short or place.item.text) if place else ""
            words = words_of(issue)
            found.append(error("required", f"{asked}: {words}" if asked else words, issue.key))
    return found


def follows_from(
    opened: Opened, sheet: Sheet, url: str, at: datetime
) -> list[tuple[str, dict[str, Any]]]:
    """What the answers say besides, as resources under their addresses in the transaction.

    `url` is the address of the answers, there or in the record; `at` when they were given.
    """
    actor = opened.actor
    encounter = f"Encounter/{opened.encounter['id']}" if opened.encounter else None
    made = extract(
        opened.prepared, sheet.filled.response, subject=f"Patient/{opened.permit.patient_id}",
        author={"reference": actor.id, "display": actor.name}, at=at, encounter=encounter,
        url=url, context=opened.context,
    )  # fmt: skip
    return [(each.address, _marked(each.resource, url)) for each in made]


def _marked(resource: dict[str, Any], url: str) -> dict[str, Any]:
    """What was made of the answers says so: an Observation in its own element, others beside."""
    if resource["resourceType"] == "Observation":
        return resource
    said = {"url": FROM_FORM, "valueReference": {"reference": url}}
    return {**resource, "extension": [*objects(resource.get("extension")), said]}


def author_of(actor: Actor) -> Author:
    """Who signs."""
    return Author(actor.id, actor.name, actor.organisation, actor.organisation_name)


async def _task_done(opened: Opened, task: str, outcome: str) -> list[dict[str, Any]]:
    """The task that asked for the form, as it is when the form is signed.

    One that somebody has ended meanwhile stands in nobody's way: the answers are true anyhow.
    """
    services, actor = opened.services, opened.actor
    stored = await answering.open_task(services, actor, task)
    if reference_key(stored.get("for")) != f"Patient/{opened.permit.patient_id}":
        raise CannotAnswer([error("conflict", _("The task is another patient's."), "task")])
    try:
        made = answering.done(stored, (actor.id, actor.name), clock.now(), outcome=outcome)
    except CannotAnswer:
        return []
    return [replaced(made)]
