// The service worker: keeps the page that works without contact and its parts, and nothing about anybody.

/** What the server puts before this file: the page's own address, then its parts. */
declare const self: ServiceWorkerGlobalScope & { parts: string[] };

interface ServiceWorkerGlobalScope extends EventTarget {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: Location;
}

interface Waits extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetches extends Waits {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}

const KEPT = "helsevev-phone";
const PATIENCE = 5_000;
const page = self.parts[0] ?? "/rounds/phone";

async function install(): Promise<void> {
  const kept = await caches.open(KEPT);
  await kept.addAll(self.parts.map((part) => new Request(part, { cache: "reload", credentials: "omit" })));
  const wanted = new Set(self.parts.map((part) => new URL(part, self.location.href).href));
  for (const request of await kept.keys()) {
    // Fonts are kept as they are asked for.
    if (!wanted.has(request.url) && !request.url.endsWith(".woff2")) await kept.delete(request);
  }
  await self.skipWaiting();
}

/** The page from the network; the kept one when nobody answers, or too late. */
async function navigate(request: Request): Promise<Response> {
  const isPage = new URL(request.url).pathname === page;
  const kept = async () => (await caches.match(page)) ?? Response.error();
  if (isPage) return (await caches.match(page)) ?? fetch(request);
  try {
    return await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    return kept();
  }
}

/** A built part: its name says what is in it, so what is kept holds. */
async function part(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && request.url.endsWith(".woff2")) await (await caches.open(KEPT)).put(request, answer.clone());
  return answer;
}

self.addEventListener("install", (event) => (event as Waits).waitUntil(install()));
self.addEventListener("activate", (event) => (event as Waits).waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event as Fetches;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") (event as Fetches).respondWith(navigate(request));
  else if (pathname.startsWith("/static/")) (event as Fetches).respondWith(part(request));
});
export {};
