// Live pages: hears that the record changed and lets the panels concerned refresh themselves.
import { clock, word } from "./words";

const SILENT_AFTER = 15_000;
const REST_AFTER = 3_000;

type State = "connecting" | "live" | "offline";

function show(state: State, contact: Date | null): void {
  document.querySelectorAll<HTMLElement>("[data-live-state]").forEach((place) => {
    if (place.dataset.liveState === state) return;
    place.dataset.liveState = state;
    const text = place.querySelector("[data-live-word]");
    if (text) text.textContent = word(state);
  });
  const time = contact ? clock(contact) : "–";
  document.querySelectorAll("[data-live-contact], [data-stale-since]").forEach((place) => {
    if (place.textContent !== time) place.textContent = time;
  });
  document.querySelectorAll<HTMLElement>("[data-stale-bar]").forEach((bar) => {
    bar.hidden = state !== "offline";
  });
}

/** True while a refresh could move what somebody is about to hit or is writing. */
function isBusy(panel: HTMLElement): boolean {
  // What is dangerous is never held back.
  if (panel.querySelector(".hv-banner")) return false;
  const active = document.activeElement;
  const writing = active instanceof HTMLElement && panel.contains(active) && active !== panel;
  return writing || (matchMedia("(hover: hover)").matches && panel.matches(":hover"));
}

function refresh(panel: HTMLElement): void {
  delete panel.dataset.waiting;
  panel.querySelector(":scope > .hv-edge")?.remove();
  panel.dispatchEvent(new CustomEvent("record-changed"));
}

/** Says at the panel's edge that something came, and waits until pointer and focus have left. */
function wait(panel: HTMLElement): void {
  const count = Number(panel.dataset.waiting ?? "0") + 1;
  const first = panel.dataset.waiting === undefined;
  panel.dataset.waiting = String(count);
  let edge = panel.querySelector<HTMLButtonElement>(":scope > .hv-edge");
  if (!edge) {
    edge = document.createElement("button");
    edge.type = "button";
    edge.className = "hv-edge";
    edge.addEventListener("click", () => refresh(panel));
    panel.append(edge);
  }
  edge.textContent = word("changes", String(count));
  if (!first) return;
  const leave = () => {
    if (panel.dataset.waiting === undefined) return stop();
    if (!isBusy(panel)) {
      stop();
      refresh(panel);
    }
  };
  const later = () => setTimeout(leave, 400);
  function stop(): void {
    panel.removeEventListener("pointerleave", later);
    panel.removeEventListener("focusout", later);
  }
  panel.addEventListener("pointerleave", later);
  panel.addEventListener("focusout", later);
}

const unseen = new Set<HTMLElement>();

function changed(types: readonly string[]): void {
  document.querySelectorAll<HTMLElement>("[data-types]").forEach((panel) => {
    const wanted = panel.dataset.types?.split(" ") ?? [];
    if (types.length && !wanted.some((type) => types.includes(type))) return;
    // What nobody looks at is not fetched: it would count as seen. It comes with the reader.
    if (document.hidden && !panel.querySelector(".hv-banner")) unseen.add(panel);
    else if (isBusy(panel)) wait(panel);
    else refresh(panel);
  });
}

function read(data: string): string[] {
  try {
    const told = JSON.parse(data) as { types?: string[]; type?: string };
    return told.types ?? (told.type ? [told.type] : []);
  } catch {
    return [];
  }
}

/**
 * Follows the page's `data-live` stream from the last place that was heard.
 *
 * A page that nobody looks at lets go of its stream: a browser keeps six connections to a server, and
 * the seventh chart would wait for ever.
 */
export function watchLive(): void {
  const url = document.body.dataset.live;
  if (!url) return;
  let contact = new Date();
  let quietSince = Date.now();
  let place = "";
  let resting = false;
  let rest: ReturnType<typeof setTimeout> | undefined;

  const heard = (event: Event) => {
    contact = new Date();
    quietSince = Date.now();
    place = (event as MessageEvent).lastEventId || place;
    show("live", contact);
  };
  const open = () => {
    const source = new EventSource(place ? `${url}?after=${encodeURIComponent(place)}` : url);
    source.addEventListener("open", heard);
    source.addEventListener("contact", heard);
    source.addEventListener("changed", (event) => {
      heard(event);
      changed(read((event as MessageEvent<string>).data));
    });
    source.addEventListener("error", () => {
      if (document.querySelector('[data-live-state="live"]')) show("connecting", contact);
    });
    return source;
  };
  let stream = open();
  const reopen = () => {
    stream.close();
    stream = open();
  };
  setInterval(() => {
    if (resting || Date.now() - quietSince < SILENT_AFTER) return;
    show("offline", contact);
    // A stream the server refused is closed for good by the browser: open a new one.
    if (stream.readyState === EventSource.CLOSED || Date.now() - quietSince > 3 * SILENT_AFTER) {
      reopen();
      quietSince = Date.now() - SILENT_AFTER;
    }
  }, 1000);
  addEventListener("online", () => {
    if (!resting) reopen();
  });
  addEventListener("offline", () => show("offline", contact));
  document.addEventListener("visibilitychange", () => {
    clearTimeout(rest);
    if (document.hidden) {
      rest = setTimeout(() => {
        resting = true;
        stream.close();
      }, REST_AFTER);
      return;
    }
    if (resting) {
      resting = false;
      quietSince = Date.now();
      show("connecting", contact);
      reopen();
    }
    unseen.forEach((panel) => panel.isConnected && refresh(panel));
    unseen.clear();
  });
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
