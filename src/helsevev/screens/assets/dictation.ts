// Dictation by the browser's own recognition of speech: where it is there, and where it is let.
import { putIn } from "./inserting";

interface Heard extends Event {
  resultIndex: number;
  results: ArrayLike<ArrayLike<{ transcript: string }> & { isFinal: boolean }>;
}

interface Recognition extends EventTarget {
  lang: string;
  continuous: boolean;
  interimResults: boolean;
  processLocally?: boolean;
  start(): void;
  stop(): void;
}

interface Languages {
  langs: string[];
  processLocally: boolean;
}

interface RecognitionMaker {
  new (): Recognition;
  available?(wanted: Languages): Promise<string>;
  install?(wanted: Languages): Promise<boolean>;
}

const LANGUAGE = "nb-NO";
const HERE: Languages = { langs: [LANGUAGE], processLocally: true };

function maker(): RecognitionMaker | undefined {
  const known = window as unknown as Record<string, RecognitionMaker | undefined>;
  return known.SpeechRecognition ?? known.webkitSpeechRecognition;
}

/** Whether speech can be recognised on this device, so that nothing of it is sent to anybody. */
async function isHere(Maker: RecognitionMaker): Promise<boolean> {
  try {
    return ["available", "downloadable", "downloading"].includes((await Maker.available?.(HERE)) ?? "");
  } catch {
    return false;
  }
}

function listenWith(Maker: RecognitionMaker, place: HTMLElement, local: boolean): void {
  const button = place.querySelector("button")!;
  const label = button.querySelector<HTMLElement>("[data-dictate]")!;
  const state = place.querySelector<HTMLElement>("[data-heard]")!;
  let listening: Recognition | null = null;

  const end = (said = ""): void => {
    listening = null;
    button.setAttribute("aria-pressed", "false");
    label.textContent = label.dataset.dictate ?? "";
    state.textContent = said;
  };

  button.addEventListener("click", async () => {
    if (listening) {
      listening.stop();
      return;
    }
    const area = place.closest("form")?.querySelector<HTMLTextAreaElement>("textarea[data-draft-text]");
    if (!area) return;
    // The language is fetched once, when somebody first speaks.
    if (local && !(await Maker.install?.(HERE))) return end(state.dataset.failed);
    const heard = new Maker();
    heard.lang = LANGUAGE;
    heard.continuous = true;
    heard.interimResults = true;
    if (local) heard.processLocally = true;
    heard.addEventListener("result", (event) => {
      const { resultIndex, results } = event as Heard;
      let guess = "";
      for (let at = resultIndex; at < results.length; at++) {
        const words = results[at]![0]!.transcript.trim();
        if (!results[at]!.isFinal) guess += ` ${words}`;
        else {
          // What is certain stands in the note at once, and its draft saves itself.
          const before = area.value.slice(0, area.selectionStart);
          putIn(area, (before === "" || /\s$/.test(before) ? "" : " ") + words, false);
        }
      }
      state.textContent = guess.trim() || (state.dataset.listening ?? "");
    });
    heard.addEventListener("error", () => end(state.dataset.failed));
    heard.addEventListener("end", () => listening && end());
    listening = heard;
    button.setAttribute("aria-pressed", "true");
    label.textContent = label.dataset.stop ?? "";
    state.textContent = state.dataset.listening ?? "";
    heard.start();
  });
  place.hidden = false;
}

/** Shows the button where it can work; elsewhere there is none. */
export function watchDictation(): void {
  const Maker = maker();
  if (!Maker) return;
  document.querySelectorAll<HTMLElement>("[data-dictation]").forEach((place) => {
    void isHere(Maker).then((local) => {
      if (local || place.dataset.dictation === "browser") listenWith(Maker, place, local);
    });
  });
}
