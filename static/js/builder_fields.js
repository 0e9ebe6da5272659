// Fields of the builder: the dot that puts a value back, and errors tied to their controls.

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

function showChange(field) {
  const dot = field?.querySelector("[data-reset]");
  if (!dot) return;
  dot.hidden = valueOf(field) === field.dataset.original;
  field.toggleAttribute("data-changed", !dot.hidden);
}

function reset(field) {
  setValue(field, field.dataset.original);
  const [control] = controlsOf(field);
  control.focus();
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

export function errorsShown() {
  return [...(form()?.querySelectorAll(".field-error:not(:empty)") ?? [])];
}

export function markInvalidControls() {
  const marked = new Set(form()?.querySelectorAll("[aria-invalid]"));
  for (const error of errorsShown()) {
    for (const control of form().querySelectorAll(`[aria-describedby~="${error.id}"]`)) {
      control.setAttribute("aria-invalid", "true");
      marked.delete(control);
    }
  }
  for (const control of marked) control.removeAttribute("aria-invalid");
}

// A select that changes the form's structure asks for its step itself; the form must not ask too.
document.addEventListener(
  "input",
  (event) => {
    if (event.target.matches?.("[data-structure]")) event.stopPropagation();
    showChange(event.target.closest?.(".field[data-original]"));
  },
  true,
);
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-reset]")) reset(target.closest(".field"));
});
