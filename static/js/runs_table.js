// The table of runs: picking runs, running rows that update where they stand, and the keys.

import "./menus.js";
import { followRows } from "./live_rows.js";
import { startPicking } from "./picking.js";
import { startQueryBox } from "./query_box.js";
import { startRowKeys } from "./row_keys.js";

const form = document.querySelector("[data-selection]");

// A list with a search of its own, such as the columns'.
function startListFilter(box) {
  const rows = [...box.closest("dialog").querySelectorAll("[data-filter-text]")];
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.dataset.filterText.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of box.closest("dialog").querySelectorAll("[data-filter-group]")) {
      group.hidden = !group.querySelector("[data-filter-text]:not([hidden])");
    }
  });
  box.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
}

if (form) {
  const picking = startPicking(form);
  startRowKeys(form, picking);
  if (form.dataset.rowsUrl) {
    followRows(form);
    document.addEventListener("htmx:afterSettle", ({ detail }) => {
      if (detail.target.id !== "runs-table" && !document.querySelector("#runs-table")) return;
      picking.restore();
      followRows(form);
    });
  }
}
document.querySelectorAll("[data-query-box]").forEach(startQueryBox);
document.querySelectorAll("[data-filter-list]").forEach(startListFilter);
