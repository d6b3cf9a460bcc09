"""Rules that few accept go to review every night, until somebody has said what comes of it."""

from __future__ import annotations

from datetime import timedelta

from helsevev.access.rule_reviews import RuleReviews
from helsevev.access.services import Services
from helsevev.advice.rule_statistics import case_counts, rule_lines
from helsevev.content import decision_loading as content
from helsevev.kit import clock
from helsevev.kit.nightly import Nightly
from helsevev.locale import gettext as _


async def send_to_review(services: Services) -> int:
    """Ask for a review of each rule that goes to one and has none; gives how many were asked."""
    levels = content.levels()
    since = clock.now() - timedelta(days=levels.review_days)
    counted = await services.card_log.statistics(since)
    reviews, asked = RuleReviews(services.gate), 0
    for line in rule_lines(counted, case_counts(), levels):
        if line.goes_to_review:
            told = _("%(shown)s shown, %(accepted)s accepted, %(overridden)s overridden.") % {
                "shown": line.shown, "accepted": line.accepted, "overridden": line.overridden,
            }  # fmt: skip
            asked += await reviews.ask(line.rule, told)
    return asked


class RulesToReview(Nightly):
    """Asks every night for the reviews that the statistics call for."""

    name = "rules-to-review"

    def __init__(self, services: Services) -> None:
        self._services = services

    async def night(self) -> None:
        """See `Nightly`."""
        await send_to_review(self._services)
