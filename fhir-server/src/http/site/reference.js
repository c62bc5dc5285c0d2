// The API's reference: every operation of the OpenAPI document, with a form that tries it.
import { el } from "./plain.js";
import { ask, choose, fhirBase } from "./person.js";

const root = new URL("../", document.baseURI);
const { document: server } = await fhirBase();
let api = server;
let operations;
const list = document.getElementById("operations");
const panel = document.getElementById("operation");
let who;

const at = (thing) => (thing?.$ref ? thing.$ref.slice(2).split("/").reduce((o, key) => o[key], api) : thing);
const prose = (text) => (text ?? "").split(/(`[^`]+`)/).map((part) => (part.startsWith("`") && part.length > 1 ? el("code", {}, part.slice(1, -1)) : part));

const operationsOf = (api) => Object.entries(api.paths).filter(([, item]) => !item.servers).flatMap(([path, item]) =>
  Object.entries(item).filter(([, o]) => o.operationId).map(([method, o]) => ({ method: method.toUpperCase(), path, ...o })));

// The types first, what is about all of them after.
const rank = (name) => (["System", "Server"].includes(name) ? 1 : 0);

function menu() {
  const groups = Map.groupBy(operations, (o) => o.tags?.[0] ?? "Server");
  list.replaceChildren(types, ...[...groups].sort(([a], [b]) => rank(a) - rank(b)).map(([name, all], n) => el("details", { open: n === 0 }, el("summary", {}, `${name} (${all.length})`),
    el("div", { class: "list" }, all.map((o) => el("button", { type: "button", class: "plain", id: `to-${o.operationId}`, onclick: () => show(o) },
      el("span", { class: "verb" }, o.method), o.summary))))));
}

function parameters(operation) {
  return (operation.parameters ?? []).map(at).map((p, n) => {
    const start = p.required || p.in === "path" ? p.example ?? "" : "";
    const id = `p-${n}`;
    const field = el("input", { id, value: start, placeholder: p.example && !start ? `for example ${p.example}` : "" });
    return { p, field, row: el("div", { class: "field" }, el("label", { for: id }, el("b", {}, p.name), ` (${p.in}${p.required ? ", required" : ""})`), field, el("small", {}, prose(p.description))) };
  });
}

function body(operation) {
  const content = at(operation.requestBody)?.content;
  if (!content) return undefined;
  const [type, media] = Object.entries(content)[0];
  const example = at(Object.values(media.examples ?? {})[0])?.value ?? "";
  const field = el("textarea", { id: "body", spellcheck: "false" });
  field.value = typeof example === "string" ? example : JSON.stringify(example, null, 2);
  return { type, field, row: el("div", { class: "field" }, el("label", { for: "body" }, el("b", {}, "Body"), ` (${type})`), field) };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(method, url, headers, data) {
  const shown = Object.entries(headers).map(([k, v]) => `-H ${quoted(k === "Authorization" ? "Authorization: Bearer TOKEN" : `${k}: ${v}`)}`);
  return ["curl -i", method === "GET" ? "" : `-X ${method}`, ...shown, data ? `-d ${quoted(data)}` : "", quoted(url)].filter(Boolean).join(" \\\n  ");
}

async function send(operation, fields, form, out) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const { p, field } of fields) {
    if (p.in === "path") path = path.replace(`{${p.name}}`, encodeURIComponent(field.value));
    else if (field.value !== "" && p.in === "query") query.append(p.name, field.value);
    else if (field.value !== "" && p.in === "header") headers[p.name] = field.value;
  }
  if (form) headers["Content-Type"] = form.type;
  const options = { method: operation.method, headers, body: form?.field.value };
  out.replaceChildren(el("p", {}, "Sent…"));
  try {
    const answer = await ask(who, path + (query.size ? `?${query}` : ""), options);
    const shown = answer.body ? JSON.stringify(answer.body, null, 2) : answer.text;
    out.replaceChildren(el("h3", {}, "The request"), el("pre", { tabindex: "0" }, curl(operation.method, answer.url, answer.sent, options.body)),
      el("h3", {}, "The answer"), el("p", { id: "status", class: answer.status < 400 ? "yes" : "no" }, `Status ${answer.status}`),
      el("pre", { tabindex: "0", "aria-label": "Headers" }, [...answer.headers].map(([k, v]) => `${k}: ${v}`).join("\n")),
      el("pre", { tabindex: "0", id: "answer", "aria-label": "Body" }, shown.length > 200000 ? `${shown.slice(0, 200000)}\n… cut here` : shown || "(no body)"));
  } catch (error) {
    out.replaceChildren(el("p", { class: "refused" }, error.message));
  }
}

// The heading of the page of scenarios that an operation has.
const scenariosOf = (operation) => `${operation.tags[0]}-${operation.operationId.slice(0, -operation.tags[0].length)}`.toLowerCase();

function show(operation) {
  const fields = parameters(operation);
  const form = body(operation);
  const out = el("div", { "aria-live": "polite" });
  const optional = fields.filter(({ p }) => !p.required && p.in !== "path");
  const needed = fields.filter((f) => !optional.includes(f));
  const answers = Object.entries(operation.responses).map(([status, r]) => el("tr", {}, el("td", {}, el("code", {}, status)), el("td", {}, prose(at(r).description))));
  panel.replaceChildren(...[el("h2", { tabindex: "-1" }, operation.summary), el("p", {}, el("code", {}, `${operation.method} ${operation.path}`)), el("p", {}, prose(operation.description.split("\n\n**Scenarios**")[0])),
    needed.map((f) => f.row), optional.length ? el("details", {}, el("summary", {}, `${optional.length} more parameters`), optional.map((f) => f.row)) : "",
    form?.row ?? "", el("button", { type: "button", id: "try", onclick: () => send(operation, fields, form, out) }, "Try it"), out,
    operation["x-scenarios"] ? el("p", {}, el("a", { href: `scenarios#${scenariosOf(operation)}` }, "Scenarios to try, and what each is answered")) : "",
    el("details", {}, el("summary", {}, "All answers"), el("table", {}, el("tbody", {}, answers)))].flat().filter((child) => child !== ""));
  panel.querySelector("h2").focus();
  history.replaceState(null, "", `#${operation.operationId}`);
}

// What is first class is told in the server's own document; each other type has one by itself.
const capabilities = await ask(undefined, "/metadata");
const others = (capabilities.body?.rest?.[0].resource ?? []).map((r) => r.type).filter((name) => !server.paths[`/${name}`]);
const chosenType = el("select", { id: "type", onchange: () => about(chosenType.value) }, el("option", { value: "" }, "First class, and the server"),
  others.map((name) => el("option", { value: name }, name)));
const types = el("label", {}, "Types", chosenType);

async function about(name) {
  api = name ? await (await fetch(new URL(`openapi/${name}.json`, root))).json() : server;
  operations = operationsOf(api);
  menu();
}

const typeWanted = new URLSearchParams(location.search).get("type") ?? "";
if (others.includes(typeWanted)) chosenType.value = typeWanted;
await about(chosenType.value);
await choose(document.getElementById("who"), (person) => { who = person; });
const wanted = operations.find((o) => `#${o.operationId}` === location.hash) ?? operations.find((o) => o.operationId === `read${chosenType.value || "Patient"}`);
if (wanted) show(wanted);
