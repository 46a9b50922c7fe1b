// Places a call on the live page and opens a report, and leaves a picture of each; page_pictures.py runs it.
const ready = (page) => page.waitForSelector("body[data-ready]");

export default async function observe(browser, { address, report, folder }) {
  const size = { width: 1280, height: 800 };
  const page = await browser.open(address, size);
  await ready(page);
  await page.locator("#speed").selectOption("20");
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  await press("New call or chat");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Flow or number").selectOption("Support line");
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await page.locator(".keypad").waitFor();
  await page.getByRole("tab", { name: /Items/ }).click();
  await page.locator("#speed").selectOption("1");
  await page.evaluate(() => document.activeElement.blur());
  await page.screenshot({ path: `${folder}/page-live.png` });
  await page.close();

  const failed = await browser.open(report, size);
  await ready(failed);
  await failed.evaluate(() => document.activeElement.blur());
  await failed.screenshot({ path: `${folder}/page-report.png` });
  await failed.close();
  return {};
}
