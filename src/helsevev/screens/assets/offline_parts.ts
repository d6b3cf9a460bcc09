// Small parts of the page that works without contact: elements, and the words that the server wrote.
import { clock } from "./words";

type Child = Node | string | false | undefined | null;

/** An element with attributes and children; text is only ever text. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  told: Record<string, string | boolean> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(told)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child): child is Node | string => child !== false && child != null));
  return made;
}

/** The text called `name`, with each %s replaced in turn. */
export function say(name: string, ...values: string[]): string {
  const texts = document.getElementById("hv-phone-texts");
  return values.reduce((text, value) => text.replace("%s", () => value), texts?.getAttribute(`data-${name}`) ?? "");
}

/** 14:05, in Oslo's time. */
export function time(moment: string | number): string {
  return clock(new Date(moment));
}

/** A button that does something. */
export function button(text: string, act: () => unknown, variant = "secondary"): HTMLButtonElement {
  const made = h("button", { class: "ds-button", type: "button", "data-variant": variant }, text);
  made.addEventListener("click", () => void act());
  return made;
}

/** A word with a colour, which also stands there as a word. */
export function tag(text: string, color = "neutral"): HTMLElement {
  return h("span", { class: "ds-tag", "data-color": color, "data-variant": "outline" }, text);
}

/** A part of the page with a heading. */
export function panel(title: string, ...children: Child[]): HTMLElement {
  const head = h("header", { class: "hv-panel__head" }, h("h2", {}, title));
  return h("section", { class: "hv-panel", "aria-label": title }, head, h("div", { class: "hv-panel__body" }, ...children));
}

/** What is told at once, and read aloud. */
export function alert(text: string, color = "danger"): HTMLElement {
  return h("div", { class: "ds-alert hv-error", "data-color": color, role: "alert" }, h("p", { class: "hv-error__what" }, text));
}

/** A field with its label. */
export function field(label: string, input: HTMLElement, unit = ""): HTMLElement {
  const named = h("label", { class: "ds-label" }, label);
  if (!input.id) input.id = `f-${crypto.randomUUID()}`;
  named.htmlFor = input.id;
  return h("div", { class: "ds-field" }, named, h("div", { class: "hv-offline-input" }, input, unit && h("span", { class: "hv-quiet" }, unit)));
}

/** A choice among few. */
export function choice(name: string, options: readonly { code: string; label: string }[], empty = ""): HTMLSelectElement {
  const listed = options.map((each) => h("option", { value: each.code }, each.label));
  return h("select", { class: "ds-input", name }, empty ? h("option", { value: "" }, empty) : false, ...listed);
}
