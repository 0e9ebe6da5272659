// The dialog that exports what the page shows (key "e", or the button at a figure).
//
// It offers every element that has `data-export-url`: the address without its extension. Beside it
// stand `data-export-title`, `data-export-query` (how it is drawn: what the page itself asks for)
// and `data-export-formats` where not all are possible; `data-export-empty` leaves it out. A button
// `data-export-open` inside such an element opens the dialog with it chosen.

import { copyText } from "./copying.js";
import { readChoice, writeChoice } from "./export_choices.js";
import { addKey } from "./keyboard.js";

const KEPT = ["format", "width", "font"];
const DRAWN = ["svg", "pdf", "png"];
const ALL = "svg pdf png csv json tex";
const MOST_LINES = 60;

const dialog = document.querySelector("#export-dialog");
const form = dialog.querySelector("form");
const find = (part) => dialog.querySelector(`[data-${part}]`);
const figure = form.elements.figure;
let offered = [];
let asking = new AbortController();

function open(wanted) {
  const before = offered[figure.selectedIndex];
  offered = [...document.querySelectorAll("[data-export-url]:not([data-export-empty])")];
  if (dialog.dataset.exportUrl) offered = [...offered.filter((each) => each !== dialog), dialog];
  if (!offered.length) return;
  figure.replaceChildren(...offered.map((each) => new Option(each.dataset.exportTitle)));
  figure.selectedIndex = Math.max(0, offered.indexOf(wanted ?? before));
  allowFormats();
  dialog.showModal();
  preview();
}

const chosen = () => offered[figure.selectedIndex];
const formats = () => (chosen().dataset.exportFormats ?? ALL).split(" ");
const isDrawn = () => DRAWN.includes(form.elements.format.value);

// What was chosen stays where the figure has it; else the first that it has.
function allowFormats() {
  const possible = formats();
  for (const input of form.elements.format) {
    input.closest("label").hidden = !possible.includes(input.value);
  }
  if (!possible.includes(form.elements.format.value)) form.elements.format.value = possible[0];
}

function address(format) {
  const query = new URLSearchParams(chosen().dataset.exportQuery ?? "");
  if (DRAWN.includes(format)) {
    query.set("width", form.elements.width.value);
    query.set("font", form.elements.font.value);
  }
  return `${chosen().dataset.exportUrl}${format}?${query}`;
}

async function preview() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const format = form.elements.format.value;
  find("drawn-only").hidden = !isDrawn();
  find("format-words").textContent = form.querySelector("[name=format]:checked").closest("label").title;
  const link = find("export-download");
  link.href = address(format);
  link.querySelector("span").textContent = `Download ${format === "tex" ? "LaTeX" : format.toUpperCase()}`;
  find("export-copy").hidden = isDrawn();
  find("preview").setAttribute("aria-busy", "true");
  try {
    const response = await fetch(isDrawn() ? address("svg") : link.href, { signal });
    if (!response.ok) throw new Error(response.status === 400 ? await response.text() : `The lab answered ${response.status}.`);
    if (isDrawn()) await showImage(await response.blob());
    else showText(await response.text());
  } catch (problem) {
    if (signal.aborted) return;
    show("problem");
    find("preview-problem").textContent = problem.message;
    find("preview-note").textContent = "";
  }
  find("preview").removeAttribute("aria-busy");
}

function show(part) {
  for (const other of ["image", "text", "problem"]) find(`preview-${other}`).hidden = other !== part;
}

async function showImage(blob) {
  const image = find("preview-image");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
  image.alt = chosen().dataset.exportTitle;
  await image.decode();
  show("image");
  noteScale();
}

// A CSS centimetre is a centimetre on paper, so that an image without scaling has its true size.
function noteScale() {
  const image = find("preview-image");
  if (image.hidden) return;
  const scale = image.clientWidth / image.naturalWidth;
  find("preview-note").textContent =
    scale > 0.99 ? "Shown at true size" : `Shown at ${Math.round(100 * scale)} % of its true size`;
}

function showText(text) {
  const lines = text.trimEnd().split(/\r?\n/);
  const more = lines.length - MOST_LINES;
  find("preview-text").textContent = lines.slice(0, MOST_LINES).join("\n");
  find("preview-text").dataset.whole = text;
  find("preview-note").textContent = more > 0 ? `${more.toLocaleString("en")} more lines follow` : "";
  show("text");
}

for (const name of KEPT) form.elements[name].value = readChoice(name, form.elements[name].value);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => {
  if (target === figure) allowFormats();
  else writeChoice(target.name, target.value);
  preview();
});
find("export-copy").addEventListener("click", ({ currentTarget }) => {
  copyText(find("preview-text").dataset.whole, currentTarget);
});
addEventListener("resize", noteScale);
dialog.addEventListener("close", () => asking.abort());
document.addEventListener("click", ({ target }) => {
  const opener = target.closest?.("[data-export-open]");
  if (opener) open(opener.closest("[data-export-url]"));
});
addKey("e", "Export", () => open());
