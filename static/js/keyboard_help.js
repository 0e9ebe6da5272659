// The dialog that lists the keys of this page, and the switch for single keys.

import { keysByGroup } from "./keyboard.js";

export function openKeyboardHelp() {
  const dialog = document.querySelector("#keyboard-help");
  if (!dialog) return;
  dialog.querySelector("[data-keys]").replaceChildren(...keysByGroup().map(sectionOf));
  dialog.showModal();
}

// The account holds the choice; this page follows it at once.
export function followSwitches() {
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[data-single-keys-switch]")) return;
    document.body.dataset.singleKeys = target.checked ? "on" : "off";
    for (const other of document.querySelectorAll("[data-single-keys-switch]")) {
      other.checked = target.checked;
    }
  });
}

function sectionOf([group, bindings]) {
  const section = element("section");
  const list = element("dl");
  list.className = "keys";
  for (const { keys, label } of bindings) {
    const term = element("dt");
    term.append(...keys.split(/ |(?<=Ctrl)\+/).map((key) => element("kbd", key)));
    list.append(term, element("dd", label));
  }
  section.append(element("h3", group), list);
  return section;
}

function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
