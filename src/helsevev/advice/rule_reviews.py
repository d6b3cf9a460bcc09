"""Rules that few accept go to review: a task for each, until somebody has said what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Conflict
from helsevev.access.services import Services
from helsevev.advice.rule_statistics import RuleLine, case_counts, rule_lines
from helsevev.content import decision_loading as content
from helsevev.fhir.reading import objects, text
from helsevev.fhir.search_query import parse
from helsevev.kit import clock
from helsevev.kit.nightly import Nightly
from helsevev.locale import gettext as _

RULE: Final = "urn:helsevev:rule-under-review"
"""The system of the identifier that names the rule of a review."""
_OPEN: Final = "requested,accepted,in-progress,on-hold"
_MOST: Final = 200


async def open_reviews(services: Services) -> dict[str, Mapping[str, Any]]:
    """The reviews that nobody has ended: rule -> its Task."""
    query = parse(
        "Task", [("identifier", f"{RULE}|"), ("status", _OPEN), ("_count", str(_MOST))], base=""
    )
    page = await services.searcher.search(SYSTEM, query)
    return {
        text(each.get("value")): stored.resource
        for stored in page.matches
        for each in objects(stored.resource.get("identifier"))
        if each.get("system") == RULE
    }


async def send_to_review(services: Services) -> int:
    """Ask for a review of each rule that goes to one and has none; gives how many were asked."""
    levels = content.levels()
    since = clock.now() - timedelta(days=levels.review_days)
    counted = await services.card_log.statistics(since)
    waiting = await open_reviews(services)
    due = [
        line
        for line in rule_lines(counted, case_counts(), levels)
        if line.goes_to_review and line.rule not in waiting
    ]
    for line in due:
        await services.writer.write(SYSTEM, _review(line))
    return len(due)


def _review(line: RuleLine) -> dict[str, Any]:
    told = _("%(shown)s shown, %(accepted)s accepted, %(overridden)s overridden.") % {
        "shown": line.shown, "accepted": line.accepted, "overridden": line.overridden,
    }  # fmt: skip
    return {
        "resourceType": "Task", "status": "requested", "intent": "order",
        "identifier": [{"system": RULE, "value": line.rule}],
        "code": {"text": _("Review the rule “%(rule)s”") % {"rule": line.title}},
        "description": told, "authoredOn": clock.now().isoformat(timespec="milliseconds"),
        "owner": {"display": content.levels().owner},
    }  # fmt: skip


async def end_review(services: Services, actor: Actor, rule: str, verdict: str) -> None:
    """Keep what a review came to. Raises `Conflict` when there is none to end."""
    task = (await open_reviews(services)).get(rule)
    if task is None:
        problem = _("This rule is not under review.")
        raise Conflict(problem, None)
    done = {
        **task, "status": "completed",
        "lastModified": clock.now().isoformat(timespec="milliseconds"),
        "note": [{
            "text": verdict.strip(),
            "authorReference": {"reference": actor.id, "display": actor.name},
        }],
    }  # fmt: skip
    await services.writer.write(actor, done, if_match=int(task["meta"]["versionId"]))


class RulesToReview(Nightly):
    """Asks every night for the reviews that the statistics call for."""

    name = "rules-to-review"

    def __init__(self, services: Services) -> None:
        self._services = services

    async def night(self) -> None:
        """See `Nightly`."""
        await send_to_review(self._services)
