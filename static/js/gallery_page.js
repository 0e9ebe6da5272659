// A question of the gallery: predict, reveal, choose what is shown, present.

import { GalleryFigures } from "./gallery_figures.js";
import { forget, remember, remembered } from "./gallery_memory.js";
import { startPresenting } from "./gallery_present.js";
import { refreshing } from "./refreshing.js";
import { SketchPad } from "./sketch_pad.js";

const page = document.querySelector("[data-gallery]");
const find = (part) => page.querySelector(`[data-${part}]`);
const slug = page.dataset.gallery;
const controls = find("controls");
const picks = find("picks");
const axes = JSON.parse(document.querySelector("#sketch-axes")?.textContent ?? "null");
const figures = new GalleryFigures(find("figures"), page.dataset.fileUrl);
const refresh = refreshing(fetchFigures, () => 0);
let pad = null;
let guess = null; // a pick's number, the heights of a sketch, or null
let revealed = false;

function choice() {
  return controls ? Object.fromEntries(new FormData(controls)) : {};
}

async function fetchFigures() {
  const chosen = choice();
  const response = await fetch(`${page.dataset.figuresUrl}?${new URLSearchParams(chosen)}`);
  if (!response.ok) throw new Error(`gallery: ${response.status}`);
  const found = await response.json();
  const { prediction } = found;
  // The words first: the figure takes the room that they leave.
  find("finding").textContent = found.finding;
  find("missing").hidden = found.figures.length > 0;
  if (prediction) showVerdict(prediction);
  const sketched = prediction?.kind === "sketch" && Array.isArray(guess);
  figures.show(found.figures, chosen, sketched ? { figure: prediction.figure, x: axes.x, y: guess } : null);
  const builder = find("builder");
  if (builder) builder.href = found.builder;
  for (const input of find("launch")?.querySelectorAll("input") ?? []) {
    if (input.name in chosen) input.value = chosen[input.name];
  }
}

function showVerdict(prediction) {
  const verdict = find("verdict");
  verdict.hidden = guess === null;
  if (guess === null) return;
  const [head, words] = prediction.kind === "pick" ? pickVerdict(prediction) : sketchVerdict(prediction);
  verdict.replaceChildren(textElement("strong", head), textElement("span", `${words} ${prediction.because}`));
  verdict.dataset.right = prediction.kind === "pick" ? guess === prediction.right : "";
}

function pickVerdict({ right }) {
  const words = [...picks.querySelectorAll(".pick span")].map((span) => span.textContent);
  if (guess === right) return ["As you predicted.", `${words[right]}.`];
  return ["Not as you predicted.", `You picked “${words[guess]}”; measured: “${words[right]}”.`];
}

// Where the sketch is farthest from what was measured, as a share of the axis.
function sketchVerdict({ measured }) {
  const place = (value) => (axes.log ? Math.log10(value) : value);
  const span = place(axes.ends[1]) - place(axes.ends[0]);
  const away = measured.map((value, index) => (value === null ? 0 : Math.abs(place(guess[index]) - place(value)) / span));
  const worst = away.indexOf(Math.max(...away));
  const short = (value) => Number(value.toPrecision(3)).toLocaleString("en");
  const words = `Farthest at ${axes.x_labels[worst]}: you drew ${short(guess[worst])}, measured is ${short(measured[worst])}.`;
  return [away[worst] < 0.1 ? "Close all along." : "Your sketch is dotted.", words];
}

function textElement(name, text) {
  return Object.assign(document.createElement(name), { textContent: text });
}

function reveal({ focus = false } = {}) {
  revealed = true;
  find("prediction").hidden = true;
  for (const part of page.querySelectorAll("[data-answer], [data-after-answer]")) part.hidden = false;
  refresh({ now: true });
  if (focus) find("answer").focus({ preventScroll: true });
}

function predictAgain() {
  forget(slug);
  guess = null;
  revealed = false;
  for (const part of page.querySelectorAll("[data-answer], [data-after-answer]")) part.hidden = true;
  find("prediction").hidden = false;
  startPrediction();
  find("prediction").querySelector("input, [role=slider]").focus();
}

function startPrediction() {
  const button = find("reveal");
  button.disabled = true;
  if (axes) {
    pad = new SketchPad(find("sketch"), axes);
    pad.addEventListener("change", () => (button.disabled = !pad.isWhole));
  } else picks.reset();
}

function predicted() {
  if (axes) return pad.values;
  const picked = new FormData(picks).get("guess");
  return picked === null ? null : Number(picked);
}

picks?.addEventListener("submit", (event) => event.preventDefault());
picks?.addEventListener("change", () => (find("reveal").disabled = false));
find("reveal").addEventListener("click", () => {
  guess = predicted();
  remember(slug, guess);
  reveal({ focus: true });
});
find("just-show").addEventListener("click", () => {
  guess = null;
  remember(slug, null);
  reveal({ focus: true });
});
find("again").addEventListener("click", predictAgain);
controls?.addEventListener("submit", (event) => event.preventDefault());
controls?.addEventListener("change", () => {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(choice())) address.searchParams.set(name, value);
  history.replaceState(history.state, "", address);
  refresh({ now: true });
});

startPrediction();
const before = remembered(slug);
const whole = !axes || !Array.isArray(before?.guess) || before.guess.length === axes.x.length;
if (before && whole) {
  guess = before.guess;
  reveal();
}
startPresenting(page, () => (revealed ? figures.draw() : pad?.layOut()));
