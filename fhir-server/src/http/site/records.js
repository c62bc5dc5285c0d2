// The record browser: what the chosen person may see of each record, by the public API alone.
import { day, el, person as named, told, valueOf, words } from "./plain.js";
import { ask, canReset, choose, openSpace, reset, space } from "./person.js";

const results = document.getElementById("patients");
const record = document.getElementById("record");
const note = document.getElementById("seen");
let who;
let open;
let turn = 0;

const entries = (answer) => (answer.body?.entry ?? []).filter((e) => e.search?.mode !== "outcome").map((e) => e.resource);
const refusal = (answer) => el("p", { class: "refused" }, `Refused (${answer.status}): ${told(answer.body)}`);
const card = (title, ...content) => el("section", { class: "card" }, el("h3", {}, title), content);
const items = (all, text) => el("ul", {}, all.map((one) => el("li", {}, text(one))));

async function patients() {
  const mine = ++turn;
  const sought = document.getElementById("name").value.trim();
  results.replaceChildren(el("p", {}, "Loading…"));
  const answer = await ask(who, `/Patient?_count=50&_sort=family${sought ? `&name=${encodeURIComponent(sought)}` : ""}`);
  if (mine !== turn) return;
  if (answer.status !== 200) return results.replaceChildren(refusal(answer));
  const all = entries(answer);
  const count = `${all.length} ${all.length === 1 ? "patient" : "patients"}`;
  note.textContent = who ? `${who.name} is shown ${count}. All other records are withheld: to this person they do not exist.` : `Without a token you are the sandbox's clinician, who looks after every patient as far as their consents let her, and shown ${count}. Choose a person to see more of the rules at work.`;
  results.replaceChildren(...all.map((p) => el("button", { type: "button", class: "plain", "aria-pressed": String(p.id === open), onclick: () => { open = p.id; show(); patients(); } },
    named(p.name) || p.id, el("br"), el("span", {}, `born ${p.birthDate ?? "not known"}`))));
  if (all.length === 0) results.replaceChildren(el("p", {}, "Nobody."));
}

async function part(title, path, draw) {
  const answer = await ask(who, path);
  if (answer.status !== 200) return card(title, refusal(answer));
  const all = entries(answer);
  return card(`${title} (${all.length})`, all.length ? draw(all) : el("p", { class: "soft" }, "Nothing is shown to this person."));
}

// Numbers over time, one plot for each code that has three or more.
function plots(all) {
  const groups = [...Map.groupBy(all.filter((o) => o.valueQuantity?.value !== undefined && o.effectiveDateTime), (o) => words(o.code))];
  const drawn = groups.filter(([, list]) => list.length > 2).map(([name, list]) => plot(name, list));
  const rest = all.filter((o) => !groups.some(([, list]) => list.length > 2 && list.includes(o))).slice(0, 12);
  return [...drawn, items(rest, (o) => `${day(o.effectiveDateTime)} ${words(o.code)}: ${o.valueQuantity ? `${o.valueQuantity.value} ${o.valueQuantity.unit ?? ""}` : words(o.valueCodeableConcept) || o.valueString || "in parts"}`)];
}

