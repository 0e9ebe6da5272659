// The tour of the first visit. However it is closed, it is over for ever: the account remembers.

const tour = document.querySelector("#tour");
const steps = [...tour.querySelectorAll(".tour-step")];
const back = tour.querySelector("[data-tour-back]");
const next = tour.querySelector("[data-tour-next]");
let at = 0;

function show(place) {
  at = place;
  for (const [index, step] of steps.entries()) step.hidden = index !== at;
  pointAt(steps[at].dataset.pointsAt);
  tour.querySelector("[data-tour-place]").textContent = `${at + 1} / ${steps.length}`;
  back.disabled = at === 0;
  next.textContent = at === steps.length - 1 ? "Done" : "Next";
}

function pointAt(selector) {
  document.querySelector(".tour-mark")?.classList.remove("tour-mark");
  if (selector) document.querySelector(selector)?.classList.add("tour-mark");
}

function end() {
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  fetch(tour.dataset.address, { method: "POST", headers: { "X-CSRFToken": token }, keepalive: true });
  pointAt(null);
  tour.remove();
  document.querySelector("#content").focus();
}

back.addEventListener("click", () => show(at - 1));
next.addEventListener("click", () => (at === steps.length - 1 ? end() : show(at + 1)));
tour.querySelector("[data-tour-end]").addEventListener("click", end);
tour.addEventListener("keydown", ({ key }) => key === "Escape" && end());
show(0);
