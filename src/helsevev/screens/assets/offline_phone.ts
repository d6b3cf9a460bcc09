// The round on the phone: taken along, opened by its code, written in, brought back, and wiped.
import { bring, type Contact, contact, type Ended, post, skewOf, tryAtOnce } from "./offline_contact";
import { type Answer, onlyHere, type Row, type State, waiting } from "./offline_queue";
import type { Act, Dose, Needed } from "./offline_rules";
import { decrypt, encrypt, newKey, openLock, seal } from "./offline_sealing";
import * as store from "./offline_store";

export interface Choice {
  code: string;
  label: string;
}

export interface Sign {
  key: string;
  label: string;
  unit: string;
  decimals: number;
  lowest: number;
  highest: number;
  refused: string;
}

export interface Patient {
  id: string;
  name: string;
  about: string;
  where: string;
  allergyStatus: "recorded" | "none-known" | "unknown";
  allergies: { substance: string; reactions: string[]; danger: boolean }[];
  critical: string[];
  doses: Dose[];
  needed: Needed[];
  infusions: string[];
  unread: { name: string; text: string }[];
  medicines: { name: string; dose: string; group: string }[];
  measurements: { name: string; value: string; at: string }[];
}

export interface Round {
  person: string;
  name: string;
  unit: string;
  now: string;
  takenAt: string;
  until: string;
  horizon: string;
  lockAfter: number;
  seal: JsonWebKey;
  ticket: string;
  content: { notGiven: Choice[]; notScanned: Choice[]; signs: Sign[]; consciousness: Choice[]; noteTypes: Choice[] };
  patients: Patient[];
  leftOut: number;
}

/** An act as it is read here, with what the record has answered. */
export interface Kept {
  act: Act;
  answer?: Answer;
}

const ROUND = "round";
const MOST_WRONG = 5;
const named = (key: string) => `act:${key}`;

/** One phone: what it holds, and what can be done with it. `changed` draws it anew. */
export class Phone {
  round: Round | undefined;
  kept: Kept[] = [];
  rows: Row[] = [];
  about: store.About | undefined;
  ended: Ended = "done";
  who: Contact | null = null;
  private key: CryptoKey | undefined;

  constructor(private readonly changed: () => void) {}

  /** The time by the server's clock, in milliseconds. */
  now(): number {
    return Date.now() + (this.about?.skew ?? 0);
  }

  /** What is told without the code; what is past its time, or another's, is wiped. */
  async look(): Promise<void> {
    this.about = await store.about();
    if (this.about && this.now() >= this.about.until) await this.forget();
    this.rows = await store.outbox();
    this.changed();
  }

  /** What has not reached the record. */
  get onlyHere(): Row[] {
    return onlyHere(this.rows);
  }

  /** What became of an act. */
  stateOf(key: string): State {
    return this.rows.find((row) => row.key === key)?.state ?? "waiting";
  }

  /** The acts about one patient, the newest first. */
  actsOf(patient: string): Act[] {
    return this.kept.map((each) => each.act).filter((act) => act.patient === patient);
  }

  /** Fetches the round, and locks it with a code; false without contact or when it is refused. */
  async take(code: string): Promise<boolean> {
    const fetched = await this.fetchRound();
    if (!fetched) return false;
    await store.wipe();
    const { key, lock } = await newKey(code);
    const { person, lockAfter, until } = fetched.round;
    await this.keep(key, fetched.round, { person, lockAfter, until: Date.parse(until), lock, wrong: 0, skew: fetched.skew });
    this.kept = [];
    await this.look();
    return true;
  }

  /** Fetches the round anew under the same key, when it is the same person's. */
  async refresh(): Promise<boolean> {
    if (!this.key || !this.about) return false;
    const fetched = await this.fetchRound();
    if (!fetched || fetched.round.person !== this.about.person) return false;
    await this.keep(this.key, fetched.round, { ...this.about, skew: fetched.skew, until: Date.parse(fetched.round.until) });
    this.changed();
    return true;
  }

  private async fetchRound(): Promise<{ round: Round; skew: number } | null> {
    this.who = await contact();
    if (this.who?.state !== "open") return null;
    const asked = Date.now();
    const round = await post<Round>("/rounds/take", this.who.token, {});
    return round && { round, skew: Math.abs(this.who.skew) < 500 ? 0 : skewOf(asked, Date.now(), round.now) };
  }

