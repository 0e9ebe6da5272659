// The page of one run: charts, true progress, tabs.

import "./export_dialog.js";
import "./menus.js";
import "./share_dialog.js";
import { Charts } from "./charts.js";
import { addKey } from "./keyboard.js";
import { LiveRuns, followedRuns } from "./live.js";
import { duration } from "./duration.js";
import { afterMessage, proofLine } from "./live_state.js";
import { Pictures } from "./pictures.js";

const page = document.querySelector(".run-page");
const find = (part) => page.querySelector(`[data-${part}]`);
const charts = new Charts(find("charts"), find("toolbar"));
const pictures = new Pictures(find("pictures"));
const live = new LiveRuns(followedRuns());

pictures.addEventListener("listed", ({ detail }) => (find("picture-count").textContent = detail));

let pictureChanges;

// What is told to the parts that come anew from the server: `lab:run` on the body (detail.html).
const situationOf = (run) =>
  [run.status, run.attempt, run.cancelRequested, run.pauseRequested, run.error].join();

// What the server wrote into the page may be over by the time of the first message.
const written = JSON.parse(document.querySelector("#run-state").textContent);
let situation = situationOf(afterMessage([...live.runs.values()][0], written, 0).run);

function showState(run) {
  if (situationOf(run) !== situation) {
    document.body.dispatchEvent(new Event("lab:run"));
    charts.refresh();
  }
  situation = situationOf(run);
  const pill = find("status-pill");
  pill.dataset.status = run.status;
  pill.textContent = run.words;
  if (run.pictureChanges !== pictureChanges) {
    pictureChanges = run.pictureChanges;
    pictures.refresh();
  }
  find("bar").value = run.step;
  find("step").textContent = `${run.step} / ${run.totalSteps}`;
  find("attempt").textContent = run.elapsed === null ? "–" : run.attempt;
  find("checkpoint").textContent = run.checkpointStep === null ? "–" : `step ${run.checkpointStep}`;
  find("elapsed").textContent = duration(run.elapsed);
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
    if (["tab-log", "tab-events"].includes(chosen.id)) document.body.dispatchEvent(new Event("lab:run"));
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

live.addEventListener("points", ({ message }) => charts.take(message));
live.addEventListener("rewind", ({ detail: run }) => charts.rewind(run.received));
live.addEventListener("state", ({ detail: run }) => showState(run));

addKey("Ctrl+Enter", "Save the notes", ({ target }) => {
  const form = target.closest?.("[data-notes] form");
  if (!form) return false;
  form.requestSubmit();
});

startTabs();
charts.start();
pictures.start();
live.start();
setInterval(() => {
  find("proof").textContent = proofLine([...live.runs.values()], Date.now());
}, 250);
