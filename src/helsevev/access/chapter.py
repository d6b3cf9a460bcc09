"""What the gate adds to the application: signing in, tokens, subscriptions, code systems."""

from helsevev.access import blocking, commands, pages
from helsevev.access.acting import pages as acting_pages
from helsevev.access.administration import pages as administration_pages
from helsevev.access.administration.effective import pages as effective_pages
from helsevev.access.administration.scim import pages as scim_pages
from helsevev.access.administration.units import pages as unit_pages
from helsevev.access.apps import pages as app_pages
from helsevev.access.apps.registering import pages as registering_pages
from helsevev.access.apps.registering.command import APPS
from helsevev.access.audit import alarm_pages, worklist
from helsevev.access.audit.command import AUDIT
from helsevev.access.blocks import pages as block_pages
from helsevev.access.explain_command import ACCESS
from helsevev.access.identity import emergency_pages, lock_pages, own_pages
from helsevev.access.identity.alarm_command import ALARMS
from helsevev.access.subscriptions.command import SUBSCRIPTIONS
from helsevev.access.terminology_command import TERMINOLOGY
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="access",
    owns=("AuditEvent", "Consent"),
    rules={"Consent": blocking.check},
    commands=(ACCESS, commands.TOKEN, ALARMS, APPS, AUDIT, SUBSCRIPTIONS, TERMINOLOGY),
    routes=(
        acting_pages.acting_page, acting_pages.choose_acting, acting_pages.give_acting,
        acting_pages.withdraw_acting,
        worklist.worklist, worklist.judge,
        pages.sign_in_page, pages.sign_in, pages.sign_in_by_link, pages.go_to_provider,
        pages.come_from_provider, pages.role_page, pages.choose_role, pages.switch_role,
        pages.sign_out, pages.signed_out, pages.provider_signed_out,
        lock_pages.lock, lock_pages.locked, lock_pages.locked_for, lock_pages.unlock,
        lock_pages.ask_for_passkey, lock_pages.seen,
        emergency_pages.emergency_page, emergency_pages.emergency_passkey,
        emergency_pages.emergency_code,
        own_pages.own_sign_in, own_pages.set_pin, own_pages.ask_for_new_passkey,
        own_pages.change_passkeys, own_pages.change_codes,
        *app_pages.ROUTES, *registering_pages.ROUTES, *scim_pages.ROUTES,
        *administration_pages.ROUTES, *unit_pages.ROUTES, *effective_pages.ROUTES,
        *block_pages.ROUTES, *alarm_pages.ROUTES,
    ),
)  # fmt: skip
