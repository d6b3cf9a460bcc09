"""Notes: facts are fetched, phrases written, copies marked, photos taken, and others sign too."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from .conftest import SignIn, Within
from .places import named, on_the_chart_of, sign_a_note
from .served import ServedDemo
from .user import User

pytestmark = pytest.mark.browser

KARE, ASLAUG = "/patient/demo-kare", "/patient/demo-aslaug"
PLACE_TAKEN = "Trondheim torg"


def field(page: Page) -> Locator:
    """Where the note is written."""
    return page.get_by_role("textbox", name="Notat")


def newest(user: User, words: str) -> Locator:
    """The note in the chart that has these words."""
    return user.page.locator("#panel-notes article", has_text=words).first


async def sign(user: User, name: str = "Kåre Brattli") -> None:
    """Sign what is written, and come back to the chart."""
    await user.press_on(named(user, "Signer"))
    await on_the_chart_of(user.page, name)


async def type_at_end(user: User, words: str) -> None:
    """Type after the last word of the note."""
    await field(user.page).click()
    await expect(field(user.page)).to_be_focused()
    await user.page.keyboard.press("Control+End")
    await user.page.keyboard.type(words)


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_a_template_fetches_living_facts_and_the_signed_note_says_where_they_are_from(
    sign_in: SignIn, served: ServedDemo, within_budget: Within, device: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto(KARE)
    doctor.begin()
    await doctor.press_on(named(doctor, "Skriv notat"))
    await expect(field(doctor.page)).to_have_value(re.compile(r"Blodtrykk \d+/\d+ mmHg \("))
    await expect(field(doctor.page)).to_be_focused()
    words = f"Bedre i dag, {device} {uuid4().hex[:6]}."
    await doctor.type(words)
    await expect(doctor.page.locator("#note-sources")).to_contain_text("hentet fra journalen")
    await sign(doctor)
    within_budget(f"note-by-template-{device}", doctor.end())
    note = newest(doctor, words)
    await expect(note.locator(".hv-brought").first).to_contain_text("Hentet fra journalen")
    await expect(note.locator(".hv-brought", has_text=words)).to_have_count(0)
    await expect(note.get_by_role("heading", name="Aktuelt")).to_be_visible()
    found = (await served.ask("Composition?patient=demo-kare&_sort=-_lastUpdated&_count=1")).json()
    findings = next(
        section for section in found["entry"][0]["resource"]["section"]
        if section["title"] == "Funn"
    )  # fmt: skip
    sources = {entry["reference"] for entry in findings["entry"]}
    assert len(sources) > 5
    assert all(source.startswith("Observation/") for source in sources)


async def test_another_template_takes_nothing_away_that_was_typed(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{KARE}/notes/new")
    await expect(field(doctor.page)).to_be_focused()
    words = f"Mine egne ord {uuid4()}"
    await doctor.page.keyboard.type(words)
    await doctor.page.locator("#field-type").select_option("lege-innkomst")
    await expect(field(doctor.page)).to_have_value(re.compile("Innleggelsesårsak:\nMann"))
    value = await field(doctor.page).input_value()
    assert value.count(words) == 1
    assert f"Aktuelt:\n{words}" in value
    await expect(doctor.page.locator("[data-draft-state]")).to_contain_text("Lagret")
    await doctor.page.reload()
    await expect(field(doctor.page)).to_have_value(re.compile(re.escape(words)))
    await named(doctor, "Forkast utkastet").click()


async def test_a_blank_that_nobody_filled_in_is_not_signed(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor")
    doctor.expected = {422}
    await doctor.goto(f"{KARE}/notes/new?template=lege-innkomst")
    await expect(field(doctor.page)).to_have_value(re.compile("Hjerte: ___"))
    await named(doctor, "Signer").click()
    await expect(doctor.page.get_by_role("alert").first).to_contain_text("de tomme feltene")
    await expect(field(doctor.page)).to_have_value(re.compile("Hjerte: ___"))
    await named(doctor, "Forkast utkastet").click()


async def test_a_phrase_is_written_by_its_key_or_chosen_from_the_list(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{KARE}/notes/new")
    await expect(field(doctor.page)).to_be_focused()
    await doctor.page.keyboard.type(".kontroll ")
    await expect(field(doctor.page)).to_have_value(
        re.compile("Aktuelt:\nKontroll om ___ uker. Tar kontakt før ved ___.")
    )
    await doctor.page.keyboard.type("to")
    await doctor.page.keyboard.press("Tab")
    await doctor.page.keyboard.type("feber")
    await expect(field(doctor.page)).to_have_value(
        re.compile("Kontroll om to uker. Tar kontakt før ved feber.")
    )
    await doctor.page.keyboard.press("Tab")
    await expect(field(doctor.page)).not_to_be_focused()
    await doctor.page.get_by_text("Fraser", exact=True).click()
    await field(doctor.page).click()
    await doctor.page.keyboard.press("Control+End")
    await named(doctor, "Lunger, normalt").click()
    await expect(field(doctor.page)).to_have_value(re.compile("ingen fremmedlyder.$"))
    await doctor.page.keyboard.press("Control+z")
    await expect(field(doctor.page)).not_to_have_value(re.compile("fremmedlyder"))
    await named(doctor, "Forkast utkastet").click()


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_what_is_copied_forward_says_from_which_note_and_what_is_new_does_not(
    sign_in: SignIn, device: str
) -> None:
    nurse = await sign_in("ward-nurse", device)
    mark = uuid4().hex[:6]
    first = f"Mobiliseres til stol to ganger daglig med én hjelper {mark}."
    await nurse.goto(f"{KARE}/notes/new")
    await field(nurse.page).fill(f"Observasjon:\n{first}")
    await sign(nurse)
    await nurse.goto(f"{KARE}/notes")
    await nurse.press_on(newest(nurse, first).get_by_role("link", name="Kopier videre"))
    await expect(field(nurse.page)).to_have_value(re.compile(re.escape(first)))
    await expect(nurse.page.locator("#note-sources")).to_contain_text("kopiert fra Sykepleienotat")
    own = f"Gikk selv til døren i dag {mark}."
    await type_at_end(nurse, own)
    await sign(nurse)
    note = newest(nurse, own)
    copied = note.locator(".hv-brought[data-kind=copy]", has_text=first)
    await expect(copied).to_contain_text("Kopiert fra Sykepleienotat")
    await expect(copied).to_contain_text("Magnus Tverdal")
    await expect(note.locator(".hv-brought", has_text=own)).to_have_count(0)


async def test_a_student_s_note_holds_when_a_named_colleague_has_signed_it_too(
    sign_in: SignIn, served: ServedDemo
) -> None:
    student, nurse = await sign_in("nursing-student"), await sign_in("ward-nurse", "phone")
    student.expected, nurse.expected = {422}, {422}
    words = f"Hjalp til med stell, hel hud {uuid4()}."
    await student.goto(f"{KARE}/notes/new")
    await field(student.page).fill(f"Observasjon:\n{words}")
    await student.page.locator("#field-cosigner").select_option(label="Magnus Tverdal, Sykepleier")
    await sign(student)
    await expect(newest(student, words)).to_contain_text("venter på medsignering")
    await expect(newest(student, words).get_by_role("link", name="Medsigner")).to_have_count(0)

    await nurse.goto(f"{KARE}/notes")
    await nurse.press_on(newest(nurse, words).get_by_role("link", name="Medsigner"))
    await nurse.page.get_by_text("Send tilbake til forfatteren").click()
    await nurse.page.get_by_label("Hva bør endres").fill("Skriv hvor på kroppen.")
    await named(nurse, "Send tilbake", exact=True).click()
    await on_the_chart_of(nurse.page, "Kåre Brattli")

    await student.goto(f"{KARE}/notes")
    await newest(student, words).get_by_role("link", name="Rett").click()
    await field(student.page).fill(f"Observasjon:\n{words} Sakrum og hæler.")
    await student.page.get_by_label("Hvorfor det rettes").fill("Presisert etter tilbakemelding")
    await sign(student)

    await nurse.goto(f"{KARE}/notes")
    await nurse.press_on(newest(nurse, "Sakrum og hæler.").get_by_role("link", name="Medsigner"))
    await expect(nurse.page.locator("main")).to_contain_text("Sakrum og hæler.")
    await nurse.press_on(named(nurse, "Medsigner"))
    await on_the_chart_of(nurse.page, "Kåre Brattli")
    note = newest(nurse, words)
    await expect(note).not_to_contain_text("venter på medsignering")
    await expect(note.locator(".hv-signature")).to_have_count(3)
    await expect(note.locator(".hv-signature").last).to_contain_text("Magnus Tverdal")
    found = await served.ask("Task?patient=demo-kare&_sort=-_lastUpdated&_count=1")
    task = found.json()["entry"][0]["resource"]
    assert task["status"] == "completed"
    assert task["code"]["coding"][0]["code"] == "co-sign"


async def test_a_correction_says_why_and_the_old_text_can_be_read_beside_it(
    sign_in: SignIn,
) -> None:
    doctor = await sign_in("hospital-doctor")
    doctor.expected = {422}
    mark = uuid4().hex[:6]
    await doctor.goto(f"{ASLAUG}/notes/new")
    await field(doctor.page).fill(f"Vekt 58,6 kg {mark}.")
    await sign(doctor, "Aslaug Bakken Moe")
    await doctor.goto(f"{ASLAUG}/notes")
    await newest(doctor, mark).get_by_role("link", name="Rett").click()
    await field(doctor.page).fill(f"Vekt 68,5 kg {mark}.")
    why = doctor.page.get_by_label("Hvorfor det rettes")
    await why.evaluate("field => field.required = false")
    await named(doctor, "Signer").click()
    await expect(doctor.page.get_by_role("alert").first).to_contain_text("hvorfor notatet rettes")
    await expect(field(doctor.page)).to_have_value(f"Vekt 68,5 kg {mark}.")
    await why.fill("Tallene var byttet om")
    await expect(doctor.page.locator("[data-draft-state]")).to_contain_text("Lagret")
    await doctor.page.reload()
    await expect(why).to_have_value("Tallene var byttet om")
    await sign(doctor, "Aslaug Bakken Moe")
    await expect(newest(doctor, mark)).to_contain_text("Tallene var byttet om")
    await newest(doctor, mark).get_by_role("link", name="Versjoner").click()
    await expect(doctor.page.locator(".hv-versions > li")).to_have_count(2)
    await expect(doctor.page.locator("del")).to_contain_text("58,6")
    await expect(doctor.page.locator("ins")).to_contain_text("68,5")


def a_photo(folder: Path) -> Path:
    """A photo as a phone takes it: with where, when and by what, in two places."""
    picture = Image.new("RGB", (1200, 900), (180, 60, 60))
    exif = Image.Exif()
    exif[0x010E] = PLACE_TAKEN
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    path = folder / "bilde.jpg"
    picture.save(path, exif=exif, comment=PLACE_TAKEN.encode())
    assert PLACE_TAKEN.encode() in path.read_bytes()
    return path


async def test_a_photo_from_the_phone_survives_a_reload_and_tells_nothing_of_where_it_was_taken(
    sign_in: SignIn, served: ServedDemo, tmp_path: Path
) -> None:
    nurse = await sign_in("home-care-nurse", "phone")
    before = (await served.ask("Media?patient=demo-aslaug&_summary=count")).json()["total"]
    await nurse.goto(f"{ASLAUG}/notes/new")
    await nurse.page.locator("input[type=file][capture]").set_input_files(a_photo(tmp_path))
    await expect(nurse.page.locator("#note-files img")).to_have_count(1)
    await nurse.page.reload()
    await expect(nurse.page.locator("#note-files img")).to_have_count(1)
    words = f"Sår på legg, bilde tatt {uuid4().hex[:6]}."
    await field(nurse.page).fill(words)
    await sign(nurse, "Aslaug Bakken Moe")
    link = newest(nurse, words).locator(".hv-file__open")
    await expect(link).to_contain_text("Foto")
    answer = await nurse.context.request.get(
        nurse.address + (await link.get_attribute("href") or "")
    )
    body = await answer.body()
    assert answer.headers["content-type"] == "image/jpeg"
    assert PLACE_TAKEN.encode() not in body
    shown = Image.open(BytesIO(body))
    assert not shown.getexif()
    assert shown.size == (900, 1200), "the picture is the right way up"
    after = (await served.ask("Media?patient=demo-aslaug&_summary=count")).json()["total"]
    assert after == before + 1


async def test_a_file_that_is_no_photo_is_refused_in_words_and_a_pdf_is_kept(
    sign_in: SignIn, tmp_path: Path
) -> None:
    nurse = await sign_in("home-care-nurse")
    nurse.expected = {422}
    await nurse.goto(f"{ASLAUG}/notes/new")
    choose = nurse.page.locator("input[type=file][multiple]")
    (tmp_path / "liste.exe").write_bytes(b"MZ not a picture")
    await choose.set_input_files(tmp_path / "liste.exe")
    await expect(nurse.page.locator("#note-files")).to_contain_text("Bare bilder")
    (tmp_path / "brev.pdf").write_bytes(b"%PDF-1.4\n%%EOF")
    await choose.set_input_files(tmp_path / "brev.pdf")
    await expect(nurse.page.locator("#note-files li")).to_have_count(1)
    words = f"Brev fra pårørende lagt ved {uuid4().hex[:6]}."
    await field(nurse.page).fill(words)
    await sign(nurse, "Aslaug Bakken Moe")
    href = await newest(nurse, words).locator(".hv-file__open").get_attribute("href")
    answer = await nurse.context.request.get(nurse.address + (href or ""))
    assert (await answer.body()).startswith(b"%PDF-1.4")
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_photo_of_another_s_draft_is_nobody_else_s_to_see(
    sign_in: SignIn, tmp_path: Path
) -> None:
    nurse, colleague = await sign_in("home-care-nurse"), await sign_in("ward-nurse")
    await nurse.goto(f"{ASLAUG}/notes/new")
    await nurse.page.locator("input[type=file][capture]").set_input_files(a_photo(tmp_path))
    image = nurse.page.locator("#note-files img")
    await expect(image).to_have_count(1)
    address = nurse.address + (await image.get_attribute("src") or "")
    assert (await nurse.context.request.get(address)).status == 200
    assert (await colleague.context.request.get(address)).status == 404
    await named(nurse, "Forkast utkastet").click()
    await on_the_chart_of(nurse.page)
    assert (await nurse.context.request.get(address)).status == 404


async def test_a_note_is_printed_as_a_page_of_its_own(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor")
    words = f"Til utskrift {uuid4().hex[:6]}."
    await sign_a_note(doctor, "demo-aslaug", words)
    href = await newest(doctor, words).get_by_role("link", name="Skriv ut").get_attribute("href")
    answer = await doctor.context.request.get(doctor.address + (href or ""))
    assert answer.headers["content-type"] == "application/pdf"
    assert (await answer.body()).startswith(b"%PDF-")


SPEECH = """
window.SpeechRecognition = class extends EventTarget {
  static async available() { return "available" }
  static async install() { return true }
  get processLocally() { return this.local }
  set processLocally(value) { this.local = value }
  start() {
    if (!this.local || this.lang !== "nb-NO") return this.dispatchEvent(new Event("error"));
    setTimeout(() => {
      const heard = new Event("result");
      heard.resultIndex = 0;
      heard.results = [Object.assign([{ transcript: "pasienten sover godt" }], { isFinal: true })];
      this.dispatchEvent(heard);
    }, 20);
  }
  stop() { this.dispatchEvent(new Event("end")) }
};
"""


async def test_what_is_dictated_on_the_device_stands_in_the_note_and_in_its_draft(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.context.add_init_script(SPEECH)
    await nurse.goto(f"{KARE}/notes/new")
    await expect(field(nurse.page)).to_be_focused()
    await named(nurse, "Dikter").click()
    await expect(field(nurse.page)).to_have_value(re.compile("pasienten sover godt"))
    await expect(nurse.page.locator("[data-draft-state]")).to_contain_text("Lagret")
    await named(nurse, "Stopp diktering").click()
    await expect(named(nurse, "Dikter")).to_have_attribute("aria-pressed", "false")
    await named(nurse, "Forkast utkastet").click()


async def test_there_is_no_dictation_where_speech_would_leave_the_device(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.context.add_init_script(
        "window.SpeechRecognition = class extends EventTarget {"
        " static async available() { return 'unavailable' } }"
    )
    await nurse.goto(f"{KARE}/notes/new")
    await expect(field(nurse.page)).to_be_focused()
    await expect(nurse.page.locator("[data-dictation]")).to_be_hidden()
