// What a browser makes of pictures, one page of them; asserted in test_pictures.py.

/** Texts that leave their card or their label: [text, by how many pixels]. */
const overflowing = () =>
  [...document.querySelectorAll("g.block, g.branch")].flatMap((group) => {
    const frame = group.querySelector("rect")?.getBBox();
    return [...group.querySelectorAll("text")]
      .map((text) => [text.textContent, text.getBBox()])
      .map(([text, { x, width }]) => [text, Math.max(frame.x - x, x + width - frame.x - frame.width)])
      .filter(([, over]) => over > 0);
  });
const colours = () =>
  [".canvas", ".card", ".headline", ".second", ".label"].map((name) => getComputedStyle(document.querySelector(name)).fill);
const shown = () =>
  [...document.querySelectorAll(".branch.also .line")].map((line) => getComputedStyle(line).stroke !== "none");

export default async function observe(browser, { file }) {
  const page = await browser.open(file);
  const found = {
    texts: await page.locator("g.block text, g.branch text").count(),
    overflowing: await page.evaluate(overflowing),
    light: await page.evaluate(colours),
    hidden: await page.evaluate(shown),
  };
  await page.evaluate(() => document.querySelectorAll(".also").forEach((group) => group.classList.add("lit")));
  found.lit = await page.evaluate(shown);
  await page.emulateMedia({ colorScheme: "dark" });
  found.dark = await page.evaluate(colours);
  return found;
}
