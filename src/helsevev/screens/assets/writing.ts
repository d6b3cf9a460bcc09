// Beside a note: templates, phrases, what is put in by a press, photos, and dictation where it is.
import { watchDictation } from "./dictation";
import { BLANK, put, putIn } from "./inserting";
import { token } from "./words";

const KEY = /(^|\s)\.([\p{Ll}\d-]{1,20})$/u;

function areaOf(near: Element): HTMLTextAreaElement | null {
  return near.closest(".hv-panel__body")?.querySelector("textarea[data-draft-text]") ?? null;
}

function expand(area: HTMLTextAreaElement): boolean {
  const at = area.selectionStart;
  const found = KEY.exec(area.value.slice(0, at));
  if (!found || at !== area.selectionEnd) return false;
  const known = areaPhrases(area).get(found[2]!);
  if (known === undefined) return false;
  put(area, known, at - found[2]!.length - 1, at);
  return true;
}

function areaPhrases(area: HTMLTextAreaElement): Map<string, string> {
  const listed = area.closest(".hv-panel__body")?.querySelectorAll<HTMLElement>("[data-phrase]") ?? [];
  return new Map([...listed].map((each) => [each.dataset.phrase ?? "", each.dataset.put ?? ""]));
}

function nextBlank(area: HTMLTextAreaElement): boolean {
  const at = area.value.indexOf(BLANK, area.selectionEnd);
  if (at < 0) return false;
  area.setSelectionRange(at, at + BLANK.length);
  return true;
}

function keyed(event: KeyboardEvent): void {
  const area = event.target;
  if (!(area instanceof HTMLTextAreaElement) || area.dataset.draftText === undefined) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
  if (event.key === " " || event.key === "Tab") {
    if (expand(area) || (event.key === "Tab" && nextBlank(area))) event.preventDefault();
  }
}

async function layTemplate(choice: HTMLSelectElement): Promise<void> {
  const area = areaOf(choice);
  const form = choice.form;
  const failed = form?.querySelector<HTMLElement>("[data-template-failed]");
  if (!area || !form || !failed) return;
  failed.hidden = true;
  const body = new URLSearchParams({
    text: area.value, type: choice.value, version: choice.dataset.before ?? "",
    patient: String(new FormData(form).get("patient") ?? ""),
  });
  try {
    const answer = await fetch(choice.dataset.template!, {
      method: "POST", body, headers: { "x-csrf-token": token(), "HX-Request": "true" },
      signal: AbortSignal.timeout(15_000),
    });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const laid = await answer.text();
    if (body.get("text") !== area.value) {
      // Somebody typed meanwhile: what was typed stands, and the template is laid over that.
      return await layTemplate(choice);
    }
    choice.dataset.before = choice.value;
    put(area, laid, 0, area.value.length);
    const empty = /^.+:\n(?=\n|$)/m.exec(area.value);
    const blank = area.value.indexOf(BLANK);
    if (blank >= 0) area.setSelectionRange(blank, blank + BLANK.length);
    else if (empty) area.setSelectionRange(empty.index + empty[0].length, empty.index + empty[0].length);
  } catch {
    failed.hidden = false;
    choice.value = choice.dataset.before ?? choice.value;
  }
}

const unsent = new WeakMap<Element, Map<string, File>>();

async function send(place: HTMLElement): Promise<void> {
  const waiting = unsent.get(place) ?? new Map<string, File>();
  const state = place.querySelector<HTMLElement>("[data-attach-state]")!;
  const again = place.querySelector<HTMLElement>("[data-attach-again]")!;
  const kind = document.querySelector<HTMLSelectElement>("select[data-template]");
  again.hidden = true;
  for (const [id, file] of waiting) {
    state.textContent = `${place.dataset.sending} ${file.name}`;
    const body = new FormData();
    body.set("patient", place.dataset.patient ?? "");
    body.set("type", kind?.value ?? "");
    body.set("id", id);
    body.set("file", file);
    try {
      const answer = await fetch(place.dataset.attach!, {
        method: "POST", body, headers: { "x-csrf-token": token(), "HX-Request": "true" },
      });
      if (answer.redirected || (!answer.ok && answer.status !== 422)) throw new Error(String(answer.status));
      waiting.delete(id);
      const list = document.createElement("template");
      list.innerHTML = await answer.text();
      place.querySelector("#note-files")!.replaceWith(list.content);
      (globalThis as { htmx?: { process(part: Element): void } }).htmx?.process(place.querySelector("#note-files")!);
      state.textContent = "";
    } catch {
      state.textContent = place.dataset.unsent ?? "";
      again.hidden = false;
      return;
    }
  }
}

function attach(input: HTMLInputElement): void {
  const place = input.closest<HTMLElement>("[data-attach]");
  if (!place) return;
  const waiting = unsent.get(place) ?? new Map<string, File>();
  for (const file of input.files ?? []) waiting.set(crypto.randomUUID(), file);
  unsent.set(place, waiting);
  input.value = "";
  void send(place);
}

/** Watches the page's notes, also those that are swapped in later. */
export function watchWriting(): void {
  document.addEventListener("keydown", keyed);
  document.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-put], [data-attach-again]") : null;
    if (!pressed) return;
    if (pressed.dataset.put === undefined) return void send(pressed.closest<HTMLElement>("[data-attach]")!);
    const area = areaOf(pressed);
    if (area) putIn(area, pressed.dataset.put, pressed.dataset.phrase === undefined);
  });
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.dataset.template) void layTemplate(event.target);
    if (event.target instanceof HTMLInputElement && event.target.type === "file") attach(event.target);
    if (event.target instanceof HTMLTextAreaElement && event.target.dataset.draftText !== undefined) {
      event.target.dispatchEvent(new CustomEvent("brought", { bubbles: true }));
    }
  });
  addEventListener("beforeunload", (event) => {
    const place = document.querySelector("[data-attach]");
    if (place && (unsent.get(place)?.size ?? 0) > 0) event.preventDefault();
  });
  watchDictation();
}
