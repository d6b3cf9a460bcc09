"""What the record knows is not asked for again: eight stories, and every form for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from helsevev.content.packs.forms import Form
from helsevev.content.packs.shelf import Shelf, built_in
from helsevev.fhir.questionnaire import Item, prepare
from helsevev.fhir.questionnaire.asking import link_period

from .conftest import SignIn
from .places import named
from .served import ServedDemo
from .user import User

pytestmark = pytest.mark.browser

STORIES = {
    "aslaug": "home-care-nurse", "eira": "health-station-nurse", "jonas": "legevakt-doctor",
    "hanne": "hospital-doctor", "marit": "home-care-nurse", "kare": "ward-nurse",
    "gunvor": "hospital-doctor", "dagny": "nursing-home-nurse",
}  # fmt: skip
"""The inhabitants that the demo opens on, each with somebody who treats them."""

OTHER_SCREENS = ("vital-signs", "notes/new")
PERSONAL = re.compile(
    r"(pasientens )?(fødselsdato|født|fødselsnummer|personnummer|fornavn|etternavn|navn|kjønn|alder"
    r"|adresse|telefon(nummer)?|mobil)( \(må fylles ut\))?",
    re.I,
)
"""What Patient says."""
FRESH = timedelta(hours=24)
"""Within a day the same value is double documentation (indicator T2), whoever measured it."""
ASKED_STILL = frozenset({"1104331000000105", "1104361000000100"})
"""Parts of NEWS2 that are kept as points alone: no answer can be told from them, so it is asked."""
QUESTIONS = """() => [...document.querySelectorAll('.hv-question, .ds-field')]
  .filter(each => !each.closest('[hidden]') && each.offsetParent !== null)
  .map(each => ({
    key: each.dataset.place ?? '',
    words: (each.querySelector('.hv-question__title, legend, label')?.innerText ?? '').trim(),
    filled: [...each.querySelectorAll('input, select, textarea, output')].some(field =>
      field.type === 'radio' || field.type === 'checkbox'
        ? field.checked : field.type !== 'hidden' && (field.value ?? '').trim() !== ''),
    told: !!each.querySelector('output'),
    origin: each.querySelector('[data-origin]:not([hidden])')?.innerText ?? '',
  }))"""


def codes(concept: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(system, code) of a CodeableConcept."""
    return {(c.get("system", ""), c.get("code", "")) for c in concept.get("coding", ())}


async def known(served: ServedDemo, patient: str) -> dict[tuple[str, str], datetime]:
    """When each code was measured last in the record."""
    asked = f"Observation?patient={patient}&status=final,amended,corrected&_count=1000"
    found: dict[tuple[str, str], datetime] = {}
    for entry in (await served.ask(asked)).json().get("entry", ()):
        resource = entry["resource"]
        said = resource.get("effectiveDateTime") or resource.get("issued") or ""
        if len(said) <= 10:
            continue
        at = datetime.fromisoformat(said)
        for part in (resource, *resource.get("component", ())):
            if any(key.startswith("value") for key in part):
                for code in codes(part["code"]):
                    found[code] = max(at, found.get(code, at))
    return found


def coded(form: Form) -> Iterator[tuple[Item, set[tuple[str, str]]]]:
    """The questions of a form that have a code, and are not worked out."""
    for item in prepare(form.questionnaire).by_link.values():
        if item.asks and item.codes and not item.is_calculated and not item.look.hidden:
            yield item, {(c.get("system", ""), c.get("code", "")) for c in item.codes}


