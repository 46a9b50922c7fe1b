const data = JSON.parse(document.getElementById("data").textContent);

/** Return a new element. Children are elements or strings; a string stays text, whatever it holds. */
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function many(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Scroll the container, and nothing around it, until the element is in sight. */
function scrollWithin(container, element) {
  const [outer, inner] = [container.getBoundingClientRect(), element.getBoundingClientRect()];
  if (inner.top < outer.top) container.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) container.scrollTop += inner.bottom - outer.bottom;
}

const SMALLEST = 0.02;
const LARGEST = 6;
const READABLE = 0.75;
const STEP = 1.25; // one press of a zoom key or button
const STRIDE = 80; // pixels that an arrow key moves the picture
const ENTRY = 110; // picture units above the first block: where the contact comes from
const EDGE = 24; // pixels that a block keeps from the pane's edge

/**
 * A picture that can be moved and zoomed. Blocks are told by their number in the flow; start is the first one, or null.
 * It calls chosen(number, byKey) for a block that is clicked or entered, opened(number) for a double click,
 * moved(dx, dy, factor) for what others should follow, and typed(key) for keys that it has no use for.
 */
class Pane {
  constructor(host, prefix, { blocks, start }) {
    this.first = start;
    this.host = host;
    this.svg = host.querySelector("svg");
    const [x, y, width, height] = this.svg.getAttribute("viewBox").split(/[ ,]+/).map(Number);
    this.whole = { x, y, width, height };
    this.view = { x, y, scale: 0 };
    this.groups = blocks.map((_, number) => document.getElementById(`${prefix}block-${number}`));
    this.numbers = new Map(this.groups.map((group, number) => [group, number]));
    this.lines = new Map();
    for (const line of this.svg.querySelectorAll("[data-branch]")) {
      this.lines.set(`${line.dataset.from}\n${line.dataset.branch}`, line);
      // The second branch on a line shows only when it is lit: then below the line, not across its label.
      if (line.classList.contains("also")) line.parentNode.prepend(line);
    }
    this.chosen = () => {};
    this.opened = () => {};
    this.moved = () => {};
    this.typed = () => false;
    this.pointers = new Map();
    this.dragged = false;
    this.reachable = null;
    this.listen();
  }

  listen() {
    const host = this.host;
    host.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    host.addEventListener("pointerdown", (event) => this.press(event));
    host.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) {
      host.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    host.addEventListener("click", (event) => {
      const number = this.numberAt(event.target);
      if (number !== null && !this.dragged) this.chosen(number, false);
    });
    host.addEventListener("dblclick", (event) => {
      const number = this.numberAt(event.target);
      if (number !== null) this.opened(number);
    });
    host.addEventListener("keydown", (event) => this.key(event));
    host.addEventListener("focusin", (event) => {
      const number = this.numberAt(event.target);
      if (number !== null) {
        this.reach(number);
        this.reveal(number);
      }
    });
    new ResizeObserver(() => this.draw()).observe(host);
  }

  get size() {
    return { width: this.host.clientWidth, height: this.host.clientHeight };
  }

  numberAt(element) {
    const group = element.closest("[data-block]");
    return group !== null && this.numbers.has(group) ? this.numbers.get(group) : null;
  }

  /** The branch's group in the picture; undefined where the picture draws none. */
  line(block, key) {
    return this.lines.get(`${block.mark}\n${key}`);
  }

  draw() {
    const { width, height } = this.size;
    if (width === 0 || height === 0) return;
    if (this.view.scale === 0) {
      this.start();
      return;
    }
    const { x, y, scale } = this.view;
    this.svg.setAttribute("viewBox", `${x} ${y} ${width / scale} ${height / scale}`);
  }

  /** Move the picture by pixels. */
  pan(dx, dy, { quietly = false } = {}) {
    this.view.x -= dx / this.view.scale;
    this.view.y -= dy / this.view.scale;
    this.draw();
    if (!quietly) this.moved(dx, dy, 1);
  }

  /** Zoom by the factor; the point of the pane (in pixels, its middle by default) stays where it is. */
  zoom(factor, at = null, { quietly = false } = {}) {
    const { width, height } = this.size;
    const [px, py] = at ?? [width / 2, height / 2];
    const before = this.view.scale;
    const scale = Math.min(LARGEST, Math.max(SMALLEST, before * factor));
    this.view = {
      x: this.view.x + px / before - px / scale,
      y: this.view.y + py / before - py / scale,
      scale,
    };
    this.draw();
    if (!quietly) this.moved(0, 0, scale / before);
  }

  /** Show the whole picture. */
  fit() {
    const { width, height } = this.size;
    const scale = Math.min(LARGEST, 1.5, width / this.whole.width, height / this.whole.height);
    this.view = {
      x: this.whole.x - (width / scale - this.whole.width) / 2,
      y: this.whole.y - (height / scale - this.whole.height) / 2,
      scale,
    };
    this.draw();
  }

  /** Zoom to the scale; what is in the middle of the upper edge stays there. */
  scaleTo(scale) {
    this.zoom(scale / this.view.scale, [this.size.width / 2, 0], { quietly: true });
  }

  /** Show the whole picture if that can be read, else its first block at a size that can. */
  start() {
    this.fit();
    if (this.view.scale >= READABLE) return;
    const { width } = this.size;
    this.view.scale = Math.min(1, Math.max(READABLE, width / this.whole.width));
    this.view.x = this.whole.x - (width / this.view.scale - this.whole.width) / 2;
    this.view.y = this.whole.y;
    this.draw();
    if (this.first !== null) {
      const box = this.box(this.first);
      this.view.x += (box.x + box.width / 2 - width / 2) / this.view.scale;
      this.view.y += box.y / this.view.scale - ENTRY;
      this.draw();
    }
  }

