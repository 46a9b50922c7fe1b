// What a reader does on the HTML pages, and what the pages then show; asserted in test_page_browser.py.
import { readFileSync } from "node:fs";
import { barriers, contrasts } from "../support/readers.mjs";

const view = (pane) =>
  pane.locator("svg").evaluate((svg) => {
    const [x, y, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    return { x, y, width, height };
  });
const text = (page, selector) => page.locator(selector).innerText();
const SHOWN = (wanted) => {
  const name = [...document.querySelectorAll("#details dt")].find((term) => term.textContent === "Identifier");
  const found = (name?.nextElementSibling ?? document.querySelector("#details h2"))?.textContent;
  return wanted === undefined ? found : found === wanted;
};
/** The identifier of the block, or else the name of the flow, that the details are about. */
const shown = (page) => page.evaluate(SHOWN);
const block = (page, name) => page.locator(`.pane:not([hidden]) [data-block="${name}"]`);
const focused = (page) => page.evaluate(() => document.activeElement.dataset?.block ?? document.activeElement.tagName);
const lit = (page, scope = ".pane:not([hidden])") =>
  page.locator(`${scope} .branch.lit`).evaluateAll((all) => all.map((g) => `${g.dataset.from} ${g.dataset.branch}`));
const colours = (page) =>
  page.evaluate(() => {
    const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
    return [of("body", "backgroundColor"), of("body", "color"), of(".pane svg", "backgroundColor"), of(".block .card", "fill"), of(".block .headline", "fill")];
  });

async function flows(browser, file, pictures, axe) {
  const page = await browser.open(file);
  const pane = page.locator(".pane:not([hidden])");
  const found = { title: await page.title(), views: {} };
  const seen = async (name) => {
    found.views[name] = await view(pane);
  };

  await seen("first");
  await page.getByRole("button", { name: "Zoom in" }).click();
  await seen("larger");
  await page.getByRole("button", { name: "Zoom out" }).click();
  await seen("smaller");
  const box = await pane.boundingBox();
  await page.mouse.move(box.x + 40, box.y + 40);
  await page.mouse.wheel(0, -300);
  await page.waitForFunction((width) => Number(document.querySelector(".pane svg").getAttribute("viewBox").split(" ")[2]) < width, found.views.smaller.width - 1);
  await seen("wheel");
  await page.getByRole("button", { name: "Fit" }).click();
  await seen("fit");
  const greeting = await block(page, "Greeting").boundingBox();
  const grip = [greeting.x + greeting.width / 2, greeting.y + greeting.height / 2];
  await page.mouse.move(...grip);
  await page.mouse.down();
  await page.mouse.move(grip[0] + 60, grip[1] + 30, { steps: 3 });
  await page.mouse.up();
  await seen("dragged");
  found.draggedChose = await page.locator(".chosen").count();
  await pane.focus();
  await page.keyboard.press("ArrowRight");
  await seen("key");
  await page.keyboard.press("0");
  await seen("fitKey");

  found.overview = await text(page, "#details");
  found.badges = await page.locator(".pane:not([hidden]) .badge").allTextContents();
  await block(page, "Look up").click();
  found.clicked = await text(page, "#details");
  found.clickedLit = (await lit(page)).sort();
  found.clickedAddress = new URL(page.url()).hash;
  found.clickedLabel = await block(page, "Look up").getAttribute("aria-label");
  found.barriers = await barriers(page, axe);
  if (pictures) await page.screenshot({ path: `${pictures}/flows-light.png` });

  await block(page, "Greeting").focus();
  await page.keyboard.press("ArrowDown");
  found.below = await focused(page);
  await page.keyboard.press("Enter");
  found.entered = [await focused(page), await shown(page)];
  await page.keyboard.press("Escape");
  found.escaped = await focused(page);
  await page.keyboard.press("Home");
  found.home = await focused(page);
  await page.keyboard.press("/");
  found.slash = await page.evaluate(() => document.activeElement.id);

  const counted = () => text(page, "#count");
  await page.keyboard.type("goodbye");
  found.search = [[await counted(), await shown(page)]];
  for (const key of ["Enter", "Enter", "Shift+Enter"]) {
    await page.keyboard.press(key);
    found.search.push([await counted(), await shown(page)]);
  }
  found.results = await page.locator("#list li").allInnerTexts();
  if (pictures) await page.screenshot({ path: `${pictures}/flows-search.png` });
  await page.getByLabel("Search", { exact: true }).fill("LOOKUPARN");
  found.byParameter = await counted();
  await page.getByLabel("Search", { exact: true }).fill("no such thing");
  found.nothing = await counted();
  await page.keyboard.press("Escape");
  found.cleared = [await counted(), await page.locator(".block.match").count()];

  const told = (name) => page.waitForFunction(SHOWN, name);
  await page.getByRole("navigation").getByRole("link", { name: /Main menu/ }).click();
  await told("Main menu");
  await block(page, "Goodbye").click();
  await page.getByRole("link", { name: "Open Farewell" }).click();
  await told("Farewell");
  found.followed = [new URL(page.url()).hash, await shown(page), await block(page, "Return").isVisible()];
  await page.goBack();
  await told("Goodbye");
  found.back = [new URL(page.url()).hash, await shown(page)];
  await block(page, "Goodbye").dblclick();
  await told("Farewell");
  found.doubleClicked = await shown(page);
  found.nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, a, input, [tabindex]")]
      .filter((e) => e.checkVisibility() && !(e.ariaLabel || e.textContent.trim() || e.labels?.length))
      .map((e) => e.outerHTML),
  );
  found.light = await colours(page);
  found.contrastLight = await contrasts(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(page.url().split("#")[0] + "#main-menu/Look%20up");
  found.dark = await colours(page);
  found.contrastDark = await contrasts(page);
  await told("Look up");
  found.deepLink = await shown(page);
  if (pictures) await page.screenshot({ path: `${pictures}/flows-dark.png` });
  await page.setViewportSize({ width: 390, height: 800 });
  found.narrow = await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  if (pictures) await page.screenshot({ path: `${pictures}/flows-narrow.png`, fullPage: true });
  await page.context().close();
  return found;
}

async function hostile(browser, file) {
  const page = await browser.open(file);
  const found = {
    title: await page.title(),
    elements: await page.evaluate(() => [...new Set([...document.querySelectorAll("*")].map((e) => e.localName))]),
    values: [],
  };
  for (const button of await page.locator("#list button").all()) {
    await button.click();
    found.values.push(await page.locator("#details dd").allTextContents());
  }
  found.after = await page.evaluate(() => [...new Set([...document.querySelectorAll("*")].map((e) => e.localName))]);
  await page.context().close();
  return found;
}

async function changes(browser, file, pictures, axe) {
  const page = await browser.open(file);
  const [before, after] = [page.locator("#s0-pane"), page.locator("#s1-pane")];
  const marked = (pane) =>
    pane.evaluate((host) =>
      ["added", "removed", "changed"].flatMap((state) =>
        [...host.querySelectorAll(`.${state}`)].map((g) => `${state} ${g.dataset.block ?? `${g.dataset.from} ${g.dataset.branch}`}`),
      ),
    );
  const found = {
    before: await marked(before),
    after: await marked(after),
    list: await page.locator("#list").innerText(),
    views: [],
  };
  const seen = async () => found.views.push([await view(before), await view(after)]);
  if (pictures) await page.screenshot({ path: `${pictures}/diff-light.png` });
  await seen();
  await after.focus();
  await page.keyboard.press("ArrowDown");
  await seen();
  await page.locator("#list button").filter({ hasText: "Welcome back." }).click();
  found.jumped = await page.evaluate(() =>
    [...document.querySelectorAll(".pane")].map((pane) => {
      const [host, block] = [pane, pane.querySelector('[data-block="Greeting"]')].map((e) => e.getBoundingClientRect());
      return [block.x + block.width / 2 - host.x - host.width / 2, block.y + block.height / 2 - host.y - host.height / 2].map(Math.round);
    }),
  );
  found.details = await text(page, "#details");
  found.chosen = await page.locator(".chosen").evaluateAll((all) => all.map((g) => g.dataset.block));
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Fit" }).click();
  await page.locator("#s0-pane [data-block='Look up']").click();
  found.removed = await text(page, "#details");
  found.barriers = await barriers(page, axe);
  await page.keyboard.press("Enter");
  found.entered = await focused(page);
  await page.emulateMedia({ colorScheme: "dark" });
  found.contrastDark = await contrasts(page);
  if (pictures) await page.screenshot({ path: `${pictures}/diff-dark.png` });
  await page.context().close();
  return found;
}

/** What the page's policy stops: of each attempt the directive that did. */
async function attempts(browser, file) {
  const page = await browser.open(file, { collect: false });
  return page.evaluate(async () => {
    const stopped = [];
    const all = new Promise((done) => {
      setTimeout(done, 10_000);
      document.addEventListener("securitypolicyviolation", (event) => {
        if (stopped.push(event.effectiveDirective) === 8) done();
      });
    });
    const added = (tag, attributes) => document.body.append(Object.assign(document.createElement(tag), attributes));
    added("img", { src: "https://example.com/x.png" });
    added("script", { src: "https://example.com/x.js" });
    added("script", { textContent: "window.ran = true" });
    added("style", { textContent: "body { color: red }" });
    const framed = new Promise((done) => added("iframe", { src: "https://example.com/", onload: done }));
    document.body.insertAdjacentHTML("beforeend", "<b id='clicked' onclick='window.ran = true'></b>");
    document.getElementById("clicked").click();
    const answer = await fetch("https://example.com/").catch((problem) => problem.name);
    navigator.sendBeacon("https://example.com/", "x");
    await framed;
    await all; // they are told some time after the attempt
    return { stopped: stopped.sort(), answer, ran: window.ran === true };
  });
}

async function unscripted(browser, file) {
  const page = await browser.open(file, { script: false });
  return { text: await text(page, "noscript"), seen: await block(page, "Greeting").isVisible() };
}

export default async function observe(browser, { files, pictures, axe }) {
  const source = axe === null ? null : readFileSync(axe, "utf8");
  return {
    flows: await flows(browser, files.flows, pictures, source),
    hostile: await hostile(browser, files.hostile),
    changes: await changes(browser, files.changes, pictures, source),
    attempts: await attempts(browser, files.flows),
    unscripted: await unscripted(browser, files.flows),
  };
}
