// Drives the docs site and the record browser: node site.mjs ORIGIN [FOLDER for screenshots].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [origin, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pages = ["", "tutorial", "reference", "scenarios", "records", "errors", "tokens", "consent", "audit", "validation", "operations", "configuration", "status"];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const problems = [];

async function open(options) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) problems.push(`a request left the host: ${request.url()}`);
  });
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // What is refused on purpose is told on the console as well.
    if (message.type() === "error" && !message.text().includes("Failed to load resource")) problems.push(`${page.url()}: ${message.text()}`);
  });
  return page;
}

async function visit(page, path) {
  await page.goto(`${origin}/docs/${path}`);
  await page.waitForLoadState("networkidle");
}

async function accessible(page, where) {
  // By the debugger, which the page's Content-Security-Policy does not bind.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  for (const found of violations) problems.push(`${where}: ${found.id}: ${found.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

for (const colorScheme of ["light", "dark"]) {
  for (const [width, height] of [[1280, 900], [390, 844]]) {
    const page = await open({ colorScheme, viewport: { width, height } });
    for (const path of pages) {
      await visit(page, path);
      await accessible(page, `/docs/${path} ${colorScheme} ${width}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) problems.push(`/docs/${path} is ${wide} pixels too wide at ${width}`);
      if (folder && ["", "reference", "records", "errors"].includes(path)) await page.screenshot({ path: `${folder}/${path || "home"}-${colorScheme}-${width}.png` });
    }
    await page.context().close();
  }
}

const page = await open({ viewport: { width: 1280, height: 900 } });

// From the address alone to the site.
await page.goto(origin);
assert.equal(new URL(page.url()).pathname, "/docs/");

// Try reads a patient, as a clinician.
await visit(page, "reference?as=dr-a#readPatient");
await page.click("#try");
await page.waitForSelector("#status");
assert.equal(await page.textContent("#status"), "Status 200");
assert.equal(JSON.parse(await page.textContent("#answer")).id, "pat-amira-khan");

// So it does a resource of another type, chosen among all.
await page.selectOption("#type", "Observation");
await page.click("#operations button:has-text('Read an Observation')");
await page.click("#try");
await page.waitForFunction(() => document.querySelector("#status")?.textContent === "Status 200");
assert.equal(JSON.parse(await page.textContent("#answer")).resourceType, "Observation");

// Another person sees other patients: a patient sees herself alone.
const seen = async (as) => {
  await visit(page, `records?as=${as}`);
  await page.waitForSelector("#patients button");
  return page.$$eval("#patients button", (all) => all.length);
};
const all = await seen("");
const hers = await seen("patient-1");
assert.ok(all > 10, `the sandbox's clinician sees ${all}`);
assert.equal(hers, 1);
assert.match(await page.textContent("#whose"), /Khan/);
await page.selectOption("#person", "pat-david-okafor");
await page.waitForFunction(() => document.querySelector("#whose")?.textContent.includes("Okafor"));
assert.equal(await page.$$eval("#patients button", (buttons) => buttons.length), 1);

// What was written is gone after a reset, for which one is asked twice, and the records are there as in the beginning.
const fhir = (path, options = {}) => fetch(`${origin}/fhir/${path}`, { ...options, headers: { "Content-Type": "application/fhir+json", ...options.headers } });
await fhir("Patient/mine", { method: "PUT", body: JSON.stringify({ resourceType: "Patient", id: "mine", name: [{ family: "Aaronson" }] }) });
await fhir("Patient/pat-li-wei-chen", { method: "DELETE" });
await visit(page, "records");
await page.waitForSelector("#patients button:has-text('Aaronson')");
await page.waitForSelector("#reset:visible");
page.once("dialog", (dialog) => dialog.dismiss());
await page.click("#reset");
assert.equal((await fhir("Patient/mine")).status, 200, "nothing happens before the second yes");
page.once("dialog", (dialog) => dialog.accept());
await page.click("#reset");
await page.waitForFunction(() => document.querySelector("#done").textContent.startsWith("Put back in "));
await page.waitForFunction(() => document.querySelector("#patients button") && !document.querySelector("#patients").textContent.includes("Aaronson"));
assert.equal((await page.$$("#patients button")).length, all);
assert.equal((await fhir("Patient/mine")).status, 404);
assert.equal((await fhir("Patient/pat-li-wei-chen")).status, 200);
await accessible(page, "/docs/records after a reset");
if (folder) await page.screenshot({ path: `${folder}/reset.png` });

// In a space of one's own nothing of it is changed for others.
await page.fill("#space", "ada");
await page.click("#back button[type=submit]");
await page.waitForURL(/space=ada/);
await page.waitForSelector("#patients button");
await fetch(`${origin}/sandbox/ada/fhir/Patient/mine`, { method: "PUT", headers: { "Content-Type": "application/fhir+json" },
  body: JSON.stringify({ resourceType: "Patient", id: "mine", name: [{ family: "Aaronson" }] }) });
await visit(page, "records?space=ada");
await page.waitForSelector("#patients button:has-text('Aaronson')");
assert.equal((await fhir("Patient/mine")).status, 404);
// Tokens are for the space that they were asked for.
await page.selectOption("#person", "pat-david-okafor");
await page.waitForFunction(() => document.querySelector("#whose")?.textContent.includes("Okafor"));
page.once("dialog", (dialog) => dialog.accept());
await page.click("#reset");
await page.waitForFunction(() => document.querySelector("#done").textContent.startsWith("Put back in "));
assert.equal((await fetch(`${origin}/sandbox/ada/fhir/Patient/mine`)).status, 404);
await accessible(page, "/docs/records in a space");

// The researcher is shown whom a Consent lets research see, and not who opted out; the privacy officer no record, but who sees it.
const shown = async (as) => {
  await visit(page, `records?as=${as}`);
  await page.waitForFunction(() => document.querySelector("#patients button") || document.querySelector("#patients").textContent === "Nobody.");
  return page.textContent("#patients");
};
const studied = await shown("researcher");
assert.match(studied, /Khan/);
assert.doesNotMatch(studied, /Campbell|Nair/);
assert.doesNotMatch(await shown("privacy-officer"), /Campbell|Chen|Nair/);
await page.selectOption("#actor", { label: "Imogen Hartley, for research" });
await page.waitForFunction(() => /The data is (not )?shown/.test(document.querySelector("#record").textContent));
assert.match(await page.textContent("#record"), /Who has seen this record \([1-9]/);
await accessible(page, "/docs/records as the privacy officer");

// Search finds a guide, by keyboard.
await page.focus("#find");
await page.keyboard.type("back up");
await page.waitForSelector("#found a");
assert.ok((await page.$$eval("#found a", (links) => links.map((a) => a.getAttribute("href")))).some((href) => href.startsWith("operations")));

await browser.close();
assert.deepEqual(problems, []);
console.log("the site was driven");
