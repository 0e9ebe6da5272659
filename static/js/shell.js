// The frame of every page: theme switch, keyboard, connection chip, messages.

import { addKey, handleKey } from "./keyboard.js";
import { followSwitches, openKeyboardHelp } from "./keyboard_help.js";
import { startSearch } from "./search.js";

const THEMES = { system: "light", light: "dark", dark: "system" };
const PLACES = [
  ["h", "Home", "/"],
  ["r", "Runs", "/runs/"],
  ["n", "New experiment", "/experiments/new"],
  ["c", "Compare", "/compare"],
  ["q", "Queue", "/queue/"],
  ["l", "Gallery: the lecture's questions", "/gallery/"],
];

const SCROLLERS = ".table-wrap, .picture-legend";

function startThemeSwitch() {
  const button = document.querySelector("#theme-switch");
  const show = () => {
    const choice = document.documentElement.dataset.themeChoice ?? "system";
    button.title = `Theme: ${choice}`;
    button.setAttribute("aria-label", `Theme: ${choice}. Change to ${THEMES[choice]}`);
    for (const icon of button.querySelectorAll("[data-theme-icon]")) {
      icon.toggleAttribute("hidden", icon.dataset.themeIcon !== choice);
    }
  };
  button?.addEventListener("click", () => {
    const next = THEMES[document.documentElement.dataset.themeChoice ?? "system"];
    document.dispatchEvent(new CustomEvent("lab:choose-theme", { detail: next }));
    show();
  });
  if (button) show();
}

// Pages with live data tell the chip: dispatch "lab:connection" with {state, text} on document.
// state is live, catching-up, polling or offline.
function startConnectionChip() {
  const chip = document.querySelector("#connection");
  document.addEventListener("lab:connection", ({ detail }) => {
    if (!chip) return;
    chip.hidden = false;
    chip.dataset.state = detail.state;
    if (chip.textContent !== detail.text) chip.textContent = detail.text;
  });
}

function startKeyboard() {
  for (const [key, label, address] of PLACES) {
    addKey(`g ${key}`, label, () => location.assign(address), { group: "Go to" });
  }
  addKey("/", "Search", focusSearch, { group: "Anywhere" });
  addKey("n", "New experiment", () => location.assign("/experiments/new"), { group: "Anywhere" });
  addKey("?", "This help", openKeyboardHelp, { group: "Anywhere" });
  document.addEventListener("keydown", handleKey);
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-open-keyboard-help]")) openKeyboardHelp();
  });
  followSwitches();
}

function focusSearch() {
  const field = document.querySelector("#search");
  if (!field?.checkVisibility()) return false;
  field.focus();
  field.select();
}

// Good news goes away by itself; bad news waits to be read.
function letFade(toast) {
  setTimeout(() => toast.matches(":hover, :focus-within") ? letFade(toast) : toast.remove(), 8000);
}

function startMessages() {
  for (const toast of document.querySelectorAll(".toast.success")) letFade(toast);
  document.addEventListener("click", (event) => {
    event.target.closest?.("[data-dismiss]")?.closest(".toast")?.remove();
  });
  document.addEventListener("htmx:sendError", () => notify("No connection to the lab. Nothing was lost; try again.", "error"));
  document.addEventListener("htmx:responseError", ({ detail }) => {
    notify(`The lab answered with an error (${detail.xhr.status}). Try again.`, "error");
  });
}

function notify(text, level = "info") {
  const place = document.querySelector(".toasts");
  const template = document.querySelector("#toast-template");
  if (!place || !template) return;
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.classList.add(level);
  toast.querySelector("span").textContent = text;
  place.replaceChildren(toast);
}

// What does not fit its place scrolls, by keyboard too; whoever puts it there, and when.
function startScrollers() {
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const isWhole =
        target.scrollWidth <= target.clientWidth && target.scrollHeight <= target.clientHeight;
      if (isWhole) target.removeAttribute("tabindex");
      else target.tabIndex = 0;
    }
  });
  const watch = (place) => {
    if (place.matches(SCROLLERS)) sizes.observe(place);
    for (const one of place.querySelectorAll(SCROLLERS)) sizes.observe(one);
  };
  const arrivals = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node instanceof HTMLElement) watch(node);
    }
  });
  const content = document.querySelector("#content");
  watch(content);
  arrivals.observe(content, { childList: true, subtree: true });
}

startThemeSwitch();
startConnectionChip();
startKeyboard();
startSearch();
startMessages();
startScrollers();
