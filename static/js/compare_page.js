// What only a comparison has: the limit of cost, which value counts, the pinned baseline, and the
// charts of trade-offs; on the page that a link shows too.
// The address is the state: every control writes it, and everything that shows reads it.

import { ComparisonCharts } from "./comparison_charts.js";
import { duration } from "./duration.js";

const PREFIXES = ["B", "kB", "MB", "GB", "TB"];
const SLIDER_END = 1000;

const form = document.querySelector("[data-equal-cost]");
const costs = JSON.parse(document.querySelector("#cost-choices").textContent);
const slider = form.elements.share;
const charts = new ComparisonCharts(document.querySelector("[data-comparison-charts]"), writeAddress);

function writeAddress(changes) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ",").replaceAll("%3A", ":"));
  writeSummaryFile(address.searchParams);
  document.dispatchEvent(new CustomEvent("lab:comparison"));
  charts.refresh({ now: true });
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

document.addEventListener("lab:points", () => charts.refresh());
charts.start();
