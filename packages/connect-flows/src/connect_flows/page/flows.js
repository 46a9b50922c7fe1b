const RESULTS = 200; // results that the list shows; the others are counted, and reached one by one

const panes = data.flows.map((flow, number) => {
  const host = document.getElementById(`f${number}-pane`);
  return new Pane(host, `f${number}-`, flow);
});
const list = document.getElementById("list");
const listed = document.getElementById("listed");
const details = document.getElementById("details");
const field = document.getElementById("query");
const count = document.getElementById("count");

let current = -1; // the flow that is shown
let chosen = null; // the number of its chosen block
let found = []; // [number of the flow, number of the block]
let result = -1; // which of them was gone to

function address(flow, block = null) {
  const key = data.flows[flow].key;
  return `#${key}${block === null ? "" : `/${encodeURIComponent(data.flows[flow].blocks[block].id)}`}`;
}

/** Show what the page's address names. */
function follow() {
  const [key, ...rest] = location.hash.slice(1).split("/");
  const flow = Math.max(0, data.flows.findIndex((each) => each.key === key));
  let named;
  try {
    named = decodeURIComponent(rest.join("/"));
  } catch (problem) {
    if (!(problem instanceof URIError)) throw problem;
    named = "";
  }
  const block = rest.length === 0 ? -1 : data.flows[flow].blocks.findIndex((each) => each.id === named);
  show(flow);
  choose(block === -1 ? null : block);
  if (block !== -1) panes[flow].show(block);
}

function show(flow) {
  if (flow === current) return;
  panes.forEach((pane, number) => {
    pane.host.hidden = number !== flow;
  });
  for (const link of document.querySelectorAll("#flows a")) {
    if (link.hash === address(flow)) {
      link.setAttribute("aria-current", "true");
      scrollWithin(document.getElementById("flows"), link);
    } else {
      link.removeAttribute("aria-current");
    }
  }
  current = flow;
  chosen = null;
  panes[flow].draw();
  badges(flow);
  if (panes[flow].reachable === null && panes[flow].groups.length > 0) {
    panes[flow].reach(data.flows[flow].start ?? 0);
  }
  listBlocks();
}

/** Choose a block of the shown flow, or none; with focus, by keyboard, the details are read out. */
function choose(block, { focus = false } = {}) {
  const flow = data.flows[current];
  chosen = block;
  const pane = panes[current];
  const lines = block === null ? [] : around(flow, block).map(([from, key]) => pane.line(from, key));
  pane.choose(block, lines.filter((line) => line !== undefined));
  details.replaceChildren(...(block === null ? aboutFlow(flow) : aboutBlock(flow, block)));
  details.scrollTop = 0;
  markListed();
  history.replaceState(null, "", address(current, block));
  if (focus) details.querySelector("h2").focus();
}

/** The branches that leave the block or lead to it: [block, key]. */
function around(flow, number) {
  const here = flow.blocks[number].branches.map((branch) => [flow.blocks[number], branch.key]);
  const there = flow.blocks.flatMap((block) =>
    block.branches.filter((branch) => branch.to === number).map((branch) => [block, branch.key]),
  );
  return [...here, ...there];
}

function goTo(flow, block) {
  if (flow !== current) {
    history.pushState(null, "", address(flow, block));
    show(flow);
  }
  choose(block);
  panes[flow].show(block);
}

/** A button that goes to the block; plain: without its type and the number of its findings. */
function blockButton(flow, block, { plain = false } = {}) {
  const { headline, second, findings } = data.flows[flow].blocks[block];
  return make(
    "button",
    { type: "button", class: "block-name", "data-place": `${flow} ${block}`, click: () => goTo(flow, block) },
    make("span", { class: "headline" }, headline),
    plain ? "" : " ",
    plain ? null : make("span", { class: "type" }, second),
    !plain && findings.length > 0 ? make("span", { class: `count ${worst(findings)}` }, many(findings.length, "finding")) : null,
  );
}

function worst(findings) {
  return findings.some((finding) => finding.severity === "error") ? "error" : "warning";
}

function findingItem(finding, flow = null, block = null) {
  return make(
    "li",
    { class: `finding ${finding.severity}` },
    make("strong", null, `${finding.severity === "error" ? "Error" : "Warning"} ${finding.rule}`),
    block === null ? ": " : make("span", null, " at ", blockButton(flow, block, { plain: true }), make("br")),
    `${finding.message}. `,
    make("span", { class: "fix" }, `Fix: ${finding.fix}.`),
    finding.path === "" ? null : make("code", { class: "path" }, finding.path),
  );
}

