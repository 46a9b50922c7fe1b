const ADDRESS = 250; // milliseconds without a move until the address names the event
const LISTED = 100; // subjects that the list shows until more are asked for
const PAUSES = { says: 1500, block: 450, branch: 60, other: 25 }; // milliseconds that an event lasts at least, at most 2 s

/** The one that is shown, and where in it. Everything on the page follows from these. */
const view = {
  run: new Run(),
  subject: null,
  moments: null,
  place: -1,
  live: data.live, // whether it stays at the newest event
  plays: null, // the timer of the replay
  results: null, // the search: subject: places in it
  query: "",
  listed: LISTED,
};
let painted = false;
let addressing = null; // the timer that writes the event into the address
let afterShow = () => {}; // what the live page shows besides
const PLAY = byId("play").querySelector("path").getAttribute("d");
const PAUSE = "M4 3h3v10H4zM9 3h3v10H9z";

/** Show everything anew, at most once a frame. */
function paint() {
  if (painted) return;
  painted = true;
  requestAnimationFrame(() => {
    painted = false;
    show();
  });
}

function show({ follows = true } = {}) {
  const { subject } = view;
  showSummary();
  showSubjects();
  showOutcome();
  showTransport();
  if (subject !== null && subject.events.length > 0) showMoment(view.run, view.moments.at(view.place), { follows });
  afterShow();
}

function select(subject, place = subject.opensAt) {
  if (subject !== view.subject) {
    view.subject = subject;
    view.moments = new Moments(subject);
    callElements.clear();
    chosenBlock.flow = null;
    const moment = view.moments.at(place);
    if (subject.outcome === "failed" && (moment.calls.length > 0 || moment.decisions.length > 0)) chooseTab("calls");
  }
  goTo(place);
}

/** Go to an event of the subject. */
function goTo(place) {
  const { subject } = view;
  if (subject === null) return;
  view.place = Math.max(0, Math.min(place, subject.events.length - 1));
  chosenBlock.flow = null;
  for (const old of document.querySelectorAll(".pane .chosen")) old.classList.remove("chosen");
  clearTimeout(addressing); // browsers mind an address that changes many times a second
  addressing = setTimeout(() => {
    const event = view.subject?.events[view.place];
    if (event !== undefined) history.replaceState(null, "", `#${new URLSearchParams({ at: event.n })}`);
  }, ADDRESS);
  show();
}

/** Go to the event of this number, in whichever subject it is; return whether there is one. */
function goToNumber(n) {
  for (const subject of [view.subject, ...view.run.subjects.values()]) {
    const place = subject?.events.findIndex((event) => event.n === n) ?? -1;
    if (place !== -1) {
      select(subject, place);
      return true;
    }
  }
  return false;
}

/** The next or previous place among those given; the last or first event if there is none. */
function beside(places, by) {
  const { place, subject } = view;
  if (by > 0) return places.find((one) => one > place) ?? subject.events.length - 1;
  return places.findLast((one) => one < place) ?? 0;
}

// -- the replay

/** Look at one event: neither replay nor live. */
function leave() {
  view.live = false;
  pause();
}

function pause() {
  clearTimeout(view.plays);
  view.plays = null;
  showTransport();
}

function play() {
  if (view.subject === null) return;
  if (view.place >= view.subject.events.length - 1) goTo(0);
  view.live = false;
  view.plays = setTimeout(tick, 0);
  showTransport();
}

function tick() {
  const { subject } = view;
  const last = subject.events.length - 1;
  if (view.place >= last) {
    pause();
    return;
  }
  // What takes no time is not shown alone.
  let place = view.place + 1;
  while (place < last && !["block", "entry", "function", "asks"].includes(subject.events[place].event)) place += 1;
  const began = performance.now();
  goTo(place);
  const lasts = lasting(subject.events[place], subject.events[place + 1]) / Number(byId("speed").value);
  view.plays = setTimeout(tick, Math.max(0, lasts - (performance.now() - began)));
}

