"""Every page can be read and hit by everyone: axe, 320 px, large text, gloves, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.async_api import Page

from .conftest import SignIn
from .places import PAGES, drawn

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("name", list(PAGES))]

_AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")

TOO_WIDE = """() => { const wide = document.documentElement.scrollWidth - innerWidth;
  const scrolls = e => { for (let p = e.parentElement; p; p = p.parentElement)
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(p).overflowX)) return true;
    return false };
  const out = [...document.querySelectorAll('body *')].filter(e => e.checkVisibility()
      && e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e))
    .map(e => 'outside: ' + (e.className || e.tagName));
  return wide > 0 ? [`${wide} px too wide`, ...out.slice(0, 5)] : out.slice(0, 5) }"""

# The unit's name and the phone's places may end in an ellipsis: both are told in full elsewhere.
CUT = """() => [...document.querySelectorAll('main *, .hv-banner *')]
  .filter(e => e.checkVisibility() && e.innerText?.trim()
    && !e.matches('.ds-sr-only, .ds-sr-only *, [type=radio]')
    && /hidden|clip/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1)
  .map(e => 'cut: ' + (e.className || e.tagName) + ' ' + e.innerText.slice(0, 40)).slice(0, 5)"""

SMALL = """() => { const target = e => e.matches('a.hv-row__title')
      ? e.closest('.hv-row, .hv-timeline__item') ?? e
      : e.matches('[type=radio], [type=checkbox]') ? e.closest('label, ds-field') ?? e
      : e.matches('input') ? e.closest('.ds-field-affixes') ?? e : e;
  return [...document.querySelectorAll(
      'a[href], button, input:not([type=hidden]), select, summary, textarea')]
    .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.matches('.ds-skip-link')
      && !(e.matches('a') && e.closest('p, dd, h1') && !e.matches('.ds-button')))
    .map(e => [e, target(e).getBoundingClientRect()])
    .filter(([, r]) => r.width && (r.height < 43.5 || r.width < 43.5))
    .map(([e, r]) => `${Math.round(r.width)}x${Math.round(r.height)} ${e.outerHTML.slice(0, 90)}`)
    .slice(0, 5) }"""


async def test_a_desktop_page_is_readable_in_light_and_dark_and_fits_when_it_shrinks(
    sign_in: SignIn, name: str
) -> None:
    nurse = await sign_in("ward-nurse", start="")
    await drawn(nurse, name)
    assert await serious(nurse.page) == {"light": [], "dark": []}
    found = {}
    for width, height, text in ((1024, 768, 100), (320, 640, 100), (390, 844, 200)):
        await nurse.page.set_viewport_size({"width": width, "height": height})
        await nurse.page.evaluate(f"document.documentElement.style.fontSize = '{text}%'")
        wrong = [*await nurse.page.evaluate(TOO_WIDE), *await nurse.page.evaluate(CUT)]
        if wrong:
            found[f"{width} px, {text} % text"] = wrong
    assert found == {}


async def test_a_phone_page_is_readable_in_light_and_dark_and_hit_with_gloves(
    sign_in: SignIn, name: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone", start="")
    await drawn(nurse, name)
    assert await nurse.page.evaluate(SMALL) == []
    assert await serious(nurse.page) == {"light": [], "dark": []}


async def serious(page: Page) -> dict[str, list[tuple[str, list[str]]]]:
    """What axe calls serious or critical, in light and in dark: the rule, and where."""
    await page.evaluate(_AXE.read_text("utf-8"))
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for scheme in _SCHEMES:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        ran = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found[scheme] = [
            (violation["id"], [str(node["target"]) for node in violation["nodes"]][:5])
            for violation in ran["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
    return found
