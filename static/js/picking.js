// Picking runs in a table: the bar says how many, and what can be done with them. What is picked
// stays picked on other pages of the table. A row may stand for several runs.

export function startPicking(form) {
  const picked = new Set(); // numbers of runs, as text
  const bar = form.querySelector("[data-selection-bar]");
  const bulk = document.querySelector("#bulk");
  const fewest = Number(form.dataset.fewest);
  const most = Number(form.dataset.most);

  const boxes = () => [...form.querySelectorAll('input[name="runs"]')];
  const runsOf = (box) => box.value.split(",");

  // Whoever picks all on a page may take it for all that match.
  function pageOnly() {
    const matching = form.querySelector("#runs-table")?.dataset.matching;
    const here = boxes().flatMap(runsOf);
    const isThisPage = here.length === picked.size && here.every((run) => picked.has(run));
    return matching && isThisPage ? `, this page of ${matching}` : "";
  }

  function show() {
    const count = picked.size;
    const enough = count >= fewest && count <= most;
    bar.hidden = count === 0;
    bar.querySelector("[data-selection-go]").disabled = !enough;
    const words = count === 1 ? "1 run picked" : `${count} runs picked`;
    const advice = enough ? "" : count < fewest ? ": pick one more to compare" : `: at most ${most} can be compared`;
    bar.querySelector("[data-selection-text]").textContent = words + pageOnly() + advice;
    const all = form.querySelector("[data-pick-page]");
    if (all) {
      const checked = boxes().filter((box) => box.checked).length;
      all.checked = checked > 0 && checked === boxes().length;
      all.indeterminate = checked > 0 && !all.checked;
    }
    if (!bulk) return;
    const address = form.querySelector("#runs-table")?.dataset.address ?? "";
    bulk.elements.runs.value = [...picked].join(",");
    for (const field of document.querySelectorAll('[name="address"]')) field.value = address;
    const link = bar.querySelector("[data-export]");
    link.href = `${link.dataset.export}?runs=${[...picked].join(",")}`;
    const rows = boxes().filter((box) => box.checked).map((box) => box.closest("tr"));
    bar.querySelector("[data-archive]").hidden = rows.length > 0 && rows.every((row) => "archived" in row.dataset);
    bar.querySelector("[data-unarchive]").hidden = !rows.some((row) => "archived" in row.dataset);
    bar.querySelector("[data-cancel]").hidden = rows.length > 0 && rows.every((row) => "ended" in row.dataset);
  }

  function take() {
    for (const box of boxes()) {
      for (const run of runsOf(box)) box.checked ? picked.add(run) : picked.delete(run);
    }
    show();
  }

  function restore() {
    for (const box of boxes()) box.checked = runsOf(box).every((run) => picked.has(run));
    show();
  }

  function clear() {
    picked.clear();
    restore();
  }

  form.addEventListener("change", ({ target }) => {
    if (target.matches("[data-pick-page]")) {
      for (const box of boxes()) box.checked = target.checked;
    }
    take();
  });
  // Picked runs may be on another page of the table, so the address is written here.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(`${form.getAttribute("action")}?runs=${[...picked].join(",")}`);
  });
  bar.querySelector("[data-selection-clear]").addEventListener("click", clear);
  bulk?.addEventListener("htmx:afterRequest", ({ detail }) => detail.successful && clear());
  take();

  return {
    restore,
    compare() {
      if (bar.querySelector("[data-selection-go]").disabled) return false;
      form.requestSubmit();
      return true;
    },
  };
}
