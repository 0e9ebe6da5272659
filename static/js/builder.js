// The builder's manners: reset dots, tabs, Ctrl+Enter, errors tied to their controls.

const form = () => document.querySelector("#builder-form");

function controlsOf(field) {
  return [...field.querySelectorAll("input:not([type=hidden]), select")];
}

function valueOf(field) {
  const [first, ...rest] = controlsOf(field);
  if (!first) return "";
  if (first.type === "checkbox") return String(first.checked);
  if (first.type === "radio") return [first, ...rest].find((radio) => radio.checked)?.value ?? "";
  return first.value;
}

function setValue(field, value) {
  for (const control of controlsOf(field)) {
    if (control.type === "checkbox") control.checked = value === "true";
    else if (control.type === "radio") control.checked = control.value === value;
    else control.value = value;
  }
}

function showResetDot(field) {
  const dot = field?.querySelector("[data-reset]");
  if (dot) dot.hidden = valueOf(field) === field.dataset.default;
}

function reset(field) {
  setValue(field, field.dataset.default);
  const [control] = controlsOf(field);
  control.focus();
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

function openTab(tab) {
  for (const other of tab.parentElement.querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
}

function openChosenTab() {
  const tab = document.querySelector(".side [role=tab][aria-selected=true]");
  if (tab) openTab(tab);
}

function markInvalidControls() {
  for (const slot of form()?.querySelectorAll(".field-error") ?? []) {
    const wrong = slot.textContent !== "";
    const controls = form().querySelectorAll(`[aria-describedby~="${slot.id}"]`);
    for (const control of controls) {
      if (wrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }
}

function goToLine(number) {
  const area = document.querySelector("#yaml-text");
  const lines = area.value.split("\n");
  const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[number - 1]?.length ?? 0));
  area.scrollTop = (number - 4) * Number.parseFloat(getComputedStyle(area).lineHeight);
}

// A select that changes the form's structure asks for its step itself; the form must not ask too.
document.addEventListener(
  "input",
  (event) => {
    if (event.target.matches?.("[data-structure]")) event.stopPropagation();
    showResetDot(event.target.closest?.(".field[data-default]"));
  },
  true,
);

document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.closest("[data-reset]")) reset(target.closest(".field"));
  else if (target.closest(".side [role=tab]")) openTab(target.closest("[role=tab]"));
  else if (target.closest("[data-line]")) goToLine(Number(target.closest("[data-line]").dataset.line));
  const link = target.closest("#error-summary a, .steps a");
  if (link) {
    event.preventDefault();
    const place = document.getElementById(link.hash.slice(1));
    place?.scrollIntoView({ block: "start" });
    place?.focus({ preventScroll: true });
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form()?.requestSubmit(document.querySelector("#launch"));
  } else if (event.target.matches?.(".side [role=tab]") && /^Arrow(Left|Right)$/.test(event.key)) {
    const other = event.target.parentElement.querySelector("[aria-selected=false]");
    openTab(other);
    other.focus();
  }
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

// What was unfolded stays so.
function keepOpen(target, next) {
  for (const details of target.querySelectorAll("details[open][id]")) {
    next.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
  }
}

// What has not changed is left in place: nothing is announced twice, nothing flickers.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const next = fragment.firstElementChild;
  if (isSuperseded(next)) event.detail.shouldSwap = false;
  if (next) keepOpen(target, next);
  if (next && target.innerHTML === next.innerHTML && target.className === next.className) {
    event.detail.shouldSwap = false;
  }
});
// What is typed while another kind's fields are on their way is carried over into them.
const typedIn = (step) => new Map([...step.querySelectorAll("input[type=text]")].map((input) => [input.name, input.value]));
let whenAsked = new Map();
let typedSince = [];
const followsKind = ({ detail }) => detail.requestConfig?.elt.matches("[data-structure]");
document.addEventListener("htmx:beforeRequest", (event) => {
  if (followsKind(event)) whenAsked = typedIn(event.detail.target);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!followsKind(event)) return;
  typedSince = [...typedIn(event.detail.target)].filter(([name, value]) => value !== whenAsked.get(name));
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (!followsKind(event)) return;
  for (const [name, value] of typedSince) {
    const input = form().querySelector(`[name="${CSS.escape(name)}"]`);
    if (!input) continue;
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  typedSince = [];
});

// Whoever removed a part by its own button goes on from the step around it, not from the page's top.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (document.activeElement === document.body && target.id?.startsWith("step-")) {
    document.getElementById(target.id)?.focus({ preventScroll: true });
  }
});
document.addEventListener("htmx:afterSettle", () => {
  markInvalidControls();
  openChosenTab();
});

openChosenTab();
markInvalidControls();
if (document.querySelector("#error-summary[role=alert]")) document.querySelector("#error-summary").focus();
