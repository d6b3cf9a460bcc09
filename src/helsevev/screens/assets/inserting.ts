// Words put into a note where the caret is.

/** What is to be filled in. */
export const BLANK = "___";

/** Put words where the caret is, as if they were typed: undo takes them back, and the draft is saved. */
export function put(area: HTMLTextAreaElement, words: string, from: number, to: number): void {
  area.focus();
  area.setSelectionRange(from, to);
  // The only way in which a page can write into a field so that the browser's own undo knows of it.
  if (!document.execCommand("insertText", false, words)) {
    area.setRangeText(words, from, to, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  const blank = words.indexOf(BLANK);
  if (blank >= 0) area.setSelectionRange(from + blank, from + blank + BLANK.length);
  area.dispatchEvent(new CustomEvent("brought", { bubbles: true }));
}

/** On a line of its own, unless the words go on in a sentence that is begun. */
export function putIn(area: HTMLTextAreaElement, words: string, ownLine: boolean): void {
  const { selectionStart: from, selectionEnd: to, value } = area;
  const before = value.slice(0, from);
  const after = value.slice(to);
  const lead = ownLine && before !== "" && !before.endsWith("\n") ? "\n" : "";
  const tail = ownLine && after !== "" && !after.startsWith("\n") ? "\n" : "";
  put(area, lead + words + tail, from, to);
}
