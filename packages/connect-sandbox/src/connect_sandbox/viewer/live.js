const RETRY = 2000; // milliseconds until a sandbox that does not answer is asked again
const DIGITS_END = 1200; // milliseconds after the last key until what was pressed is sent, where several keys are asked for
const KEYPAD = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

const calls = new Map(); // contact: { call, held, again } that this page attends
let token = sessionStorage.getItem("token");
let awaited = null; // the contact that was begun here and has not told of itself yet
let phoneShows = null;

/** Take the token out of the address, where others could read it, and keep it for this tab. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return;
  token = given;
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname);
}

/** Ask the sandbox; what it refuses is an Error with its words. */
async function ask(method, path, told) {
  const response = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    body: told === undefined ? undefined : JSON.stringify(told),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error), { status: response.status });
  return answer;
}

function say(words) {
  byId("said").textContent = words;
}

function notice(words) {
  const shown = byId("notice") ?? make("p", { id: "notice", class: "notice", role: "alert" });
  if (words === null) shown.remove();
  else {
    shown.textContent = words;
    document.querySelector("header").after(shown);
  }
}

// -- events as they come

async function watch() {
  let after = 0;
  let opened = false;
  for (;;) {
    try {
      const answer = await ask("GET", `/run/events?after=${after}`);
      notice(null);
      for (const event of answer.events) arrived(event, opened);
      after = answer.next;
      if (!answer.more && !opened) {
        opened = true;
        open();
        document.body.dataset.ready = "";
      }
      if (opened && answer.events.length > 0) {
        follow();
        paint();
      }
    } catch (problem) {
      if (problem.status === 401 || problem.status === 403) {
        notice(`The sandbox does not let this page in (${problem.message}). Open the address that connect-sandbox status prints.`);
        return;
      }
      notice("The sandbox does not answer. If it has ended, start it again and open the address that it prints.");
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
}

function arrived(event, opened) {
  const subject = view.run.add(event);
  if (subject === null) return;
  if (subject === view.subject && view.moments.moment.place >= 0) texts.delete(event);
  if (event.contact !== undefined && event.contact === awaited) {
    awaited = null;
    view.live = true;
    select(subject, 0);
  } else if (opened && view.subject === null) {
    select(subject, 0);
  }
}

/** Play what has come, if the page is to stay at the newest event. */
function follow() {
  if (!view.live || view.subject === null || view.plays !== null) return;
  const last = view.subject.events.length - 1;
  if (view.place >= last) return;
  if (document.hidden) goTo(last);
  else view.plays = setTimeout(tick, 0);
}

byId("now").addEventListener("click", () => {
  pause();
  view.live = true;
  const going = [...view.run.subjects.values()].findLast((subject) => !subject.over);
  if (going !== undefined && view.subject?.over !== false) select(going);
  else goTo(Infinity);
});

// -- the caller's telephone, the agent's desk

/** What the telephone is to show now: the contact, what it waits for, and whether it is held. */
function attended() {
  const { subject } = view;
  if (subject === null || view.moments === null) return null;
  const contact = subject.contacts.find((id) => calls.has(id));
  if (contact === undefined) return null;
  const newest = view.place === subject.events.length - 1;
  const then = newest ? view.moments.at(view.place).contacts.get(contact) : undefined;
  const talks = subject.talks && (newest || view.live);
  return { contact, call: calls.get(contact), over: subject.over && newest, asks: then?.asks ?? null, newest, talks };
}

function showPhone() {
  const phone = byId("phone");
  const now = attended();
  phone.hidden = now === null;
  const key = now === null ? "" : JSON.stringify([now.contact, now.call.held, now.over, now.talks || [now.asks?.n, now.newest || view.live]]);
  if (key === phoneShows) return;
  phoneShows = key;
  if (now === null) return;
  const had = phone.contains(document.activeElement);
  if (now.over) phone.replaceChildren(...endedPhone(now));
  else if (now.talks) phone.replaceChildren(...talkingPhone(now));
  else if (!now.newest && !view.live) phone.replaceChildren(phoneHead("You look at the past", make("button", { type: "button", click: () => byId("now").click() }, "Back to the call")));
  else if (now.asks?.of === "agent" && now.asks.wants === "answer") phone.replaceChildren(...queuedPhone(now));
  else if (now.asks !== null) phone.replaceChildren(...askedPhone(now));
  else phone.replaceChildren(phoneHead(now.call.held ? "Held before the next block" : "The flow plays …", ...paceButtons(now), hangUpButton(now)));
  if (had || now.asks !== null) phone.querySelector("input")?.focus({ preventScroll: true });
  byId("transcript").scrollTop = byId("transcript").scrollHeight; // there is less room for it now
}

function phoneHead(words, ...buttons) {
  if (words !== byId("said").textContent) say(words);
  return make("div", { class: "phone-head" }, make("strong", null, words), make("span", { class: "phone-buttons" }, ...buttons));
}

function phoneButton(words, does, kind = null) {
  return make("button", { type: "button", class: kind, click: () => tried(does) }, words);
}

/** Do something with the sandbox; say what it refuses. */
async function tried(does) {
  try {
    await does();
    byId("phone-problem")?.remove();
  } catch (problem) {
    const shown = byId("phone-problem") ?? make("p", { id: "phone-problem", class: "wrong", role: "alert" });
    shown.textContent = problem.message;
    byId("phone").append(shown);
  }
}

function hangUpButton({ call }) {
  return phoneButton("Hang up", () => ask("POST", "/calls/hang-up", { call: call.call }), "danger");
}

function paceButtons(now) {
  const pace = async (does) => {
    now.call.held = (await ask("POST", "/calls/pace", { call: now.call.call, does })).held;
    showPhone();
  };
  if (!now.call.held) return [phoneButton("Hold", () => pace("hold"))];
  return [phoneButton("Next block", () => pace("step"), "main"), phoneButton("Go on", () => pace("go"))];
}

function move(now, what) {
  return ask("POST", "/calls/answer", { call: now.call.call, move: what });
}

/** besides: a further button. */
function textForm(label, button, send, besides = null) {
  const field = make("input", { type: "text", autocomplete: "off", "aria-label": label, placeholder: label });
  const form = make("form", { class: "phone-form" }, field, make("button", { type: "submit", class: "main" }, button), besides);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    field.value = "";
    tried(() => send(text));
  });
  return form;
}

