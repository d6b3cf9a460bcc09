"""A round without contact: doses signed, the phone killed, a medicine stopped, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from .conftest import ARGUMENTS, SignIn, Within
from .served import ServedDemo
from .test_accessibility import SMALL, TOO_WIDE, serious

pytestmark = pytest.mark.browser

WARD = "Organization/st-olavs-lunge"
CODE = "481516"
NAMES = (
    "Albyl-E", "Atorvastatin", "Bumetanid", "Folsyre", "Kaleorid", "Levaxin", "Metformin",
    "Metoprolol", "Pantoprazol", "Prednisolon", "Ramipril", "Spiriva",
)  # fmt: skip
ALL_HERE = "Ingenting er bare på denne telefonen."
KEPT = """async () => {
  const asked = indexedDB.open("helsevev-round");
  const store = await new Promise(done => (asked.onsuccess = () => done(asked.result)));
  const count = name => new Promise(done => {
    const counted = store.transaction(name).objectStore(name).count();
    counted.onsuccess = () => done(counted.result);
  });
  return {about: await count("about"), sealed: await count("sealed"),
          outbox: await count("outbox")};
}"""


async def keep(served: ServedDemo, resource: dict[str, Any]) -> str:
    answer = await served.ask(resource["resourceType"], method="POST", body=resource)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"] if answer.content else answer.headers["location"].split("/")[-3]
    return made


def order(patient: str, name: str) -> dict[str, Any]:
    start = (datetime.now(UTC) + timedelta(minutes=20)).replace(second=0, microsecond=0)
    repeat = {"frequency": 1, "period": 12, "periodUnit": "h"}
    timing = {"repeat": {**repeat, "boundsPeriod": {"start": start.isoformat()}}}
    amount = {"doseQuantity": {"value": 1, "unit": "tablett"}}
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{patient}"}, "medicationCodeableConcept": {"text": name},
        "dosageInstruction": [{"timing": timing, "doseAndRate": [amount]}],
    }  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def somebody(served: ServedDemo) -> AsyncIterator[Callable[..., Any]]:
    """Make somebody on the ward with medicines, by a name that is nowhere else."""
    stays: list[str] = []

    async def made(*names: str) -> tuple[str, str]:
        family = f"Kvitnevatn{uuid4().hex[:8]}"
        patient = await keep(served, {
            "resourceType": "Patient", "name": [{"family": family, "given": ["Tora"]}],
            "gender": "female", "birthDate": "1948-05-06",
        })  # fmt: skip
        stays.append(await keep(served, {
            "resourceType": "Encounter", "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": {"reference": f"Patient/{patient}"}, "period": {"start": "2026-01-01"},
            "serviceProvider": {"reference": WARD},
        }))  # fmt: skip
        for name in names:
            await keep(served, order(patient, name))
        return patient, family

    yield made
    for stay in stays:
        there = (await served.ask(f"Encounter/{stay}")).json()
        gone = {**there, "status": "finished"}
        await served.ask(f"Encounter/{stay}", method="PUT", body=gone)


async def stop(served: ServedDemo, patient: str, name: str) -> None:
    """The doctor stops a medicine."""
    answer = await served.ask(f"MedicationRequest?patient={patient}&_count=50")
    found = [each["resource"] for each in answer.json()["entry"]]
    one = next(each for each in found if each["medicationCodeableConcept"]["text"] == name)
    answer = await served.ask(
        f"MedicationRequest/{one['id']}", method="PUT", body={**one, "status": "stopped"}
    )
    assert answer.status_code == 200, answer.text


async def recorded(served: ServedDemo, kind: str, patient: str) -> list[dict[str, Any]]:
    answer = await served.ask(f"{kind}?patient={patient}&_count=100")
    return [each["resource"] for each in answer.json().get("entry", [])]


class Line:
    """The network between a phone and the server, which can be cut: then nobody answers."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def mend(self) -> None:
        """Listen, where it listened before."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Let nothing through any longer."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_connection("127.0.0.1", self._to)
        self._open |= {writer, to_them}
        await asyncio.gather(self._pump(reader, to_them), self._pump(theirs, writer))

    async def _pump(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                to.write(data)
                await to.drain()
        except (ConnectionError, OSError):
            pass
        finally:
            to.close()
            self._open.discard(to)


@pytest_asyncio.fixture(loop_scope="session")
async def line(served: ServedDemo) -> AsyncIterator[Line]:
    made = Line(served.port)
    await made.mend()
    yield made
    await made.cut()


@asynccontextmanager
async def phone_of(profile: Path, chromium: str | None) -> AsyncIterator[BrowserContext]:
    """A phone whose browser keeps its profile when it is closed."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium, args=ARGUMENTS, locale="nb-NO", has_touch=True,
            is_mobile=True, viewport={"width": 390, "height": 844},
        )  # fmt: skip
        context.set_default_timeout(10_000)
        yield context
        await context.close()


