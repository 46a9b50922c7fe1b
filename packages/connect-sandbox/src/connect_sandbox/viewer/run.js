const STOPS = new Set(["block", "asks", "contact-ended", "contact-stopped", "scenario-ended"]);
const OUTSIDE = "outside"; // the subject of what belongs to no contact and no scenario

/** Whether an event tells of something that went wrong, or was refused. */
function isTrouble(event) {
  if (event.event === "decision") return !event.allowed;
  if (event.event === "function-ended") return Boolean(event.error || event.refused);
  if (event.event === "branch") return event.branch.startsWith("error:");
  if (event.event === "delivery") return event.outcome === "failed";
  if (event.event === "contact-ended") return event.how === "failed";
  if (event.event === "scenario-ended") return event.outcome !== "passed";
  return event.event === "contact-stopped";
}

/** The function's name in an ARN, the table's, the queue's: what people call it. */
function shortName(arn) {
  const text = String(arn ?? "");
  if (!text.startsWith("arn:")) return text;
  const [, , , , , ...rest] = text.split(":");
  const resource = rest[0] === "function" ? rest[1] : rest.join(":");
  return (resource ?? "").split("/").pop() || text;
}

/** What one looks at: a scenario with its contacts, a contact of its own, or all that belongs to neither. */
class Subject {
  constructor(key, title, { scenario = null, contact = null, shows = "" } = {}) {
    this.key = key;
    this.title = title;
    this.shows = shows;
    this.scenario = scenario;
    this.events = []; // those of the run that happened in it, in order
    this.stops = []; // where stepping halts: places in events
    this.troubles = []; // where something went wrong: places in events
    this.contacts = contact === null ? [] : [contact];
    this.outcome = "goes on"; // or passed, failed, ended
    this.talks = false; // whether agent and customer are connected
    this.failure = "";
  }

  add(event) {
    if (STOPS.has(event.event)) this.stops.push(this.events.length);
    if (isTrouble(event)) this.troubles.push(this.events.length);
    this.events.push(event);
    if (event.contact && !this.contacts.includes(event.contact)) this.contacts.push(event.contact);
    if (event.event === "asks" && event.of === "agent") this.talks = event.wants === "words";
    else if (["block", "contact-ended", "contact-stopped"].includes(event.event)) this.talks = false;
    if (event.event === "scenario-ended") {
      this.outcome = event.outcome;
      this.failure = event.failure ?? "";
    } else if (this.scenario === null && event.event === "contact-stopped") {
      this.outcome = "failed";
      this.failure = event.problem;
    } else if (this.scenario === null && event.event === "contact-ended") {
      this.outcome = event.how === "failed" ? "failed" : "ended";
      if (event.how === "failed") this.failure = event.reason ?? "";
    }
  }

  get over() {
    return this.outcome !== "goes on";
  }

  /** Where to open it: at the first trouble if it failed (in a function: when that has ended), else at its end. */
  get opensAt() {
    const last = Math.max(0, this.events.length - 1);
    if (this.outcome !== "failed" || this.troubles.length === 0) return last;
    const [first] = this.troubles;
    const { event, invocation } = this.events[first];
    if (event !== "decision" || !invocation) return first;
    const ends = this.events.findIndex((one) => one.event === "function-ended" && one.invocation === invocation);
    return ends === -1 ? first : ends;
  }
}

/** A run, event by event. */
class Run {
  constructor() {
    this.count = 0;
    this.began = null;
    this.ended = null;
    this.subjects = new Map();
    this.flows = new Map(); // by ARN: each as it was, in order
    this.stacks = new Map();
    this.faults = new Map(); // those that are set: target and kind
    this.invocations = new Map(); // invocation: its subject
    this.scenarios = new Map(); // name: the subject of its latest play
  }

