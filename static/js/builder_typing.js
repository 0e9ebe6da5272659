// Nothing that is typed is lost: neither before the page's scripts are there, nor while an answer with
// another structure is on its way; that is carried over into it, under the name that its field then has.

import { changesStructure } from "./builder_order.js";

const inputs = () => [...document.querySelectorAll("#builder-form input[type=text]")];
const typed = () => new Map(inputs().map((input) => [input.name, input.value]));
const inputOf = (name) => inputs().find((input) => input.name === name);

let whenAsked = new Map();
let typedSince = [];
let typingIn = "";

// `remove:estimators:1` makes `estimators.2.window` that of estimator 1, and ends that of 1.
function renamed(name, action) {
  const [verb, list, at] = action.split(":");
  const [, prefix, index, rest] = name.match(/^(\w+)\.(\d+)(\..*)$/) ?? [];
  if (prefix !== list || !["remove", "duplicate", "drop"].includes(verb)) return name;
  if (verb === "drop" || (verb === "remove" && index === at)) return "";
  const shift = Number(index) > Number(at) ? { remove: -1, duplicate: 1 }[verb] : 0;
  return `${prefix}.${Number(index) + shift}${rest}`;
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (changesStructure(detail.requestConfig.elt)) whenAsked = typed();
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!changesStructure(detail.requestConfig?.elt)) return;
  const action = detail.requestConfig.parameters._action ?? "";
  typedSince = [...typed()]
    .filter(([name, value]) => value !== whenAsked.get(name))
    .map(([name, value]) => [renamed(name, action), value]);
  typingIn = renamed(document.activeElement?.name ?? "", action);
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (!changesStructure(detail.requestConfig?.elt)) return;
  for (const [name, value] of typedSince) {
    const input = inputOf(name);
    if (!input) continue;
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    if (name === typingIn) input.focus();
  }
  typedSince = [];
});

// Also what a browser puts back into a page that is loaded again.
document.addEventListener("DOMContentLoaded", () => {
  if (inputs().some((input) => input.value !== input.defaultValue)) htmx.trigger("#builder-form", "change");
});