  private async keep(key: CryptoKey, round: Round, told: store.About): Promise<void> {
    await store.keepSealed(ROUND, await encrypt(key, ROUND, round));
    await store.keepAbout(told);
    this.key = key;
    this.round = round;
    this.about = told;
  }

  /** Opens the round; false for a wrong code. Too many wrong codes wipe what can be read. */
  async open(code: string): Promise<boolean> {
    if (!this.about) return false;
    const key = await openLock(code, this.about.lock);
    if (!key) {
      this.about = { ...this.about, wrong: this.about.wrong + 1 };
      if (this.about.wrong >= MOST_WRONG) await this.forget();
      else await store.keepAbout(this.about);
      this.changed();
      return false;
    }
    await store.keepAbout((this.about = { ...this.about, wrong: 0 }));
    const kept = await store.sealed(ROUND);
    if (!kept) return false;
    this.key = key;
    this.round = await decrypt<Round>(key, ROUND, kept);
    await this.readActs();
    this.changed();
    return true;
  }

  private async readActs(): Promise<void> {
    const found: Kept[] = [];
    for (const name of await store.sealedNames()) {
      const kept = name === ROUND ? undefined : await store.sealed(name);
      if (kept && this.key) found.push(await decrypt<Kept>(this.key, name, kept));
    }
    this.kept = found.sort((a, b) => b.act.at.localeCompare(a.act.at));
    this.rows = await store.outbox();
  }

  /** Shows nothing more until the code is given again. */
  close(): void {
    this.key = undefined;
    this.round = undefined;
    this.kept = [];
    this.changed();
  }

  /** Wipes all that can be read; what has not reached the record stays, sealed. */
  async forget(): Promise<void> {
    await store.wipe();
    this.about = undefined;
    this.rows = await store.outbox();
    this.close();
  }

  /** Keeps what was done, by the clock of the record, and begins to bring it. */
  async done(kind: Act["kind"], patient: string, said: Record<string, unknown>): Promise<void> {
    if (!this.key || !this.round) throw new Error("The round is locked.");
    const at = this.now();
    const act: Act = { key: crypto.randomUUID(), kind, patient, at: new Date(at).toISOString(), said };
    const { key: _, ...told } = act;
    const box = await seal(act.key, { ...told, ticket: this.round.ticket }, this.round.seal);
    const kept = await encrypt(this.key, named(act.key), { act });
    await store.keepAct(waiting(act.key, box, at), named(act.key), kept);
    await this.readActs();
    this.changed();
    void this.bring();
  }

  /** Takes back what was never sent; false when it may have reached the record. */
  async takeBack(key: string): Promise<boolean> {
    const taken = await store.takeBack(key, named(key));
    await this.readActs();
    this.changed();
    return taken;
  }

  /** Brings what waits, and finds out whether this phone may still be read. */
  async bring(atOnce = false): Promise<void> {
    if (atOnce) await tryAtOnce();
    this.who = await contact();
    await this.obey();
    const before = this.onlyHere.length;
    this.ended = this.who ? await bring((answer) => this.heard(answer), this.who) : "away";
    this.rows = await store.outbox();
    if (this.key && before > this.onlyHere.length) {
      await this.readActs();
      await this.refresh();
    }
    this.changed();
  }

  /** What the server says of who is signed in: another person, or nobody, reads nothing here. */
  private async obey(): Promise<void> {
    if (!this.who || !this.about) return;
    const isOver = this.who.state === "none" || this.who.person !== this.about.person;
    if (isOver) return this.forget();
    this.about = { ...this.about, skew: Math.abs(this.who.skew) < 500 ? 0 : this.who.skew };
    await store.keepAbout(this.about);
  }

  private async heard(answer: Answer): Promise<void> {
    const name = named(answer.key);
    const kept = this.key && (await store.sealed(name));
    if (!kept || !this.key) return;
    const known = await decrypt<Kept>(this.key, name, kept);
    const keeps = known.answer && known.answer.status !== "later";
    if (!keeps) await store.keepSealed(name, await encrypt(this.key, name, { ...known, answer }));
  }
}
