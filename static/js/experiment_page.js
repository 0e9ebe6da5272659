// The page of an experiment, and a comparison: charts, progress and findings of several runs.

import "./export_dialog.js";
import "./menus.js";
import "./share_dialog.js";
import { Charts } from "./charts.js";
import { LiveRuns, followedRuns } from "./live.js";
import { duration } from "./duration.js";
import { hasEnded, proofLine } from "./live_state.js";
import { PicturesBeside } from "./pictures_beside.js";
import { summaryRefresh } from "./summary_refresh.js";

const overlay = document.querySelector("[data-overlay]");
const charts = new Charts(
  overlay.querySelector("[data-charts]"),
  document.querySelector("[data-toolbar]"),
);
const pictures = new PicturesBeside(
  document.querySelector("[data-pictures-beside]"),
  charts.runs,
);
const pictureChanges = new Map();
const live = new LiveRuns(followedRuns());

const refreshSummary = summaryRefresh(overlay.dataset.summaryUrl, charts.runs);

function refreshAll() {
  charts.refresh();
  refreshSummary();
  document.dispatchEvent(new CustomEvent("lab:points"));
}

function showProgress(run) {
  const bar = overlay.querySelector(`[data-run="${run.id}"]`);
  if (!bar) return;
  const step = `step ${run.step} / ${run.totalSteps}`;
  bar.dataset.status = run.status;
  bar.title = `Seed ${bar.dataset.seed}: ${run.status.replaceAll("_", " ")}, ${step}`;
  bar.querySelector("progress").value = run.step;
  showOverall();
}

function showOverall() {
  const bars = [...overlay.querySelectorAll("[data-run]")];
  const running = ["queued", "running", "paused"];
  const ended = bars.filter((bar) => !running.includes(bar.dataset.status)).length;
  const steps = bars.reduce((total, bar) => total + bar.querySelector("progress").value, 0);
  overlay.querySelector("[data-overall]").textContent = `${ended} / ${bars.length} runs done`;
  const waits = bars.every((bar) => bar.dataset.status === "queued");
  const left = waits ? "waiting for a worker" : timeLeft(steps);
  overlay.querySelector("[data-left]").textContent = ended === bars.length ? "" : left;
  overlay.querySelector("[data-overall-bar]").value = steps;
  for (const item of document.querySelectorAll("[data-while-running]")) {
    item.hidden = ended === bars.length;
  }
}

// What is left, if the remaining outer steps take as long as those done: a guess, and said so.
function timeLeft(steps) {
  const started = Number(overlay.dataset.started) || Date.now() / 1000;
  overlay.dataset.started = started;
  const total = overlay.querySelector("[data-overall-bar]").max;
  if (steps < 0.05 * total) return "";
  const each = (Date.now() / 1000 - started) / steps;
  return `about ${duration(each * (total - steps))} left`;
}

function showProof() {
  overlay.querySelector("[data-proof]").textContent = proofLine([...live.runs.values()], Date.now());
}

// The page of a comparison changes what is compared; the address says how.
document.addEventListener("lab:comparison", () => {
  charts.restate();
  refreshSummary({ now: true });
});
live.addEventListener("points", refreshAll);
live.addEventListener("rewind", refreshAll);
live.addEventListener("state", ({ detail: run }) => {
  showProgress(run);
  if (pictureChanges.get(run.id) !== run.pictureChanges) {
    pictureChanges.set(run.id, run.pictureChanges);
    pictures.refresh();
  }
  if (hasEnded(run)) refreshAll();
});

for (const button of overlay.querySelectorAll("[data-legend]")) {
  button.setAttribute("aria-pressed", String(!charts.hidden.has(button.dataset.legend)));
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(charts.toggle(button.dataset.legend)));
  });
}

charts.start();
pictures.start();
live.start();
setInterval(showProof, 250);