/** How long an event stays, in milliseconds: as long as it took the contact, within bounds. */
function lasting(event, next) {
  const least = event.kind === "says" ? PAUSES.says : (PAUSES[event.event] ?? PAUSES.other);
  const took = ((next?.at ?? event.at ?? 0) - (event.at ?? 0)) * 1000;
  return Math.min(2000, Math.max(least, took));
}

function showTransport() {
  const { subject, place } = view;
  const events = subject?.events ?? [];
  const slider = byId("slider");
  slider.max = Math.max(0, events.length - 1);
  slider.value = Math.max(0, place);
  slider.disabled = events.length < 2;
  const event = events[place];
  byId("clock").textContent = event === undefined ? "" : `${seconds(event.at ?? view.moments.at(place).contact?.at ?? 0)} · ${place + 1}/${events.length}`;
  slider.setAttribute("aria-valuetext", event === undefined ? "no event" : `event ${place + 1} of ${events.length}: ${event.event}`);
  const playing = view.plays !== null;
  const button = byId("play");
  button.querySelector("path").setAttribute("d", playing ? PAUSE : PLAY);
  button.querySelector(".unseen").textContent = playing ? "Pause" : "Play";
  button.title = playing ? "Pause" : "Play";
  for (const name of ["back", "play", "step"]) byId(name).disabled = events.length < 2;
  byId("trouble").hidden = (subject?.troubles.length ?? 0) === 0;
  byId("now")?.setAttribute("aria-pressed", String(view.live));
  showMarks(subject);
}

/** Mark on the slider where something went wrong. */
function showMarks(subject) {
  const marks = byId("marks");
  const key = `${subject?.key} ${subject?.events.length}`;
  if (marks.dataset.shown === key) return;
  marks.dataset.shown = key;
  const last = Math.max(1, (subject?.events.length ?? 0) - 1);
  const places = new Set((subject?.troubles ?? []).map((place) => Math.round((place / last) * 200)));
  marks.replaceChildren(
    ...[...places].map((place) => {
      const made = make("span", null);
      made.style.left = `${place / 2}%`;
      return made;
    }),
  );
}

// -- what there is

function ordered() {
  const rank = (subject) => {
    if (subject.key === OUTSIDE) return 3;
    if (subject.outcome === "goes on") return data.live ? -1 : 1;
    return subject.outcome === "failed" ? 0 : 2;
  };
  const all = [...view.run.subjects.values()].map((subject, at) => [subject, rank(subject), data.live ? -at : at]);
  const found = view.results === null ? all : all.filter(([subject]) => view.results.has(subject));
  return found.sort((a, b) => a[1] - b[1] || a[2] - b[2]).map(([subject]) => subject);
}

const subjectElements = new Map();
const MARKS = {
  failed: "M4 4l8 8M12 4l-8 8",
  passed: "M3 8.5l3.5 3.5L13 4.5",
  ended: "M4.5 8h7",
  "goes on": "M6 3.5v9l6-4.5z",
};

function icon(path) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("viewBox", "0 0 16 16");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  made.append(document.createElementNS(made.namespaceURI, "path"));
  made.firstChild.setAttribute("d", path);
  return made;
}

function subjectElement(subject) {
  let kept = subjectElements.get(subject);
  if (kept === undefined) {
    const button = make("button", { type: "button", class: "subject", click: () => select(subject) });
    kept = { element: make("li", null, button), button, told: "" };
    subjectElements.set(subject, kept);
  }
  const hits = view.results?.get(subject)?.length ?? 0;
  const troubled = subject.outcome === "ended" && subject.troubles.length > 0 ? " troubled" : "";
  const told = `${subject.outcome} ${subject.title} ${subject.shows} ${hits}${troubled}`;
  if (kept.told !== told) {
    kept.told = told;
    kept.button.replaceChildren(
      make("span", { class: `sign ${subject.outcome.replace(" ", "-")}${troubled}` }, icon(MARKS[subject.outcome] ?? MARKS.ended), make("span", { class: "unseen" }, `${subject.outcome}${troubled && ", with problems"}: `)),
      make("span", { class: "title" }, subject.title),
      hits > 0 ? make("span", { class: "hits" }, String(hits)) : "",
      make("span", { class: "shows" }, subject.outcome === "failed" && subject.failure ? firstLine(subject.failure) : subject.shows),
    );
  }
  if (subject === view.subject) kept.button.setAttribute("aria-current", "true");
  else kept.button.removeAttribute("aria-current");
  return kept.element;
}

