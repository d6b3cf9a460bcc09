// Runs before the first paint, so that the chosen theme never flashes the other one.
const chosen = localStorage.getItem("helsevev-theme");
if (chosen === "light" || chosen === "dark") {
  document.documentElement.dataset.colorScheme = chosen;
}
export {};
