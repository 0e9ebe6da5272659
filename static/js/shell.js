// The frame of every page: theme switch, keyboard, connection chip, messages.

const THEMES = { system: "light", light: "dark", dark: "system" };
const PLACES = { r: "/runs/", n: "/experiments/new", c: "/compare", q: "/queue/", h: "/", l: "/" };
const KEYBOARD_SETTING = "keyboard-shortcuts";

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

function shortcutsAreOn() {
  try {
    return localStorage.getItem(KEYBOARD_SETTING) !== "off";
  } catch {
    return true;
  }
}

function isTyping(target) {
  return target.closest?.("input, select, textarea, [contenteditable], dialog[open]") !== null;
}

function startKeyboard() {
  const help = document.querySelector("#keyboard-help");
  const setting = document.querySelector("#keyboard-setting");
  if (setting) {
    setting.checked = shortcutsAreOn();
    setting.addEventListener("change", () => {
      localStorage.setItem(KEYBOARD_SETTING, setting.checked ? "on" : "off");
    });
  }
  document.querySelector("#keyboard-open")?.addEventListener("click", () => help?.showModal());
  let waitingForPlace = 0;
  document.addEventListener("keydown", (event) => {
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (modified || event.defaultPrevented || isTyping(event.target) || !shortcutsAreOn()) return;
    if (performance.now() < waitingForPlace && PLACES[event.key]) {
      event.preventDefault();
      location.assign(PLACES[event.key]);
      return;
    }
    waitingForPlace = event.key === "g" ? performance.now() + 1500 : 0;
    if (event.key === "/") {
      event.preventDefault();
      document.querySelector("#search")?.focus();
    } else if (event.key === "?") {
      help?.showModal();
    } else if (event.key === "n") {
      location.assign(PLACES.n);
    }
  });
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

startThemeSwitch();
startConnectionChip();
startKeyboard();
startMessages();
