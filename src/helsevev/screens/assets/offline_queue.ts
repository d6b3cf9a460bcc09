// What waits to be brought: pure rules of sending at least once, with nothing lost and nothing doubled.

/** "waiting" until the record has answered; "refused" is kept for a person on the server too. */
export type State = "waiting" | "stored" | "conflict" | "refused";

/** One act as it can be sent by whoever holds the phone: nothing in it can be read here. */
export interface Row {
  key: string;
  box: string;
  state: State;
  /** When it was done, in milliseconds of the corrected clock. */
  since: number;
  tries: number;
  /** Not sent again before this, in milliseconds of the device's clock. */
  notBefore: number;
  /** The server could not open it: it is kept, and somebody has to be told. */
  isUnreadable?: boolean;
}

/** What the record answers about one act. */
export interface Answer {
  key: string;
  status: "stored" | "conflict" | "refused" | "later" | "unreadable";
  again?: boolean;
  name?: string;
  why?: string;
}

/** As many as the server takes at once. */
export const MOST = 50;
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 120_000;

/** How long to wait after so many tries: doubled each time, with a share by chance. */
export function backOff(tries: number, chance: number): number {
  const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, tries - 1));
  return Math.round(longest * (0.5 + chance / 2));
}

/** Acts in the order they were done: what a dose rests on goes before it. */
function inOrder(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => a.since - b.since || (a.key < b.key ? -1 : 1));
}

/** A new act, not sent yet. */
export function waiting(key: string, box: string, since: number): Row {
  return { key, box, state: "waiting", since, tries: 0, notBefore: 0 };
}

/** What to send now. */
export function toSend(rows: readonly Row[], now: number): Row[] {
  const due = rows.filter((row) => row.state === "waiting" && row.notBefore <= now);
  return inOrder(due).slice(0, MOST);
}

/** What is on the phone only, the oldest first. */
export function onlyHere(rows: readonly Row[]): Row[] {
  return inOrder(rows.filter((row) => row.state === "waiting"));
}

/** The row as it is when it is sent: whatever is heard, it is not sent again at once. */
export function sending(row: Row, now: number, chance: number): Row {
  const tries = row.tries + 1;
  return { ...row, tries, notBefore: now + backOff(tries, chance) };
}

/** The row after an answer about it. What has been settled stays: answers may come late, and twice. */
export function answered(row: Row, answer: Answer): Row {
  if (row.key !== answer.key || row.state !== "waiting") return row;
  if (answer.status === "later") return row;
  if (answer.status === "unreadable") return { ...row, isUnreadable: true };
  return { ...row, state: answer.status };
}

/** As if nothing had been tried: somebody asked, or the network is back. */
export function atOnce(row: Row): Row {
  return row.state === "waiting" ? { ...row, notBefore: 0 } : row;
}

/** What is left when everything that can be read is wiped: what has not reached the record. */
export function leftAfterWipe(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.state === "waiting");
}
