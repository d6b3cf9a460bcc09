// The scanner of a page: the camera, a scanner that types, and what follows each scan.
import { readFast } from "./scan_keys";
import { beep, Camera } from "./scan_camera";
import { token } from "./words";

type Means = "camera" | "scanner" | "typed";

const KEPT = "scan:wristband";
const AGAIN_MS = 2500;

interface Band {
  patient: string;
  code: string;
  at: number;
  camera: boolean;
}

class Scanner {
  private band = "";
  private without = false;
  private bandUntil = 0;
  private busy = false;
  private last = { code: "", at: 0 };
  private camera: Camera | undefined;

  constructor(private readonly panel: HTMLElement) {}

  watch(): void {
    this.part("start")?.addEventListener("click", () => void this.open());
    this.part("stop")?.addEventListener("click", () => this.close());
    this.part("torch")?.addEventListener("click", () => void this.light());
    this.part("without")?.addEventListener("click", () => this.goWithout());
    this.part("typed")?.addEventListener("submit", (event) => {
      event.preventDefault();
      const field = this.panel.querySelector<HTMLInputElement>("[name=scan-number]");
      if (field?.value.trim()) void this.scanned(field.value.trim(), "typed");
    });
    readFast((code) => void this.scanned(code, "scanner"));
    document.addEventListener("submit", (event) => this.submitted(event), true);
    window.addEventListener("pagehide", () => this.close());
    this.takeUp();
  }

  private part(name: string): HTMLElement | null {
    return this.panel.querySelector<HTMLElement>(`[data-scan-${name}]`);
  }

  private word(name: string): string {
    return this.panel.getAttribute(`data-word-${name}`) ?? "";
  }

  private say(text: string): void {
    const place = this.part("says");
    if (place) place.textContent = text;
  }

  /** A wristband that was scanned on the list of rounds holds on the page that it opened. */
  private takeUp(): void {
    const kept = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    if (!kept || !this.panel.dataset["patient"]) return;
    const band = JSON.parse(kept) as Band;
    if (band.patient !== this.panel.dataset["patient"]) return;
    void this.scanned(band.code, band.camera ? "camera" : "scanner");
    if (band.camera) void this.open();
  }

  private async open(): Promise<void> {
    const view = this.part("view") as HTMLVideoElement;
    this.camera ??= new Camera(view, this.panel.dataset["reader"] ?? "");
    this.part("start")?.setAttribute("hidden", "");
    try {
      await this.camera.open((code) => void this.scanned(code, "camera"));
    } catch (problem) {
      this.close();
      const refused = problem instanceof DOMException && problem.name === "NotAllowedError";
      this.say(this.word(refused ? "refused" : "none"));
      return;
    }
    view.hidden = false;
    this.part("stop")?.removeAttribute("hidden");
    if (this.camera.hasTorch()) this.part("torch")?.removeAttribute("hidden");
    this.say(this.word("ready"));
  }

  private close(): void {
    this.camera?.close();
    for (const name of ["view", "stop", "torch"]) this.part(name)?.setAttribute("hidden", "");
    this.part("start")?.removeAttribute("hidden");
  }

  private async light(): Promise<void> {
    const on = await this.camera?.toggleTorch();
    this.part("torch")?.setAttribute("aria-pressed", String(on === true));
  }

  private goWithout(): void {
    this.without = true;
    this.showBand(this.word("without"));
  }

  private showBand(text: string): void {
    const place = this.part("band");
    if (place) place.textContent = text;
  }

