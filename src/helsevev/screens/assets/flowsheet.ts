// The grid of a flowsheet: arrows, Tab and Enter, paste from a spreadsheet, and "as before".

type Field = HTMLInputElement | HTMLSelectElement;

const SPELLING_MS = 700;
const FIELD = "input:not([type=hidden]), select";

class Grid {
  private readonly table: HTMLTableElement;
  private column = 0;
  private typed = "";
  private typedAt = 0;

  constructor(private readonly form: HTMLFormElement) {
    this.table = form.querySelector("table")!;
  }

  watch(): void {
    this.table.addEventListener("keydown", (event) => this.pressed(event));
    this.table.addEventListener("paste", (event) => this.pasted(event));
    this.table.addEventListener("input", (event) => this.changed(event));
    this.table.addEventListener("focusin", (event) => {
      if (event.target instanceof HTMLInputElement && !("flowTime" in event.target.dataset)) event.target.select();
    });
    this.form.querySelector("[data-flow-before]")?.addEventListener("click", () => this.asBefore());
    this.form.addEventListener("keydown", (event) => {
      if (event.altKey && !event.ctrlKey && event.code === "KeyS") {
        event.preventDefault();
        this.asBefore();
      }
    });
    this.show();
  }

  /** The newest stands in sight, and writing begins at its first row. */
  private show(): void {
    const scroll = this.form.querySelector<HTMLElement>("[data-flow-scroll]")!;
    scroll.scrollLeft = scroll.scrollWidth;
    const now = this.table.querySelector<HTMLElement>("td.hv-flow__now.hv-flow__open");
    const field = now ? this.field(now) : null;
    field?.focus({ preventScroll: true });
  }

  private field(cell: Element | null | undefined): Field | null {
    return cell?.querySelector<Field>(FIELD) ?? null;
  }

  /** Room that is left: what is as before was filled in already, and is reached by arrows. */
  private empty(cell: Element | null | undefined): Field | null {
    return cell?.querySelector("input[name^='b.']") ? null : this.field(cell);
  }

  private focusable(cell: Element | null | undefined): HTMLElement | null {
    return this.field(cell) ?? cell?.querySelector<HTMLElement>("button") ?? null;
  }

  private rows(): HTMLTableRowElement[] {
    return [...this.table.rows].filter((row) => !row.classList.contains("hv-flow__group"));
  }

  private visible(element: HTMLElement | null): element is HTMLElement {
    return element !== null && element.offsetParent !== null;
  }

  /** Moves by rows or columns to the next cell that can be gone to. */
  private move(from: HTMLTableCellElement, down: number, right: number, onlyFields = false): boolean {
    const rows = this.rows();
    let row = rows.indexOf(from.parentElement as HTMLTableRowElement);
    let column = from.cellIndex;
    for (;;) {
      row += down;
      column += right;
      const cell = rows[row]?.cells[column];
      if (!cell || column < 1) return false;
      const target = onlyFields ? this.empty(cell) : this.focusable(cell);
      if (this.visible(target)) return this.go(target);
    }
  }

  private go(target: HTMLElement): boolean {
    target.focus();
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }

  /** Tab goes down the column, and on at the top of the next one that has room. */
  private next(from: HTMLTableCellElement, step: 1 | -1): boolean {
    if (this.move(from, step, 0, true)) return true;
    const rows = this.rows();
    for (let column = from.cellIndex + step; column > 0 && column < rows[0]!.cells.length; column += step) {
      const cells = rows.slice(1).map((row) => row.cells[column]);
      for (const cell of step > 0 ? cells : cells.reverse()) {
        const field = this.empty(cell);
        if (this.visible(field)) return this.go(field);
      }
    }
    return false;
  }

