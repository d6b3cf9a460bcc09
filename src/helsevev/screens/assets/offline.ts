// The page that works without contact: takes a round along, opens it by its code, and shows it.
import { acts, status } from "./offline_acts";
import { alert, button, field, h, panel, say, time } from "./offline_parts";
import { patientPage } from "./offline_patient";
import { type Patient, Phone } from "./offline_phone";
import { standing } from "./offline_rules";
import { watchWipe } from "./offline_store";
import { watchTheme } from "./theme";

const SHORTEST = 6;
const BRING_EVERY = 15_000;
const DRAW_EVERY = 60_000;

const main = document.getElementById("hv-phone")!;
let problems: string[] = [];
let used = Date.now();
const phone: Phone = new Phone(() => draw());

function here(): Patient | undefined {
  const place = /^#p(\d+)$/.exec(location.hash);
  return place ? phone.round?.patients[Number(place[1])] : undefined;
}

function tell(told: string[]): void {
  problems = told;
  draw(true);
}

function go(hash: string): void {
  problems = [];
  if (location.hash === hash) draw(true);
  else location.hash = hash;
}

function codeField(label: string): HTMLInputElement {
  return h("input", { class: "ds-input hv-number", type: "password", inputmode: "numeric", autocomplete: "off", name: label, required: true, minlength: String(SHORTEST), maxlength: "64" });
}

function form(submit: string, done: () => Promise<void>, ...inside: HTMLElement[]): HTMLFormElement {
  const press = h("button", { class: "ds-button", type: "submit" }, submit);
  const made = h("form", { class: "hv-offline-form", autocomplete: "off" }, ...inside, h("div", { class: "hv-actions" }, press));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    press.disabled = true;
    press.setAttribute("aria-busy", "true");
    void done().finally(() => {
      press.disabled = false;
      press.removeAttribute("aria-busy");
    });
  });
  return made;
}

function startPage(): HTMLElement[] {
  const code = codeField("code");
  const again = codeField("again");
  const take = form(
    say("take"),
    async () => {
      if (code.value !== again.value) return tell([say("codes-differ")]);
      const taken = await phone.take(code.value);
      tell(taken ? [] : [say(phone.who?.state === "open" ? "not-taken" : phone.who ? "sign-in-first" : "needs-contact")]);
    },
    h("p", {}, say("take-told")),
    field(say("choose-code"), code),
    field(say("code-again"), again),
  );
  const signIn = h("p", {}, h("a", { class: "ds-link", href: "/rounds" }, say("sign-in")));
  return [panel(say("take"), take, phone.who?.state === "open" ? null : signIn)];
}

function lockedPage(): HTMLElement[] {
  const code = codeField("code");
  const open = form(say("open"), async () => tell((await phone.open(code.value)) ? [] : [say("wrong-code")]), h("p", {}, say("locked-told")), field(say("code"), code));
  return [panel(say("locked"), open, h("div", { class: "hv-actions" }, endButton()))];
}

function endButton(): HTMLElement {
  return button(say("end"), () => phone.forget(), "tertiary");
}

function patientRow(patient: Patient, place: number): HTMLElement {
  const known = phone.actsOf(patient.id);
  const stands = patient.doses.map((dose) => standing(dose, known, phone.now()));
  const count = (...wanted: string[]) => stands.filter((each) => wanted.includes(each)).length;
  const marks = [
    count("missed", "late") ? say("count-late", String(count("missed", "late"))) : "",
    count("due") ? say("count-due", String(count("due"))) : "",
    known.length ? say("count-done", String(known.length)) : "",
  ].filter(Boolean);
  const link = h("a", { class: "hv-row__title", href: `#p${place}` }, patient.name || say("no-name"));
  const row = h("li", { class: "hv-row hv-patient-row" }, h("div", { class: "hv-row__main" }, link, " ", h("span", { class: "hv-quiet" }, patient.about)), h("div", { class: "hv-row__marks" }, ...marks.map((text) => h("span", { class: "ds-tag", "data-variant": "outline", "data-color": "neutral" }, text))));
  row.addEventListener("click", (event) => {
    if (!(event.target instanceof HTMLAnchorElement)) go(`#p${place}`);
  });
  return row;
}

