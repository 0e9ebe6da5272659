// What is folded in the builder: steps, "more", formulas. What was unfolded stays so when its part
// is drawn again, a part with an error opens by itself, and the list on the left follows the eye.

// Opens everything around `place` and brings it into view, with the focus.
export function goTo(place) {
  for (let around = place; around; around = around.parentElement?.closest("details")) {
    if (around.matches("details")) around.open = true;
  }
  place?.scrollIntoView({ block: "start" });
  place?.focus({ preventScroll: true });
}

export function openWhatIsWrong() {
  for (const error of document.querySelectorAll("#builder-form .field-error:not(:empty)")) {
    for (let around = error.closest("details"); around; around = around.parentElement.closest("details")) {
      around.open = true;
    }
  }
}

const foldsIn = (part) => [part, ...part.querySelectorAll("details[id]")].filter((one) => one.matches("details[id]"));
let open = new Map();

export function keepOpen(target, next) {
  for (const details of foldsIn(target)) {
    const same = next.id === details.id ? next : next.querySelector(`#${CSS.escape(details.id)}`);
    same?.toggleAttribute("open", details.open);
  }
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target?.closest?.("#workbench")) open = new Map(foldsIn(detail.target).map((one) => [one.id, one.open]));
});
document.addEventListener("htmx:afterSwap", () => {
  for (const [id, was] of open) {
    const details = document.getElementById(id);
    if (details) details.open = was;
  }
  open = new Map();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("#error-summary a, .steps a");
  if (!link) return;
  event.preventDefault();
  goTo(document.getElementById(link.hash.slice(1)));
});

// The step whose head was passed last is the one that is read.
function markCurrentStep() {
  const steps = [...document.querySelectorAll("#builder-form .step")];
  const line = innerHeight / 3;
  const current = steps.findLast((step) => step.getBoundingClientRect().top < line) ?? steps[0];
  for (const link of document.querySelectorAll(".steps a")) {
    if (link.hash === `#${current?.id}`) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
}
let asked = 0;
document.addEventListener(
  "scroll",
  () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(markCurrentStep);
  },
  { passive: true },
);
document.addEventListener("htmx:afterSettle", markCurrentStep);
markCurrentStep();
