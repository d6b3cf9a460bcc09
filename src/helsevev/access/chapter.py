"""What the gate adds to the application: signing in and out, and tokens for the API."""

from helsevev.access import commands, pages
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="access",
    owns=("AuditEvent", "Consent"),
    commands=(commands.TOKEN,),
    routes=(pages.sign_in_page, pages.sign_in, pages.sign_in_by_link, pages.sign_out),
)