async def take_along(page: Page) -> None:
    await page.locator("input[name=code]").fill(CODE)
    await page.locator("input[name=again]").fill(CODE)
    await page.get_by_role("button", name="Ta med runden").tap()
    await expect(page.get_by_role("button", name="Hent på nytt")).to_be_visible()


async def reopen(page: Page) -> None:
    await page.locator("input[name=code]").fill(CODE)
    await page.get_by_role("button", name="Åpne runden").tap()
    await expect(page.locator("input[name=code]")).to_have_count(0)


async def sign(page: Page, family: str, names: tuple[str, ...]) -> None:
    await page.get_by_role("link", name=family).tap()
    for name in names:
        await page.get_by_role("checkbox", name=name).tap()
    await page.get_by_role("button", name="Ingen strekkode").first.tap()
    for name in names:
        await expect(page.get_by_role("checkbox", name=name)).to_have_count(0)


def holds(profile: Path, word: str) -> list[str]:
    """The files of a profile in which a word can be read."""
    written = (word.encode(), word.encode("utf-16-le"))
    files = [path for path in profile.rglob("*") if path.is_file()]
    return [path.name for path in files if any(each in path.read_bytes() for each in written)]


async def test_twelve_doses_survive_a_killed_tab_a_restart_and_a_medicine_that_is_stopped(
    served: ServedDemo, somebody: Any, line: Line, chromium: str | None, tmp_path: Path
) -> None:
    patient, family = await somebody(*NAMES)
    profile = tmp_path / "profile"
    async with phone_of(profile, chromium) as phone:
        page = phone.pages[0]
        await page.goto(line.address + served.links["ward-nurse"])
        await page.goto(line.address + "/rounds/phone")
        await take_along(page)
        await page.wait_for_function("navigator.serviceWorker.controller !== null")
        await line.cut()
        await sign(page, family, NAMES[:6])
        await page.close()
        page = await phone.new_page()
        await page.goto(line.address + "/rounds")
        await reopen(page)
        await expect(page.get_by_role("status")).to_contain_text("6 handlinger er bare på denne")
        await expect(page.locator("main")).not_to_contain_text("i journalen")
        await sign(page, family, NAMES[6:])
    assert await recorded(served, "MedicationAdministration", patient) == []
    assert holds(profile, family) == []
    async with phone_of(profile, chromium) as phone:
        page = phone.pages[0]
        await phone.set_offline(True)
        await page.goto(line.address + f"/rounds/{patient}")
        await reopen(page)
        await expect(page.get_by_role("status")).to_contain_text("12 handlinger er bare på denne")
        done = page.get_by_role("region", name="Gjort på denne telefonen")
        await expect(done.locator("[data-state=waiting]")).to_have_count(12)
        await stop(served, patient, "Metformin")
        await line.mend()
        await phone.set_offline(False)
        await expect(page.get_by_role("status")).to_contain_text(ALL_HERE, timeout=30_000)
        await expect(done.locator("[data-state=stored]")).to_have_count(11)
        flagged = done.locator("[data-state=conflict]")
        await expect(flagged).to_contain_text("Metformin")
        await expect(flagged).to_contain_text("stoppet eller pauset")
        kept = await recorded(served, "MedicationAdministration", patient)
        assert sorted(each["medicationCodeableConcept"]["text"] for each in kept) == sorted(NAMES)
        assert {each["status"] for each in kept} == {"completed"}
        assert len(await recorded(served, "Task", patient)) == 1
        # Signing out wipes the phone.
        await page.goto(line.address + "/rounds")
        await page.locator("form[action='/sign-out'] button").evaluate("press => press.click()")
        await page.wait_for_url("**/sign-in*")
        await page.wait_for_function("localStorage.getItem('helsevev-round') !== null")
        assert await page.evaluate(KEPT) == {"about": 0, "sealed": 0, "outbox": 0}
    assert holds(profile, family) == []


async def test_a_home_visit_without_contact_takes_few_taps(
    sign_in: SignIn, within_budget: Within, served: ServedDemo, somebody: Any
) -> None:
    patient, family = await somebody()
    nurse = await sign_in("ward-nurse", "phone", fresh=True)
    await nurse.goto("/rounds/phone")
    page = nurse.page
    await take_along(page)
    await nurse.context.set_offline(True)
    nurse.begin()
    await nurse.press_on(page.get_by_role("link", name=family))
    await nurse.press_on(page.locator("summary", has_text="Målinger"))
    for place, (name, value) in enumerate(
        (("Respirasjonsfrekvens", "16"), ("Oksygenmetning", "97"), ("Oksygentilførsel", "0"))
    ):
        await expect(page.get_by_role("textbox", name=name)).to_be_focused()
        await nurse.type(value)
        if place < 2:
            await nurse.key("Enter")
    await nurse.press_on(page.get_by_role("button", name="Lagre målingene"))
    await nurse.press_on(page.locator("summary", has_text="Notat"))
    await expect(page.get_by_role("textbox", name="Notat")).to_be_focused()
    await nurse.type("Tilsyn. Har det bra.")
    await nurse.press_on(page.get_by_role("button", name="Lagre notatet"))
    await expect(page.get_by_role("status")).to_contain_text("2 handlinger er bare på denne")
    within_budget("home-visit-offline", nurse.end())
    assert await recorded(served, "Observation", patient) == []
    await nurse.context.set_offline(False)
    await expect(page.get_by_role("status")).to_contain_text(ALL_HERE, timeout=30_000)
    assert len(await recorded(served, "Observation", patient)) == 3
    (note,) = await recorded(served, "Composition", patient)
    assert "Tilsyn. Har det bra." in note["section"][0]["text"]["div"]


