// The charts of a page. The server draws the figures (the same that an export gets); this module
// fetches them, dresses them in the page's colours, and keeps toolbar, address and exports alike.

import { addKey } from "./keyboard.js";
import { linkedHover } from "./linked_hover.js";
import { forgetLengthening, lengthenCurve } from "./live_line.js";
import { CONFIG, dressedLayout, withAlpha } from "./plotly_look.js";
import { LiveTail } from "./live_tail.js";
import { refreshing } from "./refreshing.js";
import { fillTable } from "./text_table.js";

const DEFAULTS = { x: "step", scale: "auto", smoothing: "0", band: "on" };
const A_SECOND_MS = 1_000;
const DRAWN_HERE_MS = 3_000; // the server draws less often where the page lengthens the curves
const AHEAD_MS = 4_000; // for which the axis of a growing curve has room: until the server has drawn
const MOST_AHEAD = 1 / 4; // of the curve
const STANDS_STILL_MS = 2_500;
const PAUSES = 12; // as long as a drawing, until the next: it takes a twelfth of the time at most
const LIMIT = ["cost", "at"]; // what every run may have spent, which the comparison's page chooses
const asked = () => new URLSearchParams(location.search);
const plotOf = (card) => card.querySelector("[data-plot]");
const aMoment = () => new Promise((done) => setTimeout(done));

export class Charts extends EventTarget {
  constructor(place, toolbar) {
    super();
    this.place = place;
    this.toolbar = toolbar;
    this.runs = place.dataset.runs;
    this.figures = new Map();
    this.hidden = new Set((asked().get("hidden") ?? "").split(",").filter(Boolean));
    this.visible = new Set();
    this.tail = this.runs.includes(",") ? null : new LiveTail();
    this.outgrown = new Set(); // cards with a curve that has left its axes
    this.drawingMs = 0; // what Plotly took for the charts that it drew last
    this.refresh = refreshing(() => this.#fetch(), () => this.#pauseAfter(this.#betweenFetches));
    this.drawOutgrown = refreshing(() => this.#drawOutgrown(), () => this.#pauseAfter(A_SECOND_MS));
    this.watcher = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: "200px" });
  }

  start() {
    this.#startToolbar();
    for (const card of this.place.querySelectorAll("[data-chart]")) this.#adopt(card);
    document.addEventListener("lab:theme", () => this.#drawVisible());
    addKey("l", "Vertical axis: usual, logarithmic, linear", () => this.#nextScale(), { group: "Charts" });
    this.refresh();
  }

  // Points of the page's only run: drawn at once where they lengthen a curve as it is.
  take(message) {
    if (this.tail?.add(message)) this.#forgetLengthening();
    if (this.#drawsTail) {
      this.lengthening ??= requestAnimationFrame(() => this.#lengthen());
      clearTimeout(this.standing);
      this.standing = setTimeout(() => this.#drawVisible(), STANDS_STILL_MS);
    }
    this.refresh();
  }

  rewind(sequence) {
    if (this.tail?.rewind(sequence)) this.#forgetLengthening();
    this.refresh({ now: true });
  }

  get #drawsTail() {
    const { x, smoothing } = this.options;
    return Boolean(this.tail?.isFed) && x === "step" && Number(smoothing) === 0;
  }

  #pauseAfter(interval) {
    return Math.max(interval, PAUSES * this.drawingMs);
  }

  get #betweenFetches() {
    const curves = [...this.figures.values()].some(({ empty }) => !empty);
    return curves && this.#drawsTail ? DRAWN_HERE_MS : A_SECOND_MS;
  }

  toggle(key) {
    if (!this.hidden.delete(key)) this.hidden.add(key);
    this.#drawVisible();
    this.#changed();
    return !this.hidden.has(key);
  }

  get options() {
    const values = new FormData(this.toolbar);
    const chosen = Object.keys(DEFAULTS).map((name) => [name, values.get(name) ?? "off"]);
    return { ...Object.fromEntries(chosen), hidden: [...this.hidden].join(",") };
  }

  #query(more = {}) {
    const limit = [...asked()].filter(([name]) => LIMIT.includes(name));
    return new URLSearchParams({ runs: this.runs, ...this.options, ...Object.fromEntries(limit), ...more });
  }

