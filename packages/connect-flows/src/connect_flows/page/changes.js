const panes = data.sides.map((side, number) => new Pane(document.getElementById(`s${number}-pane`), `s${number}-`, side));
const SIDES = ["old", "new"];
const details = document.getElementById("details");
const list = document.getElementById("list");
const rowOf = SIDES.map((side) => new Map(data.rows.map((row, number) => [row[side], number])));
let chosen = null; // the number of the chosen row

function stateOf(row) {
  if (row.new === null) return "removed";
  if (row.old === null) return "added";
  return row.changed ? "changed" : null;
}

function blockOf(row) {
  return row.new === null ? data.sides[0].blocks[row.old] : data.sides[1].blocks[row.new];
}

/** Light what was added, removed or changed in both pictures. */
function light() {
  for (const row of data.rows) {
    const state = stateOf(row);
    SIDES.forEach((side, number) => {
      if (row[side] === null) return;
      const group = panes[number].groups[row[side]];
      if (state !== null) {
        group.classList.add(state);
        group.setAttribute("aria-label", `${group.getAttribute("aria-label")}, ${state}`);
      }
      const block = data.sides[number].blocks[row[side]];
      for (const [key, lit] of Object.entries(block.states)) panes[number].line(block, key)?.classList.add(lit);
    });
  }
}

/** Choose a row of blocks; both panes go to it, or to where it would be. */
function choose(number, { focus = false, except = null } = {}) {
  chosen = number;
  const row = number === null ? null : data.rows[number];
  details.hidden = row === null;
  for (const pane of panes) pane.draw(); // the details take room from them
  details.replaceChildren(...(row === null ? [] : about(number)));
  details.scrollTop = 0;
  if (except === null) level(panes);
  else panes[1 - except].scaleTo(panes[except].view.scale);
  SIDES.forEach((side, at) => {
    panes[at].choose(row === null ? null : row[side]);
    const where = row === null ? null : (row[side] ?? row.near);
    if (at !== except && where !== null) panes[at].centre(where, { readable: except === null });
  });
  for (const button of list.querySelectorAll("button")) {
    if (Number(button.dataset.row) === number) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  if (focus) details.querySelector("h2").focus();
}

function changed(before, after) {
  return [
    before === null ? null : make("del", null, before),
    before === null || after === null ? null : " → ",
    after === null ? null : make("ins", null, after),
  ];
}

/** One item for each block of the change. */
function changeItems(change) {
  const whole = ["added", "removed"].includes(change.kind); // the whole block: what it is says enough
  const told = whole ? [] : [` ${change.what}`, change.old === null && change.new === null ? "" : ": "];
  return (change.rows.length > 0 ? change.rows : [null]).map((row) => {
    const block = row === null ? { headline: change.block, second: "" } : blockOf(data.rows[row]);
    return make(
      "li",
      null,
      make(
        "button",
        { type: "button", "data-row": row, click: () => row !== null && choose(row) },
        make("span", { class: "changed-block" }, block.headline),
        " ",
        make("span", { class: "type" }, block.second),
        make("span", { class: "what" }, ...told, ...(whole ? [] : changed(change.old, change.new))),
      ),
    );
  });
}

function listChanges() {
  for (const heading of new Set(data.changes.map((change) => change.heading))) {
    const items = data.changes.filter((change) => change.heading === heading).flatMap(changeItems);
    list.append(make("h3", null, heading), make("ul", null, ...items));
  }
}

function about(number) {
  const row = data.rows[number];
  const [before, after] = SIDES.map((side, at) => (row[side] === null ? null : data.sides[at].blocks[row[side]]));
  const block = after ?? before;
  const said = { added: "Added", removed: "Removed", changed: "Changed" }[stateOf(row)] ?? "The same in both versions";
  const parts = [make("h2", { tabindex: "-1" }, block.headline), make("p", null, `${block.second}. ${said}.`)];
  const mine = data.changes.filter((change) => change.rows.includes(number));
  const told = mine.filter((change) => !["added", "removed"].includes(change.kind));
  if (told.length > 0) {
    const items = told.map((change) => make("li", null, `${change.heading}: ${change.what} `, ...changed(change.old, change.new)));
    parts.push(make("ul", null, ...items));
  }
  const paths = mine.map((change) => change.what);
  const parameters = compared(before, after, (each) => each.parameters.map(([path, value, name]) => [path, name ?? value]));
  const branches = compared(before, after, (each, side) =>
    each.branches.map((branch) => [branch.words, branch.to === null ? branch.target : data.sides[side].blocks[branch.to].headline]),
  );
  if (parameters.size > 0) parts.push(make("h3", null, "Parameters"), listed(parameters, (path) => paths.includes(path)));
  const states = { ...lit(before), ...lit(after) };
  if (branches.size > 0) parts.push(make("h3", null, "Branches"), listed(branches, (words) => words in states));
  return parts;
}

function lit(block) {
  if (block === null) return {};
  return Object.fromEntries(block.branches.filter(({ key }) => key in block.states).map(({ key, words }) => [words, block.states[key]]));
}

/** Return name -> [before, after], null where a version has none. */
function compared(before, after, rows) {
  const both = new Map();
  [before, after].forEach((block, side) => {
    if (block === null) return;
    for (const [name, value] of rows(block, side)) {
      if (!both.has(name)) both.set(name, [null, null]);
      both.get(name)[side] = value;
    }
  });
  return both;
}

/** The rows as a list: what is the same in both versions once, else what was and what is. */
function listed(rows, differs) {
  const told = ([before, after]) =>
    before === after
      ? [make("dd", null, before)]
      : changed(before, after)
          .filter((part) => part instanceof Node)
          .map((part) => make("dd", null, part));
  return make(
    "dl",
    { class: "both" },
    ...[...rows].flatMap(([name, values]) => [
      make("dt", differs(name) || values.includes(null) ? { class: "differs" } : null, name),
      ...told(values),
    ]),
  );
}

panes.forEach((pane, number) => {
  const other = panes[1 - number];
  pane.moved = (dx, dy, factor) => {
    if (factor === 1) other.pan(dx, dy, { quietly: true });
    else other.zoom(factor, null, { quietly: true });
  };
  pane.chosen = (block, byKey) => choose(rowOf[number].get(block), { focus: byKey, except: number });
  pane.typed = (key) => {
    const does = {
      0: () => ZOOMS.fit(panes),
      Home: () => ZOOMS.start(panes),
      Escape: () => choose(null),
    }[key];
    if (does !== undefined) does();
    return does !== undefined;
  };
  const first = data.rows.find((row) => row[SIDES[number]] !== null && stateOf(row) !== null) ?? data.rows.find((row) => row[SIDES[number]] !== null);
  pane.reach(first[SIDES[number]]);
});
zoomButtons(() => panes);
details.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || chosen === null) return;
  const row = data.rows[chosen];
  if (row.new === null) panes[0].focus(row.old);
  else panes[1].focus(row.new);
});
light();
listChanges();
choose(null);
ZOOMS.start(panes);
