// The phone's own store: what can be read is encrypted, and what waits to be brought is sealed.
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { leftAfterWipe, type Row } from "./offline_queue";
import type { Encrypted, Lock } from "./offline_sealing";

/** What may be known of a round without its code: whose it is, until when, and how it is opened. */
export interface About {
  person: string;
  until: number;
  lockAfter: number;
  lock: Lock;
  wrong: number;
  /** The server's clock less the device's, in milliseconds. */
  skew: number;
}

interface Schema extends DBSchema {
  about: { key: string; value: About };
  sealed: { key: string; value: Encrypted };
  outbox: { key: string; value: Row };
}

const ROUND = "round";
const CHANGED = "helsevev-round";
let opening: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opening ??= openDB<Schema>("helsevev-round", 1, {
    upgrade(made) {
      made.createObjectStore("about");
      made.createObjectStore("sealed");
      made.createObjectStore("outbox", { keyPath: "key" });
    },
  });
  return opening;
}

/** The round on this phone, as far as it is told without its code. */
export async function about(): Promise<About | undefined> {
  return (await database()).get("about", ROUND);
}

/** Keeps what is told of the round. */
export async function keepAbout(told: About): Promise<void> {
  await (await database()).put("about", told, ROUND);
}

/** What is encrypted under a name. */
export async function sealed(name: string): Promise<Encrypted | undefined> {
  return (await database()).get("sealed", name);
}

/** The names of all that is encrypted. */
export async function sealedNames(): Promise<string[]> {
  return (await database()).getAllKeys("sealed");
}

/** Keeps something encrypted under a name. */
export async function keepSealed(name: string, kept: Encrypted): Promise<void> {
  await (await database()).put("sealed", kept, name);
}

/** An act, to be read and to be brought: both are kept, and on the disk, or neither. */
export async function keepAct(row: Row, name: string, kept: Encrypted): Promise<void> {
  const both = (await database()).transaction(["sealed", "outbox"], "readwrite", { durability: "strict" });
  await Promise.all([both.objectStore("sealed").put(kept, name), both.objectStore("outbox").put(row), both.done]);
}

/** All acts, waiting or answered. */
export async function outbox(): Promise<Row[]> {
  return (await database()).getAll("outbox");
}

/** Changes rows as they are now: another tab may have changed them since they were read. */
export async function changeRows(keys: readonly string[], change: (row: Row) => Row): Promise<void> {
  const all = (await database()).transaction("outbox", "readwrite", { durability: "strict" });
  for (const key of keys) {
    const row = await all.store.get(key);
    if (row) await all.store.put(change(row));
  }
  await all.done;
}

/** Takes back an act that was never sent; false when it may have been. */
export async function takeBack(key: string, name: string): Promise<boolean> {
  const both = (await database()).transaction(["sealed", "outbox"], "readwrite", { durability: "strict" });
  const row = await both.objectStore("outbox").get(key);
  const may = row !== undefined && row.state === "waiting" && row.tries === 0;
  if (may) {
    await both.objectStore("outbox").delete(key);
    await both.objectStore("sealed").delete(name);
  }
  await both.done;
  return may;
}

/** Wipes all that can be read. What has not reached the record stays, sealed, to be brought. */
export async function wipe(): Promise<void> {
  const all = (await database()).transaction(["about", "sealed", "outbox"], "readwrite", { durability: "strict" });
  const rows = await all.objectStore("outbox").getAll();
  await all.objectStore("about").clear();
  await all.objectStore("sealed").clear();
  await all.objectStore("outbox").clear();
  for (const row of leftAfterWipe(rows)) await all.objectStore("outbox").put(row);
  await all.done;
  localStorage.setItem(CHANGED, String(Date.now()));
}

/** Calls when another tab has wiped the round. */
export function watchWipe(wiped: () => void): void {
  addEventListener("storage", (event) => {
    if (event.key === CHANGED) wiped();
  });
}
