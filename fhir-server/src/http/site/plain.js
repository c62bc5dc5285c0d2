// Elements without a framework, and FHIR's data types in words.

// An element with attributes and children; text stays text, so nothing of a record is ever read as markup.
export function el(name, attributes = {}, ...children) {
  const svg = ["svg", "polyline", "circle", "text", "title"].includes(name);
  const one = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) one.setAttribute(key, value === true ? "" : value);
  }
  one.append(...children.flat(3).filter((child) => child !== undefined && child !== null && child !== ""));
  return one;
}

export const words = (concept) => concept?.text ?? concept?.coding?.find((c) => c.display)?.display ?? concept?.coding?.[0]?.code ?? "";

export function person(name) {
  const one = name?.find((n) => n.use === "official") ?? name?.[0];
  return one?.text ?? [...(one?.given ?? []), one?.family].filter(Boolean).join(" ");
}

export const day = (date) => (date ?? "").slice(0, 10);

// The value of a part of Parameters, of a Reference or a Coding what it points to; undefined where it has none.
export function valueOf(part) {
  const value = Object.entries(part).find(([key]) => key.startsWith("value"))?.[1];
  return value?.reference ?? value?.code ?? value;
}

// What an OperationOutcome says.
export const told = (body) => body?.issue?.map((i) => i.details?.text ?? i.diagnostics ?? i.code).join(" ") ?? "";
