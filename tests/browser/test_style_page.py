"""In real Chromium: the components are accessible, fit every screen, and do what they promise."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from jinja2 import DictLoader
from litestar import Litestar, Request, Response, get, post
from litestar.config.csrf import CSRFConfig
from litestar.response import ServerSentEvent, ServerSentEventMessage
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from helsevev.kit.web import add_security_headers, problem_handlers
from helsevev.locale import style_samples
from helsevev.screens.chapter import CHAPTER
from helsevev.screens.problems import problem_page
from helsevev.screens.rendering import environment, render

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desktop": (1440, 900), "small": (1024, 768), "phone": (390, 844), "least": (320, 640)}

LIVE_PAGE = """{% extends "screens/layout.html" %}{% set live_url = "/try/live" %}{% block main %}
<p id="above">above</p>{% include "try/_panel.html" %}
{% call ui.note_form("/try/sign", "/try/draft", text=draft, key="try") %}{{ csrf_input }}
{% endcall %}
{% endblock %}"""
PANEL = """{% call ui.panel("try", "Prøvesvar", url="/try/panel", types="Observation") %}
<a id="inside" href="#main">{{ count }}</a>{% endcall %}"""


class Bench:
    """What the tried pages talk to."""

    def __init__(self) -> None:
        self.count = 0
        self.drafts: list[str] = []
        self.signed: list[str] = []
        self.streams: set[asyncio.Queue[str]] = set()

    def tell(self, kind: str) -> None:
        """Let every live page hear that a resource of this type changed."""
        self.count += 1
        for stream in self.streams:
            stream.put_nowait(kind)

    def routes(self) -> list[Any]:
        """Return the handlers of the tried pages."""

        @get("/try")
        async def page(request: Request[Any, Any, Any]) -> Response[str]:
            draft = self.drafts[-1] if self.drafts else ""
            return render(request, "try/page.html", count=self.count, draft=draft)

        @get("/try/panel")
        async def panel(request: Request[Any, Any, Any]) -> Response[str]:
            return render(request, "try/_panel.html", count=self.count)

        @get("/try/live")
        async def live() -> ServerSentEvent:
            async def events() -> AsyncIterator[ServerSentEventMessage]:
                stream: asyncio.Queue[str] = asyncio.Queue()
                self.streams.add(stream)
                yield ServerSentEventMessage(event="contact", data="{}")
                while True:
                    kind = await stream.get()
                    if kind == "end":
                        return
                    yield ServerSentEventMessage(event="changed", data=f'{{"types": ["{kind}"]}}')

            return ServerSentEvent(events())

        @post("/try/draft", status_code=204)
        async def draft(request: Request[Any, Any, Any]) -> None:
            self.drafts.append((await request.form())["text"])

        @post("/try/sign")
        async def sign(request: Request[Any, Any, Any]) -> Response[str]:
            self.signed.append((await request.form())["text"])
            self.drafts.clear()
            return render(request, "try/page.html", count=self.count, draft="")

        @post("/palette", status_code=200)
        async def palette(request: Request[Any, Any, Any]) -> Response[str]:
            return render(request, "try/palette.html", groups=style_samples()["palette"])

        return [page, panel, live, draft, sign, palette]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bench() -> AsyncIterator[tuple[Bench, str]]:
    """A small application with the style page and the tried pages; yields it and its address."""
    loader: Any = environment().loader
    loader.mapping["try"] = DictLoader(
        {
            "page.html": LIVE_PAGE,
            "_panel.html": PANEL,
            "palette.html": "{{ ui.palette_results(groups) }}",
        }
    )
    tried = Bench()
    app = Litestar(
        [*CHAPTER.routes, *tried.routes()],
        before_send=[add_security_headers],
        exception_handlers=problem_handlers(problem_page),
        csrf_config=CSRFConfig(secret="of-this-test-only", header_name="x-csrf-token"),
        openapi_config=None,
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.02)
    yield tried, f"http://127.0.0.1:{listener.getsockname()[1]}"
    tried.tell("end")
    server.should_exit = True
    await running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser of HELSEVEV_CHROMIUM, of the system, or Playwright's own."""
    path = os.environ.get("HELSEVEV_CHROMIUM") or shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def opened(browser: Browser, url: str, size: str = "desktop", scheme: Any = "light") -> Page:
    """Open a page on a screen of the named size; complaints of the browser are collected."""
    width, height = SIZES[size]
    phone = width < 600
    context: BrowserContext = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        has_touch=phone,
        is_mobile=phone,
    )
    page = await context.new_page()
    await page.add_init_script(
        "window.complaints = [];"
        "addEventListener('securitypolicyviolation', e => complaints.push(e.violatedDirective));"
        "addEventListener('error', e => complaints.push(e.message));"
    )
    await page.goto(url)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
