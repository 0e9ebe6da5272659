// The charts of a comparison: trade-offs and sweeps, each a card with what can be chosen for it.
// The address says how runs are compared; who makes these charts writes it (`choose`).

import { drawPicture } from "./picture_drawing.js";
import { refreshing } from "./refreshing.js";
import { fillTable } from "./text_table.js";

export class ComparisonCharts {
  constructor(grid, choose = () => {}) {
    this.grid = grid;
    this.choose = choose;
    this.drawn = new Map();
    this.refresh = refreshing(() => this.#fetch());
  }

  start() {
    document.addEventListener("lab:theme", () => this.#showAll());
    this.refresh();
  }

  // What the address asks for, and always of which runs.
  #query(more = {}) {
    const query = new URLSearchParams(location.search);
    query.set("runs", this.grid.dataset.runs);
    for (const [name, value] of Object.entries(more)) query.set(name, value);
    return query;
  }

  async #fetch() {
    const response = await fetch(`${this.grid.dataset.chartsUrl}?${this.#query()}`);
    if (!response.ok) throw new Error(`comparison: ${response.status}`);
    const { charts } = await response.json();
    this.drawn = new Map(charts.map((chart) => [chart.name, chart]));
    const cards = charts.map((chart) => this.#cardOf(chart));
    const gone = [...this.grid.children].filter((card) => !this.drawn.has(card.dataset.comparisonChart));
    for (const card of gone) card.remove();
    cards.forEach((card) => this.#show(card));
    this.grid.removeAttribute("aria-busy");
    // A chart that was drawn while the cards beside it still moved has another width by now.
    requestAnimationFrame(() => {
      for (const plot of this.grid.querySelectorAll(".js-plotly-plot")) window.Plotly.Plots.resize(plot);
    });
  }

  #showAll() {
    for (const card of this.grid.children) this.#show(card);
  }

  #cardOf(chart) {
    const known = this.grid.querySelector(`[data-comparison-chart="${CSS.escape(chart.name)}"]`);
    if (known) return known;
    const template = document.querySelector("#comparison-chart-template");
    const card = template.content.firstElementChild.cloneNode(true);
    card.dataset.comparisonChart = chart.name;
    card.querySelector("[data-twin]").addEventListener("toggle", () => this.#fillTwin(card));
    card.querySelector("[data-choices]").addEventListener("change", ({ target }) => {
      this.choose({ [target.name]: target.value });
    });
    this.grid.append(card);
    return card;
  }

  #show(card) {
    const chart = this.drawn.get(card.dataset.comparisonChart);
    if (!chart) return;
    const find = (part) => card.querySelector(`[data-${part}]`);
    card.querySelector("h3").textContent = chart.title;
    card.querySelector("[data-export-open]").setAttribute("aria-label", `Export ${chart.title}`);
    find("explanation").textContent = find("explanation").title = chart.explanation;
    find("text-summary").textContent = chart.text_summary;
    find("note").textContent = chart.note;
    card.querySelector(".chart-twin").setAttribute("aria-label", `${chart.title} in numbers`);
    showChoices(find("choices"), chart.choices);
    this.#fillTwin(card);
    drawPicture(find("drawing"), chart);
    Object.assign(card.dataset, {
      exportUrl: this.grid.dataset.fileUrl,
      exportTitle: chart.title,
      exportQuery: this.#query({ chart: chart.name }),
    });
  }

  #fillTwin(card) {
    const chart = this.drawn.get(card.dataset.comparisonChart);
    if (chart && card.querySelector("[data-twin]").open) fillTable(card.querySelector("[data-table]"), chart.table);
  }
}

function showChoices(place, choices) {
  // A select that is open, or has the focus, is not replaced under the hand.
  if (place.childElementCount === choices.length) {
    choices.forEach(({ value }, index) => (place.children[index].value = value));
    return;
  }
  place.replaceChildren(
    ...choices.map(({ name, title, value, options }) => {
      const select = Object.assign(document.createElement("select"), { name });
      select.setAttribute("aria-label", title);
      select.append(...options.map(([key, words]) => new Option(words, key)));
      select.value = value;
      return select;
    }),
  );
}