function heading(text) {
  return make("h2", { tabindex: "-1" }, text);
}

function facts(rows) {
  return make("dl", null, ...rows.flatMap(([name, value]) => [make("dt", null, name), make("dd", null, value)]));
}

function aboutFlow(flow) {
  const parts = [heading(flow.name)];
  if (flow.description !== "") parts.push(make("p", null, flow.description));
  parts.push(facts([["File", flow.file], ...flow.facts, ["Blocks", String(flow.blocks.length)]]));
  const number = data.flows.indexOf(flow);
  const links = flow.blocks.flatMap((block, at) => [...new Set(block.links)].map((to) => [at, to]));
  if (links.length > 0) {
    const items = links.map(([at, to]) =>
      make("li", null, blockButton(number, at), " → ", make("a", { href: address(to) }, data.flows[to].name)),
    );
    parts.push(make("h3", null, "Leads to"), make("ul", null, ...items));
  }
  const callers = data.flows.flatMap((other, from) =>
    other.blocks.flatMap((block, at) => (block.links.includes(number) ? [[from, at]] : [])),
  );
  if (callers.length > 0) {
    const items = callers.map(([from, at]) =>
      make("li", null, make("a", { href: address(from, at) }, `${data.flows[from].name}: ${data.flows[from].blocks[at].headline}`)),
    );
    parts.push(make("h3", null, "Reached from"), make("ul", null, ...items));
  }
  const all = [
    ...flow.findings.map((finding) => findingItem(finding)),
    ...flow.order.flatMap((at) => flow.blocks[at].findings.map((finding) => findingItem(finding, number, at))),
  ];
  parts.push(make("h3", null, all.length === 0 ? "No findings" : many(all.length, "finding")));
  if (all.length > 0) parts.push(make("ul", { class: "findings" }, ...all));
  if (flow.notes.length > 0) {
    parts.push(make("h3", null, "Notes on the conversion"), make("ul", null, ...flow.notes.map((note) => make("li", null, note))));
  }
  return parts;
}

function aboutBlock(flow, number) {
  const block = flow.blocks[number];
  const parts = [heading(block.headline), facts([["Type", block.type], ["Identifier", block.id]])];
  if (block.findings.length > 0) {
    parts.push(make("h3", null, many(block.findings.length, "finding")));
    parts.push(make("ul", { class: "findings" }, ...block.findings.map((finding) => findingItem(finding))));
  }
  for (const to of new Set(block.links)) {
    parts.push(make("p", null, make("a", { class: "opens", href: address(to) }, `Open ${data.flows[to].name}`)));
  }
  parts.push(make("h3", null, block.parameters.length === 0 ? "No parameters" : "Parameters"));
  if (block.parameters.length > 0) {
    parts.push(
      facts(
        block.parameters.map(([path, value, name]) => [
          path,
          name === null ? value : make("span", null, make("strong", null, name), "\n", value),
        ]),
      ),
    );
  }
  parts.push(make("h3", null, block.branches.length === 0 ? "No branches" : "Branches"));
  if (block.branches.length > 0) {
    const items = block.branches.map((branch) =>
      make(
        "li",
        { class: branch.kind },
        `${branch.words} → `,
        branch.to === null ? make("em", null, `${branch.target} (no such block)`) : blockButton(current, branch.to),
      ),
    );
    parts.push(make("ul", { class: "branches" }, ...items));
  }
  const before = flow.blocks.flatMap((other, at) => (other.branches.some((branch) => branch.to === number) ? [at] : []));
  if (before.length > 0) {
    parts.push(make("h3", null, "Reached from"));
    parts.push(make("ul", null, ...before.map((at) => make("li", null, blockButton(current, at)))));
  }
  return parts;
}

