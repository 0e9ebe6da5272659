// Draws one picture, as the server describes it, into its place: images on canvases pixel by pixel,
// curves and particles by Plotly in the page's colours, a cell as the server's own SVG.

import { CONFIG, dressedLayout, enlargement, withAlpha } from "./plotly_look.js";

const WIDEST_IMAGE = 112; // pixels of the page, about
const MARKS = { true: ["right", "✓"], false: ["wrong", "✗"] };

export function drawPicture(place, picture, { small = false } = {}) {
  place.setAttribute("aria-label", picture.text_summary);
  const kind = ["plotly", "images", "svg"].find((name) => picture[name] !== undefined);
  if (place.dataset.kind === "plotly" && kind !== "plotly") window.Plotly.purge(place.firstChild);
  if (place.dataset.kind !== kind) place.replaceChildren();
  place.dataset.kind = kind;
  if (kind === "plotly") drawPlotly(place, picture, small);
  else if (kind === "images") drawImages(place, picture.images, small);
  else drawSVG(place, picture.svg);
}

function drawPlotly(place, picture, small) {
  if (!place.firstChild) {
    place.append(Object.assign(document.createElement("div"), { className: "picture-plot" }));
    place.append(Object.assign(document.createElement("ul"), { className: "picture-legend" }));
  }
  const style = getComputedStyle(document.documentElement);
  const data = picture.plotly.data.map((trace) => dressed(trace, style, small));
  const layout = dressedLayout(picture.plotly.layout, style);
  if (small) layout.margin = { ...layout.margin, l: 48, b: 40, r: 8 };
  // The legend first: the drawing takes the room that it leaves.
  place.lastChild.replaceChildren(...(picture.legend ?? []).map(legendItem));
  window.Plotly.react(place.firstChild, data, layout, CONFIG);
}

// A trace's `meta` says what it is; which colour that has is the theme's to say.
function dressed(trace, style, small) {
  const token = (name) => style.getPropertyValue(name).trim();
  const { part, slot } = trace.meta;
  const marker = { ...trace.marker };
  if (marker.line) marker.line = { ...marker.line };
  const look = { ...trace, marker, line: { ...trace.line } };
  const larger = enlargement(style);
  if (look.line.width) look.line.width *= larger;
  if (typeof marker.size === "number") marker.size *= larger;
  if (part === "line") look.line.color = marker.color = token(`--run-${slot}`);
  for (const whiskers of ["error_x", "error_y"]) {
    if (trace[whiskers]) look[whiskers] = { ...trace[whiskers], color: token(`--run-${slot}`) };
  }
  if (part === "band") look.fillcolor = withAlpha(token(`--run-${slot}`), 0.16);
  if (part === "ink") look.line.color = marker.color = token("--ink-soft");
  if (part === "text") look.textfont = { size: 10 * larger, color: token("--ink-muted") };
  if (part === "lost") marker.line.color = token("--bad");
  if (part === "mean") marker.line.color = token("--run-1");
  if (part === "surface") {
    const bar = { outlinewidth: 0, tickfont: { size: 11, color: token("--ink-muted") } };
    bar.title = { ...trace.colorbar.title, font: { size: 11, color: token("--ink-muted") } };
    look.colorbar = { ...trace.colorbar, ...bar };
    look.showscale = !small;
  }
  return look;
}

// What stands in a legend for points that no line joins.
const SHAPES = {
  circle: "M11 0.5a3.5 3.5 0 1 0 0.01 0z",
  diamond: "M11 0l4 4l-4 4l-4 -4z",
  square: "M7.5 0.5h7v7h-7z",
  "triangle-up": "M11 0.3l4.2 7.2h-8.4z",
};

function legendItem({ label, slot, dash, symbol }) {
  const swatch = svgElement("svg", { class: "swatch", viewBox: "0 0 22 8" });
  Object.assign(swatch.dataset, { slot, dash });
  if (symbol) swatch.append(svgElement("path", { d: SHAPES[symbol], fill: "currentColor" }));
  else swatch.append(svgElement("line", { x1: 1, y1: 4, x2: 21, y2: 4 }));
  const item = document.createElement("li");
  item.append(swatch, label);
  return item;
}

function svgElement(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function drawImages(place, images, small) {
  const { columns, height, width, channels, captions, right } = images;
  const bytes = Uint8Array.from(atob(images.pixels), (character) => character.charCodeAt(0));
  const count = bytes.length / (height * width * channels);
  let grid = place.firstChild;
  if (!grid) {
    grid = Object.assign(document.createElement("div"), { className: "picture-images" });
    place.append(grid);
  }
  // A long single row is folded where there is little room: its images would be specks.
  const folded = small && columns > 6 && count <= columns;
  grid.style.setProperty("--columns", folded ? Math.ceil(columns / 2) : columns);
  grid.style.setProperty("--widest", `${width * Math.max(1, Math.round(WIDEST_IMAGE / width))}px`);
  while (grid.children.length > count) grid.lastChild.remove();
  while (grid.children.length < count) grid.append(imageCell());
  for (let index = 0; index < count; index += 1) {
    const cell = grid.children[index];
    paint(cell.querySelector("canvas"), bytes, index, { height, width, channels });
    const [mark, sign] = MARKS[right[index]] ?? ["", ""];
    cell.dataset.guess = mark;
    cell.querySelector("i").textContent = sign;
    const caption = cell.querySelector("figcaption");
    caption.textContent = caption.title = captions[index] ?? "";
    caption.hidden = !captions.length;
  }
}

function imageCell() {
  const cell = document.createElement("figure");
  const frame = Object.assign(document.createElement("span"), { className: "picture-frame" });
  frame.append(document.createElement("canvas"), document.createElement("i"));
  cell.append(frame, document.createElement("figcaption"));
  return cell;
}

function paint(canvas, bytes, index, { height, width, channels }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const shown = context.createImageData(width, height);
  let source = index * height * width * channels;
  for (let pixel = 0; pixel < height * width; pixel += 1, source += channels) {
    for (let colour = 0; colour < 3; colour += 1) {
      shown.data[4 * pixel + colour] = bytes[source + (channels === 3 ? colour : 0)];
    }
    shown.data[4 * pixel + 3] = 255;
  }
  context.putImageData(shown, 0, 0);
}

function drawSVG(place, text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  place.replaceChildren(document.importNode(parsed, true));
  place.tabIndex = 0; // a wide cell scrolls, by keyboard too
}
