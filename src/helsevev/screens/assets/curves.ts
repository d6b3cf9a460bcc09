// Curves: a point tells about itself under the pointer, by touch and by arrow keys; T shows the table.
import { isWriting } from "./keys";

function tell(dot: Element): void {
  const figure = dot.closest("[data-curve]");
  const place = figure?.querySelector("[data-curve-detail]");
  figure?.querySelectorAll(".hv-curve__dot[data-chosen]").forEach((other) => other.removeAttribute("data-chosen"));
  dot.setAttribute("data-chosen", "");
  if (place) place.textContent = dot.getAttribute("aria-label");
}

function toggleTable(figure: Element): void {
  const button = figure.querySelector("[data-curve-table]");
  const table = document.getElementById(button?.getAttribute("aria-controls") ?? "");
  if (!button || !table) return;
  table.hidden = !table.hidden;
  button.setAttribute("aria-expanded", String(!table.hidden));
}

function walk(dot: Element, key: string): void {
  const all = [...(dot.closest("svg")?.querySelectorAll<SVGGElement>(".hv-curve__dot") ?? [])];
  const at = all.indexOf(dot as SVGGElement);
  const goals: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 };
  const next = all[Math.min(all.length - 1, Math.max(0, goals[key] ?? at))];
  if (!next) return;
  all.forEach((other) => other.setAttribute("tabindex", other === next ? "0" : "-1"));
  next.focus();
}

/** Starts listening for the whole page. */
export function watchCurves(): void {
  const dotOf = (target: EventTarget | null) => (target instanceof Element ? target.closest(".hv-curve__dot") : null);
  for (const kind of ["pointerover", "pointerdown", "focusin"] as const) {
    document.addEventListener(kind, (event) => {
      const dot = dotOf(event.target);
      if (dot) tell(dot);
    });
  }
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-curve-table]") : null;
    const figure = button?.closest("[data-curve]");
    if (figure) toggleTable(figure);
  });
  document.addEventListener("keydown", (event) => {
    const dot = dotOf(event.target);
    if (dot && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
      event.preventDefault();
      walk(dot, event.key);
    }
    const figure = event.target instanceof Element ? event.target.closest("[data-curve]") : null;
    if (figure && event.key === "t" && !event.ctrlKey && !event.metaKey && !isWriting(event.target)) toggleTable(figure);
  });
}
