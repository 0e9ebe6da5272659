// The YAML tab: line numbers with a mark at each wrong line, and text that is never lost.
// While #ahead says "yaml", the text is ahead of the form: the form waits, nothing replaces the text.

const area = () => document.querySelector("#yaml-text");
const ahead = () => document.querySelector("#ahead");
let sent = ""; // the text that the lab has been asked about

export function isAhead() {
  return ahead()?.value === "yaml";
}

function wrongLines() {
  return new Set([...document.querySelectorAll("#yaml-errors [data-line]")].map(({ dataset }) => Number(dataset.line)));
}

export function drawGutter() {
  const gutter = document.querySelector("#yaml-gutter");
  if (!gutter) return;
  const wrong = wrongLines();
  const lines = area().value.split("\n").map((_, index) => {
    const line = document.createElement("span");
    line.textContent = `${wrong.has(index + 1) ? "! " : ""}${index + 1}`;
    if (wrong.has(index + 1)) line.className = "wrong";
    return line;
  });
  gutter.replaceChildren(...lines);
  gutter.scrollTop = area().scrollTop;
  area().toggleAttribute("aria-invalid", false);
  if (wrong.size) area().setAttribute("aria-invalid", "true");
  document.querySelector("#form-steps").inert = isAhead() && wrong.size > 0;
}

function goToPlace(line, column) {
  const lines = area().value.split("\n");
  const start = lines.slice(0, line - 1).reduce((length, text) => length + text.length + 1, 0);
  const end = start + (lines[line - 1]?.length ?? 0);
  area().focus();
  area().setSelectionRange(Math.min(start + column - 1, end), end);
  area().scrollTop = (line - 4) * Number.parseFloat(getComputedStyle(area()).lineHeight);
}

document.addEventListener("input", ({ target }) => {
  if (target.id !== "yaml-text") return;
  ahead().value = "yaml";
  drawGutter();
});
document.addEventListener(
  "scroll",
  ({ target }) => {
    if (target.id === "yaml-text") document.querySelector("#yaml-gutter").scrollTop = target.scrollTop;
  },
  true,
);
document.addEventListener("click", ({ target }) => {
  const place = target.closest("[data-line]");
  if (place) goToPlace(Number(place.dataset.line), Number(place.dataset.column));
});
document.addEventListener("htmx:configRequest", ({ target }) => {
  if (target.id === "yaml-text") sent = area().value;
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const isAnswer = detail.requestConfig?.elt.id === "yaml-text";
  if (isAnswer && area().value !== sent) ahead().value = "yaml"; // it was typed on meanwhile
  drawGutter();
});
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target.id === "yaml-text" && isAhead()) event.detail.shouldSwap = false;
});