  /** Where a block is in the pane, in pixels. */
  box(number) {
    const block = this.groups[number].getBoundingClientRect();
    const host = this.host.getBoundingClientRect();
    return {
      x: block.left - host.left - this.host.clientLeft,
      y: block.top - host.top - this.host.clientTop,
      width: block.width,
      height: block.height,
    };
  }

  /** Bring the block into the middle; readable: at a size that can be read. */
  centre(number, { readable = true } = {}) {
    const { width, height } = this.size;
    if (readable && this.view.scale < READABLE) this.zoom(READABLE / this.view.scale, null, { quietly: true });
    const box = this.box(number);
    this.pan(width / 2 - box.x - box.width / 2, height / 2 - box.y - box.height / 2, { quietly: true });
  }

  /** Show the block: the picture stays where it is if the block can be seen and read. */
  show(number) {
    if (this.view.scale < READABLE || this.outside(number).some((by) => by !== 0)) this.centre(number);
  }

  /** Move the picture as little as brings the whole block into the pane. */
  reveal(number) {
    const [left, up] = this.outside(number);
    if (left !== 0 || up !== 0) this.pan(left, up);
  }

  /** By how many pixels the picture must move to bring the whole block into the pane: [dx, dy]. */
  outside(number) {
    const { width, height } = this.size;
    const box = this.box(number);
    return [
      Math.max(0, EDGE - box.x) - Math.max(0, box.x + box.width - (width - EDGE)),
      Math.max(0, EDGE - box.y) - Math.max(0, box.y + box.height - (height - EDGE)),
    ];
  }

  /** Make the block the one that the Tab key comes to. */
  reach(number) {
    if (this.reachable !== null) this.groups[this.reachable].setAttribute("tabindex", "-1");
    this.groups[number].setAttribute("tabindex", "0");
    this.reachable = number;
  }

  focus(number) {
    this.reach(number);
    this.groups[number].focus({ preventScroll: true });
  }

  /** Mark the block as the chosen one, and light the branches that are given. */
  choose(number, lines = []) {
    for (const lit of this.svg.querySelectorAll(".lit, .chosen")) lit.classList.remove("lit", "chosen");
    if (number === null) return;
    this.groups[number].classList.add("chosen");
    for (const line of lines) line.classList.add("lit");
    this.reach(number);
  }

  wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : 30;
    if (event.shiftKey) {
      this.pan(-(event.deltaX || event.deltaY) * unit, 0);
      return;
    }
    this.zoom(Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0015)), this.at(event));
  }

  at(event) {
    const host = this.host.getBoundingClientRect();
    return [event.clientX - host.left, event.clientY - host.top];
  }

  press(event) {
    if (event.button !== 0) return;
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.begin = [event.clientX, event.clientY];
    this.dragged = this.pointers.size > 1;
  }

  drag(event) {
    const last = this.pointers.get(event.pointerId);
    if (last === undefined) return;
    const now = [event.clientX, event.clientY];
    if (!this.dragged) {
      if (Math.hypot(now[0] - this.begin[0], now[1] - this.begin[1]) < 5) return;
      this.dragged = true;
      this.host.setPointerCapture(event.pointerId);
    }
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      this.zoom(apart(now) / apart(last), this.at(event));
    } else {
      this.pan(now[0] - last[0], now[1] - last[1]);
    }
    this.pointers.set(event.pointerId, now);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const number = this.numberAt(event.target);
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrow !== undefined && number !== null && !event.shiftKey) {
      const next = this.beside(number, arrow);
      if (next !== null) this.focus(next);
    } else if (arrow !== undefined) {
      this.pan(-arrow[0] * STRIDE, -arrow[1] * STRIDE);
    } else if ((event.key === "Enter" || event.key === " ") && number !== null) {
      this.chosen(number, true);
    } else if (event.key === "+" || event.key === "=") {
      this.zoom(STEP);
    } else if (event.key === "-") {
      this.zoom(1 / STEP);
    } else if (!this.typed(event.key)) {
      return;
    }
    event.preventDefault();
  }

  /** The nearest block in a direction; null where there is none. */
  beside(number, [dx, dy]) {
    const middle = (n) => {
      const box = this.box(n);
      return [box.x + box.width / 2, box.y + box.height / 2];
    };
    const [x, y] = middle(number);
    let best = null;
    let least = Infinity;
    for (let other = 0; other < this.groups.length; other += 1) {
      if (other === number) continue;
      const [ox, oy] = middle(other);
      const ahead = (ox - x) * dx + (oy - y) * dy;
      const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (ahead > 1 && ahead + 2 * aside < least) {
        least = ahead + 2 * aside;
        best = other;
      }
    }
    return best;
  }
}

/** What the buttons of the page's head do, and keys, with the panes that they are for. */
const ZOOMS = {
  in: (panes) => panes.forEach((pane) => pane.zoom(STEP, null, { quietly: true })),
  out: (panes) => panes.forEach((pane) => pane.zoom(1 / STEP, null, { quietly: true })),
  fit: (panes) => {
    for (const pane of panes) pane.fit();
    level(panes);
  },
  start: (panes) => {
    for (const pane of panes) pane.start();
    level(panes);
  },
};

/** Give all panes the smallest scale of any. */
function level(panes) {
  const scale = Math.min(...panes.map((pane) => pane.view.scale));
  for (const pane of panes) if (pane.view.scale > scale) pane.scaleTo(scale);
}

function zoomButtons(panes) {
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => ZOOMS[button.dataset.zoom](panes()));
  }
}
