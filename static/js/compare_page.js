// What only a comparison has: the limit of cost, the pinned baseline, and the charts of trade-offs.
// The address is the state: every control writes it, and everything that shows reads it.

import { duration } from "./duration.js";
import { drawPicture } from "./picture_drawing.js";
import { refreshing } from "./refreshing.js";
import { fillTable } from "./text_table.js";

const PREFIXES = ["B", "kB", "MB", "GB", "TB"];
const SLIDER_END = 1000;

const section = document.querySelector("[data-comparison]");
const grid = section.querySelector("[data-comparison-charts]");
const form = document.querySelector("[data-equal-cost]");
const costs = JSON.parse(document.querySelector("#cost-choices").textContent);
const slider = form.elements.share;
let drawn = new Map();

const refreshCharts = refreshing(async () => {
  const response = await fetch(`${section.dataset.chartsUrl}${location.search}`);
  if (!response.ok) throw new Error(`comparison: ${response.status}`);
  const { charts } = await response.json();
  drawn = new Map(charts.map((chart) => [chart.name, chart]));
  const cards = charts.map(cardOf);
  const gone = [...grid.children].filter((card) => !drawn.has(card.dataset.comparisonChart));
  for (const card of gone) card.remove();
  cards.forEach(show);
  grid.removeAttribute("aria-busy");
  // A chart that was drawn while the cards beside it still moved has another width by now.
  requestAnimationFrame(() => {
    for (const plot of grid.querySelectorAll(".js-plotly-plot")) window.Plotly.Plots.resize(plot);
  });
});

function writeAddress(changes) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ",").replaceAll("%3A", ":"));
  writeSummaryFile(address.searchParams);
  document.dispatchEvent(new CustomEvent("lab:comparison"));
  refreshCharts({ now: true });
}

// The table's file counts what the table counts.
function writeSummaryFile(asked) {
  const link = document.querySelector("[data-summary-file]");
  const address = new URL(link.href);
  for (const name of ["cost", "at", "of"]) {
    if (asked.has(name)) address.searchParams.set(name, asked.get(name));
    else address.searchParams.delete(name);
  }
  link.href = address;
  document.querySelector("#export-dialog").dataset.exportQuery = address.searchParams;
}

// Charts

function cardOf(chart) {
  const known = grid.querySelector(`[data-comparison-chart="${CSS.escape(chart.name)}"]`);
  if (known) return known;
  const card = document.querySelector("#comparison-chart-template").content.firstElementChild.cloneNode(true);
  card.dataset.comparisonChart = chart.name;
  card.querySelector("[data-twin]").addEventListener("toggle", () => fillTwin(card));
  card.querySelector("[data-choices]").addEventListener("change", ({ target }) => {
    writeAddress({ [target.name]: target.value });
  });
  grid.append(card);
  return card;
}

function show(card) {
  const chart = drawn.get(card.dataset.comparisonChart);
  const find = (part) => card.querySelector(`[data-${part}]`);
  card.querySelector("h3").textContent = chart.title;
  card.querySelector("[data-export-open]").setAttribute("aria-label", `Export ${chart.title}`);
  find("explanation").textContent = find("explanation").title = chart.explanation;
  find("text-summary").textContent = chart.text_summary;
  find("note").textContent = chart.note;
  card.querySelector(".chart-twin").setAttribute("aria-label", `${chart.title} in numbers`);
  showChoices(find("choices"), chart.choices);
  fillTwin(card);
  drawPicture(find("drawing"), chart);
  const query = new URLSearchParams(location.search);
  query.set("chart", chart.name);
  Object.assign(card.dataset, { exportUrl: "/compare/chart.", exportTitle: chart.title, exportQuery: query });
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

function fillTwin(card) {
  const chart = drawn.get(card.dataset.comparisonChart);
  if (chart && card.querySelector("[data-twin]").open) fillTable(card.querySelector("[data-table]"), chart.table);
}

// At equal cost: evenly on a logarithmic axis, for runs may cost a thousand times what others do.

const chosenCost = () => costs.find(({ name }) => name === form.elements.cost.value);

function costAt(share, { low, high }) {
  return share >= SLIDER_END ? high : low * (high / low) ** (share / SLIDER_END);
}

function shareAt(cost, { low, high }) {
  if (high <= low) return SLIDER_END;
  return Math.round((SLIDER_END * Math.log(cost / low)) / Math.log(high / low));
}

function words(value, { unit, title }) {
  if (unit === "s") return value < 1 ? `${(1000 * value).toPrecision(3)} ms` : duration(value);
  if (unit === "B") {
    const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), PREFIXES.length - 1);
    return `${Number((value / 1000 ** power).toPrecision(3))} ${PREFIXES[power]}`;
  }
  return `${Math.round(value).toLocaleString("en")} ${title.toLowerCase()}`;
}

function showLimit(at) {
  const cost = chosenCost();
  slider.hidden = form.querySelector("[data-first-end]").hidden = !cost;
  form.querySelector("[data-limit-words]").textContent = cost ? `at most ${words(at, cost)}` : "";
}

// Rounded up in the fourth digit: what just fits stays in.
function rounded(value) {
  const digit = 10 ** (Math.floor(Math.log10(value)) - 3);
  return Number((Math.ceil(value / digit) * digit).toPrecision(4));
}

function setLimit(at) {
  const cost = chosenCost();
  slider.value = cost ? shareAt(at, cost) : SLIDER_END;
  showLimit(at);
  writeAddress({ cost: cost?.name ?? "", at: cost ? String(rounded(at)) : "" });
}

form.addEventListener("submit", (event) => event.preventDefault());
form.elements.cost.addEventListener("change", () => setLimit(chosenCost()?.first_end));
form.querySelector("[data-first-end]").addEventListener("click", () => setLimit(chosenCost().first_end));
slider.addEventListener("input", () => showLimit(costAt(Number(slider.value), chosenCost())));
slider.addEventListener("change", () => setLimit(costAt(Number(slider.value), chosenCost())));

writeSummaryFile(new URLSearchParams(location.search));
if (chosenCost()) slider.value = shareAt(Number(slider.dataset.at), chosenCost());

// Which value of a metric

document.querySelector("[data-which-value]").addEventListener("change", ({ target }) => {
  writeAddress({ of: target.value === "best" ? "best" : "" });
});

// The baseline and its tests

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-pin]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  writeAddress({ baseline: new URL(link.href).searchParams.get("baseline") ?? "" });
});
document.addEventListener("change", ({ target }) => {
  if (target.closest("[data-tests-choice]")) writeAddress({ tested: target.value });
});
document.addEventListener("submit", (event) => {
  if (event.target.closest("[data-tests-choice]")) event.preventDefault();
});

document.addEventListener("lab:theme", () => [...grid.children].forEach(show));
document.addEventListener("lab:points", () => refreshCharts());
refreshCharts();
