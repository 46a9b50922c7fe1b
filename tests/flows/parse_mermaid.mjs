// Reads a JSON object of Mermaid texts by name and writes the parser's complaints by name.
import { readFileSync } from "node:fs";
import DOMPurify from "dompurify";

// Only cleans labels for a page, and needs a browser's window to exist.
DOMPurify.addHook = () => {};
DOMPurify.sanitize = (text) => text;
const { default: mermaid } = await import("mermaid");

const refused = {};
for (const [name, text] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  try {
    await mermaid.parse(text);
  } catch (problem) {
    refused[name] = String(problem);
  }
}
process.stdout.write(JSON.stringify(refused));
