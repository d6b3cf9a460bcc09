// Light, dark, or what the device prefers; the choice stays on this device.

const KEY = "helsevev-theme";

function isDark(): boolean {
  const scheme = document.documentElement.dataset.colorScheme;
  return scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/** Lets every `data-theme-switch` button change the theme; other tabs follow. */
export function watchTheme(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-theme-switch]")) return;
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset.colorScheme = next;
    localStorage.setItem(KEY, next);
  });
  addEventListener("storage", (event) => {
    if (event.key === KEY && event.newValue) document.documentElement.dataset.colorScheme = event.newValue;
  });
}
