"""A profession writes a new score on a page, a colleague approves it, and nurses use it at once."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .places import named
from .test_accessibility import SMALL, TOO_WIDE, serious
from .user import User

pytestmark = pytest.mark.browser
PACK = "/content/packs/nursing"
OPEN = """e => { for (let fold = e.closest('details'); fold;
    fold = fold.parentElement.closest('details')) fold.open = true }"""
FORM = "/patient/demo-kare/forms/trial-breath"


async def is_for_everyone(user: User) -> None:
    """Axe finds nothing serious, nothing is too wide; on a phone all is large enough to hit."""
    assert await serious(user.page) == {"light": [], "dark": []}
    assert await user.page.evaluate(TOO_WIDE) == []
    if user.is_phone:
        assert await user.page.evaluate(SMALL) == []


async def write(user: User, **fields: str) -> None:
    """Fill in fields of the file, named by where they stand in it ("item__0__text")."""
    for name, value in fields.items():
        field = user.page.locator(f"[name='f:{name.replace('__', '.')}']")
        if not await field.is_visible():
            await field.evaluate(OPEN)
        await field.fill(value)


async def keep(user: User) -> None:
    """Keep what was written."""
    await (
        user.page.locator(".hv-panel").get_by_role("button", name="Lagre", exact=True).last.click()
    )
    await expect(user.page.get_by_role("status").filter(has_text="Lagret")).to_be_visible()


async def test_a_new_score_is_written_approved_by_another_and_used_without_a_restart(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse")
    assert (await nurse.page.request.get(f"{nurse.address}{FORM}")).status == 404
    author = await sign_in("content-author")
    page = author.page
    await author.goto(PACK)
    await page.locator("summary", has_text="Begynn på en endring").click()
    await page.get_by_label("Hva som skal endres").fill("Ny skår: pustebesvær")
    await named(author, "Begynn", exact=True).click()
    await page.locator("summary", has_text="Lag et nytt").click()
    await page.get_by_label("Nøkkel").fill("trial-breath")
    await page.get_by_label("Slag").select_option(label="Skjemaer og skårer")
    await named(author, "Lag det").click()
    await write(
        author, title="Pustebesvær, prøve", source="Prøve av redigeringen",
        item__0__text="Tung pust", item__0__options__0__1="Nei",
        item__0__options__1__1="Ja", total__0__text="Pustebesvær",
        total__0__bands__0__1="Puster godt", total__0__bands__0__2="Ingen tiltak.",
        total__0__bands__1__1="Strever", total__0__bands__1__2="Hev hodeenden.",
        case__0__name="Strever",
    )  # fmt: skip
    await keep(author)
    # The answer of the example must be what the form gives.
    await expect(page.get_by_role("status").filter(has_text="Lagret")).to_contain_text(
        "1 eksempel stemmer"
    )
    tried = page.locator(".hv-authoring__tried")
    await tried.get_by_text("Ja", exact=True).click()
    await expect(tried.locator("[data-scores]")).to_contain_text("Strever")
    await is_for_everyone(author)
    await page.locator("main > .hv-actions a").click()
    await expect(page.locator("#difference").locator("xpath=../..")).to_contain_text("lagt til")
    await page.get_by_label("Kommentar").fill("Se på grensene.")
    await named(author, "Be om gjennomgang").click()
    await expect(page.locator("main")).to_contain_text("en kollega går gjennom den")
    await expect(page.get_by_role("button", name="Godkjenn", exact=True)).to_have_count(0)

    second = await sign_in("content-reviewer", "phone")
    await second.goto("/content")
    await is_for_everyone(second)
    await second.page.get_by_role("link", name="Ny skår: pustebesvær").first.click()
    await expect(second.page.locator("main")).to_contain_text("Se på grensene.")
    await is_for_everyone(second)
    await named(second, "Godkjenn", exact=True).click()
    await expect(second.page.locator("main")).to_contain_text("godkjent, ikke gitt ut")
    await named(second, "Gi ut", exact=True).click()
    await expect(second.page).to_have_url(re.compile(r"done=1"))
    try:
        await nurse.goto(FORM)
        await nurse.page.get_by_text("Ja", exact=True).click()
        await expect(nurse.page.locator("[data-scores]")).to_contain_text("Strever")
    finally:
        await author.goto(PACK)
        last = page.locator(".hv-row", has_text="Slik den følger med programmet").last
        await last.locator("summary").click()
        await last.get_by_label("Hvorfor").fill("Bare en prøve")
        await last.get_by_role("button", name="Gå tilbake med en gang").click()
        await expect(page.locator("main")).to_contain_text("Det er i bruk overalt")


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_who_only_uses_content_reads_it_and_cannot_change_it(
    sign_in: SignIn, device: str
) -> None:
    nurse = await sign_in("ward-nurse", device)
    await nurse.goto(PACK)
    await is_for_everyone(nurse)
    await expect(nurse.page.locator("summary", has_text="Begynn på en endring")).to_have_count(0)
    await expect(nurse.page.locator("summary", has_text="Gå tilbake")).to_have_count(0)
    await nurse.goto(f"{PACK}/forms/4at")
    await is_for_everyone(nurse)
    for words in ("Klart unormal", "Ingen feil", "Sju måneder eller flere riktig", "Nei"):
        await nurse.page.get_by_text(words, exact=True).click()
    await expect(nurse.page.locator("[data-scores]")).to_contain_text("Mulig delirium")
    await expect(nurse.page.locator("summary", has_text="Endre det")).to_have_count(0)
    await nurse.goto(f"{PACK}/plans/leg_ulcer")
    await is_for_everyone(nurse)
