// The list below the search field: arrow keys choose, Enter goes there, Escape closes it.
// The server finds (htmx fills the list); without this module Enter opens the page of results.

export function startSearch() {
  const field = document.querySelector("#search");
  const list = document.querySelector("#search-list");
  if (!field || !list) return;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function show(open) {
    list.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    if (!open) choose(undefined);
  }

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
  }

  function step(by) {
    const all = options();
    const next = all.indexOf(chosen()) + by;
    // Past either end is the field itself, where nothing is chosen.
    choose(all[next === -2 ? all.length - 1 : next]);
  }

  list.addEventListener("htmx:afterSwap", () => {
    const asked = field.value.trim() !== "" && document.activeElement === field;
    show(asked && list.childElementCount > 0);
  });
  field.addEventListener("focus", () => {
    if (field.value.trim() && list.childElementCount > 0) show(true);
  });
  field.addEventListener("input", () => field.value.trim() || show(false));
  field.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "Escape" && !list.hidden) show(false);
    else if ((key === "ArrowDown" || key === "ArrowUp") && !list.hidden) step(key === "ArrowDown" ? 1 : -1);
    else if (key === "Enter" && chosen()) location.assign(chosen().href);
    else return;
    event.preventDefault();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!target.closest(".strip-search")) show(false);
  });
  field.form.addEventListener("focusout", ({ relatedTarget }) => {
    if (!relatedTarget?.closest(".strip-search")) setTimeout(() => show(false), 150);
  });
}