async def test_axe_finds_nothing_serious(
    bench: tuple[Bench, str], chromium: Browser, size: str, scheme: str
) -> None:
    page = await opened(chromium, f"{bench[1]}/style", size, scheme)
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        (violation["id"], [node["target"] for node in violation["nodes"]][:5])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    await page.context.close()
    assert serious == []


@pytest.mark.parametrize("size", list(SIZES))
async def test_nothing_is_wider_than_the_screen_and_nothing_breaks_the_policy(
    bench: tuple[Bench, str], chromium: Browser, size: str
) -> None:
    page = await opened(chromium, f"{bench[1]}/style", size)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    complaints = await page.evaluate("complaints")
    await page.context.close()
    assert wide <= 0
    assert complaints == []


async def test_a_gloved_finger_hits_every_target(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    page = await opened(chromium, f"{bench[1]}/style", "phone")
    small = await page.evaluate(
        """() => [...document.querySelectorAll(
            'button, summary, .hv-places a, .hv-sections a, .hv-brand, .hv-row:has(a), select, '
            + 'input:not([type=radio])')]
          .filter(e => e.checkVisibility() && !e.closest('[popover], dialog, label'))
          .map(e => [e.className || e.tagName, Math.round(e.getBoundingClientRect().height)])
          .filter(([, height]) => height < 44)"""
    )
    await page.context.close()
    assert small == []


async def test_ctrl_k_searches_arrows_choose_enter_goes_and_escape_closes(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    page = await opened(chromium, f"{bench[1]}/style")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.keyboard.press("Control+k")
    field = page.locator("#hv-palette-input")
    await expect(field).to_be_focused()
    await field.fill("27915434962")
    await expect(page.locator("#hv-palette [role=option]")).to_have_count(4)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#hv-palette [aria-selected=true]")).to_contain_text("Solveig Åsen")
    await page.keyboard.press("Escape")
    await expect(page.locator("#hv-palette")).not_to_be_visible()
    await page.keyboard.press("Control+k")
    await expect(page.locator("#hv-palette [aria-selected=true]")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("#frame$"))
    assert not any("27915434962" in url for url in asked)
    await page.context.close()


async def test_the_chosen_theme_is_kept_and_never_flashes(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    page = await opened(chromium, f"{bench[1]}/style")
    await page.locator(".hv-top > [data-theme-switch]").click()
    await expect(page.locator("html")).to_have_attribute("data-color-scheme", "dark")
    await page.add_init_script(
        "new MutationObserver((_, seen) => { if (document.body) {"
        " window.atBody = document.documentElement.dataset.colorScheme; seen.disconnect(); } })"
        ".observe(document, {childList: true, subtree: true})"
    )
    await page.reload()
    assert await page.evaluate("atBody") == "dark"
    await page.context.close()


async def test_j_and_k_walk_through_a_list(bench: tuple[Bench, str], chromium: Browser) -> None:
    page = await opened(chromium, f"{bench[1]}/style")
    await page.locator("#tasks a").first.focus()
    await page.keyboard.press("j")
    await expect(page.locator("#tasks a").nth(1)).to_be_focused()
    await page.keyboard.press("k")
    await expect(page.locator("#tasks a").first).to_be_focused()
    await page.context.close()


async def test_a_curve_tells_its_points_by_arrow_keys_and_its_table_by_t(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    page = await opened(chromium, f"{bench[1]}/style")
    curve = page.locator("#curve-weight")
    await curve.locator(".hv-curve__plot--wide .hv-curve__dot").last.focus()
    await expect(curve.locator("[data-curve-detail]")).to_contain_text("71,9")
    await page.keyboard.press("ArrowLeft")
    await expect(curve.locator("[data-curve-detail]")).to_contain_text("72,50")
    await page.keyboard.press("t")
    await expect(curve.locator("table")).to_be_visible()
    await page.context.close()


async def test_a_result_brings_its_curve_and_takes_it_away_again(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    page = await opened(chromium, f"{bench[1]}/style")
    button = page.locator(".hv-spark-button").first
    await button.click()
    await expect(page.locator("#curve-brought")).to_be_visible()
    await button.click()
    await expect(page.locator("#curve-brought")).to_have_count(0)
    assert await page.evaluate("complaints") == []
    await page.context.close()


async def test_a_draft_saves_itself_and_says_when(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    tried, address = bench
    page = await opened(chromium, f"{address}/try")
    await page.locator("textarea").fill("Natten rolig.")
    await expect(page.locator("[data-draft-state]")).to_have_text(re.compile(r"Lagret \d\d:\d\d"))
    assert tried.drafts[-1] == "Natten rolig."
    await page.context.close()


async def test_without_network_the_text_stays_on_the_device_and_comes_back(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    tried, address = bench
    page = await opened(chromium, f"{address}/try")
    await page.context.set_offline(True)
    await page.locator("textarea").fill("Skrevet uten nett.")
    await expect(page.locator("[data-draft-state]")).to_contain_text("lagret på denne enheten")
    await expect(page.locator("[data-only-here]")).to_be_visible()
    await page.context.set_offline(False)
    await page.reload()
    await expect(page.locator("textarea")).to_have_value("Skrevet uten nett.")
    await expect(page.locator("[data-only-here]")).to_be_hidden()
    assert tried.drafts[-1] == "Skrevet uten nett."
    await page.context.close()


async def test_ctrl_enter_signs_once_and_the_signed_text_does_not_come_back(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    tried, address = bench
    page = await opened(chromium, f"{address}/try")
    await page.locator("textarea").fill("Signeres nå.")
    async with page.expect_navigation():
        await page.keyboard.press("Control+Enter")
    assert tried.signed == ["Signeres nå."]
    await page.goto(f"{address}/try")
    await expect(page.locator("textarea")).to_have_value("")
    await page.context.close()


async def test_what_others_write_appears_within_a_second(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    tried, address = bench
    page = await opened(chromium, f"{address}/try")
    await expect(page.locator("[data-live-word]").first).to_have_text("Direkte")
    tried.tell("Observation")
    await expect(page.locator("#inside")).to_have_text(str(tried.count), timeout=1000)
    tried.tell("Condition")
    await page.wait_for_timeout(300)
    await expect(page.locator("#inside")).to_have_text(str(tried.count - 1))
    await page.context.close()


async def test_nothing_moves_under_the_pointer(bench: tuple[Bench, str], chromium: Browser) -> None:
    tried, address = bench
    page = await opened(chromium, f"{address}/try")
    await expect(page.locator("[data-live-word]").first).to_have_text("Direkte")
    await page.locator("#inside").hover()
    before = await page.locator("#inside").inner_text()
    tried.tell("Observation")
    await expect(page.locator(".hv-edge")).to_have_text("Vis 1 nye")
    assert await page.locator("#inside").inner_text() == before
    await page.locator("#above").hover()
    await expect(page.locator("#inside")).to_have_text(str(tried.count))
    await expect(page.locator(".hv-edge")).to_have_count(0)
    await page.context.close()


async def test_silence_is_told_before_anyone_trusts_an_old_page(
    bench: tuple[Bench, str], chromium: Browser
) -> None:
    page = await opened(chromium, f"{bench[1]}/try")
    await expect(page.locator("[data-live-word]").first).to_have_text("Direkte")
    await page.context.set_offline(True)
    await expect(page.locator("[data-stale-bar]")).to_be_visible(timeout=3000)
    await expect(page.locator("[data-stale-bar]")).to_contain_text("kan være utdatert")
    await page.context.set_offline(False)
    await expect(page.locator("[data-stale-bar]")).to_be_hidden(timeout=8000)
    await page.context.close()
