// What a link shows, and the same figure embedded in another page: charts that follow their runs.

import "./menus.js";
import { Charts } from "./charts.js";
import { Pictures } from "./pictures.js";
import { PicturesBeside } from "./pictures_beside.js";
import { summaryRefresh } from "./summary_refresh.js";

const FOLLOW_MS = 5_000;

const overlay = document.querySelector("[data-overlay]");
const charts = new Charts(
  overlay.querySelector("[data-charts]"),
  document.querySelector("[data-toolbar]"),
);

for (const button of overlay.querySelectorAll("[data-legend]")) {
  button.setAttribute("aria-pressed", String(!charts.hidden.has(button.dataset.legend)));
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(charts.toggle(button.dataset.legend)));
  });
}

charts.start();
if (document.querySelector("#export-dialog")) import("./export_dialog.js");

const section = document.querySelector("[data-pictures]");
const pictures = section && new Pictures(section);
pictures?.start();

// What a comparison has beside its curves; compare_page.js has its controls and its own charts.
const place = document.querySelector("[data-pictures-beside]");
const beside = place && new PicturesBeside(place, charts.runs);
beside?.start();
const { summaryUrl } = overlay.dataset;
const refreshSummary = summaryUrl ? summaryRefresh(summaryUrl, charts.runs) : () => {};
document.addEventListener("lab:comparison", () => {
  charts.restate();
  refreshSummary({ now: true });
});

// A page follows the progress that htmx asks for; an embedded figure asks by itself.
document.addEventListener("htmx:afterSwap", () => {
  charts.refresh();
  pictures?.refresh();
  beside?.refresh();
  refreshSummary();
  document.dispatchEvent(new CustomEvent("lab:points"));
});
if (overlay.dataset.live) setInterval(() => document.hidden || charts.refresh(), FOLLOW_MS);