  // The address has another limit of cost than before.
  restate() {
    for (const card of this.place.querySelectorAll("[data-chart]")) this.#writeExportOf(card);
    this.refresh({ now: true });
  }

  async #fetch() {
    const response = await fetch(`${this.place.dataset.figuresUrl}?${this.#query()}`);
    if (!response.ok) throw new Error(`figures: ${response.status}`);
    const { figures, sequences } = await response.json();
    const cards = [];
    for (const figure of figures) {
      const card = this.#cardOf(figure, cards.at(-1));
      cards.push(card);
      this.figures.set(figure.metric, figure);
      this.#describe(card, figure);
    }
    await this.#drawInTurn(cards);
    this.tail?.drawn(sequences[this.runs] ?? 0);
    this.dispatchEvent(new CustomEvent("drawn", { detail: { figures, sequences } }));
  }

  #cardOf(figure, before) {
    const known = this.place.querySelector(`[data-chart="${CSS.escape(figure.metric)}"]`);
    if (known) return known;
    const template = document.querySelector("#chart-template");
    const card = template.content.firstElementChild.cloneNode(true);
    card.dataset.chart = figure.metric;
    card.querySelector("h3").textContent = figure.title;
    const explanation = card.querySelector(".chart-explanation");
    explanation.textContent = explanation.title = figure.explanation;
    card.querySelector("[data-export-open]").setAttribute("aria-label", `Export ${figure.title}`);
    if (before) before.after(card);
    else this.place.prepend(card);
    this.#adopt(card);
    return card;
  }

  #adopt(card) {
    this.watcher.observe(card);
    card.querySelector("[data-twin]").addEventListener("toggle", () => this.#fillTwin(card));
    this.#writeExportOf(card);
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) this.visible.delete(target);
      else {
        this.visible.add(target);
        this.#draw(target);
      }
    }
  }

  #describe(card, figure) {
    card.querySelector("[data-empty]").hidden = !figure.empty;
    card.toggleAttribute("data-export-empty", figure.empty);
    card.querySelector("[data-plot]").setAttribute("aria-label", figure.text_summary);
    card.querySelector("[data-text-summary]").textContent = figure.text_summary;
    card.querySelector("[data-note]").textContent = figure.note;
    card.querySelector("[data-latest]").textContent = this.runs.includes(",") ? "" : figure.latest;
    this.#fillTwin(card);
  }

  #fillTwin(card) {
    const figure = this.figures.get(card.dataset.chart);
    if (!figure || !card.querySelector("[data-twin]").open) return;
    fillTable(card.querySelector("[data-table]"), figure.table);
  }

  // What was heard since Plotly drew, on the axes as they are.
  #lengthen() {
    this.lengthening = null;
    if (!this.#drawsTail) return;
    for (const card of this.visible) if (!this.#lengthened(card)) this.outgrown.add(card);
    if (this.outgrown.size) this.drawOutgrown();
  }

  // Lengthens a chart's curves; returns whether they are within its axes.
  #lengthened(card) {
    const plot = plotOf(card);
    const { data = [], layout } = plot;
    const log = layout?.yaxis.type === "log";
    const since = (end) => this.tail.since(end, card.dataset.chart, log);
    const lines = [...data.keys()].filter((index) => data[index].meta.part === "line");
    return lines.map((index) => lengthenCurve(plot, index, since)).every(Boolean);
  }

  #forgetLengthening() {
    for (const card of this.visible) forgetLengthening(plotOf(card));
  }

  async #drawOutgrown() {
    const cards = [...this.outgrown];
    this.outgrown.clear();
    await this.#drawInTurn(cards);
  }

  // By Plotly, with axes as they have to be now. Neither a hand nor a point waits for more than one
  // chart.
  async #drawInTurn(cards) {
    let spent = 0;
    for (const card of cards.filter((one) => this.visible.has(one))) {
      const started = performance.now();
      this.#draw(card);
      spent += performance.now() - started;
      await aMoment();
    }
    this.drawingMs = spent;
  }

  #drawVisible() {
    for (const card of this.visible) this.#draw(card);
  }

  #draw(card) {
    const figure = this.figures.get(card.dataset.chart);
    if (!figure) return;
    const style = getComputedStyle(document.documentElement);
    const log = figure.plotly.layout.yaxis.type === "log";
    const tail = this.#drawsTail ? this.tail : null;
    const lengthened = (trace) => tail?.lengthened(trace, figure.metric, log) ?? trace;
    const traces = figure.plotly.data.map((trace) => this.#dressed(lengthened(trace), style));
    const layout = dressedLayout(figure.plotly.layout, style);
    this.#makeRoom(layout, traces);
    const plot = plotOf(card);
    window.Plotly.react(plot, traces, layout, CONFIG);
    forgetLengthening(plot);
    linkedHover(plot, () => [...this.visible].map(plotOf));
  }

  // On the axis, so that a curve that grows stays inside until it is drawn anew.
  #makeRoom({ xaxis }, traces) {
    if (!this.#drawsTail) return;
    const last = Math.max(0, ...traces.map(({ x }) => x.at(-1) ?? 0));
    const ahead = Math.min(AHEAD_MS * this.tail.pace(), MOST_AHEAD * last);
    if (ahead) xaxis.autorangeoptions = { include: last + ahead };
  }

  #dressed(trace, style) {
    const colour = style.getPropertyValue(`--run-${trace.meta.slot}`).trim();
    const marker = { ...trace.marker, color: colour };
    if (trace.meta.part === "marks") marker.line = { ...trace.marker.line, color: colour };
    return {
      ...trace,
      visible: !this.hidden.has(trace.legendgroup),
      line: { ...trace.line, color: colour },
      marker,
      fillcolor: trace.meta.part === "band" ? withAlpha(colour, 0.16) : undefined,
    };
  }

  #startToolbar() {
    for (const name of Object.keys(DEFAULTS)) {
      const value = asked().get(name);
      if (value === null) continue;
      const inputs = [...this.toolbar.querySelectorAll(`[name="${name}"]`)];
      if (inputs[0].type === "range") inputs[0].value = value;
      else for (const input of inputs) input.checked = input.value === value;
      if (inputs[0].type === "radio" && !inputs.some((input) => input.checked)) inputs[0].checked = true;
    }
    const output = this.toolbar.querySelector("output");
    const show = () => (output.textContent = Number(this.options.smoothing).toFixed(2).replace(/\.?0+$/, ""));
    show();
    this.toolbar.addEventListener("submit", (event) => event.preventDefault());
    this.toolbar.addEventListener("input", () => {
      show();
      this.#changed();
    });
  }

  #nextScale() {
    const scales = [...this.toolbar.querySelectorAll('[name="scale"]')];
    const next = scales[(scales.findIndex((input) => input.checked) + 1) % scales.length];
    next.checked = true;
    next.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #changed() {
    this.#writeAddress();
    this.restate();
  }

  #writeAddress() {
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(this.options)) {
      if (value === (DEFAULTS[name] ?? "")) address.searchParams.delete(name);
      else address.searchParams.set(name, value);
    }
    history.replaceState(history.state, "", address.href.replaceAll("%2C", ","));
  }

  // What export_dialog.js offers of this card: exactly what is drawn.
  #writeExportOf(card) {
    Object.assign(card.dataset, {
      exportUrl: this.place.dataset.fileUrl,
      exportTitle: card.querySelector("h3").firstChild.textContent.trim(), // without the "?" beside it
      exportQuery: this.#query({ metric: card.dataset.chart }),
    });
  }
}