  /** Take the next event; return the subject that it belongs to, null if it has none. */
  add(event) {
    this.count = event.n + 1;
    if (event.event === "run") this.began = event;
    else if (event.event === "run-ended") this.ended = event;
    else if (event.event === "deployed") this.stacks.set(event.stack, event);
    if (event.event === "flow") {
      if (!this.flows.has(event.flow)) this.flows.set(event.flow, []);
      this.flows.get(event.flow).push(event);
      return null;
    }
    if (event.event === "fault") {
      const key = `${event.target} ${event.kind}`;
      if (event.set) this.faults.set(key, event);
      else this.faults.delete(key);
      for (const open of this.subjects.values()) if (!open.over) open.add(event);
    }
    if (["run", "run-ended", "deployed", "fault"].includes(event.event)) return null;
    const subject = this.subject(event);
    if (event.invocation && !this.invocations.has(event.invocation)) this.invocations.set(event.invocation, subject);
    subject.add(event);
    if (subject.scenario === null && event.event === "contact") this.describe(subject, event);
    if (subject.scenario === null && subject.stops.length === 1 && event.event === "block") this.name(subject, event);
    return subject;
  }

  subject(event) {
    if (event.scenario) return this.scenario(event);
    if (event.contact) {
      const key = `contact ${event.contact}`;
      if (!this.subjects.has(key)) {
        this.subjects.set(key, new Subject(key, "Contact", { contact: event.contact }));
      }
      return this.subjects.get(key);
    }
    const known = event.invocation ? this.invocations.get(event.invocation) : undefined;
    if (known !== undefined) return known;
    if (!this.subjects.has(OUTSIDE)) {
      const shows = "what no contact and no scenario set off, such as the deployment";
      const made = new Subject(OUTSIDE, "Outside of contacts", { shows });
      made.outcome = "ended";
      this.subjects.set(OUTSIDE, made);
    }
    return this.subjects.get(OUTSIDE);
  }

  scenario(event) {
    const name = event.scenario;
    let found = this.scenarios.get(name);
    if (found === undefined || (event.event === "scenario" && found.over)) {
      let key = `scenario ${name}`;
      for (let again = 2; this.subjects.has(key); again += 1) key = `scenario ${name} ${again}`;
      found = new Subject(key, name, { scenario: name });
      this.scenarios.set(name, found);
      this.subjects.set(key, found);
    }
    if (event.event === "scenario") found.shows = event.shows ?? "";
    return found;
  }

  /** Say of a contact who began it, and when. */
  describe(subject, event) {
    subject.title = { VOICE: "Call", CHAT: "Chat", TASK: "Task", EMAIL: "E-mail" }[event.channel] ?? "Contact";
    const began = new Date(Date.parse(this.began?.started ?? "") + event.time * 1000);
    const at = Number.isNaN(began.getTime()) ? "" : `${began.toISOString().slice(11, 19)} UTC`;
    subject.shows = [event.customer, at].filter(Boolean).join(", ");
  }

  /** Call a contact by its first flow. */
  name(subject, event) {
    const flow = this.flowAt(event.flow, event.n);
    subject.title = `${subject.title}: ${flow?.name ?? shortName(event.flow)}`;
  }

  /** The flow as it was when an event happened; undefined if the run does not tell it. */
  flowAt(arn, n) {
    const editions = this.flows.get(arn) ?? [];
    return editions.findLast((flow) => flow.n <= n) ?? editions[0];
  }
}

/** A contact at one moment. */
class ContactThen {
  constructor(id) {
    this.id = id;
    this.began = null;
    this.flow = null;
    this.block = null;
    this.at = 0;
    this.ways = new Map(); // flow: { blocks, branches, wrong } that the contact has passed
    this.last = null; // the branch that it took last
    this.attributes = new Map(); // name: { value, before, n }; value null if it was removed
    this.asks = null;
    this.ended = null;
    this.stopped = null;
  }

  way(flow) {
    if (!this.ways.has(flow)) this.ways.set(flow, { blocks: new Set(), branches: new Set(), wrong: new Set() });
    return this.ways.get(flow);
  }
}

