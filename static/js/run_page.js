// The page of one run: charts, true progress, tabs.

import "./export_dialog.js";
import "./menus.js";
import { Charts } from "./charts.js";
import { LiveRuns, followedRuns } from "./live.js";
import { duration } from "./duration.js";
import { hasEnded, proofLine } from "./live_state.js";
import { Pictures } from "./pictures.js";
import { refreshing } from "./refreshing.js";

const page = document.querySelector(".run-page");
const find = (part) => page.querySelector(`[data-${part}]`);
const charts = new Charts(find("charts"), find("toolbar"));
const pictures = new Pictures(find("pictures"));
const live = new LiveRuns(followedRuns());

const refreshEvents = refreshing(async () => {
  const panel = page.querySelector("#panel-events");
  const response = await fetch(panel.dataset.eventsUrl);
  if (!response.ok) throw new Error(`events: ${response.status}`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
  panel.replaceChildren(...fresh.childNodes);
  find("event-count").textContent = panel.querySelectorAll("tbody tr").length;
});

pictures.addEventListener("listed", ({ detail }) => (find("picture-count").textContent = detail));

let pictureChanges;
let status = page.querySelector(".pill").dataset.status;

function showState(run) {
  if (run.status !== status) {
    status = run.status;
    const pill = page.querySelector(".pill");
    pill.dataset.status = run.status;
    pill.textContent = run.status.replaceAll("_", " ");
    refreshEvents();
    charts.refresh();
  }
  if (run.pictureChanges !== pictureChanges) {
    pictureChanges = run.pictureChanges;
    pictures.refresh();
  }
  find("bar").value = run.step;
  find("step").textContent = `${run.step} / ${run.totalSteps}`;
  find("attempt").textContent = run.attempt;
  find("elapsed").textContent = duration(run.elapsed);
  find("remaining").textContent = run.status === "running" ? duration(run.remaining) : "–";
  find("error").hidden = !run.error;
  find("error-text").textContent = run.error;
  const cancel = page.querySelector("[data-while-running]");
  if (!cancel) return;
  cancel.hidden = hasEnded(run);
  cancel.querySelector("button").disabled = run.cancelRequested;
}

function startTabs() {
  const tabs = [...page.querySelectorAll('[role="tab"]')];
  const choose = (chosen) => {
    for (const tab of tabs) {
      const selected = tab === chosen;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !selected;
    }
    history.replaceState(history.state, "", chosen === tabs[0] ? location.pathname + location.search : chosen.dataset.hash);
    if (chosen.id === "tab-events") refreshEvents();
    else if (chosen === tabs[0]) dispatchEvent(new Event("resize"));
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      choose(next);
      next.focus();
    });
  }
  const named = tabs.find((tab) => tab.dataset.hash === location.hash);
  if (named) choose(named);
}

live.addEventListener("points", () => charts.refresh());
live.addEventListener("rewind", () => charts.refresh());
live.addEventListener("state", ({ detail: run }) => showState(run));

startTabs();
charts.start();
pictures.start();
live.start();
setInterval(() => {
  find("proof").textContent = proofLine([...live.runs.values()], Date.now());
}, 250);
