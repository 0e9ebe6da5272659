// What was removed from the form can be put back: the whole form as it was just before.

const REMOVES = /^(drop|remove):/;
let before = null; // the fields, and what was removed

function fieldsOf(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) (fields[name] ??= []).push(value);
  return fields;
}

document.addEventListener("htmx:configRequest", ({ detail, target }) => {
  if (!target.matches?.("button[name=_action]")) return;
  before = null;
  if (!REMOVES.test(target.value)) return;
  const what = (target.getAttribute("aria-label") ?? target.textContent).replace(/^Remove |^Stop varying |^Vary /, "").trim();
  before = { step: detail.target.id, what, fields: fieldsOf(document.querySelector("#builder-form")) };
});

// Whoever goes on has let it go: to put back the form as it was would take away what came since.
document.addEventListener("input", ({ target }) => {
  if (!target.form || target.form.id !== "builder-form") return;
  before = null;
  document.querySelector(".undo-line")?.remove();
});

document.addEventListener("htmx:afterSettle", () => {
  const step = before && document.getElementById(before.step);
  if (!step || step.querySelector(".undo-line")) return;
  const { fields, what } = before;
  const line = document.querySelector("#undo-template").content.firstElementChild.cloneNode(true);
  line.querySelector("span").textContent = `Removed: ${what}`;
  line.querySelector("button").addEventListener("click", () => {
    const values = { ...fields, _action: "edit:{}" };
    htmx.ajax("POST", "/experiments/form", { target: "#workbench", swap: "outerHTML", values });
  });
  step.querySelector(".step-body").prepend(line);
});
