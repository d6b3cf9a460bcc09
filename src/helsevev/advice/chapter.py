"""What decision support adds to the application: CDS Hooks, its statistics, and its command."""

from helsevev.advice import pages
from helsevev.advice.command import INTERACTIONS
from helsevev.advice.rule_reviews import RulesToReview
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="advice", routes=pages.ROUTES, commands=(INTERACTIONS,), jobs=(RulesToReview,)
)
