// What every htmx request carries, and what happens to old problem messages.
import { token } from "./words";

interface RequestDetail {
  ctx: { request: { headers: Record<string, string> }; target?: Element | null; sourceElement?: Element };
}

/** Adds the CSRF token to htmx requests, clears answered errors, and makes `data-once` buttons toggles. */
export function watchRequests(): void {
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = (event as CustomEvent<RequestDetail>).detail;
    ctx.request.headers["x-csrf-token"] = token();
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = (event as CustomEvent<RequestDetail>).detail;
    ctx.target?.querySelectorAll(":scope > .hv-error").forEach((old) => old.remove());
  });
  // A second press on a button that fetched something takes it away again.
  document.addEventListener("htmx:before:request", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-once]") : null;
    const brought = button?.closest("li")?.nextElementSibling;
    if (brought?.matches("[data-brought]")) {
      event.preventDefault();
      brought.remove();
      button?.setAttribute("aria-expanded", "false");
    } else {
      button?.setAttribute("aria-expanded", "true");
    }
  });
}
