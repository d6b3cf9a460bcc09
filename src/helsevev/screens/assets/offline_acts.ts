// What has been done on the phone, and where each thing stands: on the phone only, or in the record.
import { button, h, panel, say, tag, time } from "./offline_parts";
import type { Kept, Phone } from "./offline_phone";
import type { State } from "./offline_queue";

const COLOURS: Record<State, string> = { waiting: "warning", stored: "success", conflict: "danger", refused: "danger" };

function words(kept: Kept): string {
  const { act } = kept;
  const name = [act.said.name, act.said.amount].filter(Boolean).join(" ");
  if (act.kind === "noted") return say("did-note", String(act.said.name));
  if (act.kind === "measured") return say("did-measure", String(Object.keys(act.said.values as object).length));
  return act.kind === "withheld" ? say("did-withhold", name) : say("did-give", name);
}

function line(phone: Phone, kept: Kept, withName: boolean, told: (text: string) => void): HTMLElement {
  const { act } = kept;
  const row = phone.rows.find((each) => each.key === act.key);
  const state = phone.stateOf(act.key);
  const patient = phone.round?.patients.find((each) => each.id === act.patient);
  const main = h(
    "div",
    { class: "hv-row__main" },
    h("span", { class: "hv-number" }, `${time(act.at)} `),
    h("span", { class: "hv-row__title" }, words(kept)),
    withName && patient && h("span", { class: "hv-quiet" }, ` ${patient.name}`),
    kept.answer?.why ? h("p", {}, kept.answer.why) : false,
    row?.isUnreadable && h("p", { class: "hv-warning" }, say("unreadable")),
    state === "conflict" && patient ? h("a", { class: "ds-link", href: `/rounds/${patient.id}` }, say("settle")) : false,
    state === "refused" && h("a", { class: "ds-link", href: "/rounds/brought" }, say("see-brought")),
  );
  const undo = button(say("take-back"), async () => (await phone.takeBack(act.key)) || told(say("sent-already")), "tertiary");
  const marks = h("div", { class: "hv-row__marks" }, tag(say(`state-${state}`), COLOURS[state]), state === "waiting" && row?.tries === 0 && undo);
  const made = h("li", { class: "hv-row" }, main, marks);
  made.dataset["state"] = state;
  return made;
}

/** What was done about one patient, or about all of them. */
export function acts(phone: Phone, patient: string, told: (text: string) => void): HTMLElement | false {
  const found = phone.kept.filter((each) => !patient || each.act.patient === patient);
  if (!found.length) return false;
  return panel(say("done-here"), h("ul", { class: "hv-rows" }, ...found.map((each) => line(phone, each, !patient, told))));
}

/** How much is on the phone only, and since when; whether there is contact. */
export function status(phone: Phone): HTMLElement {
  const left = phone.onlyHere;
  const first = left[0];
  const text = first ? say(left.length === 1 ? "only-one" : "only-here", String(left.length), time(first.since)) : say("all-brought");
  const contact = phone.who && phone.ended !== "away" ? say(`contact-${phone.who.state}`) : say("contact-away");
  const isLocked = phone.who?.state === "locked" && phone.ended !== "away";
  const unlock = h("a", { class: "ds-link", href: "/locked?next=%2Frounds%2Fphone" }, say("unlock"));
  const made = h("div", { class: "hv-offline-status", role: "status" }, h("b", {}, text), h("span", {}, contact), isLocked && unlock);
  made.dataset["waiting"] = String(left.length);
  return made;
}
