// The dialog that makes a read-only link: to the whole page, or to one figure as it is drawn now.

import "./copying.js";

const dialog = document.querySelector("#share-dialog");
const form = dialog.querySelector("[data-share-form]");
const figure = form.elements.metric;

function offerFigures() {
  const charts = document.querySelectorAll("[data-chart]:not([data-export-empty]), [data-comparison-chart]");
  const options = [...charts].map(
    ({ dataset }) => new Option(dataset.exportTitle, dataset.chart ?? dataset.comparisonChart),
  );
  figure.replaceChildren(figure.options[0], ...options);
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest?.('[data-open-dialog="share-dialog"]')) return;
  document.querySelector("#share-result").replaceChildren();
  offerFigures();
});

// The address of the page says how its charts are drawn.
form.addEventListener("htmx:configRequest", ({ detail }) => {
  const view = location.search.slice(1);
  if (detail.parameters.set) detail.parameters.set("view", view);
  else detail.parameters.view = view;
});
