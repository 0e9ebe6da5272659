// Findings, table and tests of several runs, asked for again when points come or the address changes.

import { refreshing } from "./refreshing.js";

const PARTS = ["[data-findings]", "[data-summary]", "[data-tests]"];

export function summaryRefresh(url, runs) {
  return refreshing(async () => {
    const query = new URLSearchParams(location.search);
    query.set("runs", runs);
    if (document.querySelector("[data-tests]")) query.set("comparing", "");
    const response = await fetch(`${url}?${query}`);
    if (!response.ok) throw new Error(`summary: ${response.status}`);
    const update = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of PARTS) {
      const place = document.querySelector(part);
      const fresh = update.querySelector(part);
      if (fresh && place.innerHTML !== fresh.innerHTML) place.replaceChildren(...fresh.childNodes);
    }
  });
}
