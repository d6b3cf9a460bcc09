// On a phone the sections of a chart are wider than the screen: the one that is open is in view.

export function showSection(): void {
  const sections = document.querySelector(".hv-sections");
  const open = sections?.querySelector("[aria-current]");
  if (!sections || !open) return;
  const [outer, inner] = [sections.getBoundingClientRect(), open.getBoundingClientRect()];
  sections.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}
