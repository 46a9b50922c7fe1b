// What somebody does on the page of a run, and what it then shows; asserted in test_viewer_browser.py.
import { readFileSync } from "node:fs";
import { barriers, contrasts } from "../../support/readers.mjs";

const texts = (page, selector) => page.locator(selector).allInnerTexts();
const shown = ".pane:not([hidden])";
const marked = (page, state) => page.locator(`${shown} .block.${state}`).evaluateAll((all) => all.map((g) => g.dataset.block));
const ways = (page) =>
  page.locator(`${shown} .branch:is(.passed, .finding)`).evaluateAll((all) => all.map((g) => `${g.dataset.from} ${g.dataset.branch}`));
const place = async (page) => Number(await page.locator("#slider").inputValue());
const ready = (page) => page.waitForSelector("body[data-ready]");
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
const slide = (page, to) =>
  page.locator("#slider").evaluate((slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }, to);

async function report(browser, file, pictures, axe) {
  const page = await browser.open(file, { width: 1280, height: 800 });
  const found = {};
  await ready(page);
  found.title = await page.title();
  found.groups = await texts(page, "#subjects h2");
  found.current = await page.locator(".subject[aria-current]").innerText();
  found.failure = await page.locator("#outcome").innerText();
  found.opened = { lit: await marked(page, "lit"), wrong: await marked(page, "finding"), call: await page.locator(".call").innerText() };
  found.refused = await texts(page, ".call .decisions .refused");
  if (pictures) await page.screenshot({ path: `${pictures}/report.png` });

  await page.getByRole("button", { name: "Step", exact: true }).click();
  found.stepped = { lit: await marked(page, "lit"), ways: await ways(page) };
  await page.getByRole("button", { name: "Step back" }).click();
  found.back = await marked(page, "lit");
  await page.keyboard.press("End");
  found.end = { lit: await marked(page, "lit"), passed: await marked(page, "passed"), words: await texts(page, "#entries .says .text") };
  await page.getByRole("button", { name: "Next problem" }).click();
  found.problem = await place(page);

  await page.getByRole("button", { name: /voice\/member-reaches-agent/ }).click();
  await page.getByRole("tab", { name: /Attributes/ }).click();
  const changes = await page.evaluate(() => view.subject.events.findIndex((event) => event.event === "attributes"));
  await slide(page, changes);
  found.changed = await texts(page, "#panel-attributes .changed");
  await slide(page, changes + 1);
  found.unchanged = [await texts(page, "#panel-attributes .changed"), await texts(page, "#panel-attributes tr")];
  await page.getByRole("tab", { name: /Items/ }).click();
  found.items = await page.locator("#panel-items").innerText();
  await page.getByRole("tab", { name: /Messages/ }).click();
  found.messages = await page.locator("#panel-messages").innerText();
  found.barriers = await barriers(page, axe);
  found.contrast = await contrasts(page);

  await page.locator("#transcript").focus();
  await page.keyboard.press("Home");
  await page.locator("#speed").selectOption("20");
  await page.keyboard.press(" ");
  await page.waitForFunction(() => view.plays === null && view.place === view.subject.events.length - 1);
  found.played = await marked(page, "passed");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  found.arrows = await marked(page, "lit");
  await page.keyboard.press("Shift+ArrowLeft");
  const before = await place(page);
  await page.keyboard.press("Shift+ArrowRight");
  found.fine = (await place(page)) - before;
  await page.locator("#entries .says button.time").first().click();
  found.jumped = await page.evaluate(() => view.moments.at(view.place).event.text);

  await page.keyboard.press("/");
  await page.keyboard.type("presses 7");
  await page.keyboard.press("Enter");
  found.found = [await page.locator("#count").innerText(), await page.locator(".subject[aria-current] .title").innerText(), await texts(page, "#subjects .title")];
  await page.locator("#query").press("Escape");
  await page.locator(`${shown} [data-block="ask"]`).click();
  found.block = await page.locator("#panel-block").innerText();
  await page.waitForFunction(() => location.hash === `#at=${view.subject.events[view.place].n}`);
  const address = await page.evaluate(() => location.hash);
  await page.close();

  const again = await browser.open(file, { hash: address, dark: true, width: 1280, height: 800 });
  await ready(again);
  found.linked = await again.locator(".subject[aria-current] .title").innerText();
  found.contrastDark = await contrasts(again);
  if (pictures) await again.screenshot({ path: `${pictures}/report-dark.png` });
  await again.close();

  const phone = await browser.open(file, { width: 390, height: 844 });
  await ready(phone);
  found.phone = { overflow: await overflow(phone), barriers: await barriers(phone, axe) };
  if (pictures) await phone.screenshot({ path: `${pictures}/report-phone.png`, fullPage: true });
  await phone.close();
  return found;
}

async function hostile(browser, file) {
  const page = await browser.open(file);
  await ready(page);
  const found = { title: await page.title(), failure: await page.locator("#outcome").innerText() };
  await page.locator(".subject").nth(1).click();
  found.words = await page.locator("#entries").innerText();
  for (const tab of ["Functions", "Attributes", "Messages", "Items", "IAM", "Block"]) {
    await page.getByRole("tab", { name: new RegExp(tab) }).click();
    await page.evaluate(() => document.querySelectorAll("main details").forEach((one) => one.setAttribute("open", "")));
    found[tab] = await page.locator("[role=tabpanel]:not([hidden])").innerText();
  }
  found.elements = await page.locator("main img, main script, main i, header img").count();
  found.ran = await page.evaluate(() => typeof window.ran);
  await page.close();
  return found;
}

