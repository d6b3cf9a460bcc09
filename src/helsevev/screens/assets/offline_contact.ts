// Asks the server who is there and what the time is, and brings it what waits.
import { type Answer, answered, atOnce, onlyHere, sending, toSend } from "./offline_queue";
import { changeRows, outbox } from "./offline_store";

const PATIENCE = 8_000;

export interface Contact {
  state: "open" | "locked" | "none";
  person: string;
  /** The server's clock less the device's, in milliseconds, as near as half the way there and back. */
  skew: number;
  token: string;
}

/** How a sending ended: "away" without contact, "none" when nobody is signed in. */
export type Ended = "done" | "away" | "locked" | "none";

async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const always = { redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) } as const;
  return fetch(path, { ...always, ...options });
}

/** What the clocks are apart, from when it was asked, when it was answered and what it said. */
export function skewOf(asked: number, heard: number, said: string): number {
  return Math.round(Date.parse(said) - (asked + heard) / 2);
}

/** Who is signed in here; null without contact. */
export async function contact(): Promise<Contact | null> {
  const asked = Date.now();
  try {
    const answer = await ask("/rounds/contact");
    if (!answer.ok) return null;
    const said = (await answer.json()) as { state: Contact["state"]; person: string; now: string; token: string };
    return { ...said, skew: skewOf(asked, Date.now(), said.now) };
  } catch {
    return null;
  }
}

/** Sends what is asked for as JSON; null without contact, or when it was refused. */
export async function post<Answered>(path: string, token: string, body: unknown): Promise<Answered | null> {
  const headers = { "x-csrf-token": token, "content-type": "application/json" };
  try {
    const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(60_000) });
    return answer.ok ? ((await answer.json()) as Answered) : null;
  } catch {
    return null;
  }
}

/** Lets everything be sent at once, because somebody asked or the network is back. */
export async function tryAtOnce(): Promise<void> {
  await changeRows((await outbox()).map((row) => row.key), atOnce);
}

/**
 * Brings what waits, until nothing is left to send now. `heard` is told of each answer before the row
 * is changed, so that what is shown is kept first. One tab at a time; the others find it done.
 */
export async function bring(heard: (answer: Answer) => Promise<void>, known?: Contact): Promise<Ended> {
  return navigator.locks.request("helsevev-bring", async () => {
    if (onlyHere(await outbox()).length === 0) return "done";
    const who = known ?? (await contact());
    if (!who) return "away";
    if (who.state !== "open") return who.state;
    for (;;) {
      const rows = toSend(await outbox(), Date.now());
      if (rows.length === 0) return "done";
      // Written down before it is sent: an answer that is lost must not be taken for silence.
      await changeRows(rows.map((row) => row.key), (row) => sending(row, Date.now(), Math.random()));
      const items = rows.map(({ key, box }) => ({ key, box }));
      const said = await post<{ answers: Answer[] }>("/rounds/sync", who.token, { items });
      if (!said) return "away";
      for (const answer of said.answers) {
        await heard(answer);
        await changeRows([answer.key], (row) => answered(row, answer));
      }
    }
  });
}
