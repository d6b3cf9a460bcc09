"""A signed form made right, or taken back: its next version, and what followed from it, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from helsevev.access.slices import Slice
from helsevev.documentation.forms.opened import Opened
from helsevev.documentation.forms.sheet import Sheet
from helsevev.documentation.forms.signing import (
    SHORTEST_REASON,
    check,
    corrected_response,
    correcting_bundle,
    withdrawn_response,
)
from helsevev.documentation.forms.signing_in import (
    FROM_FORM,
    author_of,
    follows_from,
    hindrances,
    summaries,
    with_files,
    with_title,
)
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.questionnaire import extract
from helsevev.fhir.reading import moment, objects, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _

_MOST = 5_000


def draft_key(response_id: str) -> str:
    """The key of the draft in which somebody corrects a signed form."""
    return str(uuid5(NAMESPACE_URL, f"QuestionnaireResponse/{response_id}"))


async def correct(opened: Opened, sheet: Sheet, version: int, reason: str) -> Sequence[Issue]:
    """Sign the corrected form, on the version that was seen. Gives what stands in the way.

    What was measured is dated as before; what no longer follows is marked as a mistake. Raises
    `Conflict` when somebody was first, and other `AccessError`s.
    """
    issues = [*_without_reason(reason), *hindrances(sheet)]
    response = sheet.filled.response
    if not issues and response.get("item") == opened.corrects.get("item"):
        issues = [error("business-rule", _("Nothing was changed."))]
    if issues:
        return issues
    author, at = author_of(opened.actor), clock.now()
    after = corrected_response(opened.corrects, response, author=author, at=at, reason=reason)
    if issues := check(after):
        return issues
    after = with_title(after, opened.form.title, summaries(sheet))
    url = f"QuestionnaireResponse/{opened.corrects['id']}"
    made = follows_from(opened, sheet, url, _taken(opened.corrects, at))
    after, more = await with_files(opened, after, at)
    await _write(opened, after, version, made, more)
    return ()


async def withdraw(opened: Opened, version: int, reason: str) -> Sequence[Issue]:
    """Mark a signed form, and what followed from it, as entered in error."""
    if issues := _without_reason(reason):
        return issues
    author, at = author_of(opened.actor), clock.now()
    after = withdrawn_response(opened.corrects, author=author, at=at, reason=reason)
    await _write(opened, after, version, [])
    return ()


async def _write(
    opened: Opened,
    after: Mapping[str, Any],
    version: int,
    made: Sequence[tuple[str, Mapping[str, Any]]],
    more: Sequence[Mapping[str, Any]] = (),
) -> None:
    bundle = correcting_bundle(after, version, await _standing(opened), made)
    bundle["entry"] += more
    await opened.services.bundles.transact(opened.actor, bundle)
    await opened.discard()


async def _standing(opened: Opened) -> list[Mapping[str, Any]]:
    """What followed from the form as it stands."""
    url = f"QuestionnaireResponse/{opened.corrects['id']}"
    kinds = {"Observation"} | {
        each.resource["resourceType"]
        for each in extract(
            opened.prepared, opened.corrects, subject=f"Patient/{opened.permit.patient_id}",
            author={}, at=clock.now(), url=url, context=opened.context,
        )
    }  # fmt: skip
    found = await opened.services.gate.open_slices(
        opened.permit, [Slice(kind, _MOST) for kind in sorted(kinds)], interaction="form"
    )
    return [each for kind in found.values() for each in kind if _follows(each, url)]


def _follows(resource: Mapping[str, Any], url: str) -> bool:
    named = [each.get("valueReference") for each in objects(resource.get("extension"))
             if each.get("url") == FROM_FORM]  # fmt: skip
    return url in map(reference_key, [*objects(resource.get("derivedFrom")), *named])


def _taken(response: Mapping[str, Any], otherwise: datetime) -> datetime:
    """When the answers were given: a correction does not make them younger."""
    authored = moment(text(response.get("authored")))
    return authored.at if authored else otherwise


def _without_reason(reason: str) -> list[Issue]:
    if len(reason.strip()) >= SHORTEST_REASON:
        return []
    return [error("required", _("Say why it is corrected."), "reason")]