async function long(browser, file) {
  const page = await browser.open(file, { collect: true });
  await ready(page);
  const found = await page.evaluate(async () => {
    const took = (does) => {
      const began = performance.now();
      does();
      document.body.getBoundingClientRect();
      return performance.now() - began;
    };
    const last = view.subject.events.length - 1;
    const steps = [];
    for (let at = 0; at < 20; at += 1) steps.push(took(() => goTo(Math.round((last * at) / 19))));
    const searched = () => {
      byId("query").value = "turn 17.";
      search();
    };
    const found = { events: view.run.count, step: steps.sort((a, b) => a - b)[10], worst: steps[19] };
    found.select = took(() => select([...view.run.subjects.values()][120]));
    found.search = took(searched);
    found.results = byId("count").textContent;
    byId("query").value = "";
    search();
    found.listed = document.querySelectorAll(".subject").length;
    found.more = byId("more-subjects").textContent;
    found.loaded = performance.now();
    return found;
  });
  await page.close();
  return found;
}

async function empty(browser, file) {
  const page = await browser.open(file);
  await ready(page);
  const found = [await page.locator("#nothing").innerText(), await page.locator("#no-picture").innerText()];
  await page.keyboard.press("ArrowRight");
  await page.close();
  return found;
}

async function live(browser, address, pictures, axe) {
  const page = await browser.open(address, { width: 1280, height: 800 });
  const found = {};
  const picture = (name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png` }) : null);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const start = (dialog) => dialog.getByRole("button", { name: "Start", exact: true }).click();
  await ready(page);
  found.address = await page.evaluate(() => location.href);
  found.kept = await page.evaluate(() => Object.keys(sessionStorage));
  await page.locator("#speed").selectOption("20");
  await press("New call or chat");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Flow or number").selectOption("Support line");
  await picture("live-new");
  found.dialogBarriers = await barriers(page, axe);
  await start(dialog);
  await page.locator(".keypad").waitFor();
  found.asks = { lit: await marked(page, "lit"), words: await texts(page, "#entries .says .text"), title: await page.locator(".subject[aria-current] .title").innerText() };
  found.asks.calls = await page.locator("#panel-calls").innerText();
  found.asks.barriers = await barriers(page, axe);
  found.contrast = await contrasts(page);
  await picture("live-asks");
  await press("1");
  await press("Answer as the agent");
  await page.getByLabel("The agent says").fill("How can I help?");
  await page.keyboard.press("Enter");
  await page.locator(".says.agent").waitFor();
  await page.getByLabel("The customer says").fill("<b>My order</b> is late.");
  await page.keyboard.press("Enter");
  await page.locator(".says.caller").waitFor();
  found.talk = await texts(page, "#entries .says .text");
  found.passed = await marked(page, "passed");
  await picture("live-agent");
  await press("End as the agent");
  await page.locator("#phone").getByText("The contact has ended").waitFor();

  await press("Faults");
  await dialog.locator('[data-fault^="function:"][data-fault$=" denied"]').click();
  await dialog.locator('[aria-pressed="true"]').waitFor();
  found.fault = await page.locator("#summary .badge.bad").innerText();
  found.faultBarriers = await barriers(page, axe);
  await picture("live-faults");
  await press("Close");
  await press("Call again");
  await page.locator('.block.finding[data-block="lookup"]').waitFor();
  await page.locator("#phone").getByText("The contact has ended").waitFor();
  found.branch = { ways: await ways(page), wrong: await marked(page, "finding"), words: await texts(page, "#entries .says .text") };
  await picture("live-fault");
  await press("Faults");
  await press("Take all back");
  await dialog.locator('[aria-pressed="true"]').waitFor({ state: "detached" });
  await press("Close");

  await press("New call or chat");
  await dialog.getByLabel("Flow or number").selectOption("Support line");
  await dialog.getByLabel("Hold it before each block").check();
  await start(dialog);
  await press("Next block");
  await page.locator('.block.lit[data-block="lookup"]').waitFor();
  await press("Next block");
  await page.locator('.block.lit[data-block="welcome"]').waitFor();
  found.held = await marked(page, "passed");
  await press("Hang up");
  await page.locator("#phone").getByText("The contact has ended").waitFor();
  found.overflow = await overflow(page);
  const before = (await texts(page, "#subjects .title")).length;
  await page.reload();
  await ready(page);
  found.reloaded = [before, (await texts(page, "#subjects .title")).length];
  await page.close();

  const stranger = await browser.open(address.split("#")[0], { collect: false });
  await stranger.locator("#notice").waitFor();
  found.stranger = [await stranger.locator("#notice").innerText(), await stranger.locator("#subjects li").count()];
  await stranger.close();
  return found;
}

export default async function observe(browser, { files, address, pictures, axe }) {
  const source = axe === null ? null : readFileSync(axe, "utf8");
  return {
    report: await report(browser, files.report, pictures, source),
    hostile: await hostile(browser, files.hostile),
    long: await long(browser, files.long),
    empty: await empty(browser, files.empty),
    live: await live(browser, address, pictures, source),
  };
}