const GROUPS = [
  ["Going on", (subject) => subject.outcome === "goes on"],
  ["Failed", (subject) => subject.outcome === "failed"],
  ["Passed", (subject) => subject.outcome === "passed"],
  ["Ended", (subject) => subject.outcome === "ended"],
];

function showSubjects() {
  const all = ordered();
  byId("nothing").hidden = all.length > 0;
  if (all.length === 0) byId("nothing").textContent = view.results !== null ? "Nothing of the kind happened." : data.live ? "No call yet. Place one with “New call or chat”." : "In this run nothing happened.";
  const shown = all.slice(0, view.listed);
  const host = byId("subjects");
  const parts = [];
  for (const [title, belongs] of GROUPS) {
    const inside = shown.filter(belongs);
    if (inside.length === 0) continue;
    const key = `group-${title.replace(" ", "-")}`;
    const group = byId(key) ?? make("section", { id: key, "aria-label": title }, make("h2", null, title), make("ul", null));
    const total = all.filter(belongs).length;
    const heading = `${title} ${total}`;
    if (group.firstChild.textContent !== heading) group.firstChild.textContent = heading;
    hold(group.lastChild, inside.map(subjectElement));
    parts.push(group);
  }
  if (all.length > shown.length) {
    const more = byId("more-subjects") ?? make("button", { type: "button", id: "more-subjects", class: "more", click: () => { view.listed += LISTED; showSubjects(); } });
    more.textContent = `${all.length - shown.length} more`;
    parts.push(more);
  }
  hold(host, parts);
}

function showSummary() {
  const { run } = view;
  const scenarios = [...run.subjects.values()].filter((subject) => subject.scenario !== null);
  const failed = scenarios.filter((subject) => subject.outcome === "failed").length;
  const passed = scenarios.filter((subject) => subject.outcome === "passed").length;
  const parts = [];
  if (failed > 0) parts.push(badge("bad", `${failed} failed`));
  if (passed > 0) parts.push(badge("good", `${passed} passed`));
  for (const fault of run.faults.values()) parts.push(badge("bad", `${fault.kind}: ${faultName(fault.target)}`));
  if (run.began?.started) parts.push(make("span", { class: "fine" }, run.began.started.replace("T", " ").replace("Z", " UTC")));
  hold(byId("summary"), []);
  byId("summary").replaceChildren(...parts);
}

function faultName(target) {
  return shortName(target.replace(/^\w+:(?!aws:)/, ""));
}

function showOutcome() {
  const host = byId("outcome");
  const { subject } = view;
  const failed = subject !== null && subject.outcome === "failed" && subject.failure !== "";
  host.hidden = !failed;
  if (!failed || host.dataset.shown === subject.key) return;
  host.dataset.shown = subject.key;
  const first = firstLine(subject.failure);
  const rest = subject.failure.trim() !== first;
  host.replaceChildren(
    make("p", null, make("strong", null, "Failed: "), first),
    rest ? make("details", null, make("summary", null, "All of it"), make("pre", { tabindex: "0" }, subject.failure)) : "",
  );
}

// -- the search

function textOf(event) {
  const { event: kind, text, block, label, function: name, action, resource, reason, problem, failure, table, to } = event;
  const values = [kind, text, block, label, name, action, resource, reason, problem, failure, table, to];
  if (event.set) values.push(JSON.stringify(event.set));
  if (event.logs) values.push(event.logs.join("\n"));
  for (const part of [event.input, event.answer, event.body, event.key]) if (part !== undefined) values.push(JSON.stringify(part));
  return values.filter((value) => typeof value === "string").join("\n").toLowerCase();
}
const texts = new WeakMap();

