// A form keeps itself: what is typed reaches the server within a second, and what follows comes back.
import { isWriting } from "./keys";
import { clock, token, word } from "./words";

const QUIET = 250;
const LONGEST = 900;
const AGAIN = 1000;
const PREFIX = "helsevev-form:";

interface Answer {
  hidden: string[];
  told: Record<string, string>;
  problems: Record<string, string[]>;
  origins: string[];
  scores: string;
  items?: string;
}

interface Kept {
  body: string;
  at: string;
  /** The form was sent to be signed: the copy matters only if the reader comes back to this page. */
  signing?: boolean;
}

function cameBack(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "back_forward" || entry?.type === "reload";
}

function keyOf(url: string): string {
  // Devices are shared: what one person wrote is never put into another's form.
  return `${PREFIX}${document.body.dataset.person ?? ""}:${url}`;
}

class FormKeeper {
  private timer = 0;
  private since = 0;
  private sending = false;
  private stopped = false;
  private dirty = false;
  private row = "";

  constructor(private readonly form: HTMLFormElement) {}

  get url(): string {
    return this.form.dataset.form ?? "";
  }

  private get key(): string {
    return keyOf(this.url);
  }

  private body(): URLSearchParams {
    const typed = [...new FormData(this.form)].filter(([, value]) => typeof value === "string");
    const body = new URLSearchParams(typed as [string, string][]);
    body.set("at", String(Date.now()));
    return body;
  }

  private say(text: string, state: string): void {
    const place = this.form.querySelector<HTMLElement>("[data-draft-state]");
    if (!place) return;
    place.textContent = text;
    place.dataset.state = state;
  }

