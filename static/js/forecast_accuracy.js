// The page of how good forecasts have been: draws the server's figures; a point opens its run.

import { drawPicture } from "./picture_drawing.js";
import { fillTable } from "./text_table.js";

const section = document.querySelector("[data-accuracy-url]");

async function start() {
  const response = await fetch(section.dataset.accuracyUrl);
  if (!response.ok) throw new Error(`forecasts: ${response.status}`);
  const figures = await response.json();
  const cards = [...section.querySelectorAll("[data-accuracy]")];
  const drawn = cards.filter((card) => describe(card, figures[card.dataset.accuracy]));
  const draw = () => drawn.forEach((card) => drawPicture(find(card, "drawing"), figures[card.dataset.accuracy]));
  draw();
  drawn.forEach(openOnClick);
  document.addEventListener("lab:theme", draw);
}

function find(card, part) {
  return card.querySelector(`[data-${part}]`);
}

// Whether there is something to draw.
function describe(card, figure) {
  find(card, "empty").hidden = Boolean(figure);
  find(card, "twin").hidden = !figure;
  if (!figure) return false;
  find(card, "text-summary").textContent = figure.text_summary;
  fillTable(find(card, "table"), figure.table);
  return true;
}

function openOnClick(card) {
  const plot = card.querySelector(".picture-plot");
  plot.on("plotly_click", ({ points }) => {
    const address = points[0].customdata?.[0];
    if (address?.startsWith?.("/")) location.assign(address);
  });
}

if (section) start();