const ASKS = {
  keys: "The flow waits for keys",
  words: "The flow waits for words or keys",
  message: "The flow waits for a message",
  view: "The flow shows a view",
};

function askedPhone(now) {
  const { wants } = now.asks;
  const chat = wants === "message" || wants === "view";
  const parts = [
    phoneHead(
      ASKS[wants] ?? "The flow waits",
      ...paceButtons(now),
      hangUpButton(now),
    ),
  ];
  const silence = () => move(now, "stays silent");
  const silent = phoneButton("Stay silent", silence);
  if (wants === "view") parts.push(textForm("Action of the view", "Choose", (text) => move(now, { chooses: text }), silent));
  else if (chat) parts.push(textForm("Message", "Send", (text) => move(now, { says: text }), silent));
  else {
    const keys = (text) => /^[0-9*#]+$/.test(text);
    const send = (text) => move(now, keys(text) ? { presses: text } : { says: text });
    parts.push(textForm("Keys, or what the caller says", "Send", (text) => (text === "" ? silence() : send(text)), silent));
    parts.push(keypad(now));
  }
  return parts;
}

/** The keys of a telephone. Where the flow takes one key it is sent at once, else when no further one is pressed. */
function keypad(now) {
  const flow = view.run.flowAt(view.moments.at(view.place).contact.flow, Infinity);
  const block = flow?.blocks?.find((one) => one.id === view.moments.at(view.place).contact.block);
  const several = block?.parameters.some(([path, value]) => path === "StoreInput" && value === "True") ?? false;
  let pressed = "";
  let timer = null;
  const send = () => {
    const digits = pressed;
    pressed = "";
    tried(() => move(now, { presses: digits }));
  };
  const press = (key) => {
    pressed += key;
    clearTimeout(timer);
    if (several) timer = setTimeout(send, DIGITS_END);
    else send();
  };
  const buttons = KEYPAD.map((key) => make("button", { type: "button", click: () => press(key) }, key));
  return make("div", { class: "keypad", role: "group", "aria-label": "Keys" }, ...buttons);
}

function agentDoes(now, does, more = {}) {
  return ask("POST", "/calls/agent", { call: now.call.call, does, ...more });
}

function queuedPhone(now) {
  const answer = (seconds) => () => agentDoes(now, "answers", { seconds });
  return [
    phoneHead("The contact waits in the queue", hangUpButton(now)),
    make(
      "div",
      { class: "phone-buttons" },
      phoneButton("Answer as the agent", answer(0), "main"),
      phoneButton("Answer after 1 min", answer(60)),
      phoneButton("Nobody answers", () => agentDoes(now, "nobody answers")),
    ),
  ];
}

function talkingPhone(now) {
  return [
    phoneHead("Agent and customer are connected", phoneButton("Hold for 30 s", () => agentDoes(now, "holds", { seconds: 30 })), phoneButton("End as the agent", () => agentDoes(now, "ends"), "danger")),
    textForm("The agent says", "Say", (text) => agentDoes(now, "says", { text })),
    textForm("The customer says", "Say", (text) => move(now, { says: text }), hangUpButton(now)),
  ];
}

function endedPhone(now) {
  const again = phoneButton("Call again", () => begin(now.call.again), "main");
  return [phoneHead("The contact has ended", ...(now.call.again ? [again] : []))];
}

// -- placing a call or a chat

async function begin(told) {
  const { call, contact } = await ask("POST", "/calls", { ...told, attended: true });
  calls.set(contact, { call, held: told.held === true, again: told });
  awaited = contact;
  pause();
  view.live = true;
  const known = view.run.subjects.get(`contact ${contact}`); // its events may have been quicker than the answer
  if (known !== undefined) {
    awaited = null;
    select(known, 0);
    follow();
  }
}

const dialog = byId("dialog");

function openDialog(title, ...inside) {
  const close = make("button", { type: "button", class: "close", click: () => dialog.close() }, "Close");
  dialog.replaceChildren(make("header", null, make("h2", { id: "dialog-title" }, title), close), ...inside);
  if (!dialog.open) dialog.showModal();
}

function labelled(words, field) {
  return make("label", null, make("span", null, words), field);
}

async function newCall() {
  const { instances } = await ask("GET", "/status");
  const numbers = instances.flatMap(({ numbers: held }) => Object.entries(held).filter(([, flow]) => flow !== null));
  const flows = instances.flatMap((instance) => instance.flows);
  if (numbers.length + flows.length === 0) {
    openDialog("New call or chat", empty("Nothing is deployed that can be called. Deploy an app: connect-sandbox deploy APP"));
    return;
  }
  const option = (value, words) => make("option", { value }, words);
  const groups = [];
  if (flows.length > 0) groups.push(make("optgroup", { label: "Flows" }, ...flows.map((name) => option(name, name))));
  if (numbers.length > 0) groups.push(make("optgroup", { label: "Numbers" }, ...numbers.map(([number, flow]) => option(number, `${number}: ${flow}`))));
  const to = make("select", { id: "call-to" }, ...groups);
  const channel = make("select", { id: "call-channel" }, option("VOICE", "Call"), option("CHAT", "Chat"));
  const number = make("input", { type: "tel", id: "call-from", value: "+12065550142", autocomplete: "off" });
  const held = make("input", { type: "checkbox", id: "call-held" });
  const problem = make("p", { class: "wrong", role: "alert" });
  const form = make(
    "form",
    { class: "dialog-form" },
    labelled("Flow or number", to),
    labelled("By", channel),
    labelled("Customer’s number", number),
    make("label", { class: "check" }, held, make("span", null, "Hold it before each block")),
    problem,
    make("button", { type: "submit", class: "main" }, "Start"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      await begin({ to: to.value, held: held.checked, setup: { channel: channel.value, number: number.value.trim() } });
      dialog.close();
    } catch (refusal) {
      problem.textContent = refusal.message;
    }
  });
  openDialog("New call or chat", form);
  to.focus();
}

