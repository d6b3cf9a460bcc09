// Locks the screen when nobody uses it, after a warning; the server does the same on its own.
import { token } from "./words";

const USED = "helsevev-used";
const LOCKED = "helsevev-locked";
const TELL_EVERY = 20_000;
const MOST_WARNING = 60;

function toLockScreen(): void {
  location.replace(`/locked?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Shows nothing more at once, whatever the network does. */
function lock(): void {
  document.body.hidden = true;
  localStorage.setItem(LOCKED, String(Date.now()));
  const headers = { "x-csrf-token": token() };
  void fetch("/lock", { method: "POST", headers, redirect: "manual" }).catch(() => undefined).then(toLockScreen);
}

/** On a lock screen: a PIN sends itself, and a tab that was unlocked elsewhere goes on. */
function watchLockScreen(): void {
  const pin = document.querySelector<HTMLInputElement>("input[data-pin]");
  pin?.addEventListener("input", () => {
    if (pin.value.length === Number(pin.dataset.pin)) pin.form?.requestSubmit();
  });
  addEventListener("storage", (event) => {
    if (event.key === USED) location.reload();
  });
}

/** Every tab of the browser counts as use, and all of them lock together. */
export function watchIdle(): void {
  if (document.querySelector("[data-lock-screen]")) return watchLockScreen();
  const seconds = Number(document.body.dataset.lockAfter ?? 0);
  if (!seconds) return;
  const warning = document.querySelector<HTMLElement>("[data-lock-warning]");
  const warnFor = Math.min(MOST_WARNING, seconds / 3);
  let told = Date.now();
  let used = Date.now();
  let locking = false;
  localStorage.setItem(USED, String(used));

  const use = () => {
    const now = Date.now();
    if (locking || now - used < 500) return;
    used = now;
    localStorage.setItem(USED, String(now));
    if (warning) warning.hidden = true;
    if (now - told < Math.min(TELL_EVERY, (seconds * 1000) / 4)) return;
    told = now;
    void fetch("/session/seen", { method: "POST", headers: { "x-csrf-token": token() }, redirect: "manual" })
      .then((answer) => {
        if (answer.type === "opaqueredirect") toLockScreen();
      })
      .catch(() => undefined);
  };
  for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
    addEventListener(kind, use, { capture: true, passive: true });
  }
  addEventListener("storage", (event) => {
    if (event.key === LOCKED) {
      document.body.hidden = true;
      toLockScreen();
    }
    if (event.key !== USED) return;
    used = Number(event.newValue) || used;
    if (warning) warning.hidden = true;
  });
  document.addEventListener("submit", (event) => {
    if (event.target instanceof HTMLFormElement && event.target.getAttribute("action") === "/lock") {
      localStorage.setItem(LOCKED, String(Date.now()));
    }
  });
  setInterval(() => {
    const left = seconds - (Date.now() - used) / 1000;
    if (left <= 0 && !locking) {
      locking = true;
      lock();
    } else if (left <= warnFor && warning) {
      warning.hidden = false;
    }
  }, 1000);
}
