"""One served demo, one Chromium, and people who sign in; what goes wrong leaves a picture."""

from __future__ import annotations

import os
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from .served import ServedDemo
from .user import Effort, User, sit_down

BUDGETS = Path(__file__).with_name("budgets.toml")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_FAILED = pytest.StashKey[bool]()
expect.set_options(timeout=10_000)
_EFFORT = "effort"

SignIn = Callable[..., Awaitable[User]]
Within = Callable[[str, Effort], None]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember whether a test failed, so that its people leave a picture behind."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell what the counted tasks took."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [said for each in reports for name, said in each.user_properties if name == _EFFORT]
    if lines:
        terminalreporter.section("steps and seconds")
    for line in sorted(lines):
        terminalreporter.line(line)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServedDemo]:
    """The demo that all tests of a run share."""
    demo = ServedDemo(tmp_path_factory.mktemp("demo") / "data")
    await demo.start()
    yield demo
    await demo.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str | None) -> AsyncIterator[Browser]:
    """One Chromium; each person gets a profile of their own in it."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sign_in(
    served: ServedDemo, browser: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[SignIn]:
    """Let a persona sit down and sign in; at the end nobody's browser may have complained."""
    people: list[User] = []
    numbers = count()

    async def person(
        persona: str,
        device: str = "desktop",
        *,
        start: str = "/",
        fresh: bool = False,
        **wishes: Any,
    ) -> User:
        """Somebody at the page `start`; with `fresh`, in a session that nobody shares."""
        state = None if fresh else served.sessions.get(persona)
        user = await sit_down(browser, served.address, device, storage_state=state, **wishes)
        people.append(user)
        if persona and state is None:
            await user.goto(served.links[persona])
            if not fresh:
                served.sessions[persona] = await user.context.storage_state()
        elif persona and start:
            await user.goto(start if persona != "inhabitant" else "/patient/demo-marit")
        return user

    yield person
    failed = request.node.stash.get(_FAILED, False)
    complaints = [complaint for user in people for complaint in user.complaints]
    for user in people:
        wanted = failed or bool(complaints)
        await user.close(tmp_path / f"screen-{next(numbers)}.png" if wanted else None)
    if failed or complaints:
        request.node.add_report_section("teardown", "pictures", f"Pictures are in {tmp_path}")
        request.node.add_report_section("teardown", "the server", served.said()[-4000:])
    if complaints:
        pytest.fail(f"A browser complained: {complaints}")


@pytest.fixture
def within_budget(record_property: Callable[[str, object], None]) -> Within:
    """Compare what a task took with its committed budget, which only goes down."""
    budgets: dict[str, dict[str, float]] = tomllib.loads(BUDGETS.read_text("utf-8"))

    def compare(task: str, took: Effort) -> None:
        record_property(
            _EFFORT,
            f"{task:<36} {took.clicks:>3} clicks {took.keys:>4} keys {took.seconds():>6.1f} s "
            f"(of which the program {took.waited:.1f} s)",
        )
        budget = budgets[task]
        assert took.clicks <= budget["clicks"], f"{task}: {took.clicks} clicks"
        assert took.keys <= budget["keys"], f"{task}: {took.keys} keystrokes"
        # Beside another process of tests, what the program takes tells of the machine.
        alone = "PYTEST_XDIST_WORKER" not in os.environ
        seconds = took.seconds() if alone else took.by_hand()
        assert seconds <= budget["seconds"], f"{task}: {seconds:.1f} s"

    return compare
