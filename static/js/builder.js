// The builder: launch by Ctrl+Enter, tabs, drafts that save themselves; its parts are imported.

import { errorsShown, markInvalidControls } from "./builder_fields.js";
import { keepOpen, openWhatIsWrong } from "./builder_folds.js";
import "./builder_typing.js";
import "./builder_undo.js";
import { drawGutter } from "./builder_yaml.js";
import { addKey } from "./keyboard.js";

const form = () => document.querySelector("#builder-form");

function openTab(tab) {
  for (const other of tab.parentElement.querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  drawGutter();
}

function openChosenTab() {
  const tab = document.querySelector(".side [role=tab][aria-selected=true]");
  if (tab) openTab(tab);
}

// Times of saving, by the clock on the wall.
function showClocks() {
  for (const time of document.querySelectorAll("time[data-clock]")) {
    const moment = new Date(time.dateTime);
    const clock = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const today = moment.toDateString() === new Date().toDateString();
    const text = today ? clock : `${moment.toLocaleDateString([], { day: "numeric", month: "short" })}, ${clock}`;
    if (time.textContent !== text) time.textContent = text;
  }
}

function look() {
  markInvalidControls();
  openWhatIsWrong();
  showClocks();
}

document.addEventListener("click", ({ target }) => {
  const tab = target.closest(".side [role=tab]");
  if (tab) openTab(tab);
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches?.(".side [role=tab]") && /^Arrow(Left|Right)$/.test(event.key)) {
    const other = event.target.parentElement.querySelector("[aria-selected=false]");
    openTab(other);
    other.focus();
  }
});
addKey("Ctrl+Enter", "Launch", () => form()?.requestSubmit(document.querySelector("#launch")), { group: "Builder" });
addKey("y", "YAML and back", () => {
  const tab = document.querySelector(".side [role=tab][aria-selected=false]");
  openTab(tab);
  tab.focus();
}, { group: "Builder" });

// Every change has a number: one that reaches the lab late overwrites nothing newer. It says which
// errors the page shows, so that of the others nothing need be sent.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const edit = document.querySelector("#edit");
  if (detail.verb !== "post" || !edit) return;
  edit.value = String(Number(edit.value) + 1);
  detail.parameters._edit = edit.value;
  detail.parameters._wrong = errorsShown().map((error) => error.id).join(" ");
});

// One launch a click: a second one while the first is under way would queue every run twice.
document.addEventListener("submit", (event) => {
  if (event.submitter?.id === "launch") setTimeout(() => (event.submitter.disabled = true));
});
addEventListener("pageshow", () => {
  const launch = document.querySelector("#launch");
  if (launch) launch.disabled = false;
});

// A forecast that comes after the draft has changed again is of no use any more.
function isSuperseded(next) {
  if (next?.id !== "forecast" && next?.id !== "launch-figures") return false;
  return next.dataset.key !== document.querySelector("#forecast-asking")?.dataset.key;
}

function isSame(target, next) {
  if (target.matches("textarea")) return target.value === next.textContent;
  if (target.matches("button")) return target.value === next.value;
  const isOfSameDraft = target.dataset.key === next.dataset.key;
  return isOfSameDraft && target.innerHTML === next.innerHTML && target.className === next.className;
}

// What has not changed is left in place: nothing is announced twice, nothing flickers.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const next = fragment.firstElementChild;
  if (isSuperseded(next)) event.detail.shouldSwap = false;
  if (next) keepOpen(target, next);
  if (next && isSame(target, next)) event.detail.shouldSwap = false;
});

// Whoever removed a part by its own button goes on from the step around it, not from the page's top.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (document.activeElement === document.body && target.id?.startsWith("step-")) {
    document.querySelector(`#${target.id} > summary`)?.focus({ preventScroll: true });
  }
});
// Each part of an answer settles by itself; all of them are looked at once.
let isLooking = false;
document.addEventListener("htmx:afterSettle", () => {
  if (isLooking) return;
  isLooking = true;
  queueMicrotask(() => {
    isLooking = false;
    openChosenTab();
    look();
  });
});

openChosenTab();
look();
if (document.querySelector("#error-summary[role=alert]")) document.querySelector("#error-summary").focus();
