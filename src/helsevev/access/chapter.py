"""What the gate adds to the application: signing in, tokens, subscriptions, code systems."""

from helsevev.access import commands, pages
from helsevev.access.apps import pages as app_pages
from helsevev.access.apps.registering import pages as registering_pages
from helsevev.access.apps.registering.command import APPS
from helsevev.access.audit.command import AUDIT
from helsevev.access.subscriptions.command import SUBSCRIPTIONS
from helsevev.access.terminology_command import TERMINOLOGY
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="access",
    owns=("AuditEvent", "Consent"),
    commands=(commands.TOKEN, APPS, AUDIT, SUBSCRIPTIONS, TERMINOLOGY),
    routes=(
        pages.sign_in_page, pages.sign_in, pages.sign_in_by_link, pages.sign_out,
        *app_pages.ROUTES, *registering_pages.ROUTES,
    ),
)  # fmt: skip
