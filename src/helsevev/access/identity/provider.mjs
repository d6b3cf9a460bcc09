// An identity provider for the demo and the tests: one process, two issuers, one for staff and one
// for inhabitants, over the certified library oidc-provider. People and words come on standard
// input as one line of JSON; it ends when its input does.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

// Minutes, hours: the library's own for what is not said here.
const LASTS = { AccessToken: 600, AuthorizationCode: 60, Grant: 14400, Interaction: 600, Session: 14400 };

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "demo" };
}

const text = (value) =>
  String(value).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

function page(title, body) {
  return `<!doctype html><html lang="nb"><head><meta charset="utf-8"><title>${text(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>body{font:1rem/1.5 system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem}button{display:block;width:100%;
min-height:3rem;margin:.5rem 0;padding:.5rem 1rem;font:inherit;text-align:start}</style></head>
<body><main><h1>${text(title)}</h1>${body}</main></body></html>`;
}

/** Whom one can sign in as, each a button; the choice is the whole of the authentication here. */
function choice(site, uid) {
  const people = site.people.map(
    (person) => `<button name="person" value="${text(person.key)}"><strong>${text(person.name)}</strong><br>${text(person.about)}</button>`,
  );
  return page(site.title, `<p>${text(site.explanation)}</p><form method="post" action="/interaction/${uid}">${people.join("")}</form>`);
}

async function posted(request) {
  let body = "";
  for await (const piece of request) {
    body += piece;
    if (body.length > 10_000) throw new Error("too much");
  }
  return new URLSearchParams(body);
}

function configuration(site, logout) {
  const claims = {};
  for (const [scope, names] of Object.entries(site.claims)) claims[scope] = names;
  return {
    clients: [site.client],
    jwks: { keys: [signingKey()] },
    claims: { openid: ["sub", "acr", "amr", "auth_time", "sid"], acr: null, amr: null, auth_time: null, sid: null, ...claims },
    scopes: Object.keys(site.claims),
    acrValues: site.acr_values,
    // The national providers put what was asked for into the id_token itself.
    conformIdTokenClaims: false,
    responseTypes: ["code"],
    pkce: { required: () => true },
    cookies: { keys: [randomBytes(32).toString("hex")], names: { session: `${site.name}_session`, interaction: `${site.name}_interaction`, resume: `${site.name}_resume` } },
    ttl: { ...LASTS, IdToken: site.id_token_seconds ?? 300 },
    features: {
      devInteractions: { enabled: false },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
      requestObjects: { enabled: true, requireSignedRequestObject: site.profile === "staff" },
      dPoP: { enabled: site.profile === "staff", nonceSecret: randomBytes(32), requireNonce: () => true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, ...logout },
    },
    enabledJWA: { requestObjectSigningAlgValues: ["ES256", "RS256"], clientAuthSigningAlgValues: ["ES256", "RS256"] },
    clientAuthMethods: ["private_key_jwt"],
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    async findAccount(_context, id) {
      const person = site.people.find((each) => each.key === id);
      return person && { accountId: id, claims: async () => ({ sub: id, ...person.claims }) };
    },
    // Signing in is the only consent there is.
    async loadExistingGrant(context) {
      const { provider, client, session, params } = context.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(params.scope);
      await grant.save();
      return grant;
    },
  };
}

function logoutPages(site) {
  return {
    logoutSource(context, form) {
      // What the program asked for is what the person pressed there: nothing to confirm.
      context.body = page(site.title, `${form}<input type="hidden" form="op.logoutForm" name="logout" value="yes">
<button form="op.logoutForm" autofocus>${text(site.sign_out)}</button><script>document.forms[0].submit()</script>`);
    },
    postLogoutSuccessSource(context) {
      context.body = page(site.title, `<p>${text(site.signed_out)}</p>`);
    },
  };
}

async function serve(site) {
  const server = createServer();
  await new Promise((ready, failed) => {
    server.once("error", failed);
    server.listen(site.port, "127.0.0.1", ready);
  });
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration(site, logoutPages(site)));
  // Back-channel calls go to this same machine.
  const inner = provider.callback();
  server.on("request", async (request, response) => {
    const found = /^\/interaction\/([\w-]+)$/.exec(request.url.split("?")[0]);
    if (!found) return inner(request, response);
    try {
      const { prompt } = await provider.interactionDetails(request, response);
      if (request.method !== "POST") {
        response.setHeader("content-type", "text/html; charset=utf-8");
        return response.end(choice(site, found[1]));
      }
      const chosen = (await posted(request)).get("person");
      const person = site.people.find((each) => each.key === chosen);
      if (!person || !["login", "consent"].includes(prompt.name)) throw new Error("nobody was chosen");
      const login = { accountId: person.key, acr: person.acr, amr: person.amr, remember: false };
      return await provider.interactionFinished(request, response, { login, consent: {} }, { mergeWithLastSubmission: false });
    } catch (problem) {
      response.statusCode = 400;
      response.setHeader("content-type", "text/plain; charset=utf-8");
      return response.end(String(problem.message ?? problem));
    }
  });
  provider.on("server_error", (_context, problem) => process.stderr.write(`provider: ${problem.stack}\n`));
  return issuer;
}

const lines = createInterface({ input: process.stdin });
lines.once("line", async (line) => {
  const told = {};
  for (const site of JSON.parse(line)) told[site.profile] = await serve(site);
  process.stdout.write(`${JSON.stringify(told)}\n`);
});
lines.on("close", () => process.exit(0));
