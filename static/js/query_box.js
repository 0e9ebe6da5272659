// The query box of the table of runs: completions while somebody types, by keyboard or pointer,
// as an ARIA combobox; and the table follows when the typing pauses where the query may be whole, so
// that half a field's name does not empty the table. Enter always asks.

const PAUSE_MS = 500; // of typing, after which the table is asked
const COMPLETE_MS = 80;
const GOES_ON = /(\b(and|or|not)|[:=<>(,])\s*$/i;

export function startQueryBox(box) {
  const input = box.querySelector("input");
  const list = box.querySelector("[role=listbox]");
  let offered = { start: 0, end: 0, items: [] };
  let active = -1;
  let asked = 0;
  let completing = 0;
  let pausing = 0;
  let sent = input.value;

  function close() {
    clearTimeout(completing);
    asked += 1;
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  async function complete() {
    const number = ++asked;
    const end = input.selectionStart ?? input.value.length;
    const query = new URLSearchParams({ q: input.value, at: end });
    const response = await fetch(`${box.dataset.completions}?${query}`);
    if (!response.ok || number !== asked || document.activeElement !== input) return;
    const answer = await response.json();
    const { start } = answer;
    // What stands there already need not be offered.
    const typed = input.value.slice(start, end);
    const items = answer.items.filter(({ text }) => !text || text.trim() !== typed);
    offered = { start, end, items };
    active = -1;
    list.replaceChildren(...items.map(optionOf));
    list.hidden = items.length === 0;
    input.setAttribute("aria-expanded", String(items.length > 0));
    input.removeAttribute("aria-activedescendant");
  }

  function optionOf({ text, label, help }, index) {
    const option = document.createElement("li");
    option.id = `query-option-${index}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    if (!text) option.setAttribute("aria-disabled", "true");
    const name = document.createElement(text ? "code" : "span");
    name.textContent = label;
    const words = document.createElement("small");
    words.textContent = help;
    option.append(name, words);
    option.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the box keeps the focus
      take(index);
    });
    return option;
  }

  function mark(index) {
    active = index;
    [...list.children].forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === index));
      if (place === index) option.scrollIntoView({ block: "nearest" });
    });
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `query-option-${index}`);
  }

  function take(index) {
    const item = offered.items[index];
    if (!item?.text) return;
    input.setRangeText(item.text, offered.start, offered.end, "end");
    complete();
    follow();
  }

  function mayBeWhole() {
    if (GOES_ON.test(input.value)) return false;
    return list.hidden || /\s$/.test(input.value) || !offered.items.some(({ text }) => text);
  }

  function send() {
    clearTimeout(pausing);
    if (input.value === sent) return;
    sent = input.value;
    input.dispatchEvent(new Event("query", { bubbles: true }));
  }

  function follow() {
    clearTimeout(pausing);
    pausing = setTimeout(() => mayBeWhole() && send(), PAUSE_MS);
  }

  input.addEventListener("input", () => {
    clearTimeout(completing);
    completing = setTimeout(complete, COMPLETE_MS);
    follow();
  });
  input.addEventListener("focus", () => input.value || complete());
  input.addEventListener("blur", () => {
    close();
    send();
  });
  // The form listens for changes of its other fields; a query is sent once, by its own pause.
  input.addEventListener("change", (event) => event.stopPropagation());
  input.addEventListener("keydown", (event) => {
    const count = offered.items.filter(({ text }) => text).length;
    const open = !list.hidden && count > 0;
    if (event.key === "ArrowDown" && open) mark(active + 1 < count ? active + 1 : 0);
    else if (event.key === "ArrowUp" && open) mark(active > 0 ? active - 1 : count - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && open && active >= 0) take(active);
    else if (event.key === "Escape" && !list.hidden) {
      close();
      follow();
    }
    else if (event.key === "Escape") input.blur(); // a browser would empty the box
    else if (event.key === " " && event.ctrlKey) complete();
    else {
      if (event.key === "Enter") {
        close();
        clearTimeout(pausing);
        sent = input.value; // by the form itself
      }
      return;
    }
    event.preventDefault();
  });
}
