// What people need of a page, whatever it shows: for checks that browser.mjs runs.

/** What axe-core finds wrong for people with disabilities; nothing where it is not installed. */
export async function barriers(page, axe) {
  if (axe === null) return [];
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations, incomplete } = await window.axe.run(document, { resultTypes: ["violations", "incomplete"] });
    const said = ({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)}`);
    // Contrast is measured by contrasts(); a block's name has the lines of its text, which axe joins without spaces.
    const known = (text) => text.startsWith("color-contrast") || /^label-content-name-mismatch.*<g class="block/.test(text);
    return [...violations, ...incomplete].flatMap(said).filter((text) => !known(text));
  });
}

/** The contrast of all text that is shown, worst first: [ratio, text]. */
export const contrasts = (page) =>
  page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) =>
      [r, g, b]
        .map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (element) => {
      const group = element.closest("g.block, g.badge");
      if (group !== null) return rgba(getComputedStyle(group.querySelector(".card, circle")).fill);
      for (let at = element; at !== null; at = at.parentElement) {
        const colour = rgba(getComputedStyle(at).backgroundColor);
        if (colour[3] === 255) return colour;
      }
      return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
      const own = [...element.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim() !== "");
      if (!own || !element.checkVisibility() || ["SCRIPT", "NOSCRIPT", "title"].includes(element.tagName)) continue;
      const style = getComputedStyle(element);
      const ink = light(rgba(element instanceof SVGElement ? style.fill : style.color));
      const paper = light(behind(element));
      const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
      found.push([Math.round(ratio * 100) / 100, element.textContent.trim().slice(0, 40)]);
    }
    return found.sort((a, b) => a[0] - b[0]).slice(0, 5);
  });