/** What there is to see when the first events of a subject have happened. Grows by one event after the other. */
class Moment {
  constructor() {
    this.place = -1;
    this.event = null;
    this.contacts = new Map();
    this.contact = null; // the one of the last event that had one
    this.entries = [];
    this.calls = []; // of functions
    this.byInvocation = new Map();
    this.decisions = []; // outside of functions, too
    this.messages = [];
    this.items = [];
    this.faults = [];
  }

  take(event) {
    this.place += 1;
    this.event = event;
    const contact = event.contact ? this.of(event.contact) : null;
    if (contact !== null) {
      this.contact = contact;
      contact.at = event.at ?? contact.at;
      if (event.event !== "asks" && event.event !== "fault") contact.asks = null;
    }
    const does = TAKES[event.event];
    if (does !== undefined) does(this, event, contact);
  }

  of(id) {
    if (!this.contacts.has(id)) this.contacts.set(id, new ContactThen(id));
    return this.contacts.get(id);
  }

  call(event) {
    return event.invocation === undefined ? undefined : this.byInvocation.get(event.invocation);
  }
}

/** What each event changes in a moment: (moment, event, contact). */
const TAKES = {
  contact: (moment, event, contact) => {
    contact.began = event;
    moment.entries.push(event);
  },
  block: (moment, event, contact) => {
    contact.flow = event.flow;
    contact.block = event.block;
    contact.way(event.flow).blocks.add(event.block);
  },
  branch: (moment, event, contact) => {
    const way = contact.way(event.flow);
    way.branches.add(`${event.block}\n${event.branch}`);
    contact.last = event;
    if (isTrouble(event)) way.wrong.add(event.block);
  },
  entry: (moment, event) => moment.entries.push(event),
  attributes: (moment, event, contact) => {
    const change = (name, value) =>
      contact.attributes.set(name, { value, before: contact.attributes.get(name)?.value ?? null, n: event.n });
    for (const [name, value] of Object.entries(event.set ?? {})) change(name, value);
    for (const name of event.removed ?? []) change(name, null);
  },
  asks: (moment, event, contact) => {
    contact.asks = event;
  },
  "contact-ended": (moment, event, contact) => {
    contact.ended = event;
    moment.entries.push(event);
  },
  "contact-stopped": (moment, event, contact) => {
    contact.stopped = event;
    if (contact.flow !== null) contact.way(contact.flow).wrong.add(contact.block);
    moment.entries.push(event);
  },
  "scenario-ended": (moment, event) => moment.entries.push(event),
  function: (moment, event) => {
    const call = { began: event, ended: null, decisions: [], messages: [], items: [], version: 0 };
    moment.calls.push(call);
    moment.byInvocation.set(event.invocation, call);
  },
  "function-ended": (moment, event, contact) => {
    const call = moment.call(event);
    if (call === undefined) return;
    call.ended = event;
    call.version += 1;
    if (isTrouble(event)) blame(call, contact);
  },
  decision: (moment, event, contact) => {
    gather(moment, event, "decisions");
    if (isTrouble(event)) blame(moment.call(event), contact);
  },
  message: (moment, event) => gather(moment, event, "messages"),
  delivery: (moment, event) => moment.messages.push(event),
  item: (moment, event) => gather(moment, event, "items"),
  fault: (moment, event) => {
    moment.faults.push(event);
    moment.entries.push(event);
  },
};

/** Mark the block as wrong that has called the function. */
function blame(call, contact) {
  if (contact?.flow && contact.block === call?.began.block) contact.way(contact.flow).wrong.add(contact.block);
}

function gather(moment, event, what) {
  moment[what].push(event);
  const call = moment.call(event);
  if (call !== undefined) {
    call[what].push(event);
    call.version += 1;
  }
}

/** The moments of one subject: forth costs an event, back costs those from the beginning. */
class Moments {
  constructor(subject) {
    this.subject = subject;
    this.moment = new Moment();
  }

  at(place) {
    if (place < this.moment.place) this.moment = new Moment();
    while (this.moment.place < place) this.moment.take(this.subject.events[this.moment.place + 1]);
    return this.moment;
  }
}