  private async scanned(code: string, means: Means): Promise<void> {
    const now = Date.now();
    // A camera sees the same code again and again; while a stop is shown nothing else is scanned.
    const again = means === "camera" && code === this.last.code && now - this.last.at < AGAIN_MS;
    if (again) this.last.at = now;
    // The wristband that was scanned before is in the picture again: nothing new.
    if (means === "camera" && code === this.band && now <= this.bandUntil) return;
    if (this.busy || again || document.querySelector("dialog[data-scan-dialog][open]")) return;
    this.last = { code, at: now };
    if (this.band && now > this.bandUntil) {
      this.band = "";
      this.showBand(this.word("no-band"));
    }
    const form = new FormData();
    for (const [name, value] of Object.entries({ code, means, wristband: this.band })) form.set(name, value);
    if (this.without) form.set("without", "yes");
    await this.send(this.panel.dataset["scan"] ?? "", form, { code, means });
  }

  /** Forms that follow a scan are sent as the scan was, so that the camera stays on. */
  private submitted(event: SubmitEvent): void {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-scan-form]")) return;
    event.preventDefault();
    event.stopPropagation();
    const filled = new FormData(form, event.submitter);
    form.closest("dialog")?.close();
    void this.send(form.action, filled);
  }

  private async send(address: string, form: FormData, scan?: { code: string; means: Means }): Promise<void> {
    this.busy = true;
    this.panel.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, {
        method: "POST",
        body: form,
        headers: { "x-csrf-token": token(), "hx-request": "true" },
      });
      if (answer.redirected) {
        location.assign(answer.url);
        return;
      }
      this.show(await answer.text(), scan);
    } catch {
      beep("stop");
      this.say(this.word("failed"));
    } finally {
      this.busy = false;
      this.panel.removeAttribute("aria-busy");
    }
  }

  private show(html: string, scan?: { code: string; means: Means }): void {
    const place = this.part("answer");
    if (!place) return;
    // From our own server, escaped there; scripts in it would not run.
    place.innerHTML = html;
    const answer = place.querySelector<HTMLElement>("[data-outcome]");
    const outcome = answer?.dataset["outcome"] ?? "problem";
    if (outcome === "go") {
      this.go(answer?.dataset["there"] ?? "/rounds", scan);
      return;
    }
    if (outcome === "patient" && scan) {
      this.band = scan.code;
      this.without = false;
      this.bandUntil = Date.now() + Number(answer?.dataset["minutes"] ?? "0") * 60_000;
      this.showBand(this.word("band"));
    }
    beep(["patient", "dose", "as-needed", "signed", "call"].includes(outcome) ? "right" : "stop");
    if (outcome === "stop") this.stop(place);
    if (outcome === "signed") void this.refresh();
    if (outcome !== "stop" && scan?.means === "camera") place.scrollIntoView({ block: "nearest" });
  }

  private stop(place: HTMLElement): void {
    const dialog = place.querySelector<HTMLDialogElement>("dialog[data-scan-dialog]");
    dialog?.querySelector("[data-scan-close]")?.addEventListener("click", () => dialog.close());
    dialog?.showModal();
  }

  private go(there: string, scan?: { code: string; means: Means }): void {
    const patient = /^\/rounds\/([^/?]+)$/.exec(there)?.[1];
    if (patient && scan) {
      const band: Band = { patient, code: scan.code, at: Date.now(), camera: scan.means === "camera" };
      sessionStorage.setItem(KEPT, JSON.stringify(band));
    }
    location.assign(there);
  }

  /** The doses as they are now, around a scanner that stays. */
  private async refresh(): Promise<void> {
    const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("scan");
    const main = this.panel.parentElement;
    if (!fresh?.parentElement || !main) return;
    for (const child of [...main.children]) if (child !== this.panel) child.remove();
    let isBefore = true;
    let after: Element = this.panel;
    for (const child of [...fresh.parentElement.children]) {
      if (child === fresh) isBefore = false;
      else if (isBefore) this.panel.before(child);
      else {
        after.after(child);
        after = child;
      }
    }
    (globalThis as { htmx?: { process(part: Element): void } }).htmx?.process(main);
  }
}

document.querySelector("[data-print]")?.addEventListener("click", () => print());
const panel = document.getElementById("scan");
if (panel) new Scanner(panel).watch();
