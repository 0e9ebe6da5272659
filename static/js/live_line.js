// A drawn curve, lengthened in place. A drawing by Plotly takes tens of milliseconds, a path of our
// own from the curve's end through what was heard since a fraction of one: so points are seen as
// they come, and Plotly draws when the axes must move.

const SVG = "http://www.w3.org/2000/svg";

// Lengthens the curve that is number `index` among the traces of `plot` by points past its end:
// `x` and `y` in the axes' units, null where there is a gap. What lies outside of the axes is cut.
export function lengthenCurve(plot, index, { x, y }) {
  const { xaxis, yaxis } = plot._fullLayout;
  const place = plot.querySelector(`.trace${plot._fullData[index].uid} .lines`);
  const drawn = place?.querySelector(".js-line");
  if (!drawn) return;
  const path = place.querySelector(".live-line") ?? place.appendChild(newPath(drawn));
  const { x: before, y: heights } = plot.data[index];
  path.setAttribute("d", outline([before.at(-1), ...x], [heights.at(-1), ...y], xaxis, yaxis));
}

// Takes away what was added: Plotly has drawn it by now.
export function forgetLengthening(plot) {
  for (const path of plot.querySelectorAll(".live-line")) path.remove();
}

function newPath(drawn) {
  const path = document.createElementNS(SVG, "path");
  path.classList.add("live-line");
  path.style.cssText = drawn.style.cssText;
  return path;
}

function outline(x, y, xaxis, yaxis) {
  let command = "M";
  let path = "";
  for (const [index, value] of y.entries()) {
    if (value === null) command = "M";
    else {
      path += `${command}${xaxis.d2p(x[index]).toFixed(2)},${yaxis.d2p(value).toFixed(2)}`;
      command = "L";
    }
  }
  return path;
}
