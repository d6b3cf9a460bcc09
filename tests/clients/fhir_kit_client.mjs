// Lives through one resource's life with fhir-kit-client; prints what it saw as JSON.
// Usage: node fhir_kit_client.mjs BASE TOKEN
import { Client } from "fhir-kit-client";

const [baseUrl, bearerToken] = process.argv.slice(2);
const client = new Client({ baseUrl, bearerToken });
const seen = {};

async function statusOf(asked) {
  try {
    await asked;
    return 200;
  } catch (problem) {
    return problem.response?.status ?? String(problem);
  }
}

const resourceType = "Patient";
const created = await client.create({
  resourceType,
  body: { resourceType, name: [{ family: "Kit" }], identifier: [{ system: "urn:kit", value: "1" }] },
});
const { id } = created;
seen.read = (await client.read({ resourceType, id })).name[0].family;

const body = { ...created, birthDate: "1990-05-06" };
const ifMatch = (version) => ({ headers: { "If-Match": `W/"${version}"` } });
const updated = await client.update({ resourceType, id, body, options: ifMatch(1) });
seen.updated = [updated.meta.versionId, updated.birthDate];
seen.stale = await statusOf(client.update({ resourceType, id, body: { ...body, gender: "male" }, options: ifMatch(1) }));

const jsonPatch = [{ op: "add", path: "/gender", value: "female" }];
seen.patched = (await client.patch({ resourceType, id, jsonPatch, options: ifMatch(2) })).gender;
seen.unseen = await statusOf(client.patch({ resourceType, id, jsonPatch }));

seen.conditional = (
  await client.update({ resourceType, searchParams: { identifier: "urn:kit|1" }, body: { ...body, gender: "other" }, options: ifMatch(3) })
).gender;
seen.vread = (await client.vread({ resourceType, id, version: "1" })).birthDate ?? null;
seen.history = (await client.history({ resourceType, id })).entry.length;

const batch = await client.transaction({
  body: {
    resourceType: "Bundle",
    type: "transaction",
    entry: [0, 1, 2, 3, 4].map((number) => ({
      resource: { resourceType: "Basic", code: { text: "Kit" }, identifier: [{ system: "urn:kit:pages", value: `${number}` }] },
      request: { method: "POST", url: "Basic" },
    })),
  },
});
seen.transaction = batch.entry.map((entry) => entry.response.status);

const found = [];
let bundle = await client.search({ resourceType: "Basic", searchParams: { identifier: "urn:kit:pages|", _count: 2 } });
while (bundle) {
  found.push(...bundle.entry.map((entry) => entry.resource.identifier[0].value));
  bundle = await client.nextPage({ bundle });
}
seen.pages = found.sort();
seen.posted = (
  await client.search({ resourceType: "Basic", searchParams: { identifier: "urn:kit:pages|3" }, options: { postSearch: true } })
).entry.length;
seen.compartment = (
  await client.search({ resourceType: "Observation", compartment: { resourceType, id: "demo-aslaug" }, searchParams: { _count: 3 } })
).entry.length;

await client.delete({ resourceType, id });
seen.deleted = await statusOf(client.read({ resourceType, id }));
seen.capabilities = (await client.capabilityStatement()).fhirVersion;
console.log(JSON.stringify(seen));