// -- faults

const KINDS = { slow: "Slow", down: "Down", denied: "Denied", throttled: "Throttled" };

async function showFaults(given = null) {
  const { faults, targets, unseen } = given ?? (await ask("GET", "/faults"));
  const set = new Map(faults.map((fault) => [fault.target, fault]));
  const old = byId("fault-seconds");
  const late = make("input", { type: "number", id: "fault-seconds", min: "1", max: "300", value: old?.value ?? "3" });
  const problem = make("p", { class: "wrong", role: "alert" });
  const change = async (method, told) => {
    try {
      await showFaults(await ask(method, "/faults", told));
      dialog.querySelector(`[data-fault="${CSS.escape(`${told.target} ${told.kind}`)}"]`)?.focus();
    } catch (refusal) {
      problem.textContent = refusal.message;
    }
  };
  const row = ({ target, name, kinds }) => {
    const buttons = kinds.map((kind) => {
      const on = set.get(target)?.kind === kind;
      const toggles = () => change(on ? "DELETE" : "POST", { target, kind, seconds: Number(late.value) });
      return make("button", { type: "button", "aria-pressed": String(on), "data-fault": `${target} ${kind}`, "aria-label": `${name}: ${KINDS[kind]}`, click: toggles }, KINDS[kind]);
    });
    return make("tr", null, make("th", { scope: "row" }, name), make("td", null, ...buttons));
  };
  const parts = [];
  for (const group of new Set(targets.map((target) => target.group))) {
    parts.push(make("h3", null, group), make("table", { class: "faults" }, make("tbody", null, ...targets.filter((target) => target.group === group).map(row))));
  }
  const scrolled = dialog.querySelector(".dialog-body")?.scrollTop ?? 0;
  openDialog(
    "Faults",
    make("div", { class: "dialog-tools" }, labelled("Slow by (s)", late), make("button", { type: "button", click: () => change("DELETE", {}) }, "Take all back")),
    problem,
    make("div", { class: "dialog-body", tabindex: "0", role: "group", "aria-label": "What can have a fault" }, ...parts, make("p", { class: "fine" }, unseen)),
  );
  dialog.querySelector(".dialog-body").scrollTop = scrolled;
}

function orNotice(does) {
  return () => does().catch((problem) => notice(problem.message));
}

byId("new-call").addEventListener("click", orNotice(newCall));
byId("faults-button").addEventListener("click", orNotice(showFaults));

// -- begin

takeToken();
afterShow = showPhone;
if (token === null) notice("This page needs the token of the sandbox. Open the address that connect-sandbox status prints.");
else {
  ask("GET", "/calls")
    .then((answer) => {
      for (const { contact, call, held } of answer.calls) calls.set(contact, { call, held, again: null });
    })
    .catch((problem) => notice(problem.message))
    .then(watch);
}
