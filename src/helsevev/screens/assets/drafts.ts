// Drafts save themselves; what cannot be sent is kept on this device until it can.
import { clock, token, word } from "./words";

const WAIT = 800;
const AGAIN = 5000;
const PREFIX = "helsevev-draft:";

interface Kept {
  text: string;
  at: string;
  /** What else is typed in the form, by the fields' names. */
  fields?: Record<string, string>;
  /** The form was sent to be signed: the copy matters only if the reader comes back to this page. */
  signing?: boolean;
}

const timers = new WeakMap<HTMLFormElement, number>();
const sent = new WeakMap<HTMLFormElement, string>();

function textOf(form: HTMLFormElement): HTMLTextAreaElement | null {
  return form.querySelector<HTMLTextAreaElement>("textarea[data-draft-text]");
}

function fieldsOf(form: HTMLFormElement): (HTMLInputElement | HTMLTextAreaElement)[] {
  return [...form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("[data-draft-field]")];
}

function keyOf(form: HTMLFormElement): string {
  // Devices are shared: what one person wrote is never put into another's form.
  return `${PREFIX}${document.body.dataset.person ?? ""}:${form.dataset.draftKey ?? form.dataset.draft ?? ""}`;
}

function say(form: HTMLFormElement, text: string, state: string): void {
  const place = form.querySelector<HTMLElement>("[data-draft-state]");
  if (place) {
    place.textContent = text;
    place.dataset.state = state;
  }
  const kept = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).length;
  document.querySelectorAll<HTMLElement>("[data-only-here]").forEach((count) => {
    count.hidden = kept === 0;
    const number = count.querySelector("[data-only-here-count]");
    if (number) number.textContent = String(kept);
  });
}

function keep(form: HTMLFormElement, signing = false): void {
  const fields = Object.fromEntries(fieldsOf(form).map((field) => [field.name, field.value]));
  const kept: Kept = { text: textOf(form)?.value ?? "", at: new Date().toISOString(), fields, signing };
  sessionStorage.setItem(keyOf(form), JSON.stringify(kept));
}

function cameBack(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "back_forward" || entry?.type === "reload";
}

function schedule(form: HTMLFormElement, wait: number): void {
  clearTimeout(timers.get(form));
  timers.set(form, window.setTimeout(() => void save(form), wait));
}

async function save(form: HTMLFormElement): Promise<void> {
  const url = form.dataset.draft;
  if (!url || !form.isConnected) return;
  const body = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
  const text = body.toString();
  if (sent.get(form) === text) {
    sessionStorage.removeItem(keyOf(form));
    return;
  }
  say(form, word("saving"), "saving");
  try {
    const answer = await fetch(url, {
      method: "POST",
      body,
      headers: { "x-csrf-token": token(), "HX-Request": "true" },
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status >= 500) throw new Error(String(answer.status));
    if (!answer.ok || answer.redirected) {
      say(form, word("refused"), "refused");
      return;
    }
    sent.set(form, text);
    sessionStorage.removeItem(keyOf(form));
    say(form, word("saved", clock(new Date())), "saved");
  } catch {
    keep(form);
    say(form, word("local"), "local");
    schedule(form, AGAIN);
  }
}

function restore(form: HTMLFormElement): void {
  const raw = sessionStorage.getItem(keyOf(form));
  const area = textOf(form);
  if (!raw || !area || form.dataset.draftSeen !== undefined) return;
  form.dataset.draftSeen = "";
  const kept = JSON.parse(raw) as Kept;
  const signed = kept.signing === true && !cameBack();
  const others = fieldsOf(form).filter((field) => (kept.fields?.[field.name] ?? field.value) !== field.value);
  if (!signed && ((kept.text && kept.text !== area.value) || others.length > 0)) {
    if (kept.text) area.value = kept.text;
    others.forEach((field) => (field.value = kept.fields?.[field.name] ?? ""));
    say(form, word("restored", clock(new Date(kept.at))), "restored");
    schedule(form, WAIT);
  } else {
    sessionStorage.removeItem(keyOf(form));
  }
}

/** Writing begins at the first blank, else under the first heading with nothing under it, else at the end. */
function placeCaret(area: HTMLTextAreaElement): void {
  if (area.value !== area.defaultValue || area.selectionStart > 0) return;
  const blank = area.value.indexOf("___");
  const empty = /^.+:\n(?=\n|$)/m.exec(area.value);
  const after = empty ? empty.index + empty[0].length : area.value.trimEnd().length;
  if (blank >= 0 && blank < after) area.setSelectionRange(blank, blank + 3);
  else area.setSelectionRange(after, after);
}

/** Watches every `form[data-draft]`, also those swapped in later. */
export function watchDrafts(): void {
  const forms = () => document.querySelectorAll<HTMLFormElement>("form[data-draft]");
  document.addEventListener("input", (event) => {
    const form = event.target instanceof Element ? event.target.closest<HTMLFormElement>("form[data-draft]") : null;
    if (!form) return;
    // What is typed now is newer than anything kept: a swap elsewhere on the page must not look back.
    form.dataset.draftSeen = "";
    keep(form);
    schedule(form, WAIT);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
    forms().forEach((draft) => {
      if (form.getAttribute("action") !== `${draft.dataset.draft}/discard`) return;
      clearTimeout(timers.get(draft));
      draft.dataset.draftSent = "";
      sessionStorage.removeItem(keyOf(draft));
    });
    if (!form.dataset.draft) return;
    clearTimeout(timers.get(form));
    keep(form, true);
    if (!navigator.onLine) {
      event.preventDefault();
      say(form, word("local"), "local");
    } else if (!form.hasAttribute("hx-post")) {
      form.dataset.draftSent = "";
    }
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = (event as CustomEvent<{ ctx: { sourceElement?: Element; response?: { status: number } } }>).detail;
    const form = ctx.sourceElement?.closest<HTMLFormElement>("form[data-draft]");
    // What is only worked out while one types has not been taken in by anybody.
    if (ctx.sourceElement?.closest("[data-draft-live]")) return;
    if (form && ctx.response && ctx.response.status < 300) {
      sessionStorage.removeItem(keyOf(form));
      clearTimeout(timers.get(form));
    }
  });
  document.addEventListener("htmx:after:swap", () => forms().forEach(restore));
  addEventListener("online", () => forms().forEach((form) => schedule(form, 0)));
  addEventListener("pagehide", () => {
    forms().forEach((form) => {
      const url = form.dataset.draft;
      if (!url || form.dataset.draftSent !== undefined || !sessionStorage.getItem(keyOf(form))) return;
      const body = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
      void fetch(url, { method: "POST", body, keepalive: true, headers: { "x-csrf-token": token() } }).catch(() => undefined);
    });
  });
  forms().forEach(restore);
  const writing = document.querySelector<HTMLTextAreaElement>("textarea[data-draft-text][autofocus]");
  if (writing) placeCaret(writing);
}
