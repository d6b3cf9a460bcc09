"""Takes the documentation's pictures of the running demo, and packs them.

Usage: python -m tools.take_screenshots [NAME ...]
  Serves a demo of its own, on a data folder that is thrown away. Without names: all pictures.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from tools.shrink_png import shrink

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
DESKTOP, PHONE = (1440, 900), (390, 844)
ASLAUG = "/patient/demo-aslaug"
_READY = "Stop with Ctrl-C."


def sign_in(page: Page) -> None:
    """The page where one chooses a persona."""


def my_patients(page: Page) -> None:
    """The first page after signing in."""
    page.goto("/")


def find(page: Page) -> None:
    """A search in the whole region."""
    page.goto("/patients")
    page.get_by_label("Navn, fødselsdato eller fødselsnummer").fill("f")
    page.get_by_label("Navn, fødselsdato eller fødselsnummer").press_sequentially("jeld")
    page.get_by_text("Dagny Fjeldvær").wait_for()


def palette(page: Page) -> None:
    """The command palette with hits."""
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("asl")
    page.get_by_role("option", name="Aslaug").wait_for()


def chart(page: Page) -> None:
    """Aslaug's chart, opened before, so that it tells what is new."""
    page.goto(ASLAUG)
    page.get_by_text("Direkte").wait_for()


def timeline(page: Page) -> None:
    """Everything in the record, filtered by words."""
    page.goto(f"{ASLAUG}/timeline")


def note(page: Page) -> None:
    """A note that is being written."""
    page.goto(f"{ASLAUG}/notes/new")
    page.get_by_role("textbox", name="Notat").fill(
        "Aktuelt:\nFølges opp etter fall. Oppegående med rullator, ingen smerter i ro.\n\n"
        "Funn:\nBT 128/74, puls 82 uregelmessig. Lungene er rene.\n\n"
        "Vurdering:\nStabil hjertesvikt.\n\nPlan:\nKreatinin og kalium på torsdag.\n"
    )
    page.get_by_text("Lagret").first.wait_for()


def vital_signs(page: Page) -> None:
    """The form with numbers and the score that they give."""
    page.goto(f"{ASLAUG}/vital-signs")
    numbers = {
        "respiration": "22", "saturation": "94", "oxygen": "0", "systolic": "128",
        "diastolic": "74", "pulse": "96", "temperature": "37,8",
    }  # fmt: skip
    for name, value in numbers.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_text("Våken").click()
    page.wait_for_timeout(600)


def flowsheet(page: Page) -> None:
    """A monitored patient's day, with what is repeated and what a device sent."""
    page.goto("/patient/demo-kare/flowsheets/intensive")
    page.locator("td.hv-flow__now").first.wait_for()
    page.wait_for_timeout(600)


def emergency(page: Page) -> None:
    """A closed record, and what opens it."""
    page.goto("/patient/demo-dagny")
    page.get_by_label("Hvorfor, med egne ord").fill(
        "Innlagt akutt, forvirret. Må kjenne medisiner og allergier."
    )


def who_has_read(page: Page) -> None:
    """The audit trail of a record that was opened in an emergency."""
    emergency(page)
    page.get_by_role("button", name="Åpne journalen til Dagny").click()
    page.goto("/patient/demo-dagny/access")


def prepare(open_page: Callable[[str, tuple[int, int]], Page]) -> None:
    """Let a ward nurse have seen the chart before a home-care nurse writes in it."""
    ward = open_page("ward-nurse", DESKTOP)
    chart(ward)
    ward.context.close()
    home = open_page("home-care-nurse", DESKTOP)
    vital_signs(home)
    home.get_by_role("button", name="Signer").click()
    home.wait_for_url(f"**{ASLAUG}*")
    home.context.close()


Picture = tuple[Callable[[Page], None], str, tuple[int, int]]
# In this order: who-has-read opens what the emergency's picture shows closed.
PICTURES: dict[str, Picture] = {
    "sign-in": (sign_in, "", DESKTOP),
    "my-patients": (my_patients, "hospital-doctor", DESKTOP),
    "find": (find, "hospital-doctor", DESKTOP),
    "palette": (palette, "hospital-doctor", DESKTOP),
    "vital-signs": (vital_signs, "home-care-nurse", DESKTOP),
    "vital-signs-phone": (vital_signs, "home-care-nurse", PHONE),
    "flowsheet": (flowsheet, "ward-nurse", DESKTOP),
    "note": (note, "hospital-doctor", DESKTOP),
    "chart": (chart, "ward-nurse", DESKTOP),
    "chart-phone": (chart, "home-care-nurse", PHONE),
    "timeline": (timeline, "ward-nurse", DESKTOP),
    "emergency": (emergency, "hospital-doctor", DESKTOP),
    "who-has-read": (who_has_read, "hospital-doctor", DESKTOP),
}


class Studio:
    """A browser on the served demo, and the camera."""

    def __init__(self, browser: Browser, address: str, links: dict[str, str]) -> None:
        self._browser, self._address, self._links = browser, address, links

    def open_page(self, persona: str, size: tuple[int, int]) -> Page:
        """A page on which a persona has signed in; without one, the page to sign in on."""
        context = self._browser.new_context(
            base_url=self._address, viewport={"width": size[0], "height": size[1]},
            color_scheme="light", locale="nb-NO", timezone_id="Europe/Oslo",
            has_touch=size == PHONE, reduced_motion="reduce",
        )  # fmt: skip
        page = context.new_page()
        page.goto(self._links[persona] if persona else "/sign-in")
        return page

    def take(self, name: str) -> int:
        """Take one picture; returns its bytes."""
        what, persona, size = PICTURES[name]
        page = self.open_page(persona, size)
        what(page)
        page.wait_for_load_state("load")
        page.wait_for_timeout(300)
        packed = shrink(page.screenshot())
        (FOLDER / f"{name}.png").write_bytes(packed)
        page.context.close()
        return len(packed)


def _serve(data: Path) -> tuple[subprocess.Popen[str], str, dict[str, str]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HELSEVEV_")}
    serving = subprocess.Popen(
        [
            Path(sys.executable).with_name("helsevev"),
            *("serve", "--demo", "--scale", "0.002", "--port", "0"),
        ],
        env={**environment, "HELSEVEV_DATA": str(data)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert serving.stdout is not None
    address, links = "", {}
    for line in serving.stdout:
        words = line.split()
        if line.startswith("Helsevev answers at"):
            address = words[-1]
        elif words and "/sign-in/" in words[-1]:
            links[words[-1].split("/sign-in/")[1].split("?")[0]] = words[-1]
        if _READY in line:
            return serving, address, links
    raise SystemExit("take_screenshots.py: the demo did not start")


def run(names: Sequence[str]) -> int:
    """Take the pictures; the exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("HELSEVEV_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        serving, address, links = _serve(Path(folder) / "data")
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            studio = Studio(browser, address, links)
            prepare(studio.open_page)
            for name in names or PICTURES:
                began = time.monotonic()
                size = studio.take(name)
                took = time.monotonic() - began
                sys.stdout.write(f"docs/images/{name}.png {size // 1024} KiB {took:.1f} s\n")
            browser.close()
        finally:
            serving.send_signal(signal.SIGINT)
            serving.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
