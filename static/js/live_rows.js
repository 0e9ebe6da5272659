// Rows of runs that are not over: each is replaced where it stands, cell by cell, so that nothing
// jumps and neither the focus nor a tick gets lost. A row names its runs in data-follow.

import { LiveRuns } from "./live.js";
import { refreshing } from "./refreshing.js";

const MOST_FOLLOWED = 60;

let live = null;

export function followRows(form) {
  live?.stop();
  const rowOf = new Map();
  const followed = [];
  for (const row of form.querySelectorAll("tr[data-follow]")) {
    for (const one of row.dataset.follow.trim().split(/\s+/)) {
      const [id, sequence, attempt] = one.split(":").map(Number);
      rowOf.set(id, row.id);
      followed.push({ id, sequence, attempt: Math.max(1, attempt) });
    }
  }
  const stale = new Set();
  const refresh = refreshing(async () => {
    const rows = [...stale].map((id) => document.getElementById(id)).filter(Boolean);
    stale.clear();
    if (rows.length) await replace(rows, form);
  });
  live = new LiveRuns(followed.slice(0, MOST_FOLLOWED));
  const renew = (id) => {
    stale.add(rowOf.get(id));
    refresh();
  };
  live.addEventListener("state", ({ detail: run }) => renew(run.id));
  live.addEventListener("gone", ({ detail: id }) => renew(id));
  live.start();
}

async function replace(rows, form) {
  const query = new URLSearchParams(form.querySelector("#runs-table")?.dataset.address ?? "");
  query.set("runs", rows.map((row) => row.dataset.runs).join(","));
  const response = await fetch(`${form.dataset.rowsUrl}?${query}`);
  if (!response.ok) throw new Error(`rows: ${response.status}`);
  const holder = document.createElement("template");
  holder.innerHTML = `<table><tbody>${await response.text()}</tbody></table>`;
  for (const fresh of holder.content.querySelectorAll("tr")) {
    const row = document.getElementById(fresh.id);
    if (!row || row.children.length !== fresh.children.length) continue;
    row.toggleAttribute("data-ended", "ended" in fresh.dataset);
    // The first cell stays: replacing the checkbox would take the focus from under a finger.
    const cells = [...fresh.children].slice(1);
    [...row.children].slice(1).forEach((cell, index) => {
      if (cell.innerHTML !== cells[index].innerHTML) cell.replaceWith(cells[index]);
    });
  }
}
