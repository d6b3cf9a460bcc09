// One patient of the round: what is dangerous, doses to sign, measurements and a note.
import { acts } from "./offline_acts";
import { alert, button, choice, field, h, panel, say, tag, time } from "./offline_parts";
import type { Patient, Phone } from "./offline_phone";
import { type Dose, type Needed, type Refusal, standing, whyNotGiven, whyNotNeeded } from "./offline_rules";

const COLOURS = { due: "accent", late: "warning", missed: "danger", upcoming: "neutral" } as const;

function refusal(told: Refusal, dose: Dose | Needed): string {
  return `${dose.name}: ${say(`not-${told.why}`, time(told.from))}`;
}

function dangers(patient: Patient): HTMLElement {
  const listed = patient.allergies.map((each) =>
    h("li", each.danger ? { "data-severity": "high" } : {}, each.danger ? "‼ " : "", [each.substance, ...each.reactions].join(", ")),
  );
  const cave = h("div", { class: "hv-cave", "data-status": listed.length ? "listed" : patient.allergyStatus }, h("b", {}, "CAVE"));
  cave.append(listed.length ? h("ul", {}, ...listed) : h("span", {}, say(`allergies-${patient.allergyStatus}`)));
  const critical = h("div", { class: "hv-critical" }, h("b", {}, say("critical")));
  critical.append(h("ul", {}, ...patient.critical.map((text) => h("li", {}, text))));
  return h("div", { class: "hv-banner__danger" }, cave, patient.critical.length > 0 && critical);
}

function banner(patient: Patient): HTMLElement {
  const facts = h("span", { class: "hv-banner__facts" }, patient.about, patient.where && h("span", { class: "hv-quiet" }, patient.where));
  const who = h("div", { class: "hv-banner__who" }, h("h1", { tabindex: "-1" }, patient.name || say("no-name")), facts);
  return h("section", { class: "hv-banner", "aria-label": say("patient") }, who, dangers(patient));
}

function what(dose: { name: string; amount: string; at?: string; route?: string }): HTMLElement {
  const title = h("span", { class: "hv-row__title" }, dose.at ? h("span", { class: "hv-number" }, `${time(dose.at)} `) : false, dose.name);
  return h("span", {}, title, " ", h("b", { class: "hv-number" }, dose.amount), dose.route ? h("span", { class: "hv-quiet" }, ` ${dose.route}`) : false);
}

function scanButtons(phone: Phone, sign: (scan: string) => unknown): HTMLElement {
  const reasons = phone.round?.content.notScanned ?? [];
  const made = reasons.map((reason) => button(reason.label, () => sign(reason.code)));
  return h("fieldset", { class: "hv-scan" }, h("legend", {}, say("without-scanning")), h("div", { class: "hv-actions" }, ...made));
}

function said(dose: Dose | Needed): Record<string, unknown> {
  return { order: dose.order, version: dose.version, place: dose.place, name: dose.name, amount: dose.amount };
}

function openDose(phone: Phone, dose: Dose, stands: string): HTMLElement {
  const give = h("input", { class: "ds-input", type: "checkbox", name: "give", value: dose.key });
  const check = h("label", { class: "hv-check" }, give, what(dose));
  const reason = choice("not", phone.round?.content.notGiven ?? [], say("choose"));
  const fold = h("details", { class: "hv-fold" }, h("summary", {}, say("not-given"), h("span", { class: "ds-sr-only" }, `: ${dose.name} ${time(dose.at)}`)), field(say("why"), reason));
  const marks = h("div", { class: "hv-row__marks" }, tag(say(stands), COLOURS[stands as keyof typeof COLOURS]), dose.two && tag(say("two"), "warning"));
  const row = h("li", { class: "hv-row" }, h("div", { class: "hv-row__main" }, check, dose.two && h("p", { class: "hv-quiet" }, say("two-told")), fold), marks);
  row.dataset["dose"] = dose.key;
  return row;
}

/** Signs what is chosen, each by itself; gives what the phone refused, in words. */
async function signChosen(phone: Phone, patient: Patient, list: HTMLElement, scan: string): Promise<string[]> {
  const problems: string[] = [];
  let signed = 0;
  for (const dose of patient.doses) {
    const row = list.querySelector<HTMLElement>(`[data-dose="${CSS.escape(dose.key)}"]`);
    const gives = row?.querySelector<HTMLInputElement>("input[name=give]")?.checked ?? false;
    const reason = row?.querySelector<HTMLSelectElement>("select[name=not]")?.value ?? "";
    if (gives && reason) problems.push(`${dose.name}: ${say("one-of-two")}`);
    else if (gives && scan) {
      const told = whyNotGiven(dose, patient.doses, phone.actsOf(patient.id), phone.now());
      if (told) problems.push(refusal(told, dose));
      else {
        await phone.done("given", patient.id, { ...said(dose), due: dose.key, scan });
        signed += 1;
      }
    } else if (reason) {
      await phone.done("withheld", patient.id, { ...said(dose), due: dose.key, reason });
      signed += 1;
    }
  }
  if (!signed && !problems.length) problems.push(say("choose-dose"));
  return problems;
}

