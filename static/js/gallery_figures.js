// The figures of a gallery's page: one card each, drawn as the server describes it.

import { drawPicture } from "./picture_drawing.js";
import { fillTable } from "./text_table.js";

export class GalleryFigures {
  constructor(place, fileUrl) {
    this.place = place;
    this.fileUrl = fileUrl;
    this.shown = [];
    document.addEventListener("lab:theme", () => this.draw());
  }

  // `guess` is a visitor's sketch: { figure, x, y }.
  show(figures, choice, guess) {
    const names = figures.map(({ name }) => name).join();
    if (names !== this.names) this.place.replaceChildren(...figures.map(cardOf));
    this.names = names;
    this.shown = figures.map((figure) => withGuess(figure, guess));
    for (const [index, card] of [...this.place.children].entries()) {
      describe(card, this.shown[index]);
      Object.assign(card.dataset, {
        exportUrl: this.fileUrl,
        exportTitle: figures[index].title,
        exportFormats: figures[index].formats,
        exportQuery: new URLSearchParams({ ...choice, figure: figures[index].name }),
      });
    }
    this.draw();
  }

  draw() {
    for (const [index, card] of [...this.place.children].entries()) {
      drawPicture(card.querySelector("[data-drawing]"), this.shown[index]);
    }
  }
}

function cardOf() {
  return document.querySelector("#figure-template").content.firstElementChild.cloneNode(true);
}

function describe(card, figure) {
  card.querySelector("h3").textContent = figure.title;
  card.querySelector(".chart-explanation").textContent = figure.explanation ?? "";
  card.querySelector("[data-export-open]").setAttribute("aria-label", `Export ${figure.title}`);
  card.querySelector("[data-text-summary]").textContent = figure.text_summary;
  card.querySelector("[data-note]").textContent = figure.note ?? "";
  card.querySelector(".chart-twin").hidden = !figure.table.rows.length; // images are said in words
  card.querySelector(".chart-twin").setAttribute("aria-label", `${figure.title} in numbers`);
  fillTable(card.querySelector("[data-table]"), figure.table);
}

// The sketch lies over what was measured, in the same axes.
function withGuess(figure, guess) {
  if (!guess || guess.figure !== figure.name) return figure;
  const trace = {
    type: "scatter",
    mode: "lines+markers",
    name: "your sketch",
    x: guess.x,
    y: guess.y,
    line: { dash: "dot", width: 2 },
    marker: { size: 8, symbol: "circle-open" },
    hovertemplate: "<b>your sketch</b><br>%{y:.3~g}<extra></extra>",
    meta: { slot: 6, part: "ink" },
  };
  return {
    ...figure,
    plotly: { ...figure.plotly, data: [...figure.plotly.data, trace] },
    legend: [...figure.legend, { label: "your sketch", slot: 6, dash: "dot" }],
  };
}