function plot(name, list) {
  const points = list.map((o) => [Date.parse(o.effectiveDateTime), o.valueQuantity.value]).sort(([a], [b]) => a - b);
  const scale = (values, from, to) => { const [low, high] = [Math.min(...values), Math.max(...values)]; return (v) => (high === low ? (from + to) / 2 : from + ((v - low) / (high - low)) * (to - from)); };
  const x = scale(points.map(([t]) => t), 40, 390);
  const y = scale(points.map(([, v]) => v), 95, 20);
  const unit = list[0].valueQuantity.unit ?? "";
  const said = `${name}: from ${points[0][1]} to ${points.at(-1)[1]} ${unit}, ${points.length} values`;
  return el("figure", {}, el("figcaption", {}, said), el("svg", { viewBox: "0 0 420 125", role: "img", "aria-label": said },
    el("polyline", { points: points.map(([t, v]) => `${x(t)},${y(v)}`).join(" ") }),
    points.map(([t, v]) => el("circle", { cx: x(t), cy: y(v), r: 3.5 }, el("title", {}, `${new Date(t).toISOString().slice(0, 10)}: ${v} ${unit}`))),
    el("text", { x: 4, y: 24 }, String(Math.max(...points.map(([, v]) => v)))), el("text", { x: 4, y: 98 }, String(Math.min(...points.map(([, v]) => v)))),
    el("text", { x: 40, y: 118 }, new Date(points[0][0]).toISOString().slice(0, 10)), el("text", { x: 330, y: 118 }, new Date(points.at(-1)[0]).toISOString().slice(0, 10))));
}

function provision(p, rule, deep = 0) {
  if (!p && !rule) return "";
  p ??= {};
  // The root decides by its type, or else by the policy rule.
  const type = p.type ?? { OPTIN: "permit", OPTOUT: "deny" }[rule];
  const about = [p.actor?.length && `to or by ${p.actor.map((a) => a.reference?.display ?? a.reference?.reference).join(", ")}`,
    p.purpose?.length && `for ${p.purpose.map((c) => c.display ?? c.code).join(", ")}`, p.class?.length && `about ${p.class.map((c) => c.display ?? c.code).join(", ")}`,
    p.securityLabel?.length && `what is labelled ${p.securityLabel.map((c) => c.display ?? c.code).join(", ")}`, p.code?.length && `about ${p.code.map(words).join(", ")}`,
    p.data?.length && `about ${p.data.map((d) => d.reference.display ?? d.reference.reference).join(", ")}`].filter(Boolean).join(", ");
  const verb = type ? el("b", { class: type === "permit" ? "yes" : "no" }, type === "permit" ? "Allowed" : "Not allowed") : deep ? "" : "It does not say";
  const line = [verb, ` ${about || "for the whole record"}`];
  return [el("p", {}, deep ? "Except: " : "", line), p.provision?.length ? el("ul", {}, p.provision.map((one) => el("li", {}, provision(one, undefined, deep + 1)))) : ""].flat();
}

// Every Consent in plain English, and what $check answers for the whole record.
async function consents(id) {
  const all = await part("Consents", `/Consent?patient=${id}`, (list) => list.map((c) => el("div", {}, el("p", {}, el("b", {}, `${words(c.category?.[0]) || "Consent"}, ${c.status}`), c.dateTime ? `, given ${day(c.dateTime)}` : ""), provision(c.provision, c.policyRule?.coding?.[0]?.code))));
  const actor = document.getElementById("actor").value;
  if (!actor) return all;
  const answer = await ask(who, `/Consent/$check?patient=Patient/${id}&actor=${actor}&resource=Patient/${id}`);
  const shown = answer.status === 200
    ? el("dl", {}, (answer.body.parameter ?? []).filter((p) => valueOf(p) !== undefined).map((p) => [el("dt", {}, p.name), el("dd", {}, String(valueOf(p)))]))
    : refusal(answer);
  all.append(el("h4", {}, "May this colleague see the record?"), shown);
  return all;
}

