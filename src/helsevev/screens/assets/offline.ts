// The page that works without contact: takes a round along, opens it by its code, and shows it.
import { acts, status } from "./offline_acts";
import { post } from "./offline_contact";
import { alert, button, field, h, panel, say, time } from "./offline_parts";
import { patientPage } from "./offline_patient";
import { type Patient, Phone } from "./offline_phone";
import { standing } from "./offline_rules";
import { watchWipe } from "./offline_store";
import { watchTheme } from "./theme";

const SHORTEST = 6;
const BRING_EVERY = 15_000;
const DRAW_EVERY = 60_000;
const TELL_EVERY = 60_000;

const main = document.getElementById("hv-phone")!;
let problems: string[] = [];
let used = Date.now();
const phone: Phone = new Phone(() => draw());

function here(): Patient | undefined {
  // By id and never by place: the order of the list changes when the round is fetched anew.
  return phone.round?.patients.find((each) => location.hash === `#${each.id}`);
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

function patientRow(patient: Patient): HTMLElement {
  const known = phone.actsOf(patient.id);
  const stands = patient.doses.map((dose) => standing(dose, known, phone.now()));
  const count = (...wanted: string[]) => stands.filter((each) => wanted.includes(each)).length;
  const marks = [
    count("missed", "late") ? say("count-late", String(count("missed", "late"))) : "",
    count("due") ? say("count-due", String(count("due"))) : "",
    known.length ? say("count-done", String(known.length)) : "",
  ].filter(Boolean);
  const next = patient.doses.find((dose) => ["upcoming", "due", "late", "missed"].includes(standing(dose, known, phone.now())));
  const where = [patient.where, next ? say("from", time(next.at)) : ""].filter(Boolean).join(" · ");
  const link = h("a", { class: "hv-row__title", href: `#${patient.id}` }, patient.name || say("no-name"));
  const row = h("li", { class: "hv-row hv-patient-row" }, h("div", { class: "hv-row__main" }, link, " ", h("span", { class: "hv-quiet" }, patient.about), where && h("div", { class: "hv-quiet" }, where)), h("div", { class: "hv-row__marks" }, ...marks.map((text) => h("span", { class: "ds-tag", "data-variant": "outline", "data-color": "neutral" }, text))));
  row.addEventListener("click", (event) => {
    if (!(event.target instanceof HTMLAnchorElement)) go(`#${patient.id}`);
  });
  return row;
}

function listPage(): HTMLElement[] {
  const round = phone.round!;
  const rows = round.patients.map((each) => patientRow(each));
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

/** Something is typed, ticked or unfolded that drawing anew would take away. */
function isBusy(): boolean {
  const writing = document.activeElement;
  if (writing instanceof HTMLElement && main.contains(writing) && writing.matches("input, textarea, select")) return true;
  const fields = [...main.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")];
  const isFilled = fields.some((each) => ("checked" in each && each.checked) || each.value !== each.defaultValue);
  return isFilled || main.querySelector("details[open]") !== null;
}

function draw(isNew = false): void {
  const patient = here();
  const kind = !phone.about ? "start" : !phone.round ? "locked" : patient ? location.hash : "list";
  const bar = main.querySelector(".hv-offline-status");
  if (!isNew && bar && main.dataset.drawn === kind && isBusy()) return bar.replaceWith(statusBar());
  main.dataset.drawn = kind;
  const pages = { start: startPage, locked: lockedPage, list: listPage } as Record<string, () => HTMLElement[]>;
  const page = patient ? patientPage(phone, patient, problems, tell, () => go("#")) : pages[kind]!();
  const told = patient ? [] : problems.map((each) => alert(each));
  const skew = skewTold();
  main.replaceChildren(statusBar(), ...(skew ? [skew] : []), ...told, ...page);
  if (isNew) main.querySelector<HTMLElement>("[role=alert], h1")?.scrollIntoView({ block: "nearest" });
}

function statusBar(): HTMLElement {
  const bar = status(phone);
  const now = button(say("bring-now"), () => phone.bring(true), "tertiary");
  if (phone.onlyHere.length) bar.append(now);
  return bar;
}

/** Nobody has touched the screen for as long as the record allows: the code is asked for again. */
function watchUse(): void {
  let told = Date.now();
  const use = () => {
    used = Date.now();
    if (used - told < TELL_EVERY || phone.who?.state !== "open") return;
    told = used;
    void post("/session/seen", phone.who.token, {});
  };
  for (const kind of ["pointerdown", "keydown", "touchstart"]) addEventListener(kind, use, { capture: true, passive: true });
  setInterval(() => {
    if (phone.about && phone.now() >= phone.about.until) void phone.forget();
    else if (phone.round && Date.now() - used > phone.round.lockAfter * 1000) phone.close();
  }, 1_000);
}

async function begin(): Promise<void> {
  watchTheme();
  // Browsers keep keys and workers for addresses that nobody can listen in on.
  if (!isSecureContext) return main.replaceChildren(alert(say("needs-https")));
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
  addEventListener("offline", () => void phone.bring());
  setInterval(() => void phone.bring(), BRING_EVERY);
  setInterval(() => draw(), DRAW_EVERY);
}

void begin();
