// A table by the keyboard: j and k go from row to row, x picks, Enter opens, c compares.

import { addKey } from "./keyboard.js";

export function startRowKeys(form, picking) {
  const rows = () => [...form.querySelectorAll("tbody tr")];
  const current = () => rows().find((row) => row.matches("[data-current], :focus-within"));

  function go(step) {
    const all = rows();
    if (!all.length) return false;
    const now = all.indexOf(current());
    const next = all[now < 0 ? 0 : Math.min(Math.max(now + step, 0), all.length - 1)];
    for (const row of all) row.toggleAttribute("data-current", row === next);
    next.querySelector('input[type="checkbox"]')?.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  const group = { group: "Table" };
  addKey("j", "Next row", () => go(+1), group);
  addKey("k", "Row before", () => go(-1), group);
  addKey("x", "Pick the row", () => {
    const box = current()?.querySelector('input[type="checkbox"]');
    box?.click();
    return Boolean(box);
  }, group);
  addKey("o", "Open the row", () => {
    const link = current()?.querySelector("a[data-open], a[href]");
    link?.click();
    return Boolean(link);
  }, group);
  addKey("c", "Compare what is picked", () => picking.compare(), group);
}
