// The words the islands say: written by the server in the reader's language.

/** The text called `name` in the layout's #hv-texts, with %s replaced. */
export function word(name: string, value = ""): string {
  const texts = document.getElementById("hv-texts");
  return (texts?.dataset[name] ?? "").replace("%s", value);
}

/** 14:05 in Oslo's time, whatever the device is set to. */
export function clock(moment: Date): string {
  return moment.toLocaleTimeString("nb-NO", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Oslo" });
}

/** The token every unsafe request carries. */
export function token(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}
