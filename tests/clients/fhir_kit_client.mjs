// fhir-kit-client (https://github.com/Vermonster/fhir-kit-client) as its users use it: create, read, vread, update, patch, search with
// paging, compartment search, history, batch, transaction, delete.

import assert from "node:assert/strict";
import { Client } from "fhir-kit-client";

const [baseUrl] = process.argv.slice(2);
const client = new Client({ baseUrl });
const family = "Kitchener";

async function writeAndRead() {
  const made = await client.create({
    resourceType: "Patient",
    body: { resourceType: "Patient", name: [{ family, given: ["Number0"] }], birthDate: "1950-01-01" },
  });
  const read = await client.read({ resourceType: "Patient", id: made.id });
  assert.equal(read.name[0].family, family);
  const updated = await client.update({ resourceType: "Patient", id: made.id, body: { ...read, gender: "other" } });
  assert.equal(updated.meta.versionId, "2");
  const first = await client.vread({ resourceType: "Patient", id: made.id, version: "1" });
  assert.equal(first.gender, undefined);
  const patched = await client.patch({
    resourceType: "Patient",
    id: made.id,
    jsonPatch: [{ op: "replace", path: "/gender", value: "unknown" }],
  });
  assert.equal(patched.gender, "unknown");
  const history = await client.history({ resourceType: "Patient", id: made.id });
  assert.equal(history.entry.length, 3);
  return made.id;
}

async function transaction() {
  const entry = (n) => ({
    fullUrl: `urn:uuid:00000000-0000-4000-8000-00000000000${n}`,
    resource: { resourceType: "Patient", name: [{ family, given: [`Number${n}`] }], birthDate: `195${n}-01-01` },
    request: { method: "POST", url: "Patient" },
  });
  const visit = {
    resource: {
      resourceType: "Encounter",
      status: "planned",
      class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "AMB" },
      subject: { reference: entry(1).fullUrl },
    },
    request: { method: "POST", url: "Encounter" },
  };
  const answer = await client.transaction({
    body: { resourceType: "Bundle", type: "transaction", entry: [1, 2, 3, 4, 5].map(entry).concat(visit) },
  });
  assert.deepEqual(answer.entry.map((e) => e.response.status.slice(0, 3)), Array(6).fill("201"));
  return answer.entry[0].response.location.split("/").at(answer.entry[0].response.location.includes("_history") ? -3 : -1);
}

async function search(subject) {
  let page = await client.search({ resourceType: "Patient", searchParams: { family, _count: 2, _sort: "birthdate" } });
  assert.equal(page.total, 6);
  const dates = [];
  for (let pages = 0; page && pages < 10; pages += 1) {
    dates.push(...page.entry.map((e) => e.resource.birthDate));
    page = await client.nextPage({ bundle: page });
  }
  assert.deepEqual(dates, ["1950-01-01", "1951-01-01", "1952-01-01", "1953-01-01", "1954-01-01", "1955-01-01"]);
  const posted = await client.search({
    resourceType: "Patient",
    searchParams: { family, birthdate: "gt1953-06-01" },
    options: { postSearch: true },
  });
  assert.equal(posted.total, 2);
  const visits = await client.compartmentSearch({
    resourceType: "Encounter",
    compartment: { resourceType: "Patient", id: subject },
  });
  assert.equal(visits.total, 1);
}

async function batchAndDelete(id) {
  const answer = await client.batch({
    body: {
      resourceType: "Bundle",
      type: "batch",
      entry: [
        { request: { method: "DELETE", url: `Patient/${id}` } },
        { request: { method: "GET", url: `Patient/${id}` } },
      ],
    },
  });
  assert.equal(answer.entry[0].response.status.slice(0, 1), "2");
  await assert.rejects(client.read({ resourceType: "Patient", id }), (error) => {
    assert.equal(error.response.status, 410);
    assert.equal(error.response.data.resourceType, "OperationOutcome");
    return true;
  });
}

const first = await writeAndRead();
await search(await transaction());
await batchAndDelete(first);
console.log("fhir-kit-client: all well");