async function show() {
  const id = open;
  const asked = who;
  if (!id) return;
  record.replaceChildren(el("p", {}, "Loading…"));
  const answer = await ask(who, `/Patient/${id}`);
  const p = answer.body;
  const of = `patient=${id}`;
  const trail = () => part("Who has seen this record", `/AuditEvent?${of}&_sort=-date&_count=20`, (all) => items([...Map.groupBy(all, seenBy)], ([line, times]) => (times.length > 1 ? `${line} (${times.length} times)` : line)));
  if (answer.status !== 200) {
    // Whoever guards confidentiality sees no record, and may ask who does.
    const about = who?.alias === "privacy-officer" ? await Promise.all([consents(id), trail()]) : [];
    if (open === id && who === asked) record.replaceChildren(el("h2", { id: "whose" }, id), refusal(answer), el("div", { class: "grid" }, about));
    return;
  }
  const cards = await Promise.all([
    part("Encounters", `/Encounter?${of}&_sort=-date&_count=50`, (all) => items(all, (e) => `${day(e.period?.start)} ${words(e.type?.[0]) || e.class?.display || e.class?.code} (${e.status})`)),
    part("Conditions", `/Condition?${of}&_count=50`, (all) => items(all, (c) => `${words(c.code)}${c.onsetDateTime ? `, since ${day(c.onsetDateTime)}` : ""}`)),
    part("Prescriptions", `/MedicationRequest?${of}&_count=50`, (all) => items(all, (m) => `${words(m.medicationCodeableConcept) || m.medicationReference?.display || "a medicine"} (${m.status})${m.dosageInstruction?.[0]?.text ? `: ${m.dosageInstruction[0].text}` : ""}`)),
    part("Observations", `/Observation?${of}&_sort=-date&_count=100`, plots),
    consents(id),
    trail(),
  ]);
  if (open !== id || who !== asked) return;
  const nhs = p.identifier?.find((i) => i.system?.endsWith("nhs-number"))?.value;
  record.replaceChildren(el("h2", { id: "whose" }, named(p.name) || id), el("p", {}, `Born ${p.birthDate ?? "not known"}, ${p.gender ?? "gender not recorded"}${nhs ? `, NHS number ${nhs}` : ""}${p.deceasedDateTime ? `, died ${day(p.deceasedDateTime)}` : ""}`),
    el("div", { class: "grid" }, cards));
}

// When, who and how, as one line.
function seenBy(event) {
  const agent = event.agent?.find((one) => one.requestor)?.who;
  const name = agent?.display ?? agent?.reference ?? agent?.identifier?.value ?? "somebody";
  return `${(event.recorded ?? "").slice(0, 16).replace("T", " ")}: ${name.split("|").at(-1)}, ${words({ coding: event.subtype }) || event.action}`;
}

// For everybody who uses the sandbox: so it is asked for twice.
async function putBack() {
  const [button, done] = ["reset", "done"].map((id) => document.getElementById(id));
  if (!confirm(`Put ${space ? `the space ${space}` : "the sandbox"} back to its first records? All that was written to it since is gone, for everybody who uses it.`)) return;
  button.disabled = true;
  done.textContent = "Putting it back…";
  try {
    const { ok, body } = await reset();
    done.textContent = ok ? `Put back in ${(body.milliseconds / 1000).toFixed(1)} s: ${body.removed} records removed, ${body.seeded} written. The audit trail is kept.` : `Refused: ${told(body)}`;
    await Promise.all([patients(), show()]);
  } finally {
    button.disabled = false;
  }
}

const failed = (error) => record.replaceChildren(el("p", { class: "refused" }, error.message));
document.getElementById("name").addEventListener("input", () => patients().catch(failed));
document.getElementById("actor").addEventListener("change", () => show().catch(failed));
document.getElementById("reset").addEventListener("click", () => putBack().catch(failed));
document.getElementById("space").value = space;
// A space is part of the page's address: it is opened, then the page is loaded there.
document.getElementById("back").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = document.getElementById("space").value;
  const go = async () => {
    const { ok, body } = name ? await openSpace(name) : { ok: true };
    if (ok) location.search = name ? new URLSearchParams({ space: name }) : "";
    else document.getElementById("done").textContent = `Refused: ${told(body)}`;
  };
  go().catch(failed);
});
canReset().then((can) => { document.getElementById("back").hidden = !can; }).catch(failed);
await choose(document.getElementById("who"), (person) => {
  who = person;
  open = person?.patient ?? open ?? "pat-amira-khan";
  patients().catch(failed);
  show().catch(failed);
});
