// On every other page: wipes the round of who has left, and brings what they left behind.
import { bring } from "./offline_contact";
import { onlyHere } from "./offline_queue";
import { about, outbox, wipe } from "./offline_store";

const NAME = "helsevev-round";
const OUT = ["/sign-in", "/sign-out", "/signed-out"];

/** Another person's page, a page for those who are not signed in, or a shift that is over: nothing can be read. */
export async function watchLeaving(): Promise<void> {
  const known = await indexedDB.databases?.().catch(() => undefined);
  if (known && !known.some((each) => each.name === NAME)) return;
  const told = await about();
  const person = document.body.dataset.person ?? "";
  const isOut = person === "" && OUT.includes(location.pathname);
  const isAnother = person !== "" && told?.person !== person;
  if (told && (isOut || isAnother || Date.now() + told.skew >= told.until)) await wipe();
  if (person !== "" && onlyHere(await outbox()).length > 0) await bring(async () => undefined);
}