  /** Something was typed: it is kept here at once, and sent when the fingers rest, at latest within a second. */
  changed(): void {
    this.dirty = true;
    this.keep();
    const now = Date.now();
    if (!this.since) this.since = now;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.send(), Math.max(0, Math.min(QUIET, this.since + LONGEST - now)));
  }

  private keep(signing = false): void {
    const kept: Kept = { body: this.body().toString(), at: new Date().toISOString(), signing };
    sessionStorage.setItem(this.key, JSON.stringify(kept));
  }

  private forget(): void {
    sessionStorage.removeItem(this.key);
  }

  /** One more of a group, or one less. */
  change(row: string): void {
    this.row = row;
    this.dirty = true;
    void this.send();
  }

  async send(): Promise<void> {
    clearTimeout(this.timer);
    if (this.stopped || this.sending || !this.dirty || !this.form.isConnected) return;
    const [row, body] = [this.row, this.body()];
    if (row) body.set("row", row);
    this.sending = true;
    this.dirty = false;
    this.row = "";
    this.since = 0;
    this.say(word("saving"), "saving");
    try {
      const answer = await this.post(body);
      if (answer) {
        this.take(answer, row);
        if (!this.dirty) this.forget();
        this.say(word("saved", clock(new Date())), "saved");
      }
    } catch {
      this.dirty = true;
      this.row ||= row;
      this.say(word("local"), "local");
      this.timer = window.setTimeout(() => void this.send(), AGAIN);
    }
    this.sending = false;
    if (this.dirty && this.form.querySelector<HTMLElement>('[data-draft-state][data-state="saved"]')) this.changed();
  }

  private async post(body: URLSearchParams): Promise<Answer | null> {
    const answer = await fetch(this.url, {
      method: "POST",
      body,
      headers: { "x-csrf-token": token(), "HX-Request": "true" },
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status >= 500) throw new Error(String(answer.status));
    if (!answer.ok || answer.redirected) {
      this.say(word("refused"), "refused");
      return null;
    }
    return (await answer.json()) as Answer;
  }

  private take(answer: Answer, row: string): void {
    const items = this.form.querySelector<HTMLElement>("[data-items]");
    if (answer.items !== undefined && items && !this.dirty) {
      items.innerHTML = answer.items;
      this.goTo(row);
    } else {
      this.show(answer);
    }
    const scores = this.form.querySelector<HTMLElement>("[data-scores]");
    if (scores && scores.innerHTML !== answer.scores) scores.innerHTML = answer.scores;
  }

  private show(answer: Answer): void {
    const hidden = new Set(answer.hidden);
    this.form.querySelectorAll<HTMLElement>("[data-place], [data-place-of]").forEach((place) => {
      place.hidden = hidden.has(place.dataset.place ?? place.dataset.placeOf ?? "");
    });
    this.form.querySelectorAll<HTMLElement>("[data-told]").forEach((place) => {
      place.textContent = answer.told[place.dataset.told ?? ""] || "–";
    });
    this.form.querySelectorAll<HTMLElement>("[data-problem]").forEach((place) => {
      const words = (answer.problems[place.dataset.problem ?? ""] ?? []).join(" ");
      place.hidden = words === "";
      if (place.textContent !== words) place.textContent = words;
    });
    const origins = new Set(answer.origins);
    this.form.querySelectorAll<HTMLElement>("[data-origin]").forEach((place) => {
      place.hidden = !origins.has(place.dataset.origin ?? "");
    });
  }

  private goTo(row: string): void {
    if (!row.startsWith("add:")) return;
    const name = CSS.escape(row.slice(4));
    const groups = this.form.querySelectorAll<HTMLElement>(`[data-place^="${name}\\["]:not([data-place*="/${name}"])`);
    const fields = groups[groups.length - 1]?.querySelector<HTMLElement>("input:not([type=hidden]), select, textarea");
    fields?.focus();
  }

  /** What was typed while nobody answered is sent when the page is opened again. */
  async restore(): Promise<void> {
    const raw = sessionStorage.getItem(this.key);
    if (!raw) return;
    const kept = JSON.parse(raw) as Kept;
    if (kept.signing && !cameBack()) {
      this.forget();
      return;
    }
    this.say(word("restored", clock(new Date(kept.at))), "restored");
    const body = new URLSearchParams(kept.body);
    body.set("at", String(Date.now()));
    try {
      if (await this.post(body)) {
        this.forget();
        location.reload();
      }
    } catch {
      this.timer = window.setTimeout(() => void this.restore(), AGAIN);
    }
  }

  /** The page is left: what has not been sent goes with it. */
  leave(): void {
    if (this.stopped || !this.dirty) return;
    void fetch(this.url, {
      method: "POST", body: this.body(), keepalive: true, headers: { "x-csrf-token": token() },
    }).catch(() => undefined);
  }

  /** It is being signed: should that fail, what was typed is still here. */
  sign(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.keep(true);
  }

  /** It is dropped: nothing is kept of it. */
  drop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.forget();
  }

  offline(): void {
    this.say(word("local"), "local");
  }

  async attach(field: HTMLInputElement): Promise<void> {
    const file = field.files?.[0];
    const place = field.closest<HTMLElement>("[data-file]");
    const name = place?.querySelector<HTMLInputElement>("input[type=hidden]");
    const shown = place?.querySelector<HTMLElement>("[data-file-name]");
    if (!file || !name || !shown) return;
    const body = new FormData();
    body.set("file", file);
    body.set("patient", this.form.querySelector<HTMLInputElement>("input[name=patient]")?.value ?? "");
    shown.textContent = word("saving");
    try {
      const answer = await fetch(`${this.url}/files`, { method: "POST", body, headers: { "x-csrf-token": token() } });
      const told = (await answer.json()) as { name?: string; title: string };
      shown.textContent = told.title;
      if (!answer.ok || !told.name) return;
      name.value = told.name;
      this.changed();
    } catch {
      shown.textContent = word("failed");
    }
  }
}

const keepers = new WeakMap<HTMLFormElement, FormKeeper>();

function keeperOf(target: EventTarget | null): FormKeeper | undefined {
  const form = target instanceof Element ? target.closest<HTMLFormElement>("form[data-form]") : null;
  if (!form) return undefined;
  const keeper = keepers.get(form) ?? new FormKeeper(form);
  keepers.set(form, keeper);
  return keeper;
}