function doses(phone: Phone, patient: Patient, tell: (problems: string[]) => void): HTMLElement {
  const now = phone.now();
  const known = phone.actsOf(patient.id);
  const open = patient.doses.map((dose) => ({ dose, stands: standing(dose, known, now) })).filter(({ stands }) => ["due", "late", "missed"].includes(stands));
  const list = h("ul", { class: "hv-rows" }, ...open.map(({ dose, stands }) => openDose(phone, dose, stands)));
  const sign = async (scan: string) => tell(await signChosen(phone, patient, list, scan));
  const withheld = button(say("sign-withheld"), () => sign(""), "tertiary");
  return panel(say("doses"), ...(open.length ? [list, scanButtons(phone, sign), h("p", { class: "hv-actions" }, withheld)] : [h("p", { class: "hv-empty" }, say("nothing-to-sign"))]));
}

function asNeeded(phone: Phone, patient: Patient, tell: (problems: string[]) => void): HTMLElement | false {
  if (!patient.needed.length) return false;
  const rows = patient.needed.map((each) => {
    const reason = h("input", { class: "ds-input", name: "reason", value: each.reason, maxlength: "500", autocomplete: "off" });
    const sign = async (scan: string) => {
      const told = whyNotNeeded(each, phone.actsOf(patient.id), phone.now());
      if (told) return tell([refusal(told, each)]);
      if (!reason.value.trim()) return tell([`${each.name}: ${say("say-what-for")}`]);
      await phone.done("needed", patient.id, { ...said(each), needed: each.key, reason: reason.value.trim(), scan });
      tell([]);
    };
    const last = each.taken.at(-1);
    const fold = h("details", { class: "hv-fold" }, h("summary", {}, what(each), each.reason && h("span", { class: "hv-quiet" }, ` ${each.reason}`)), field(say("given-for"), reason), scanButtons(phone, sign));
    const warning = h("p", { class: "hv-warning" }, say("not-checked"));
    return h("li", { class: "hv-row" }, h("div", { class: "hv-row__main" }, fold, last && h("p", { class: "hv-quiet" }, say("last-given", time(last))), !each.checked && warning));
  });
  return panel(say("needed"), h("ul", { class: "hv-rows" }, ...rows));
}