async def test_what_the_phone_knows_it_refuses_and_everybody_can_read_and_hit_it(
    sign_in: SignIn, served: ServedDemo, somebody: Any
) -> None:
    patient, family = await somebody("Vival")
    needed = {
        "asNeededCodeableConcept": {"text": "smerter"},
        "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}},
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
    }
    await keep(served, {**order(patient, "Paracet"), "dosageInstruction": [needed]})
    nurse = await sign_in("ward-nurse", "phone", fresh=True)
    await nurse.goto("/rounds/phone")
    page = nurse.page
    await expect(page.locator("input[name=again]")).to_be_visible()
    assert await serious(page) == {"light": [], "dark": []}
    await take_along(page)
    assert await serious(page) == {"light": [], "dark": []}
    await nurse.context.set_offline(True)
    await page.get_by_role("link", name=family).tap()
    await expect(page.get_by_role("checkbox", name="Vival")).to_be_visible()
    for expected in ("1 handling er bare", "1 handling er bare"):
        fold = page.get_by_role("region", name="Ved behov").locator("summary")
        await fold.tap()
        region = page.get_by_role("region", name="Ved behov")
        await region.get_by_role("button", name="Ingen strekkode").tap()
        await expect(page.get_by_role("status")).to_contain_text(expected)
    await expect(page.get_by_role("alert")).to_contain_text("For tett på forrige dose")
    assert await serious(page) == {"light": [], "dark": []}
    assert await page.evaluate(SMALL) == []
    for width in (320, 390):
        await page.set_viewport_size({"width": width, "height": 700})
        assert await page.evaluate(TOO_WIDE) == []
    # What was not sent is taken back without a trace.
    await page.get_by_role("button", name="Trekk tilbake").tap()
    await expect(page.get_by_role("status")).to_contain_text(ALL_HERE)
    await nurse.context.set_offline(False)
    assert await recorded(served, "MedicationAdministration", patient) == []


@pytest.mark.soak
async def test_the_phone_locks_itself_and_forgets_when_the_shift_is_over(
    sign_in: SignIn, somebody: Any
) -> None:
    _, family = await somebody("Vival")
    nurse = await sign_in("ward-nurse", "phone", fresh=True)
    page = nurse.page
    await page.clock.install(time=datetime.now(UTC))
    await nurse.goto("/rounds/phone")
    await take_along(page)
    await nurse.context.set_offline(True)
    await sign(page, family, ("Vival",))
    await page.clock.fast_forward("16:00")
    await expect(page.get_by_role("heading", name="Runden er låst")).to_be_visible()
    await expect(page.locator("body")).not_to_contain_text(family)
    await page.locator("input[name=code]").fill("000000")
    await page.get_by_role("button", name="Åpne runden").tap()
    await expect(page.get_by_role("alert")).to_contain_text("Koden er feil")
    await reopen(page)
    await page.clock.fast_forward("12:00:00")
    await expect(page.locator("input[name=again]")).to_be_visible()
    # What has not reached the record is not forgotten.
    assert await page.evaluate(KEPT) == {"about": 0, "sealed": 0, "outbox": 1}


async def test_the_next_who_signs_in_reads_nothing_and_brings_what_was_left(
    sign_in: SignIn, served: ServedDemo, somebody: Any
) -> None:
    patient, family = await somebody("Vival")
    nurse = await sign_in("ward-nurse", "phone", fresh=True)
    await nurse.goto("/rounds/phone")
    await take_along(nurse.page)
    await nurse.context.set_offline(True)
    await sign(nurse.page, family, ("Vival",))
    await nurse.page.close()
    await nurse.context.set_offline(False)
    page = await nurse.tab()
    await page.goto(served.address + served.links["home-care-nurse"])
    await page.wait_for_function("localStorage.getItem('helsevev-round') !== null")
    for _ in range(50):
        if found := await recorded(served, "MedicationAdministration", patient):
            break
        await asyncio.sleep(0.2)
    assert [each["performer"][0]["actor"]["display"] for each in found] == ["Magnus Tverdal"]
    left = await page.evaluate(KEPT)
    assert (left["about"], left["sealed"]) == (0, 0)
    await page.goto(served.address + "/rounds/phone")
    await expect(page.locator("input[name=again]")).to_be_visible()
    await expect(page.locator("body")).not_to_contain_text(family)