/** Mark the findings at their blocks; the pane must be visible, since only then blocks have a size. */
function badges(flow) {
  const pane = panes[flow];
  if (pane.badged || pane.view.scale === 0) return;
  pane.badged = true;
  const space = "http://www.w3.org/2000/svg";
  const draw = (tag, attributes, text = "") => {
    const made = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  };
  data.flows[flow].blocks.forEach((block, number) => {
    const group = pane.groups[number];
    if (block.links.length > 0) group.classList.add("linked");
    if (block.findings.length === 0) return;
    const box = pane.box(number);
    const x = pane.view.x + (box.x + box.width) / pane.view.scale - 4;
    const y = pane.view.y + box.y / pane.view.scale + 4;
    const kind = worst(block.findings);
    group.classList.add("finding", `worst-${kind}`);
    group.setAttribute("aria-label", `${group.getAttribute("aria-label")}, ${many(block.findings.length, "finding")}`);
    const badge = draw("g", { class: `badge ${kind}`, "aria-hidden": "true" });
    badge.append(
      draw("circle", { cx: x, cy: y, r: 10 }),
      draw("text", { x, y: y + 4, "text-anchor": "middle", "font-size": 12 }, String(block.findings.length)),
    );
    pane.svg.append(badge);
  });
}

/** What a search looks through. */
function words(block) {
  block.words ??= [
    block.id,
    block.type,
    block.headline,
    block.second,
    ...block.parameters.flat(),
    ...block.branches.map((branch) => branch.words),
    ...block.findings.map((finding) => `${finding.rule} ${finding.message}`),
  ]
    .filter((text) => text !== null)
    .join("\n")
    .toLowerCase();
  return block.words;
}

function search() {
  const wanted = field.value.trim().toLowerCase();
  for (const pane of panes) {
    for (const group of pane.svg.querySelectorAll(".match")) group.classList.remove("match");
    pane.svg.classList.toggle("searched", wanted !== "");
  }
  found = [];
  result = -1;
  if (wanted !== "") {
    const order = [...data.flows.keys()].sort((a, b) => Number(b === current) - Number(a === current) || a - b);
    for (const flow of order) {
      for (const number of data.flows[flow].order) {
        if (!words(data.flows[flow].blocks[number]).includes(wanted)) continue;
        found.push([flow, number]);
        panes[flow].groups[number].classList.add("match");
      }
    }
    if (found.length > 0 && found[0][0] === current) step(1);
  }
  told();
  listBlocks();
}

/** Go to the next result (1) or the one before (-1). */
function step(by) {
  if (found.length === 0) return;
  result = result === -1 && by === -1 ? found.length - 1 : (result + by + found.length) % found.length;
  goTo(...found[result]);
  told();
}

function told() {
  if (field.value.trim() === "") count.textContent = "";
  else if (found.length === 0) count.textContent = "No results";
  else count.textContent = result === -1 ? many(found.length, "result") : `${result + 1} of ${found.length}`;
}

/** List the results of the search, or all blocks of the shown flow. */
function listBlocks() {
  const searching = field.value.trim() !== "";
  const places = searching ? found : data.flows[current].order.map((number) => [current, number]);
  listed.textContent = searching ? "Results" : "Blocks";
  const items = places.slice(0, RESULTS).map(([flow, block]) =>
    make(
      "li",
      null,
      searching && data.flows.length > 1 ? make("span", { class: "of" }, data.flows[flow].name) : null,
      blockButton(flow, block),
    ),
  );
  if (places.length > RESULTS) items.push(make("li", null, `and ${places.length - RESULTS} more`));
  list.replaceChildren(...items);
  markListed();
}

function markListed() {
  for (const button of list.querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  const button = list.querySelector(`[data-place="${current} ${chosen}"]`);
  if (button === null) return;
  button.setAttribute("aria-current", "true");
  scrollWithin(list.closest(".side"), button);
}

panes.forEach((pane, number) => {
  pane.chosen = (block, byKey) => choose(block, { focus: byKey });
  pane.opened = (block) => {
    const targets = new Set(data.flows[number].blocks[block].links);
    if (targets.size === 1) location.hash = address(...targets);
  };
  pane.typed = (key) => {
    const does = {
      0: () => pane.fit(),
      Home: () => pane.focus(data.flows[number].start ?? 0),
      "/": () => field.focus(),
      n: () => step(1),
      p: () => step(-1),
      Escape: () => choose(null),
    }[key];
    if (does !== undefined) does();
    return does !== undefined;
  };
});
zoomButtons(() => [panes[current]]);
field.addEventListener("input", search);
field.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    field.value = "";
    search();
  } else if (event.key === "Enter" && event.shiftKey) {
    event.preventDefault();
    step(-1);
  }
});
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  step(1);
});
document.getElementById("previous").addEventListener("click", () => step(-1));
details.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || chosen === null) return;
  panes[current].focus(chosen);
});
window.addEventListener("hashchange", follow);
follow();
