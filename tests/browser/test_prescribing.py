"""A doctor orders a medicine and a falling course in few steps; the list and the print say it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from .conftest import SignIn, Within
from .places import named
from .user import User

pytestmark = pytest.mark.browser
CHART = "/patient/demo-aslaug"
KARE = "/patient/demo-kare"
LIST = f"{CHART}/medications"


async def at_the_list(user: User) -> None:
    await expect(user.page.locator("#panel-medications")).to_be_visible()


async def sign(user: User) -> None:
    """Sign, with an answer to each warning that stands there."""
    for answer in await user.page.locator("[name^='answer:']").all():
        await answer.fill("Vurdert, følges opp")
    await named(user, "Signer").click()
    await at_the_list(user)


async def stop(user: User, words: str) -> None:
    """Stop a medicine of the list that is open."""
    row = user.page.locator(".hv-medicine", has_text=words).first
    await row.get_by_role("link").click()
    await user.page.locator("summary", has_text="Seponer").click()
    await user.page.locator("form[action$='/stop'] [name=other_why]").fill("Prøvd")
    await user.page.get_by_role("button", name="Signer seponeringen").click()
    await at_the_list(user)


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_paracetamol_four_times_a_day_is_ordered_in_one_choice(
    sign_in: SignIn, within_budget: Within, device: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto(KARE)
    doctor.begin()
    await doctor.press_on(named(doctor, "Forskriv", exact=True))
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("par")
    choice = doctor.page.get_by_role("button", name=re.compile("^1 g, 4 ganger daglig")).first
    await doctor.press_on(choice)
    await expect(doctor.page.locator("#order-course")).to_contain_text("1 g, 4 ganger daglig")
    button = doctor.page.get_by_role("button", name="Signer")
    if doctor.is_phone:
        await doctor.press_on(button)
    else:
        await expect(button).to_be_focused()
        await doctor.key("Enter", decisions=1)
    await at_the_list(doctor)
    took = doctor.end()
    row = doctor.page.locator(".hv-medicine", has_text="1 g, 4 ganger daglig").first
    await expect(row).to_be_visible()
    await doctor.goto(f"{KARE}/medications/print")
    await expect(doctor.page.locator("main")).to_contain_text("1 g, 4 ganger daglig")
    # For whoever orders it next it is not the same medicine twice.
    await doctor.goto(f"{KARE}/medications")
    await stop(doctor, "1 g, 4 ganger daglig")
    within_budget(f"order-paracetamol-{device}", took)


async def test_a_button_pressed_many_times_at_once_orders_once(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{KARE}/medications")
    # Those that other tests have stopped stand there too.
    ordered = doctor.page.locator(".hv-medicine", has_text="1 g, 4 ganger daglig")
    before = await ordered.count()
    await doctor.goto(f"{KARE}/medications/new")
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("par")
    await doctor.page.get_by_role("button", name=re.compile("^1 g, 4 ganger daglig")).first.click()
    await expect(named(doctor, "Signer")).to_be_focused()
    answers = await doctor.page.evaluate(
        """() => {
            const form = document.querySelector("form[action$='/medications']");
            const press = () => fetch(form.action, {
                method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual",
            });
            return Promise.all(Array.from({length: 8}, press)).then(all => all.map(a => a.type));
        }"""
    )
    assert answers == ["opaqueredirect"] * 8
    await doctor.goto(f"{KARE}/medications")
    await expect(ordered).to_have_count(before + 1)
    await stop(doctor, "1 g, 4 ganger daglig")


async def test_a_falling_course_is_drawn_before_it_is_signed_and_adds_up(
    sign_in: SignIn, within_budget: Within
) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(CHART)
    doctor.begin()
    await doctor.press_on(named(doctor, "Forskriv", exact=True))
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("pred")
    taper = doctor.page.get_by_role("button", name=re.compile("→")).first
    await doctor.press_on(taper)
    first = doctor.page.locator("[name=amount]")
    await expect(first).to_be_focused()
    await first.select_text()
    await doctor.type("20")
    await doctor.go_to_field(doctor.page.locator("[name=down]"))
    await doctor.type("4")
    await doctor.go_to_field(doctor.page.locator("[name=step_days]"))
    await doctor.type("5")
    await doctor.go_to_field(doctor.page.locator("[name=last]"))
    await doctor.type("4")
    steps = doctor.page.locator("#order-course tbody tr td:first-child")
    await expect(steps).to_have_text(["20 mg", "16 mg", "12 mg", "8 mg", "4 mg"])
    await expect(doctor.page.locator("#order-course rect")).to_have_count(5)
    await expect(doctor.page.locator("#order-course")).to_contain_text("Til sammen 300 mg")
    await doctor.press_on(doctor.page.get_by_role("button", name="Signer"))
    await at_the_list(doctor)
    within_budget("taper-desktop", doctor.end())
    row = doctor.page.locator(".hv-medicine", has_text="16 mg, 1 gang").first
    for dose in (20, 16, 12, 8, 4):
        await expect(row).to_contain_text(f"{dose} mg, 1 gang daglig, kl. 08:00")


async def test_a_medicine_is_changed_paused_resumed_renewed_and_stopped_where_it_stands(
    sign_in: SignIn,
) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{CHART}/medications/new")
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("metoprolol")
    await doctor.page.get_by_role("button", name=re.compile("^50 mg")).first.click()
    await sign(doctor)

    async def opened(words: str) -> None:
        row = doctor.page.locator(".hv-medicine", has_text=words).first
        await row.get_by_role("button", name="Endre").click()
        await expect(doctor.page.locator("[data-brought]")).to_be_visible()

    brought = doctor.page.locator("[data-brought]")
    await opened("50 mg")
    await brought.locator("summary", has_text="Endre dosen").click()
    await brought.locator("[name=amount]").fill("65")
    doctor.expected |= {422}
    await brought.get_by_role("button", name="Signer endringen").click()
    if await doctor.page.locator("[name^='answer:']").count():
        for answer in await doctor.page.locator("[name^='answer:']").all():
            await answer.fill("Vurdert, følges opp")
        await doctor.page.get_by_role("button", name="Signer endringen").click()
    await at_the_list(doctor)
    await opened("65 mg")
    await brought.locator("summary", has_text="pause").click()
    await brought.locator("form[action$='/pause'] select").select_option("Akutt sykdom")
    await brought.get_by_role("button", name="Signer pausen").click()
    await at_the_list(doctor)
    await expect(doctor.page.locator(".hv-medicine", has_text="65 mg").first).to_contain_text(
        "Akutt sykdom"
    )
    await opened("65 mg")
    await brought.get_by_role("button", name="Gjenoppta").click()
    await at_the_list(doctor)
    await opened("65 mg")
    await brought.get_by_role("button", name="Forny uendret").click()
    await at_the_list(doctor)
    await opened("65 mg")
    doctor.expected |= {422}
    await brought.locator("summary", has_text="Seponer").click()
    await brought.get_by_role("button", name="Signer seponeringen").click()
    await expect(doctor.page.locator("main")).to_contain_text("Skriv hvorfor.")
    await doctor.page.locator("summary", has_text="Seponer").click()
    await doctor.page.locator("form[action$='/stop'] [name=other_why]").fill("Lavt blodtrykk")
    await doctor.page.get_by_role("button", name="Signer seponeringen").click()
    await at_the_list(doctor)
    await doctor.page.locator("summary", has_text="Seponert").click()
    ended = doctor.page.locator(".hv-medicine", has_text="Lavt blodtrykk").first
    await expect(ended).to_contain_text("65 mg")
    await ended.get_by_role("link").click()
    await expect(doctor.page.locator("main")).to_contain_text("Seponert")


async def test_what_others_changed_stands_out_and_a_nurse_does_not_prescribe(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(CHART)
    await expect(nurse.page.locator("#panel-medications")).to_be_visible()
    # A chart that stays open shows what is new as it comes, and that is seen then.
    await nurse.goto("/")
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{LIST}/new")
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("furosemid")
    await doctor.page.get_by_role("button", name=re.compile("^40 mg")).first.click()
    await sign(doctor)
    await expect(doctor.page.locator("main")).not_to_contain_text("Endret siden du sist")
    await nurse.goto(LIST)
    news = nurse.page.locator("section", has_text="Endret siden du sist så på listen").last
    await expect(news).to_contain_text("40 mg")
    await expect(nurse.page.get_by_role("link", name="Forskriv", exact=True)).to_have_count(0)


async def test_a_form_of_another_patient_and_a_stale_version_order_nothing(
    sign_in: SignIn,
) -> None:
    doctor = await sign_in("hospital-doctor")
    doctor.expected |= {409, 422}
    await doctor.goto(f"{LIST}/new")
    await doctor.type("metoprolol")
    await doctor.page.get_by_role("button", name=re.compile("^50 mg")).first.click()
    await doctor.page.locator("input[name=patient]").evaluate("e => e.value = 'demo-kare'")
    await named(doctor, "Signer").click()
    await expect(doctor.page.locator("main")).to_contain_text("hører til en annen pasient")
    await sign(doctor)
    row = doctor.page.locator(".hv-medicine", has_text="50 mg").first
    await row.get_by_role("link").click()
    await doctor.page.locator("summary", has_text="Seponer").click()
    stop = doctor.page.locator("form[action$='/stop']")
    await stop.locator("[name=version]").evaluate("e => e.value = '7'")
    await stop.locator("[name=other_why]").fill("feil")
    await doctor.page.get_by_role("button", name="Signer seponeringen").click()
    await expect(doctor.page.locator("main")).to_contain_text("i mellomtiden")
