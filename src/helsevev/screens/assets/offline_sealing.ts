// What is kept on the phone is encrypted: the round by a key that a code opens, acts for the server alone.

const HASH = "SHA-256";
const INFO = new TextEncoder().encode("helsevev done without contact");
// OWASP Password Storage Cheat Sheet: PBKDF2-HMAC-SHA256 with 600,000 rounds.
const ROUNDS = 600_000;

export interface Encrypted {
  nonce: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

/** The round's key, wrapped: it is opened by the code and by a key of this device together. */
export interface Lock {
  salt: Uint8Array<ArrayBuffer>;
  nonce: Uint8Array<ArrayBuffer>;
  wrapped: ArrayBuffer;
  device: CryptoKey;
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Bytes as text that fits into JSON and addresses. */
export function asText(bytes: Uint8Array): string {
  let plain = "";
  for (const byte of bytes) plain += String.fromCharCode(byte);
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Seals an act for the server (see medication/offline/envelope.py): not even this phone opens it. */
export async function seal(key: string, said: unknown, server: JsonWebKey): Promise<string> {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const theirs = await crypto.subtle.importKey("jwk", server, curve, false, []);
  const own = (await crypto.subtle.generateKey(curve, false, ["deriveBits"])) as CryptoKeyPair;
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", own.publicKey));
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, own.privateKey, 256);
  const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: HASH, salt: point, info: INFO };
  const once = await crypto.subtle.deriveKey(derivation, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const nonce = random(12);
  const bound = { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(key) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(bound, once, new TextEncoder().encode(JSON.stringify(said))));
  const box = new Uint8Array(point.length + nonce.length + sealed.length);
  box.set(point);
  box.set(nonce, point.length);
  box.set(sealed, point.length + nonce.length);
  return asText(box);
}

async function opener(code: string, salt: Uint8Array<ArrayBuffer>, device: CryptoKey): Promise<CryptoKey> {
  const typed = await crypto.subtle.importKey("raw", new TextEncoder().encode(code), "PBKDF2", false, ["deriveBits"]);
  const stretched = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: HASH, salt, iterations: ROUNDS }, typed, 256);
  const both = await crypto.subtle.sign("HMAC", device, stretched);
  return crypto.subtle.importKey("raw", both, "AES-GCM", false, ["wrapKey", "unwrapKey"]);
}

/** A new key for a round, that nobody can take out of the browser, and its lock. */
export async function newKey(code: string): Promise<{ key: CryptoKey; lock: Lock }> {
  const hmac = { name: "HMAC", hash: HASH, length: 256 };
  const device = await crypto.subtle.generateKey(hmac, false, ["sign"]);
  const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
  const salt = random(16);
  const nonce = random(12);
  const wrapped = await crypto.subtle.wrapKey("raw", fresh, await opener(code, salt, device), { name: "AES-GCM", iv: nonce });
  const lock = { salt, nonce, wrapped, device };
  const key = await openLock(code, lock);
  if (!key) throw new Error("A key that was just wrapped does not open.");
  return { key, lock };
}

/** The round's key; null for a wrong code. */
export async function openLock(code: string, lock: Lock): Promise<CryptoKey | null> {
  const with_ = await opener(code, lock.salt, lock.device);
  try {
    const how = { name: "AES-GCM", iv: lock.nonce };
    return await crypto.subtle.unwrapKey("raw", lock.wrapped, with_, how, "AES-GCM", false, ["encrypt", "decrypt"]);
  } catch {
    return null;
  }
}

/** Encrypts plain data with the round's key; `name` says what it is, so that none stands for another. */
export async function encrypt(key: CryptoKey, name: string, plain: unknown): Promise<Encrypted> {
  const nonce = random(12);
  const how = { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(name) };
  const data = await crypto.subtle.encrypt(how, key, new TextEncoder().encode(JSON.stringify(plain)));
  return { nonce, data };
}

/** What was encrypted under this name. Throws when it was not. */
export async function decrypt<Plain>(key: CryptoKey, name: string, kept: Encrypted): Promise<Plain> {
  const how = { name: "AES-GCM", iv: kept.nonce, additionalData: new TextEncoder().encode(name) };
  const plain = await crypto.subtle.decrypt(how, key, kept.data);
  return JSON.parse(new TextDecoder().decode(plain)) as Plain;
}
