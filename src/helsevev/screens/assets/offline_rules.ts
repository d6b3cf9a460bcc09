// What the phone can know of a dose: too early, too soon, above the maximum, signed here already.

export interface Ordered {
  order: string;
  version: number;
  place: number;
  key: string;
  name: string;
  amount: string;
}

export interface Dose extends Ordered {
  at: string;
  earliest: string;
  late: string;
  missed: string;
  gap: number;
  route: string;
  two: boolean;
  state: string;
  signedBy: string;
  signedAt: string;
  whyNot: string;
}

export interface Needed extends Ordered {
  reason: string;
  gap: number;
  taken: string[];
  checked: boolean;
  most: { doses: number; seconds: number } | null;
}

export interface Act {
  key: string;
  kind: "given" | "withheld" | "needed" | "measured" | "noted";
  patient: string;
  /** When it was done, by the server's clock. */
  at: string;
  said: Record<string, unknown>;
}

/** Why the phone does not sign, and from when it would. */
export interface Refusal {
  why: "signed" | "early" | "soon" | "most";
  from: number;
}

export type Standing = "upcoming" | "due" | "late" | "missed" | "signed" | "here";

function givenOf(order: string, doses: readonly Dose[], acts: readonly Act[]): number[] {
  const before = doses.filter((dose) => dose.order === order && dose.signedAt && dose.state !== "withheld");
  const here = acts.filter((act) => act.kind === "given" && act.said.order === order);
  return [...before.map((dose) => Date.parse(dose.signedAt)), ...here.map((act) => Date.parse(act.at))];
}

/** The act on this phone that signed a planned dose. */
export function signedHere(dose: Dose, acts: readonly Act[]): Act | undefined {
  return acts.find((act) => act.said.due === dose.key && (act.kind === "given" || act.kind === "withheld"));
}

/** Where a planned dose stands at a moment, in milliseconds of the corrected clock. */
export function standing(dose: Dose, acts: readonly Act[], now: number): Standing {
  if (signedHere(dose, acts)) return "here";
  // What another has prepared awaits a second signature, which is given with contact.
  if (dose.state) return "signed";
  if (now < Date.parse(dose.earliest)) return "upcoming";
  if (now <= Date.parse(dose.late)) return "due";
  return now <= Date.parse(dose.missed) ? "late" : "missed";
}

/** Why a planned dose is not signed as given now; null when it may be. */
export function whyNotGiven(dose: Dose, doses: readonly Dose[], acts: readonly Act[], now: number): Refusal | null {
  const stands = standing(dose, acts, now);
  if (stands === "here" || stands === "signed") return { why: "signed", from: now };
  if (stands === "upcoming") return { why: "early", from: Date.parse(dose.earliest) };
  const before = givenOf(dose.order, doses, acts).filter((at) => at <= now);
  const from = Math.max(0, ...before) + dose.gap * 1000;
  return before.length && now < from ? { why: "soon", from } : null;
}

/** Why an as-needed dose is not given now; null when it may be. */
export function whyNotNeeded(needed: Needed, acts: readonly Act[], now: number): Refusal | null {
  const here = acts.filter((act) => act.kind === "needed" && act.said.needed === needed.key);
  const taken = [...needed.taken, ...here.map((act) => act.at)].map((at) => Date.parse(at)).sort((a, b) => a - b);
  const last = taken.at(-1);
  if (last !== undefined && needed.gap && now < last + needed.gap * 1000) {
    return { why: "soon", from: last + needed.gap * 1000 };
  }
  if (!needed.most) return null;
  const window = needed.most.seconds * 1000;
  const inside = taken.filter((at) => at > now - window);
  if (inside.length < needed.most.doses) return null;
  const leaves = inside[inside.length - needed.most.doses];
  return { why: "most", from: (leaves ?? now) + window };
}
