// Every page: search inside the site.
import { el } from "./plain.js";

const field = document.getElementById("find");
const found = document.getElementById("found");
let index;

async function search() {
  const sought = field.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  found.hidden = sought.length === 0;
  if (found.hidden) return;
  index ??= fetch("search.json").then((answer) => answer.json());
  const score = (part) => {
    const heading = `${part.title} ${part.heading}`.toLowerCase();
    const text = part.text.toLowerCase();
    if (!sought.every((word) => heading.includes(word) || text.includes(word))) return 0;
    return 1 + sought.filter((word) => heading.includes(word)).length;
  };
  const hits = (await index).map((part) => [score(part), part]).filter(([n]) => n > 0).sort(([a], [b]) => b - a).slice(0, 12);
  const links = hits.map(([, part]) => el("li", {},
    el("a", { href: `${part.page || "./"}${part.anchor ? `#${part.anchor}` : ""}` }, part.heading || part.title),
    el("div", { class: "soft" }, `${part.title}: ${part.text.slice(0, 140)}`)));
  found.replaceChildren(el("h2", {}, hits.length ? `Found in ${hits.length} places` : "Nothing found"), el("ul", {}, links));
}

field.addEventListener("input", search);
