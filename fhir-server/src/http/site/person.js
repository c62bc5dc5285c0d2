// Who is asking: people of the sandbox, and their tokens by SMART App Launch (RFC 6749, RFC 7636) from this server's own authority.
import { el } from "./plain.js";

const root = new URL("../", document.baseURI);
const tokens = new Map();
const coded = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// A space of the sandbox, where the page's address names one.
export const space = new URLSearchParams(location.search).get("space") ?? "";
const within = (path) => new URL(space ? `sandbox/${space}/${path}` : path, root).href;

let base;
// The FHIR base as the OpenAPI document names it, or that of the space.
export async function fhirBase() {
  base ??= fetch(new URL("openapi.json", root)).then((answer) => answer.json());
  const document = await base;
  const shared = new URL(document.servers[0].url, root).href;
  return { document, url: space ? within(shared.slice(root.href.length)) : shared };
}

export async function people() {
  const answer = await fetch(new URL("auth/people", root));
  return answer.ok ? answer.json() : [];
}

// An access token of that person: a code for the choice made here, then the code for a token.
async function token(who) {
  const kept = tokens.get(who.id);
  if (kept && kept.until > Date.now()) return kept.text;
  const { url } = await fhirBase();
  const verifier = coded(crypto.getRandomValues(new Uint8Array(32)));
  const challenge = coded(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const redirect_uri = new URL("/docs/", location.origin).href;
  const scope = who.type === "Practitioner" ? "user/*.cruds" : "patient/*.cruds";
  const asked = new URLSearchParams({ response_type: "code", client_id: "fhir-server-site", redirect_uri, scope, aud: url,
    state: coded(crypto.getRandomValues(new Uint8Array(16))), code_challenge: challenge, code_challenge_method: "S256", person: who.id });
  const back = new URL((await fetch(new URL(`auth/authorize?${asked}`, root))).url).searchParams;
  if (!back.get("code") || back.get("state") !== asked.get("state")) throw new Error(back.get("error_description") ?? "The authority gave no code.");
  const form = new URLSearchParams({ grant_type: "authorization_code", client_id: "fhir-server-site", redirect_uri, code: back.get("code"), code_verifier: verifier });
  const answer = await fetch(new URL("auth/token", root), { method: "POST", body: form });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error_description);
  tokens.set(who.id, { text: body.access_token, until: Date.now() + (body.expires_in - 30) * 1000 });
  return body.access_token;
}

// One request as that person, or as nobody in particular.
export async function ask(who, path, options = {}) {
  const { url } = await fhirBase();
  const headers = { Accept: "application/fhir+json", ...options.headers };
  if (who) headers.Authorization = `Bearer ${await token(who)}`;
  const answer = await fetch(url + path, { ...options, headers, cache: "no-store" });
  const text = await answer.text();
  let body;
  try { body = JSON.parse(text); } catch { body = undefined; }
  return { status: answer.status, headers: answer.headers, text, body, url: url + path, sent: headers };
}

// Whether the server is a sandbox, which can be put back to what it began with.
export const canReset = async () => (await fetch(new URL("sandbox/$reset", root), { method: "OPTIONS" })).ok;

async function change(url, method) {
  const answer = await fetch(url, { method });
  return { ok: answer.ok, body: await answer.json() };
}

// Puts the sandbox, or the space, back; what it did, or an OperationOutcome.
export const reset = () => change(space ? within("$reset") : new URL("sandbox/$reset", root), "POST");

// Opens a space, or finds that it is open.
export const openSpace = (name) => change(new URL(`sandbox/${encodeURIComponent(name)}`, root), "PUT");

// A field to choose a person with; tells `chosen` now and at each change.
export async function choose(place, chosen) {
  const all = await people();
  const groups = [["At work", "Practitioner"], ["Patients", "Patient"], ["Acting for a patient", "RelatedPerson"]];
  const field = el("select", { id: "person" }, el("option", { value: "" }, "No token (the sandbox's clinician)"),
    groups.map(([label, type]) => el("optgroup", { label }, all.filter((p) => p.type === type).map((p) =>
      el("option", { value: p.id }, `${p.name}${p.about ? ` — ${p.about}` : ""}`)))));
  place.replaceChildren(el("label", {}, "Who is asking?", field));
  const tell = () => chosen(all.find((p) => p.id === field.value));
  field.addEventListener("change", tell);
  const wanted = new URLSearchParams(location.search).get("as");
  if (wanted) field.value = all.find((p) => p.alias === wanted || p.id === wanted)?.id ?? "";
  tell();
}
