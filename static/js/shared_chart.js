// One chart of a comparison behind a link, and the same embedded in another page: it follows its runs.

import { ComparisonCharts } from "./comparison_charts.js";

const FOLLOW_MS = 5_000;

const grid = document.querySelector("[data-comparison-charts]");
const charts = new ComparisonCharts(grid);
charts.start();
if (document.querySelector("#export-dialog")) import("./export_dialog.js");

// A page follows the progress that htmx asks for; an embedded chart asks by itself.
document.addEventListener("htmx:afterSwap", () => charts.refresh());
if (grid.closest("[data-live]")) setInterval(() => document.hidden || charts.refresh(), FOLLOW_MS);
