// One change at a time: while a button of the form is at work it does not report its values, since
// those would be of the old structure; it does so right after. The button takes along all
// that was typed.

const changing = new Set(); // the elements whose change of structure is under way
let isWaiting = false;

const form = () => document.querySelector("#builder-form");
export const changesStructure = (element) => element?.matches?.("button[formaction], [data-structure]");

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail.requestConfig;
  if (changesStructure(elt)) {
    changing.add(elt);
    htmx.trigger(form(), "htmx:abort");
  } else if (elt.id === "builder-form" && changing.size) {
    event.preventDefault();
    isWaiting = true;
  }
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  changing.delete(detail.requestConfig.elt);
  if (changing.size || !isWaiting) return;
  isWaiting = false;
  htmx.trigger(form(), "change");
});

// htmx sends the button that was pressed last along with its form, whatever the form reports.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.id !== "builder-form") return;
  delete detail.parameters._action;
  for (const name of ["_saved", "_ahead"]) detail.parameters[name] = form().querySelector(`input[name=${name}]`).value;
});