function measuring(phone: Phone, patient: Patient, tell: (problems: string[]) => void): HTMLElement {
  const content = phone.round?.content;
  const fields = (content?.signs ?? []).map((sign) => {
    const input = h("input", { class: "ds-input hv-number", name: sign.key, inputmode: "decimal", autocomplete: "off", maxlength: "12" });
    return { sign, input, shown: field(sign.label, input, sign.unit) };
  });
  const letter = choice("consciousness", content?.consciousness ?? [], say("not-assessed"));
  const save = async () => {
    const values: Record<string, string> = {};
    const problems: string[] = [];
    for (const { sign, input } of fields) {
      const typed = input.value.replace(/\s/g, "").replace(",", ".");
      if (!typed) continue;
      const value = Number(typed);
      const decimals = typed.split(".")[1]?.length ?? 0;
      if (!/^\d+(\.\d+)?$/.test(typed) || decimals > sign.decimals) problems.push(`${sign.label}: ${say("write-number")}`);
      else if (value < sign.lowest || value > sign.highest) problems.push(`${sign.label}: ${sign.refused}`);
      else values[sign.key] = typed;
    }
    if (letter.value) values["consciousness"] = letter.value;
    if (problems.length || !Object.keys(values).length) return tell(problems.length ? problems : [say("nothing-typed")]);
    await phone.done("measured", patient.id, { name: say("measurements"), values });
    tell([]);
  };
  const form = h("form", { class: "hv-offline-form", autocomplete: "off" }, ...fields.map((each) => each.shown), field(say("consciousness"), letter), h("p", { class: "hv-quiet" }, say("no-score")), h("div", { class: "hv-actions" }, h("button", { class: "ds-button", "data-variant": "secondary", type: "submit" }, say("save-measurements"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  // On to the next field by the keyboard's own key; the last one saves.
  form.addEventListener("keydown", (event) => {
    const at = fields.findIndex(({ input }) => input === event.target);
    const next = fields[at + 1];
    if (event.key !== "Enter" || at < 0 || !next) return;
    event.preventDefault();
    next.input.focus();
  });
  return fold(say("measurements"), form, () => fields[0]?.input.focus());
}

function noting(phone: Phone, patient: Patient, tell: (problems: string[]) => void): HTMLElement | false {
  const types = phone.round?.content.noteTypes ?? [];
  if (!types.length) return false;
  const type = choice("type", types);
  const words = h("textarea", { class: "ds-input", name: "text", rows: "6", maxlength: "20000", autocomplete: "off" });
  const save = button(say("save-note"), async () => {
    if (!words.value.trim()) return tell([say("nothing-typed")]);
    const kind = types.find((each) => each.code === type.value);
    await phone.done("noted", patient.id, { name: kind?.label ?? "", type: type.value, text: words.value.trim() });
    tell([]);
  });
  return fold(say("note"), h("div", { class: "hv-offline-form" }, field(say("kind-of-note"), type), field(say("note"), words), h("div", { class: "hv-actions" }, save)), () => words.focus());
}

function fold(title: string, inside: HTMLElement, opened: () => void): HTMLElement {
  const made = h("details", { class: "hv-fold hv-offline-fold" }, h("summary", {}, title), inside);
  made.addEventListener("toggle", () => made.open && opened());
  return h("section", { class: "hv-panel", "aria-label": title }, h("div", { class: "hv-panel__body" }, made));
}

function list(patient: Patient): HTMLElement {
  const rows = patient.medicines.map((each) => h("li", { class: "hv-row" }, h("div", { class: "hv-row__main" }, h("span", { class: "hv-row__title" }, each.name), " ", each.dose), each.group === "paused" && h("div", { class: "hv-row__marks" }, tag(say("paused"), "warning"))));
  return panel(say("medicines"), rows.length ? h("ul", { class: "hv-rows" }, ...rows) : h("p", { class: "hv-empty" }, say("no-medicines")));
}

function measured(patient: Patient): HTMLElement | false {
  if (!patient.measurements.length) return false;
  const rows = patient.measurements.map((each) => h("li", { class: "hv-row" }, h("div", { class: "hv-row__main" }, each.name, " ", h("b", { class: "hv-number" }, each.value)), h("div", { class: "hv-row__side hv-quiet" }, each.at)));
  return panel(say("last-measurements"), h("ul", { class: "hv-rows" }, ...rows));
}

function rest(phone: Phone, patient: Patient): HTMLElement | false {
  const known = phone.actsOf(patient.id);
  const now = phone.now();
  const rows = patient.doses.filter((dose) => ["upcoming", "signed"].includes(standing(dose, known, now)));
  if (!rows.length) return false;
  const shown = rows.map((dose) => {
    const isPrepared = dose.state === "prepared";
    const state = dose.state ? tag(say(dose.state), isPrepared ? "warning" : "neutral") : tag(say("upcoming"));
    const by = dose.state && h("span", { class: "hv-quiet" }, `${dose.signedBy} ${dose.signedAt ? time(dose.signedAt) : ""} ${dose.whyNot}`);
    return h("li", { class: "hv-row" }, h("div", { class: "hv-row__main" }, what(dose), isPrepared && h("p", { class: "hv-quiet" }, say("second-needs-contact"))), h("div", { class: "hv-row__marks" }, state, by));
  });
  return panel(say("rest"), h("ul", { class: "hv-rows" }, ...shown));
}

/** One patient's page. `tell` draws it anew with what was refused; `back` leads to the list. */
export function patientPage(phone: Phone, patient: Patient, problems: string[], tell: (problems: string[]) => void, back: () => void): HTMLElement[] {
  const unread = patient.unread.map((each) => h("p", { class: "hv-warning" }, say("unread", each.name, each.text)));
  const infusions = patient.infusions.map((name) => h("p", { class: "hv-warning" }, say("infusion", name)));
  const shown: (HTMLElement | false)[] = [
    h("p", {}, button(say("all-patients"), back, "tertiary")),
    banner(patient),
    ...problems.map((each) => alert(each)),
    doses(phone, patient, tell),
    ...unread,
    ...infusions,
    asNeeded(phone, patient, tell),
    measuring(phone, patient, tell),
    noting(phone, patient, tell),
    acts(phone, patient.id, (text) => tell([text])),
    rest(phone, patient),
    list(patient),
    measured(patient),
  ];
  return shown.filter((each) => each !== false);
}