function search() {
  const query = byId("query").value.trim().toLowerCase();
  view.query = query;
  view.listed = LISTED;
  view.results = null;
  if (query !== "") {
    view.results = new Map();
    for (const subject of view.run.subjects.values()) {
      const places = [];
      subject.events.forEach((event, place) => {
        if (!texts.has(event)) texts.set(event, textOf(event));
        if (texts.get(event).includes(query)) places.push(place);
      });
      const named = `${subject.title}\n${subject.shows}`.toLowerCase().includes(query);
      if (named || places.length > 0) view.results.set(subject, places);
    }
  }
  const hits = [...(view.results?.values() ?? [])].reduce((sum, places) => sum + places.length, 0);
  byId("count").textContent = query === "" ? "" : view.results.size === 0 ? "No results" : many(hits, "result");
  showSubjects();
}

/** Go to the next event that was found, first in what is shown. */
function nextResult() {
  if (view.results === null || view.results.size === 0) return;
  const here = view.results.get(view.subject)?.find((place) => place > view.place);
  if (here !== undefined) {
    goTo(here);
    return;
  }
  const order = ordered();
  const next = order[(order.indexOf(view.subject) + 1) % order.length];
  select(next, view.results.get(next)[0] ?? 0);
}

// -- buttons and keys

const ACTIONS = {
  back: () => step(-1),
  step: () => step(1),
  play: () => (view.plays === null ? play() : leave()),
  trouble: () => {
    const { troubles } = view.subject;
    leave();
    goTo(troubles.find((place) => place > view.place) ?? troubles[0]);
  },
};

function step(by, { events = false } = {}) {
  leave();
  goTo(events ? view.place + by : beside(view.subject.stops, by));
}

function neighbour(by) {
  const order = ordered();
  const next = order[order.indexOf(view.subject) + by];
  if (next === undefined) return;
  pause();
  select(next);
  scrollWithin(byId("list"), subjectElement(next));
}

const HOTKEYS = {
  " ": ACTIONS.play,
  ArrowRight: (event) => step(1, { events: event.shiftKey }),
  ArrowLeft: (event) => step(-1, { events: event.shiftKey }),
  Home: () => goTo(0),
  End: () => goTo(Infinity),
  e: () => byId("trouble").hidden || ACTIONS.trouble(),
  "[": () => neighbour(-1),
  "]": () => neighbour(1),
  "/": () => byId("query").focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  if (target.closest("input:not([type=range]), textarea, select, dialog, pre")) return;
  if (event.key === " " && target.closest("button:not([role=tab]), summary")) return;
  if (target.id === "slider" && event.key !== " " && event.key !== "/") return;
  const does = HOTKEYS[event.key];
  if (does === undefined || (view.subject === null && event.key !== "/")) return;
  event.preventDefault();
  does(event);
});
for (const [name, does] of Object.entries(ACTIONS)) byId(name).addEventListener("click", does);
byId("slider").addEventListener("input", (event) => {
  const to = Number(event.target.value); // pausing shows again where it was
  leave();
  goTo(to);
});
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(searching);
  if (byId("query").value.trim().toLowerCase() !== view.query) search();
  nextResult();
});
let searching = null;
byId("query").addEventListener("input", () => {
  clearTimeout(searching);
  searching = setTimeout(search, 120);
});
byId("query").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  byId("query").value = "";
  search();
});
byId("main").addEventListener("click", (event) => {
  const button = event.target.closest("button.time");
  if (button === null) return;
  leave();
  goToNumber(Number(button.dataset.n));
});
zoomButtons(() => {
  const shown = [...pictures.values()].find(({ host, pane }) => pane !== null && !host.hidden);
  return shown === undefined ? [] : [shown.pane];
});

/** Open what the address names, else what failed, else what there is first. */
function open() {
  const n = Number(new URLSearchParams(location.hash.slice(1)).get("at") ?? NaN);
  if (!Number.isNaN(n) && goToNumber(n)) return;
  const [first] = ordered();
  if (first !== undefined) select(first);
  else show();
}
