// Phones for the schedules of test_round_interleavings.py: the real queue and seal, driven line by line.
import { createInterface } from "node:readline";
import { type Answer, answered, leftAfterWipe, type Row, sending, toSend, waiting } from "../../../src/helsevev/screens/assets/offline_queue";
import { seal } from "../../../src/helsevev/screens/assets/offline_sealing";

interface Asked {
  phone: string;
  act?: { key: string; at: number; told: unknown; server: JsonWebKey };
  send?: { now: number };
  hear?: Answer[];
  wipe?: boolean;
  forget?: boolean;
}

const phones = new Map<string, Row[]>();

async function carryOut(asked: Asked): Promise<unknown> {
  const rows = phones.get(asked.phone) ?? [];
  const change = (changed: Row[]) => void phones.set(asked.phone, changed);
  if (asked.act) {
    const { key, at, told, server } = asked.act;
    change([...rows, waiting(key, await seal(key, told, server), at)]);
  } else if (asked.send) {
    const { now } = asked.send;
    const sent = toSend(rows, now);
    const keys = new Set(sent.map((row) => row.key));
    change(rows.map((row) => (keys.has(row.key) ? sending(row, now, Math.random()) : row)));
    return sent.map(({ key, box }) => ({ key, box }));
  } else if (asked.hear) {
    change(rows.map((row) => asked.hear!.reduce(answered, row)));
  } else if (asked.wipe) {
    change(leftAfterWipe(rows));
  } else if (asked.forget) {
    phones.delete(asked.phone);
  }
  return (phones.get(asked.phone) ?? []).map(({ key, state }) => ({ key, state }));
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await carryOut(JSON.parse(line) as Asked))}\n`);
}
