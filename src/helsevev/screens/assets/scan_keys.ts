// A scanner that types: keys faster than any hand, ended by Enter, wherever the focus is.

const FASTEST_HAND_MS = 60;
const FEWEST = 6;
const SURE = 4;
const SEPARATOR = "\x1d";

interface Burst {
  text: string;
  at: number;
  field: HTMLInputElement | HTMLTextAreaElement | null;
  before: string;
}

/** Calls `read` with each code; what the scanner typed into a field is taken out of it again. */
export function readFast(read: (code: string) => void): void {
  let burst: Burst | undefined;
  window.addEventListener(
    "keydown",
    (event) => {
      const now = event.timeStamp;
      const goesOn = burst !== undefined && now - burst.at <= FASTEST_HAND_MS;
      if (event.key === "Enter" || event.key === "Tab") {
        if (burst && goesOn && burst.text.length >= FEWEST) {
          event.preventDefault();
          event.stopImmediatePropagation();
          const { text, field, before } = burst;
          if (field) field.value = before;
          read(text);
        }
        burst = undefined;
        return;
      }
      const key = letter(event);
      if (!key) return;
      if (!burst || !goesOn) burst = begun(now);
      burst.text += key;
      burst.at = now;
      // By now it is no hand: shortcuts and fields are spared the rest.
      if (burst.text.length > SURE) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    true,
  );
}

/** What a key adds to a code; FNC1 comes as Ctrl and a bracket, or as F8. */
function letter(event: KeyboardEvent): string {
  if (event.ctrlKey && (event.key === "]" || event.code === "BracketRight")) return SEPARATOR;
  if (event.key === "F8" || event.key === SEPARATOR) return SEPARATOR;
  if (event.ctrlKey || event.altKey || event.metaKey) return "";
  return event.key.length === 1 ? event.key : "";
}

function begun(at: number): Burst {
  const focused = document.activeElement;
  const isField = focused instanceof HTMLInputElement || focused instanceof HTMLTextAreaElement;
  const field = isField ? focused : null;
  return { text: "", at, field, before: field?.value ?? "" };
}
