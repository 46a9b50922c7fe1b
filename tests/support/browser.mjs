// Opens pages from disk in Chromium: node browser.mjs CHECKS.mjs < ARGUMENTS.json > OBSERVATIONS.json
// CHECKS.mjs exports default async (browser, arguments) => observations; browser.open(file, options) gives a
// Playwright page. What pages complain of, ask of the network or say in dialogs is collected beside the observations.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

process.env.AWS_EXECUTION_ENV ??= "AWS_Lambda_nodejs20.x"; // or the package does not unpack Chromium's libraries
const { default: binary } = await import("@sparticuz/chromium");
const { chromium } = await import("playwright-core");

const [, , checks] = process.argv;
const given = JSON.parse(readFileSync(0, "utf8"));
const { default: observe } = await import(pathToFileURL(resolve(checks)));
const complaints = [];
const requests = [];
const dialogs = [];
const browser = await chromium.launch({
  executablePath: await binary.executablePath(),
  // Not the package's arguments: in a single process, closing a page ends the browser, and its software OpenGL takes
  // five times the processor time.
  args: ["--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-background-networking"],
});

/**
 * Open a file, or an address of this machine. dark: the colour scheme; width, height: of the window; hash: the end of the address; script: whether the
 * page's script runs; collect: whether complaints, requests and dialogs count.
 */
async function open(file, { dark = false, width = 1400, height = 900, hash = "", script = true, collect = true } = {}) {
  const context = await browser.newContext({
    colorScheme: dark ? "dark" : "light",
    viewport: { width, height },
    javaScriptEnabled: script,
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(30000);
  const page = await context.newPage();
  const served = file.startsWith("http://127.0.0.1:");
  const own = served ? file : pathToFileURL(resolve(file)).href;
  if (collect) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (problem) => complaints.push(String(problem)));
    page.on("request", (request) => {
      const address = request.url();
      if (served ? new URL(address).origin !== new URL(own).origin : address.split("#")[0] !== own) requests.push(address);
    });
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      dialog.dismiss();
    });
  }
  await page.goto(own + hash);
  return page;
}

try {
  const observations = await observe({ open }, given);
  process.stdout.write(JSON.stringify({ ...observations, complaints, requests, dialogs }));
} finally {
  await browser.close();
}
