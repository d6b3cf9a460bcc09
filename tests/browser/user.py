"""Somebody at a screen: what they press is counted, and what the browser complains of is kept."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response

CLICK_SECONDS = 1.2
KEY_SECONDS = 0.28
MENTAL_SECONDS = 1.35

_TEXT_OF_ERROR = re.compile(r"Failed to load resource|net::ERR_")


@dataclass
class Effort:
    """What a task took: clicks or taps, keystrokes, decisions, and the program's own seconds."""

    clicks: int = 0
    keys: int = 0
    decisions: int = 0
    began: float = field(default_factory=time.monotonic)
    waited: float = 0.0

    def by_hand(self) -> float:
        """Seconds by the keystroke-level model, without waiting for the program."""
        pressed = CLICK_SECONDS * self.clicks + KEY_SECONDS * self.keys
        return pressed + MENTAL_SECONDS * self.decisions

    def seconds(self) -> float:
        """Seconds by the keystroke-level model, and what the program took."""
        return self.by_hand() + self.waited


class User:
    """A signed-in person at one screen. A tab of the same person is another `Page`."""

    def __init__(self, context: BrowserContext, page: Page, address: str, is_phone: bool) -> None:
        self.context = context
        self.page = page
        self.address = address
        self.is_phone = is_phone
        self.effort = Effort()
        self.complaints: list[str] = []
        self.bodies: list[str] = []
        self.expected: set[int] = set()
        self.is_offline_expected = False
        self.follow(page)

    def follow(self, page: Page) -> Page:
        """Collect the complaints of a page; what is refused on purpose stands in `expected`."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("response", self._answered)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _TEXT_OF_ERROR.search(message.text):
            self.complaints.append(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")

    async def tab(self) -> Page:
        """Another tab of the same person."""
        return self.follow(await self.context.new_page())

    async def goto(self, path: str) -> Response:
        """Open a page by its address, as a bookmark does."""
        response = await self.page.goto(self.address + path)
        assert response is not None
        return response

    def begin(self) -> Effort:
        """Begin to count a task."""
        self.effort = Effort()
        return self.effort

    def end(self) -> Effort:
        """The task is done: the seconds since it began are the program's, for nobody here waits."""
        self.effort.waited = time.monotonic() - self.effort.began
        return self.effort

    async def press_on(self, target: Locator) -> None:
        """Click, or tap on a phone."""
        self.effort.clicks += 1
        self.effort.decisions += 1
        await (target.tap() if self.is_phone else target.click())

    async def type(self, text: str, *, decisions: int = 1) -> None:
        """Type where the focus is."""
        self.effort.keys += len(text)
        self.effort.decisions += decisions
        await self.page.keyboard.type(text)

    async def key(self, chord: str, *, decisions: int = 0) -> None:
        """Press a key or several at once, such as "Control+Enter"."""
        self.effort.keys += len(chord.split("+"))
        self.effort.decisions += decisions
        await self.page.keyboard.press(chord)

    async def go_to_field(self, target: Locator) -> None:
        """Move on to the next field: Tab on a keyboard, "next" on a phone's; it must get there."""
        await self.key("Tab")
        assert await target.evaluate("field => field === document.activeElement"), (
            f"Tab does not lead to {target}"
        )

    async def text(self) -> str:
        """All text that can be seen on the page."""
        return await self.page.locator("body").inner_text()

    async def close(self, picture: Path | None = None) -> None:
        """Leave; with a path, after a picture of every tab has been saved there."""
        if picture is not None:
            for number, page in enumerate(self.context.pages):
                await page.screenshot(path=picture.with_stem(f"{picture.stem}-{number}"))
        await self.context.close()


async def sit_down(browser: Browser, address: str, device: str, **wishes: Any) -> User:
    """A fresh browser profile on a desktop or a phone."""
    is_phone = device == "phone"
    shape: dict[str, Any] = (
        {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True,
         "device_scale_factor": 2}
        if is_phone
        else {"viewport": {"width": 1440, "height": 900}}
    )  # fmt: skip
    context = await browser.new_context(**{**shape, "locale": "nb-NO", **wishes})
    context.set_default_timeout(10_000)
    return User(context, await context.new_page(), address, is_phone)
