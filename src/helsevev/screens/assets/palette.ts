// The command palette: Ctrl-K, a field, and hits that arrows walk through.
import { token, word } from "./words";

const WAIT = 120;

/** Opens on Ctrl-K and on `data-open-palette`; hits are the server's fragment, asked for by POST. */
export function watchPalette(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#hv-palette");
  const field = dialog?.querySelector<HTMLInputElement>("input");
  const list = dialog?.querySelector<HTMLElement>("#hv-palette-list");
  const status = dialog?.querySelector<HTMLElement>("[data-palette-status]");
  if (!dialog || !field || !list || !status) return;
  let timer = 0;
  let asked = new AbortController();

  const hits = () => [...list.querySelectorAll<HTMLAnchorElement>('[role="option"]')];

  function choose(index: number): void {
    const all = hits();
    all.forEach((hit, at) => {
      hit.id = `hv-hit-${at}`;
      hit.setAttribute("aria-selected", String(at === index));
    });
    const chosen = all[index];
    if (chosen) {
      field!.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else {
      field!.removeAttribute("aria-activedescendant");
    }
  }

  async function ask(): Promise<void> {
    asked.abort();
    asked = new AbortController();
    try {
      // Posted: a national number must never stand in an address, where logs and history keep it.
      const answer = await fetch("/palette", {
        method: "POST",
        body: new URLSearchParams({ q: field!.value, at: location.pathname }),
        headers: { "HX-Request": "true", "x-csrf-token": token() },
        signal: asked.signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      list!.innerHTML = await answer.text();
      choose(0);
      status!.textContent = hits().length ? String(hits().length) : word("nothing");
      list!.dataset.empty = hits().length ? "" : word("nothing");
    } catch (problem) {
      if (problem instanceof DOMException && problem.name === "AbortError") return;
      list!.replaceChildren();
      list!.dataset.empty = word("failed");
      status!.textContent = word("failed");
    }
  }

  function open(): void {
    if (dialog!.open) return;
    dialog!.showModal();
    field!.select();
    void ask();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
      event.preventDefault();
      if (dialog.open) dialog.close();
      else open();
    }
  });
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-open-palette]")) open();
    if (target?.closest("[data-close-palette]")) dialog.close();
  });
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), WAIT);
  });
  field.addEventListener("keydown", (event) => {
    const all = hits();
    const at = all.findIndex((hit) => hit.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (all.length) choose((at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length);
    } else if (event.key === "Escape") {
      // A search field would spend the first Esc on emptying itself.
      event.preventDefault();
      dialog.close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      all[Math.max(at, 0)]?.click();
    }
  });
}