/** An answer that stands alone takes the others away, and is taken away by them. */
function leaveAlone(field: HTMLInputElement): void {
  if (field.type !== "checkbox" || !field.checked) return;
  const others = field.closest("fieldset")?.querySelectorAll<HTMLInputElement>("input[type=checkbox]") ?? [];
  const alone = "alone" in field.dataset;
  others.forEach((other) => {
    if (other !== field && (alone || "alone" in other.dataset)) other.checked = false;
  });
}

function press(button: HTMLElement, keeper: FormKeeper): void {
  const { row, clear, again } = button.dataset;
  if (row) keeper.change(row);
  if (clear) {
    const chosen = button.closest("fieldset")?.querySelectorAll<HTMLInputElement>("input[type=radio]") ?? [];
    chosen.forEach((radio) => (radio.checked = false));
    keeper.changed();
  }
  if (again) {
    const last = button.parentElement?.querySelectorAll<HTMLElement>(`[name="${CSS.escape(again)}"]`);
    const field = last?.[last.length - 1];
    if (!field || !last) return;
    const row = field.closest<HTMLElement>(".ds-field-affixes") ?? field;
    const copy = row.cloneNode(true) as HTMLElement;
    const input = (copy.matches("input, textarea") ? copy : copy.querySelector("input")) as HTMLInputElement;
    input.id = `${input.id}-${last.length + 1}`;
    input.value = "";
    input.setAttribute("aria-label", button.textContent?.trim() ?? "");
    row.after(copy);
    input.focus();
  }
}

/** The field after this one, so that Enter goes on instead of signing half a form. */
function next(field: HTMLElement): void {
  const form = field.closest("form");
  const fields = [...(form?.querySelectorAll<HTMLElement>("input:not([type=hidden]), select, textarea, [data-sign]") ?? [])];
  const names = new Set([field.getAttribute("name")]);
  const rest = fields.slice(fields.indexOf(field) + 1);
  rest.find((each) => each.offsetParent !== null && !names.has(each.getAttribute("name")))?.focus();
}

/** Watches every `form[data-form]`. */
export function watchForms(): void {
  const forms = () => document.querySelectorAll<HTMLFormElement>("form[data-form]");
  const signed = document.querySelector<HTMLElement>("[data-signed-form]")?.dataset.signedForm;
  if (signed) sessionStorage.removeItem(keyOf(signed));
  if (!forms().length) return;
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const keeper = keeperOf(event.target);
      if (!keeper || !(event.target instanceof HTMLElement)) return;
      if (event.target instanceof HTMLInputElement && event.target.type === "file") {
        if (kind === "change") void keeper.attach(event.target);
        return;
      }
      if (event.target instanceof HTMLInputElement) leaveAlone(event.target);
      // Each of several answers has questions of its own: they are drawn anew.
      const nested = kind === "change" && event.target.closest(".hv-question")?.matches("[data-nested]");
      if (nested) keeper.change("again");
      else keeper.changed();
    });
  }
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-row], [data-clear], [data-again]") : null;
    const keeper = keeperOf(button);
    if (button && keeper) press(button, keeper);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    const field = event.target;
    if (!keeperOf(field) || !(field instanceof HTMLInputElement) || !isWriting(field)) return;
    event.preventDefault();
    next(field);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
    if (form.dataset.drops) forms().forEach((each) => each.dataset.form === form.dataset.drops && keeperOf(each)?.drop());
    const keeper = keeperOf(form);
    if (!keeper) return;
    if (navigator.onLine) keeper.sign();
    else {
      event.preventDefault();
      keeper.offline();
    }
  });
  addEventListener("online", () => forms().forEach((form) => void keeperOf(form)?.send()));
  addEventListener("pagehide", () => forms().forEach((form) => keeperOf(form)?.leave()));
  forms().forEach((form) => void keeperOf(form)?.restore());
}
