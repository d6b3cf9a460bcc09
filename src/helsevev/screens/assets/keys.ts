// Keys that work on every page: j and k in lists, / to search, Ctrl-Enter to sign.

/** True where a letter is text and not a command. */
export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function rows(list: Element): HTMLElement[] {
  const all = list.querySelectorAll<HTMLElement>(":scope > li, :scope > tr, :scope > tbody > tr");
  return [...all].filter((row) => row.querySelector("a[href], button") && row.offsetParent !== null);
}

function move(step: number): boolean {
  const active = document.activeElement;
  const list = active?.closest("[data-list]") ?? document.querySelector("main [data-list]");
  if (!list) return false;
  const found = rows(list);
  const at = found.findIndex((row) => row.contains(active));
  const next = found[at < 0 ? 0 : Math.min(found.length - 1, Math.max(0, at + step))];
  next?.querySelector<HTMLElement>("a[href], button")?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return next !== undefined;
}

function sign(target: EventTarget | null): boolean {
  const form = target instanceof Element ? target.closest("form") : null;
  const button = form?.querySelector<HTMLButtonElement>("[data-sign]");
  if (!form || !button || button.disabled) return false;
  form.requestSubmit(button);
  return true;
}

/** Goes to the page's search, also where it stands in a part that is fetched when it comes in sight. */
function search(): boolean {
  const field = () => document.querySelector<HTMLElement>("main [data-search]");
  const place = document.querySelector<HTMLElement>("[data-search-place]");
  const there = field();
  if (there) there.focus();
  else if (place) {
    const arrived = () => {
      if (!field()) return;
      document.removeEventListener("htmx:after:swap", arrived);
      field()?.focus();
    };
    document.addEventListener("htmx:after:swap", arrived);
    place.scrollIntoView();
  }
  return Boolean(there ?? place);
}

/** Starts listening; one listener for the whole page, so swapped content is included. */
export function watchKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      if (sign(event.target)) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target) || document.querySelector("dialog[open]")) {
      return;
    }
    if (event.key === "j" || event.key === "k") {
      if (move(event.key === "j" ? 1 : -1)) event.preventDefault();
    } else if (event.key === "/") {
      if (search()) event.preventDefault();
    }
  });
}
