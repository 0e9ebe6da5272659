// The look for a lecture hall: large type and one figure. The address keeps it (present=1), so
// that the next question comes in the same look.

import { addKey } from "./keyboard.js";

export function startPresenting(page, redraw) {
  const button = page.querySelector("[data-present]");
  const isOn = () => document.body.hasAttribute("data-presenting");

  function toggle() {
    const on = document.body.toggleAttribute("data-presenting");
    button.setAttribute("aria-pressed", String(on));
    const address = new URL(location.href);
    if (on) address.searchParams.set("present", "1");
    else address.searchParams.delete("present");
    history.replaceState(history.state, "", address);
    carryOn();
    redraw();
  }

  function carryOn() {
    for (const link of page.querySelectorAll("[data-before], [data-after]")) {
      link.search = isOn() ? "?present=1" : "";
    }
  }

  const follow = (part) => () => {
    const link = page.querySelector(`[data-${part}]`);
    if (!link) return false;
    link.click();
    return true;
  };

  button.addEventListener("click", toggle);
  addKey("p", "Present: large type, one figure", toggle, { group: "Gallery" });
  addKey("]", "Next question", follow("after"), { group: "Gallery" });
  addKey("[", "Question before", follow("before"), { group: "Gallery" });
  carryOn();
}