function listPage(): HTMLElement[] {
  const round = phone.round!;
  const rows = round.patients.map(patientRow);
  const told = h("p", { class: "hv-quiet" }, say("taken", time(round.takenAt), time(round.horizon), time(round.until)));
  const more = round.leftOut ? h("p", { class: "hv-warning" }, say("left-out", String(round.leftOut))) : false;
  const refresh = button(say("refresh"), async () => tell((await phone.refresh()) ? [] : [say("needs-contact")]));
  const patients = panel(`${say("round")} · ${round.unit}`, rows.length ? h("ul", { class: "hv-rows" }, ...rows) : h("p", { class: "hv-empty" }, say("no-patients")), more, told, h("div", { class: "hv-actions" }, refresh, endButton()));
  const done = acts(phone, "", (text) => tell([text]));
  return done ? [patients, done] : [patients];
}

function skewTold(): HTMLElement | false {
  const minutes = Math.round(Math.abs(phone.about?.skew ?? 0) / 60_000);
  return minutes > 0 && h("p", { class: "hv-warning" }, say("skew", String(minutes)));
}

function draw(isNew = false): void {
  const writing = document.activeElement;
  const isWriting = writing instanceof HTMLElement && main.contains(writing) && writing.matches("input, textarea, select");
  const isOpen = phone.round !== undefined;
  const bar = main.querySelector(".hv-offline-status");
  // What somebody is writing or about to press is not drawn anew under their hands.
  const isBusy = isOpen && !isNew && (isWriting || main.querySelector("input:checked, details[open]") !== null);
  if (isBusy && bar) return bar.replaceWith(statusBar());
  const patient = here();
  const page = !phone.about ? startPage() : !isOpen ? lockedPage() : patient ? patientPage(phone, patient, problems, tell, () => go("#")) : listPage();
  const told = patient ? [] : problems.map((each) => alert(each));
  const skew = skewTold();
  main.replaceChildren(statusBar(), ...(skew ? [skew] : []), ...told, ...page);
  if (isNew) {
    const first = main.querySelector<HTMLElement>("[role=alert], h1");
    first?.scrollIntoView({ block: "nearest" });
  }
}

function statusBar(): HTMLElement {
  const bar = status(phone);
  const now = button(say("bring-now"), () => phone.bring(true), "tertiary");
  if (phone.onlyHere.length) bar.append(now);
  return bar;
}

/** Nobody has touched the screen for as long as the record allows: the code is asked for again. */
function watchUse(): void {
  for (const kind of ["pointerdown", "keydown", "touchstart"]) addEventListener(kind, () => (used = Date.now()), { capture: true, passive: true });
  setInterval(() => {
    if (phone.about && phone.now() >= phone.about.until) void phone.forget();
    else if (phone.round && Date.now() - used > phone.round.lockAfter * 1000) phone.close();
  }, 1_000);
}

async function begin(): Promise<void> {
  watchTheme();
  addEventListener("hashchange", () => {
    problems = [];
    scrollTo(0, 0);
    draw(true);
  });
  watchWipe(() => location.reload());
  watchUse();
  await navigator.serviceWorker?.register("/rounds/worker.js", { scope: "/rounds" }).catch(() => undefined);
  // Without this a browser may drop what is kept when the disk is full.
  void navigator.storage?.persist?.();
  await phone.look();
  await phone.bring();
  addEventListener("online", () => void phone.bring(true));
  setInterval(() => void phone.bring(), BRING_EVERY);
  setInterval(() => draw(), DRAW_EVERY);
}

void begin();
