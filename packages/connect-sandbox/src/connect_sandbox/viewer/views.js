const SHOWN = 150; // entries, calls and the like that a list shows at once, the newest
const LONG = 4000; // characters of a value that are shown until more are asked for

const byId = (id) => document.getElementById(id);
const seconds = (at) => `${Math.floor(at / 60)}:${(at % 60).toFixed(1).padStart(4, "0")}`;
const who = {
  connect: "Amazon Connect",
  caller: "Caller",
  vendor: "External system",
  agent: "Agent",
  lambda: "Function",
  rehearsal: "Scenario",
};

/** Make the container hold these elements, in this order; those that stay are not touched. */
function hold(container, elements) {
  const wanted = new Set(elements);
  for (const child of [...container.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, at) => {
    if (container.children[at] !== element) container.insertBefore(element, container.children[at] ?? null);
  });
}

function empty(words) {
  return make("p", { class: "empty" }, words);
}

function json(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** A value as it is, such that a long one is only shown when asked for. */
function valueView(value, label) {
  const text = json(value) ?? "";
  const shown = make("pre", { tabindex: "0", role: "group", "aria-label": label }, text.slice(0, LONG));
  if (text.length <= LONG) return shown;
  const more = make("button", { type: "button", class: "more" }, `Show all ${text.length.toLocaleString("en")} characters`);
  more.addEventListener("click", () => {
    shown.textContent = text;
    more.remove();
  });
  return make("div", null, shown, more);
}

function badge(kind, words) {
  return make("span", { class: `badge ${kind}` }, words);
}

/** A button that goes to an event of what is shown. */
function timeButton(event) {
  const of = event.at === undefined ? `${(event.time ?? 0).toFixed(1)} s` : seconds(event.at); // no contact: since the run began
  const button = make("button", { type: "button", class: "time", "data-n": event.n }, of);
  button.setAttribute("aria-label", `Go to ${button.textContent}`);
  return button;
}

// -- the transcript

const entryElements = new WeakMap();

function entryElement(event) {
  if (!entryElements.has(event)) entryElements.set(event, (ENTRIES[event.event] ?? ENTRIES.entry)(event));
  return entryElements.get(event);
}

const ENTRIES = {
  contact: (event) => {
    const kind = { VOICE: "Call", CHAT: "Chat", TASK: "Task", EMAIL: "E-mail" }[event.channel] ?? "Contact";
    const ends = [event.customer, event.system].filter(Boolean).join(" to ");
    return make("li", { class: "begins" }, make("span", null, `${kind}${ends ? ` ${ends}` : ""}`), timeButton(event));
  },
  entry: (event) => {
    const says = event.kind === "says" || event.kind === "tells agent";
    const name = who[event.who] ?? event.who;
    return make(
      "li",
      { class: says ? `says ${event.who}` : `does ${event.kind === "branch" && event.data?.error ? "wrong" : ""}` },
      make("span", { class: "by" }, event.kind === "tells agent" ? `${name}, to the agent` : name, says ? timeButton(event) : ""),
      make("span", { class: "text" }, event.text),
      says ? "" : timeButton(event),
    );
  },
  "contact-ended": (event) => {
    const told = { queued: "The contact waits in the queue", "caller hung up": "The caller has hung up" };
    const words = told[event.how] ?? `The contact has ended: ${event.how}`;
    const text = event.reason ? `${words} (${event.reason})` : words;
    return make("li", { class: `ends ${event.how === "failed" ? "wrong" : ""}` }, make("span", null, text), timeButton(event));
  },
  "contact-stopped": (event) =>
    make("li", { class: "ends wrong" }, make("span", null, `It cannot be played further: ${event.problem}`), timeButton(event)),
  "scenario-ended": (event) => {
    const passed = event.outcome === "passed";
    const text = passed ? "The scenario has passed" : `The scenario has failed: ${firstLine(event.failure)}`;
    return make("li", { class: `ends ${passed ? "right" : "wrong"}` }, make("span", null, text));
  },
  fault: (event) =>
    make("li", { class: "ends wrong" }, make("span", null, `${shortName(event.target)} is ${event.kind}${event.set ? "" : " no more"}`)),
};

function firstLine(text) {
  return String(text ?? "").split("\n").find((line) => line.trim() !== "") ?? "";
}

function showTranscript(moment) {
  const list = byId("entries");
  const newest = moment.entries.slice(-SHOWN);
  const elements = newest.map(entryElement);
  const left = moment.entries.length - newest.length;
  if (left > 0) elements.unshift(make("li", { class: "does" }, `${many(left, "earlier entry").replace("entrys", "entries")}: step back to see them`));
  if (elements.length === 0) elements.push(make("li", { class: "empty" }, "Nobody has said anything yet."));
  hold(list, elements);
  for (const marked of list.querySelectorAll(".now")) marked.classList.remove("now");
  const last = list.lastElementChild;
  if (moment.entries.length > 0) last.classList.add("now");
  const scrolls = byId("transcript");
  scrolls.scrollTop = scrolls.scrollHeight;
}

// -- functions

const callElements = new Map(); // invocation: { element, version, began }

/** alone: it is the only one, and open from the start. */
function callElement(call, alone) {
  const key = call.began.invocation;
  const kept = callElements.get(key);
  if (kept !== undefined && kept.call === call && kept.version === call.version) return kept.element;
  const refused = call.decisions.filter((decision) => !decision.allowed);
  const wrong = refused.length > 0 || call.ended?.error || call.ended?.refused;
  const element = kept?.element ?? make("details", { class: "call", "data-invocation": key });
  element.classList.toggle("wrong", Boolean(wrong));
  element.replaceChildren(callSummary(call, refused), ...callBody(call));
  if (kept === undefined && (wrong || alone)) element.open = true;
  if (wrong && kept !== undefined && !kept.wrong) element.open = true;
  callElements.set(key, { element, version: call.version, call, wrong });
  return element;
}

function callSummary(call, refused) {
  const { ended } = call;
  const state = [];
  if (ended === null) state.push(badge("quiet", "runs"));
  else if (ended.refused) state.push(badge("bad", "not invoked"));
  else if (ended.error) state.push(badge("bad", "failed"));
  if (refused.length > 0) state.push(badge("bad", `${refused.length} refused`));
  if (ended?.cold) state.push(badge("quiet", "cold"));
  const took = ended?.milliseconds === undefined || ended === null ? "" : `${Math.round(ended.milliseconds)} ms`;
  return make(
    "summary",
    null,
    make("span", { class: "name" }, shortName(call.began.function)),
    ...state,
    make("span", { class: "took" }, took),
  );
}

function callBody(call) {
  const { began, ended } = call;
  const parts = [];
  const section = (title, ...inside) => parts.push(make("h3", null, title), ...inside);
  if (ended?.refused) section("Not invoked", make("p", { class: "wrong" }, ended.refused));
  const refused = call.decisions.filter((decision) => !decision.allowed);
  const allowed = call.decisions.filter((decision) => decision.allowed);
  const decided = (title, events) => {
    if (events.length > 0) section(title, make("ul", { class: "decisions" }, ...events.map(decisionElement)));
  };
  decided("Refused by IAM", refused);
  section("Input", valueView(began.input, "Input"));
  if (ended !== null && !ended.refused) section(ended.error ? `Error: ${ended.error}` : "Answer", valueView(ended.answer ?? null, "Answer"));
  if (ended?.logs?.length) section("Log", valueView(ended.logs.join("\n"), "Log"));
  if (call.messages.length > 0) section("Messages", ...call.messages.map((event) => messageElement(event)));
  if (call.items.length > 0) section("Items", ...call.items.map((event) => itemElement(event)));
  decided("Allowed by IAM", allowed);
  parts.push(
    make("p", { class: "fine" }, timeButton(began), ` ${began.by ? `by ${began.by}, ` : ""}request ${began.invocation}`),
  );
  return parts;
}

function decisionElement(event) {
  return make(
    "li",
    { class: event.allowed ? "allowed" : "refused" },
    make("span", { class: "verdict" }, event.allowed ? "allowed" : "refused"),
    make("code", null, event.action),
    make("span", { class: "on" }, ` on ${event.resource}`),
    make("span", { class: "reason" }, event.reason),
  );
}

function showCalls(moment) {
  const newest = moment.calls.slice(-SHOWN).reverse();
  hold(byId("panel-calls"), newest.length > 0 ? newest.map((call) => callElement(call, moment.calls.length === 1)) : [empty("No function has been called.")]);
}

// -- attributes, messages, items, decisions

function showAttributes(moment) {
  const panel = byId("panel-attributes");
  const parts = [];
  const several = [...moment.contacts.values()].filter((contact) => contact.attributes.size > 0);
  for (const contact of several) {
    if (several.length > 1) parts.push(make("h3", null, `Contact ${contact.id}`));
    const rows = [...contact.attributes].map(([name, { value, before, n }]) =>
      make(
        "tr",
        { class: n === moment.event.n ? "changed" : null },
        make("th", { scope: "row" }, name),
        make("td", null, value === null ? make("del", null, before ?? "") : value, n === moment.event.n ? make("span", { class: "was" }, before === null ? " new" : ` was “${before}”`) : null),
      ),
    );
    parts.push(make("table", null, make("tbody", null, ...rows)));
  }
  panel.replaceChildren(...(parts.length > 0 ? parts : [empty("The contact has no attributes.")]));
}

const itemElements = new WeakMap();

function kept(event, makes) {
  if (!itemElements.has(event)) itemElements.set(event, makes());
  return itemElements.get(event);
}

function messageElement(event) {
  const to = shortName(event.to);
  if (event.event === "delivery") {
    const words = `${event.outcome}${event.status ? ` (${event.status})` : ""}${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`;
    return make(
      "p",
      { class: "delivery" },
      badge(event.outcome === "failed" ? "bad" : "good", words),
      ` ${shortName(event.from)} to ${to} `,
      timeButton(event),
    );
  }
  return make(
    "details",
    { class: "message" },
    make("summary", null, badge("quiet", event.service), make("span", { class: "name" }, to)),
    valueView(event.body ?? "", "Body"),
    event.attributes ? valueView(event.attributes, "Attributes") : null,
    make("p", { class: "fine" }, timeButton(event)),
  );
}

function itemElement(event) {
  const words = event.new === undefined ? "deleted" : event.old === undefined ? "new" : "changed";
  const names = [...new Set([...Object.keys(event.old ?? {}), ...Object.keys(event.new ?? {})])];
  const rows = names.map((name) => {
    const [before, after] = [json(event.old?.[name]), json(event.new?.[name])];
    const cells = before === after ? [after ?? ""] : [before === undefined ? null : make("del", null, before), " ", after === undefined ? null : make("ins", null, after)];
    return make("tr", null, make("th", { scope: "row" }, name), make("td", null, ...cells));
  });
  return make(
    "details",
    { class: "item", open: "" },
    make("summary", null, badge(words === "deleted" ? "bad" : words === "new" ? "good" : "quiet", words), make("span", { class: "name" }, `${shortName(event.table)} `), make("code", null, Object.values(event.key ?? {}).map(json).join(", "))),
    make("table", null, make("tbody", null, ...rows)),
    make("p", { class: "fine" }, timeButton(event)),
  );
}

function showList(panel, events, makes, words) {
  const newest = events.slice(-SHOWN).reverse();
  hold(byId(panel), newest.length > 0 ? newest.map((event) => kept(event, () => makes(event))) : [empty(words)]);
}

function showDecisions(moment) {
  const panel = byId("panel-decisions");
  if (moment.decisions.length === 0) {
    panel.replaceChildren(empty("IAM has decided nothing."));
    return;
  }
  const newest = moment.decisions.slice(-SHOWN).reverse();
  let list = panel.querySelector("ul");
  if (list === null) {
    list = make("ul", { class: "decisions" });
    panel.replaceChildren(list);
  }
  hold(list, newest.map((event) => kept(event, () => decisionElement(event))));
}

// -- the picture

const pictures = new Map(); // number of the flow's event: { host, pane, numbers }
const chosenBlock = { flow: null, number: null };

function pictureOf(flow) {
  if (pictures.has(flow.n)) return pictures.get(flow.n);
  const host = make("div", { class: "pane", role: "group", tabindex: "0", hidden: "" });
  host.setAttribute("aria-label", `${flow.name}: arrow keys move the picture, Tab goes to its blocks`);
  const made = { host, pane: null, numbers: new Map() };
  if (flow.picture === undefined) {
    host.append(empty(`${flow.name} cannot be drawn: ${flow.problem ?? "its content is not known"}`));
  } else {
    // Not XML: HTML's parser gives the elements their namespaces, and what it runs no script for runs none.
    host.append(new DOMParser().parseFromString(flow.picture, "text/html").querySelector("svg"));
  }
  byId("panes").append(host);
  if (flow.picture !== undefined) {
    made.pane = new Pane(host, `f${flow.n}-`, flow);
    flow.blocks.forEach((block, number) => {
      if (!made.numbers.has(block.mark)) made.numbers.set(block.mark, number);
    });
    made.pane.chosen = (number) => chooseBlock(flow, number);
    made.pane.typed = (key) => {
      if (key !== "0") return false;
      made.pane.fit();
      return true;
    };
    if (made.pane.groups.length > 0) made.pane.reach(flow.start ?? 0);
  }
  pictures.set(flow.n, made);
  return made;
}

/** The identifier as the picture's attributes hold it. */
function mark(text) {
  return String(text).replace(/[\p{C}\p{Z}]/gu, " ");
}

let shownFlow = null;

function showPicture(run, moment, follows) {
  const { contact, event } = moment;
  const flow = contact?.flow ? run.flowAt(contact.flow, event.n) : undefined;
  byId("no-picture").hidden = flow !== undefined;
  for (const { host } of pictures.values()) host.hidden = true;
  if (flow === undefined) {
    shownFlow = null;
    byId("flow-name").textContent = contact?.flow ? shortName(contact.flow) : "No flow";
    byId("where").textContent = "";
    return;
  }
  const { host, pane, numbers } = pictureOf(flow);
  host.hidden = false;
  if (pane === null) return;
  pane.draw();
  byId("flow-name").textContent = flow.name;
  const number = numbers.get(mark(contact.block));
  const block = flow.blocks[number];
  byId("where").textContent = block === undefined ? contact.block : block.headline;
  const way = contact.way(contact.flow);
  for (const old of pane.svg.querySelectorAll(".lit, .passed, .finding")) old.classList.remove("lit", "passed", "finding");
  for (const name of way.blocks) pane.groups[numbers.get(mark(name))]?.classList.add("passed");
  for (const name of way.wrong) pane.groups[numbers.get(mark(name))]?.classList.add("finding");
  for (const key of way.branches) {
    const [from, branch] = key.split("\n");
    const line = pane.lines.get(`${mark(from)}\n${mark(branch)}`);
    line?.classList.add(branch.startsWith("error:") ? "finding" : "passed");
  }
  if (number !== undefined) {
    pane.groups[number].classList.add("lit");
    if (follows || shownFlow !== flow) pane.show(number);
  }
  shownFlow = flow;
  if (chosenBlock.flow === null) showBlock(flow, number);
}

/** Tell of a block that was clicked, until another plays. */
function chooseBlock(flow, number) {
  for (const old of document.querySelectorAll(".pane .chosen")) old.classList.remove("chosen");
  const again = chosenBlock.flow === flow && chosenBlock.number === number;
  chosenBlock.flow = again ? null : flow;
  chosenBlock.number = again ? null : number;
  if (again) return;
  pictureOf(flow).pane.groups[number].classList.add("chosen");
  pictureOf(flow).pane.reach(number);
  showBlock(flow, number);
  chooseTab("block");
}

function showBlock(flow, number) {
  const block = flow.blocks[number];
  const panel = byId("panel-block");
  if (panel.dataset.shown === `${flow.n} ${number}`) return;
  panel.dataset.shown = `${flow.n} ${number}`;
  if (block === undefined) {
    panel.replaceChildren(empty("No block plays."));
    return;
  }
  const row = (name, ...value) => make("tr", null, make("th", { scope: "row" }, name), make("td", null, ...value));
  const parameters = block.parameters.map(([path, value, name]) => row(path, value, name ? make("span", { class: "was" }, ` ${name}`) : null));
  const branches = block.branches.map((branch) => row(branch.words, branch.to === null || branch.to === undefined ? branch.target : flow.blocks[branch.to].headline));
  panel.replaceChildren(
    make("h3", null, block.headline),
    make("p", { class: "fine" }, `${block.type} · ${block.id}`),
    parameters.length > 0 ? make("table", null, make("tbody", null, ...parameters)) : "",
    make("h3", null, "Branches"),
    make("table", null, make("tbody", null, ...branches)),
  );
}

// -- all of it

const COUNTS = { calls: "calls", messages: "messages", items: "items", decisions: "decisions" };

function showCounts(moment) {
  for (const [tab, list] of Object.entries(COUNTS)) count(tab, moment[list].length);
  const attributes = [...moment.contacts.values()].reduce((sum, contact) => sum + contact.attributes.size, 0);
  count("attributes", attributes);
  const wrong = moment.decisions.some((decision) => !decision.allowed);
  byId("tab-decisions").classList.toggle("wrong", wrong);
  byId("tab-calls").classList.toggle("wrong", moment.calls.some((call) => call.ended?.error || call.ended?.refused || call.decisions.some((one) => !one.allowed)));
  byId("tab-messages").classList.toggle("wrong", moment.messages.some(isTrouble));
}

function count(tab, number) {
  byId(`tab-${tab}`).querySelector(".count").textContent = number > 0 ? ` ${number}` : "";
}

function showMoment(run, moment, { follows }) {
  showPicture(run, moment, follows);
  showTranscript(moment);
  showCalls(moment);
  showAttributes(moment);
  showList("panel-messages", moment.messages, messageElement, "No message has been sent.");
  showList("panel-items", moment.items, itemElement, "Nothing has been written to a table.");
  showDecisions(moment);
  showCounts(moment);
}

// -- tabs

const tabs = [...document.querySelectorAll("[role=tab]")];

function chooseTab(name) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
}

tabs.forEach((tab, at) => {
  tab.addEventListener("click", () => chooseTab(tab.id.slice(4)));
  tab.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = tabs[(at + by + tabs.length) % tabs.length];
    chooseTab(next.id.slice(4));
    next.focus();
  });
});
