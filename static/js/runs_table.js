// The table of runs: picking runs to compare, and running rows that update where they stand.

import "./menus.js";
import { LiveRuns } from "./live.js";
import { refreshing } from "./refreshing.js";

const form = document.querySelector("[data-selection]");
const picked = new Set();

function boxes() {
  return [...form.querySelectorAll('input[name="runs"]')];
}

function showSelection() {
  for (const box of boxes()) {
    if (box.checked) picked.add(box.value);
    else picked.delete(box.value);
  }
  const { fewest, most } = form.dataset;
  const count = picked.size;
  const enough = count >= Number(fewest) && count <= Number(most);
  const bar = form.querySelector("[data-selection-bar]");
  bar.hidden = count === 0;
  bar.querySelector("[data-selection-go]").disabled = !enough;
  const words = count === 1 ? "1 run picked" : `${count} runs picked`;
  const advice = enough ? "" : count < Number(fewest) ? ": pick one more" : `: at most ${most} can be compared`;
  bar.querySelector("[data-selection-text]").textContent = words + advice;
}

function restoreSelection() {
  for (const box of boxes()) box.checked = picked.has(box.value);
  showSelection();
}

// Picked runs may be on another page of the table, so the address is written here.
function compare(event) {
  event.preventDefault();
  location.assign(`${form.getAttribute("action")}?runs=${[...picked].join(",")}`);
}

function clearSelection() {
  picked.clear();
  restoreSelection();
}

let live = null;
const stale = new Set();

const refreshRows = refreshing(async () => {
  const ids = [...stale];
  stale.clear();
  if (!ids.length) return;
  const response = await fetch(`${form.dataset.rowsUrl}?runs=${ids.join(",")}`);
  if (!response.ok) throw new Error(`rows: ${response.status}`);
  const holder = document.createElement("template");
  holder.innerHTML = `<table><tbody>${await response.text()}</tbody></table>`;
  for (const fresh of holder.content.querySelectorAll("tr")) {
    const row = document.getElementById(fresh.id);
    if (!row) continue;
    row.toggleAttribute("data-ended", "ended" in fresh.dataset);
    // The first cell stays: replacing the checkbox would take the focus from under a finger.
    const cells = [...fresh.children].slice(1);
    [...row.children].slice(1).forEach((cell, index) => {
      if (cell.innerHTML !== cells[index].innerHTML) cell.replaceWith(cells[index]);
    });
  }
});

function followVisibleRows() {
  live?.stop();
  const rows = [...form.querySelectorAll("tr[data-run]:not([data-ended])")].slice(0, 60);
  live = new LiveRuns(
    rows.map(({ dataset }) => ({
      id: Number(dataset.run),
      sequence: Number(dataset.sequence),
      attempt: Math.max(1, Number(dataset.attempt)),
    })),
  );
  live.addEventListener("state", ({ detail: run }) => {
    stale.add(run.id);
    refreshRows();
  });
  live.start();
}

if (form) {
  form.addEventListener("change", showSelection);
  form.addEventListener("submit", compare);
  form.querySelector("[data-selection-clear]").addEventListener("click", clearSelection);
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id !== "runs-table" && !document.querySelector("#runs-table")) return;
    const sort = document.querySelector("#filter-sort");
    if (sort) sort.value = document.querySelector("#runs-table").dataset.sort;
    restoreSelection();
    if (form.dataset.rowsUrl) followVisibleRows();
  });
  showSelection();
  if (form.dataset.rowsUrl) followVisibleRows();
}