async def asked_again(user: User, form: Form | None, facts: Mapping[Any, datetime]) -> list[str]:
    """The questions of the open page whose answer stands in the record already."""
    shown = {each["key"] or each["words"]: each for each in await user.page.evaluate(QUESTIONS)}
    empty = {key: each for key, each in shown.items() if not each["filled"] and not each["told"]}
    found = [
        each["words"]
        for each in empty.values()
        # In what repeats, the names are those of other people.
        if PERSONAL.fullmatch(each["words"]) and "[" not in each["key"]
    ]
    now = datetime.now(UTC)
    for item, meant in coded(form) if form else ():
        told = [facts[code] for code in meant if code in facts and code[1] not in ASKED_STILL]
        measured = max(told, default=None)
        period = link_period(item) or FRESH
        if measured is not None and now - measured <= period and item.link_id in empty:
            found.append(f"{item.text} (measured {measured})")
        if item.link_id in shown and link_period(item) and shown[item.link_id]["filled"]:
            assert shown[item.link_id]["origin"], f"{item.text} does not say where it is from"
    return found


async def let_in(user: User, patient: str) -> None:
    """Open the record, in an emergency where nothing else opens it."""
    user.expected |= {403}
    await user.goto(f"/patient/{patient}")
    if "/emergency/" in user.page.url:
        await user.page.get_by_role("radio").first.check()
        await user.page.get_by_role("textbox").last.fill("Bevisstløs på legevakten nå")
        await user.page.locator("main form button[type=submit]").click()
        await expect(user.page.locator(".hv-banner h1")).to_be_visible()


def in_force() -> Mapping[str, Form]:
    """Every form that the program comes with."""
    return Shelf(built_in(), date.today()).all(Form)  # noqa: DTZ011


@pytest.mark.soak
@pytest.mark.parametrize("story", STORIES)
async def test_no_screen_asks_for_what_the_record_has(
    sign_in: SignIn, served: ServedDemo, story: str
) -> None:
    user = await sign_in(STORIES[story])
    patient = f"demo-{story}"
    await let_in(user, patient)
    facts = await known(served, patient)
    twice: dict[str, list[str]] = {}
    for screen in OTHER_SCREENS:
        await user.goto(f"/patient/{patient}/{screen}")
        if found := await asked_again(user, None, facts):
            twice[screen] = found
    for key, form in in_force().items():
        await user.goto(f"/patient/{patient}/forms/{key}")
        await expect(user.page.locator("#form-title")).to_contain_text(form.title)
        if found := await asked_again(user, form, facts):
            twice[key] = found
    assert twice == {}


async def test_a_height_that_one_form_was_given_is_there_in_the_next_with_its_source(
    sign_in: SignIn, served: ServedDemo
) -> None:
    nurse = await sign_in("ward-nurse")
    page = nurse.page
    form = in_force()["admission_nursing"]
    await nurse.goto("/patient/demo-gunvor/forms/admission_nursing")
    await page.locator("[data-place=matters] textarea").fill("Komme hjem")
    await page.locator("[data-place=height] input").first.fill("161")
    for place in prepare(form.questionnaire).by_link.values():
        if place.required and place.type in ("choice", "boolean", "open-choice"):
            await page.locator(f"[data-place='{place.link_id}'] .hv-option").first.click()
    await named(nurse, "Signer").click()
    await expect(page.locator("form[data-form]")).to_have_count(0)
    signed = page.url.rsplit("/", 1)[1]
    await nurse.goto("/patient/demo-gunvor/forms/nrs-2002")
    height = page.locator("[data-place=height]")
    await expect(height.locator("input").first).to_have_value("161")
    await expect(height.locator("[data-origin]")).to_contain_text("Fra journalen: Høyde")
    # What was only seen again is not measured again.
    asked = "Observation?patient=demo-gunvor&code=http://loinc.org|8302-2"
    assert len((await served.ask(asked)).json()["entry"]) == 1
    await nurse.goto(f"/patient/demo-gunvor/answers/{signed}/correct")
    await page.get_by_label("Hvorfor rettes det?").fill("Bare en prøve")
    await named(nurse, "Ført ved en feil: trekk tilbake").click()
    await expect(page.locator("main")).to_contain_text("feilført")
    await nurse.goto("/patient/demo-gunvor/forms/nrs-2002")
    await expect(height.locator("input").first).to_have_value("")
