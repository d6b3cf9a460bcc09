// Passkeys: asks the server for a question, the authenticator for an answer, and sends it in the form.
import { token } from "./words";

interface Question {
  challenge: string;
  user?: { id: string; name: string; displayName: string };
  allowCredentials?: { id: string; type: "public-key" }[];
  excludeCredentials?: { id: string; type: "public-key" }[];
}

function bytes(text: string): ArrayBuffer {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0)).buffer;
}

function text(buffer: ArrayBuffer | null): string | undefined {
  if (!buffer) return undefined;
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function known(list: Question["allowCredentials"]): PublicKeyCredentialDescriptor[] {
  return (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));
}

async function answered(question: Question, isNew: boolean): Promise<PublicKeyCredential | null> {
  const challenge = bytes(question.challenge);
  const found = isNew
    ? await navigator.credentials.create({
        publicKey: {
          ...(question as unknown as PublicKeyCredentialCreationOptions),
          challenge,
          user: { ...question.user!, id: bytes(question.user!.id) },
          excludeCredentials: known(question.excludeCredentials),
        },
      })
    : await navigator.credentials.get({
        publicKey: {
          ...(question as unknown as PublicKeyCredentialRequestOptions),
          challenge,
          allowCredentials: known(question.allowCredentials),
        },
      });
  return found as PublicKeyCredential | null;
}

function told(credential: PublicKeyCredential): string {
  const said = credential.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: text(said.clientDataJSON),
      attestationObject: text(said.attestationObject ?? null),
      authenticatorData: text(said.authenticatorData ?? null),
      signature: text(said.signature ?? null),
      userHandle: text(said.userHandle ?? null),
    },
  });
}

async function send(form: HTMLFormElement): Promise<void> {
  const problem = form.querySelector<HTMLElement>("[data-passkey-problem]");
  if (problem) problem.hidden = true;
  try {
    const headers = { "x-csrf-token": token() };
    const asked = await fetch(form.dataset.passkey!, { method: "POST", headers });
    if (!asked.ok) throw new Error(String(asked.status));
    const credential = await answered((await asked.json()) as Question, form.dataset.passkeyNew !== undefined);
    if (!credential) throw new Error("no credential");
    form.querySelector<HTMLInputElement>('input[name="credential"]')!.value = told(credential);
    form.submit();
  } catch {
    // Cancelled, timed out, no authenticator, no network: the form stays, and says so.
    if (problem) problem.hidden = false;
  }
}

/** Watches every `form[data-passkey]`. */
export function watchPasskeys(): void {
  document.querySelectorAll<HTMLFormElement>("form[data-passkey]").forEach((form) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void send(form);
    });
  });
}
