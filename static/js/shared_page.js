// What a link shows, and the same figure embedded in another page: charts that follow their runs.

import "./menus.js";
import { Charts } from "./charts.js";
import { Pictures } from "./pictures.js";

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

// A page follows the progress that htmx asks for; an embedded figure asks by itself.
document.addEventListener("htmx:afterSwap", () => {
  charts.refresh();
  pictures?.refresh();
});
if (overlay.dataset.live) setInterval(() => document.hidden || charts.refresh(), FOLLOW_MS);