  private pressed(event: KeyboardEvent): void {
    const cell = event.target instanceof Element ? event.target.closest("td, th") : null;
    if (!(cell instanceof HTMLTableCellElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    let moved = false;
    if (event.key === "Tab") moved = this.next(cell, event.shiftKey ? -1 : 1);
    else if (event.key === "Enter" && !(target instanceof HTMLButtonElement)) {
      this.move(cell, event.shiftKey ? -1 : 1, 0, true);
      moved = true;
    } else if (target instanceof HTMLSelectElement && event.key.length === 1 && event.key !== "=") {
      moved = this.choose(target, event.key);
    } else if (event.key === "ArrowDown") moved = this.move(cell, 1, 0);
    else if (event.key === "ArrowUp") moved = this.move(cell, -1, 0);
    else if (event.key === "ArrowLeft" && this.atEdge(target, 0)) moved = this.move(cell, 0, -1);
    else if (event.key === "ArrowRight" && this.atEdge(target, 1)) moved = this.move(cell, 0, 1);
    else if (event.key === "=") {
      const field = this.field(cell);
      if (field) {
        if (this.repeat(field, cell)) this.tell();
        moved = true;
      }
    }
    // A choice keeps its answer when one goes on: its own arrows are Alt and the arrow.
    if (moved || (target instanceof HTMLSelectElement && /^Arrow/.test(event.key))) event.preventDefault();
  }

  /** An answer by the key it is known by: typed again within a moment, the next letter counts too. */
  private choose(field: HTMLSelectElement, letter: string): boolean {
    const now = performance.now();
    this.typed = now - this.typedAt < SPELLING_MS ? this.typed + letter.toLowerCase() : letter.toLowerCase();
    this.typedAt = now;
    const options = [...field.options].filter((each) => each.value);
    const option =
      options.find((each) => each.value.toLowerCase() === this.typed) ??
      options.find((each) => each.value.toLowerCase().startsWith(this.typed)) ??
      options.find((each) => each.text.toLowerCase().startsWith(this.typed));
    if (!option) return false;
    field.value = option.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }

  /** Inside a word the arrows move in the word. */
  private atEdge(target: HTMLElement, end: 0 | 1): boolean {
    if (!(target instanceof HTMLInputElement)) return true;
    const whole = target.selectionStart === 0 && target.selectionEnd === target.value.length;
    const at = end ? target.selectionEnd === target.value.length : target.selectionStart === 0;
    return whole || (at && target.selectionStart === target.selectionEnd);
  }

  private pasted(event: ClipboardEvent): void {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const cell = event.target instanceof Element ? event.target.closest("td, th") : null;
    if (!(cell instanceof HTMLTableCellElement) || !/[\t\n]/.test(text.trimEnd())) return;
    event.preventDefault();
    const rows = this.rows();
    const top = rows.indexOf(cell.parentElement as HTMLTableRowElement);
    const lines = text.replace(/\r/g, "").replace(/\n$/, "").split("\n");
    let lost = 0;
    let row = top;
    for (const line of lines) {
      // What is worked out has no room of its own, and is not in the spreadsheet either.
      while (rows[row]?.classList.contains("hv-flow__worked")) row += 1;
      line.split("\t").forEach((value, across) => {
        const said = value.trim();
        if (!said) return;
        const field = this.field(rows[row]?.cells[cell.cellIndex + across]);
        if (!field || !this.set(field, said)) lost += 1;
      });
      row += 1;
    }
    this.say(lost);
    this.tell();
  }

  private set(field: Field, value: string): boolean {
    if (field instanceof HTMLSelectElement) {
      const wanted = value.toLowerCase();
      const option = [...field.options].find(
        (each) => each.value.toLowerCase() === wanted || each.text.toLowerCase() === wanted,
      );
      if (!option) return false;
      field.value = option.value;
    } else if ("flowTime" in field.dataset) {
      const found = /^(\d{1,2})[:.]?(\d{2})$/.exec(value);
      if (!found) return false;
      field.value = `${found[1]!.padStart(2, "0")}:${found[2]}`;
    } else field.value = value;
    this.forget(field);
    return true;
  }

  private changed(event: Event): void {
    const field = event.target;
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) return;
    this.forget(field);
    const [kind, column, row] = this.parts(field);
    if (kind === "v") document.getElementById(`m-${column}-${row}`)?.replaceChildren();
  }

  private parts(field: Field): string[] {
    const [kind = "", column = "", ...row] = field.name.split(".");
    return [kind, column, row.join(".")];
  }

  /** What is typed anew is not as before. */
  private forget(field: Field): void {
    const [kind, column, row] = this.parts(field);
    if (kind === "v") this.form.querySelector(`[name="b.${column}.${CSS.escape(row!)}"]`)?.remove();
  }

  /** Repeats the last stored value of the row before this column, and says which it was. */
  private repeat(field: Field, cell: HTMLTableCellElement): boolean {
    const row = cell.closest<HTMLTableRowElement>("tr[data-carry]");
    if (!row || field.value) return false;
    let typed = row.dataset["before"] ?? "";
    let id = row.dataset["beforeId"] ?? "";
    for (let column = cell.cellIndex - 1; column > 0; column -= 1) {
      const stored = row.cells[column]?.querySelector<HTMLElement>("[data-cell]");
      if (!stored?.dataset["typed"] || stored.closest("[data-state=unconfirmed]")) continue;
      typed = stored.dataset["typed"];
      id = stored.dataset["cell"] ?? "";
      break;
    }
    if (!id || !this.set(field, typed)) return false;
    const [, column, name] = this.parts(field);
    const source = document.createElement("input");
    source.type = "hidden";
    source.name = `b.${column}.${name}`;
    source.value = id;
    cell.append(source);
    return true;
  }

  /** All rows of the column one is in that may be repeated, where nothing is typed yet. */
  private asBefore(): void {
    const here = document.activeElement?.closest<HTMLTableCellElement>("td.hv-flow__open");
    const column = here && this.table.contains(here) ? here.cellIndex : this.last();
    let count = 0;
    for (const row of this.rows()) {
      const cell = row.cells[column];
      const field = this.field(cell);
      if (cell && field && this.visible(field) && this.repeat(field, cell)) count += 1;
    }
    if (count) this.tell();
  }

  private last(): number {
    if (this.column) return this.column;
    const now = this.table.querySelector<HTMLTableCellElement>("td.hv-flow__now");
    return now?.cellIndex ?? this.rows()[0]!.cells.length - 1;
  }

  /** Which column was written in last: a button is pressed after the grid was left. */
  remember(): void {
    this.table.addEventListener("focusin", (event) => {
      const cell = event.target instanceof Element ? event.target.closest("td.hv-flow__open") : null;
      if (cell instanceof HTMLTableCellElement) this.column = cell.cellIndex;
    });
  }

  private say(lost: number): void {
    const place = document.getElementById("flow-pasted");
    if (place) {
      place.hidden = lost === 0;
      const number = place.querySelector("[data-count]");
      if (number) number.textContent = String(lost);
    }
  }

  /** Tells the page that values were filled in, as if they had been typed. */
  private tell(): void {
    const field = this.table.querySelector<Field>("td.hv-flow__open input, td.hv-flow__open select");
    field?.closest("td")?.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-flow]")) {
  const grid = new Grid(form);
  grid.remember();
  grid.watch();
}
