// One change at a time: while a button of the form is at work it does not report its values, since
// those would be of the old structure; it does so right after. The button takes along all
// that was typed.

const changing = new Set(); // requests that change the structure and are under way
let isWaiting = false;

const form = () => document.querySelector("#builder-form");
export const changesStructure = (element) => element?.matches?.("button[formaction], [data-structure]");

function begin(request) {
  changing.add(request);
  // Not htmx's own event: a button that a newer forecast has replaced meanwhile tells nobody.
  request.addEventListener("loadend", () => {
    changing.delete(request);
    if (changing.size || !isWaiting) return;
    isWaiting = false;
    htmx.trigger(form(), "change");
  });
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const { requestConfig, xhr } = event.detail;
  if (changesStructure(requestConfig.elt)) {
    begin(xhr);
    htmx.trigger(form(), "htmx:abort");
  } else if (requestConfig.elt.id === "builder-form" && changing.size) {
    event.preventDefault();
    isWaiting = true;
  }
});

// htmx sends the button that was pressed last along with its form, whatever the form reports.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.id !== "builder-form") return;
  delete detail.parameters._action;
  for (const name of ["_saved", "_ahead"]) detail.parameters[name] = form().querySelector(`input[name=${name}]`).value;
});
