// Empty axes to draw a prediction into: by hand in one stroke, or point by point with the keys.

const EDGE = { left: 68, right: 16, top: 12, bottom: 52 }; // at the usual size of letters
const BELOW = 7; // rem that the buttons below the axes need
const STEPS = 40; // of the arrow keys, from the lowest to the highest value

export class SketchPad extends EventTarget {
  #values;
  #drawing = false;

  constructor(place, axes) {
    super();
    this.place = place;
    this.axes = axes;
    this.low = this.#scaled(axes.ends[0]);
    this.high = this.#scaled(axes.ends[1]);
    this.#values = axes.x.map(() => null);
    this.layOut();
  }

  // The axes anew, for the room that there is now; what was drawn stays.
  layOut() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.width = this.place.clientWidth;
    const above = this.place.getBoundingClientRect().top + scrollY;
    this.height = Math.min(30 * rem, Math.max(16 * rem, innerHeight - above - BELOW * rem));
    this.edge = Object.fromEntries(Object.entries(EDGE).map(([side, room]) => [side, (room * rem) / 16]));
    this.svg = element("svg", {
      viewBox: `0 0 ${this.width} ${this.height}`,
      class: "sketch-pad",
      role: "group",
      "aria-label": `${this.axes.y_title} against ${this.axes.x_title}`,
    });
    this.line = element("polyline", { class: "sketch-line" });
    this.points = this.axes.x.map((_, index) => this.#point(index));
    this.svg.append(...this.#frame(), this.line, ...this.points);
    this.#listen();
    this.place.replaceChildren(this.svg);
    this.#draw();
  }

  get values() {
    return this.#values;
  }

  get isWhole() {
    return this.#values.every((value) => value !== null);
  }

  #scaled(value) {
    return this.axes.log ? Math.log10(value) : value;
  }

  #x(index) {
    const room = this.width - this.edge.left - this.edge.right;
    return this.edge.left + ((index + 0.5) * room) / this.axes.x.length;
  }

  #y(value) {
    const share = (this.#scaled(value) - this.low) / (this.high - this.low);
    return this.height - this.edge.bottom - share * (this.height - this.edge.top - this.edge.bottom);
  }

  #at(share) {
    const scaled = this.low + Math.min(1, Math.max(0, share)) * (this.high - this.low);
    return this.axes.log ? 10 ** scaled : scaled;
  }

  #share(value) {
    return (this.#scaled(value) - this.low) / (this.high - this.low);
  }

  #frame() {
    const { axes } = this;
    const bottom = this.height - this.edge.bottom;
    const parts = axes.ticks.flatMap(([value, words]) => [
      element("line", { class: "sketch-grid", x1: this.edge.left, x2: this.width - this.edge.right, y1: this.#y(value), y2: this.#y(value) }),
      element("text", { class: "sketch-tick", x: this.edge.left - 10, y: this.#y(value) + 5, "text-anchor": "end" }, words),
    ]);
    for (const [index, words] of axes.x_labels.entries()) {
      parts.push(element("line", { class: "sketch-column", x1: this.#x(index), x2: this.#x(index), y1: this.edge.top, y2: bottom }));
      parts.push(element("text", { class: "sketch-tick", x: this.#x(index), y: bottom + 0.42 * this.edge.bottom, "text-anchor": "middle" }, words));
    }
    parts.push(element("line", { class: "sketch-axis", x1: this.edge.left, x2: this.width - this.edge.right, y1: bottom, y2: bottom }));
    parts.push(element("text", { class: "sketch-title", x: (this.edge.left + this.width - this.edge.right) / 2, y: this.height - 0.1 * this.edge.bottom, "text-anchor": "middle" }, axes.x_title));
    const middle = (this.edge.top + bottom) / 2;
    parts.push(element("text", { class: "sketch-title", x: 0.2 * this.edge.left, y: middle, "text-anchor": "middle", transform: `rotate(-90 ${0.2 * this.edge.left} ${middle})` }, axes.y_title));
    return parts;
  }

  #point(index) {
    const point = element("g", {
      class: "sketch-point",
      role: "slider",
      tabindex: 0,
      "aria-orientation": "vertical",
      "aria-label": `${this.axes.y_title} at ${this.axes.x_labels[index]}`,
      "aria-valuemin": this.axes.ends[0],
      "aria-valuemax": this.axes.ends[1],
    });
    point.append(element("circle", { r: 18, class: "sketch-reach" }), element("circle", { r: 8, class: "sketch-dot" }));
    point.addEventListener("keydown", (event) => this.#key(event, index));
    return point;
  }

  #key(event, index) {
    const moves = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5, Home: -STEPS, End: STEPS };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const share = this.#values[index] === null ? 0.5 : this.#share(this.#values[index]);
    this.#set(index, share + moves[event.key] / STEPS);
  }

  #set(index, share) {
    this.#values[index] = this.#at(share);
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  #listen() {
    const draw = (event) => {
      const box = this.svg.getBoundingClientRect();
      const across = ((event.clientX - box.left) / box.width) * this.width;
      const along = ((event.clientY - box.top) / box.height) * this.height;
      const room = this.width - this.edge.left - this.edge.right;
      const index = Math.floor(((across - this.edge.left) / room) * this.axes.x.length);
      const share = (this.height - this.edge.bottom - along) / (this.height - this.edge.top - this.edge.bottom);
      if (index >= 0 && index < this.axes.x.length) this.#set(index, share);
    };
    this.svg.addEventListener("pointerdown", (event) => {
      this.#drawing = true;
      this.svg.setPointerCapture(event.pointerId);
      draw(event);
    });
    this.svg.addEventListener("pointermove", (event) => this.#drawing && draw(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.svg.addEventListener(end, () => (this.#drawing = false));
    }
  }

  #draw() {
    const drawn = [];
    for (const [index, point] of this.points.entries()) {
      const value = this.#values[index];
      const y = value === null ? this.#y(this.#at(0.5)) : this.#y(value);
      point.setAttribute("transform", `translate(${this.#x(index)} ${y})`);
      point.toggleAttribute("data-set", value !== null);
      const shown = this.#at(value === null ? 0.5 : this.#share(value));
      point.setAttribute("aria-valuenow", Number(shown.toPrecision(3)));
      point.setAttribute("aria-valuetext", value === null ? "not drawn yet" : Number(value.toPrecision(3)));
      if (value !== null) drawn.push(`${this.#x(index)},${y}`);
    }
    this.line.setAttribute("points", drawn.join(" "));
  }
}

function element(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
