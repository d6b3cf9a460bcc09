"""Where things are on the screens, and states that several tests wait for."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from .user import User


def named(user: User, name: str, *, exact: bool = False) -> Locator:
    """The first link or button that is called this."""
    page = user.page
    link = page.get_by_role("link", name=name, exact=exact)
    return link.or_(page.get_by_role("button", name=name, exact=exact)).first


async def on_the_chart_of(page: Page, name: str = "Aslaug Bakken Moe") -> None:
    """Wait until the chart of this person is drawn and follows the record."""
    await expect(page.locator(".hv-banner h1")).to_have_text(name)
    await expect(page.locator("[data-live-word]")).to_have_text("Direkte")


async def sign_a_note(user: User, patient: str, words: str) -> None:
    """Write a note about somebody and sign it."""
    await user.goto(f"/patient/{patient}/notes/new")
    await user.page.get_by_role("textbox", name="Notat").fill(words)
    await named(user, "Signer").click()
    await expect(user.page.locator("#panel-notes")).to_contain_text(words)


async def who_has_read(user: User, patient: str) -> Locator:
    """The lines of who has read somebody's record, newest first."""
    await user.goto(f"/patient/{patient}/access")
    return user.page.locator(".hv-audit")


_CHART = "/patient/demo-aslaug"
PAGES = {
    "my patients": "/",
    "find a patient": "/patients",
    "tasks": "/tasks",
    "the unit's tasks": "/tasks?show=unit",
    "the inbox": "/inbox",
    "the hand-over": "/hand-over",
    "the hand-over of one": "/hand-over/demo-kare",
    "beds": "/board",
    "home visits": "/visits",
    "saved lists": "/lists",
    "a saved list": "/lists/in-patients",
    "a new task": "/patient/demo-kare/tasks/new",
    "the medicine round": "/rounds",
    "doses of one patient": "/rounds/demo-kare",
    "the chart": _CHART,
    "a sick patient": "/patient/demo-kare",
    "medicines": f"{_CHART}/medications",
    "measurements": f"{_CHART}/measurements",
    "test results": f"{_CHART}/results",
    "notes": f"{_CHART}/notes",
    "forms": f"{_CHART}/forms",
    "a score": f"{_CHART}/forms/4at",
    "a long form": "/patient/demo-kare/forms/admission_nursing",
    "plans": f"{_CHART}/plans",
    "measures of plans": "/measures",
    "pathways": "/pathways",
    "a plan to begin": f"{_CHART}/plans/new?plan=fall_prevention",
    "documents": f"{_CHART}/documents",
    "contacts": f"{_CHART}/contacts",
    "who has read": f"{_CHART}/access",
    "timeline": f"{_CHART}/timeline",
    "a new note": f"{_CHART}/notes/new",
    "a note to co-sign": "/patient/demo-kare/notes/demo-kare-notat-student/cosign",
    "versions of a note": "/patient/demo-kare/notes/demo-kare-notat-student/versions",
    "a note to correct": "/patient/demo-kare/notes/demo-kare-notat-student/correct",
    "vital signs": f"{_CHART}/vital-signs",
    "flowsheets": f"{_CHART}/flowsheets",
    "a flowsheet": "/patient/demo-kare/flowsheets/intensive",
    "a closed record": "/emergency/demo-even",
    "no such page": "/patient/nobody-here/nothing",
}
"""Every page that a ward nurse can come to, by what it is."""


async def drawn(user: User, page: str) -> None:
    """Open one of the pages, with everything on it that is fetched when it comes in sight."""
    user.expected |= {403, 404}
    await user.goto(PAGES[page])
    await expect(user.page.locator("main")).to_be_visible()
    await user.page.wait_for_function(
        "() => { const lazy = document.querySelector('main .hv-skeleton');"
        " lazy?.scrollIntoView(); return !lazy }"
    )
    await user.page.evaluate("scrollTo(0, 0)")
    await user.page.evaluate("document.fonts.ready")


async def token_of(user: User) -> str:
    """The token that this person's page sends with what it writes."""
    content = await user.page.locator("meta[name=csrf-token]").get_attribute("content")
    return content or ""
