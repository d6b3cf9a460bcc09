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
