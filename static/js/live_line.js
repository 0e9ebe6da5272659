// A drawn curve, lengthened in place. A drawing by Plotly takes tens of milliseconds, a path of our
// own from the curve's end through what was heard since a fraction of one: so points are seen as
// they come, and Plotly draws when the axes must move.

const SVG = "http://www.w3.org/2000/svg";
const HALF_A_PIXEL = 0.5;
const outlines = new WeakMap(); // path → its Outline

// Lengthens the curve that is number `index` among the traces of `plot`. `since` is asked what comes
// after an x: `{ x, y }` in the axes' units with null in y where there is a gap, or null if nothing
// does. What lies outside of the axes is cut; returns whether all of it has its place on them.
export function lengthenCurve(plot, index, since) {
  const place = plot.querySelector(`.trace${plot._fullData[index].uid} .lines`);
  const drawn = place?.querySelector(".js-line");
  if (!drawn) return since(plot.data[index].x.at(-1) ?? -1) === null;
  const path = place.querySelector(".live-line") ?? place.appendChild(newPath(drawn));
  if (!outlines.get(path)?.isOn(plot)) outlines.set(path, new Outline(plot, plot.data[index]));
  const outline = outlines.get(path);
  const more = since(outline.end);
  if (more) path.setAttribute("d", outline.with(more));
  return outline.fits;
}

// Takes away what was added: Plotly has drawn it by now, or it is no longer true.
export function forgetLengthening(plot) {
  for (const path of plot.querySelectorAll(".live-line")) path.remove();
}

function newPath(drawn) {
  const path = document.createElementNS(SVG, "path");
  path.classList.add("live-line");
  path.style.cssText = drawn.style.cssText;
  return path;
}

const scaleOf = ({ _fullLayout: { xaxis, yaxis } }) => [xaxis._m, xaxis._b, yaxis._m, yaxis._b].join();

// A path that only grows, so that each point is placed once. Of many points in one column of pixels
// it has those that reach further up or down than the others before them, and the last.
class Outline {
  constructor(plot, { x, y }) {
    Object.assign(this, { xaxis: plot._fullLayout.xaxis, yaxis: plot._fullLayout.yaxis });
    Object.assign(this, { scale: scaleOf(plot), end: -1, fits: true, path: "", last: "", column: null });
    this.with({ x: x.slice(-1), y: y.slice(-1) });
  }

  // Whether the axes are where they were.
  isOn(plot) {
    return this.scale === scaleOf(plot);
  }

  with({ x, y }) {
    for (const [index, value] of y.entries()) this.#add(x[index], value);
    return this.path + this.last;
  }

  #add(x, y) {
    this.end = x;
    if (y === null) {
      this.path += this.last;
      Object.assign(this, { last: "", column: null });
      return;
    }
    const [across, down] = [this.xaxis.d2p(x), this.yaxis.d2p(y)];
    this.fits &&= across <= this.xaxis._length && down >= 0 && down <= this.yaxis._length;
    const command = this.column === null ? "M" : "L";
    const point = `${command}${across.toFixed(2)},${down.toFixed(2)}`;
    if (this.column !== Math.floor(across)) {
      this.path += this.last + point;
      Object.assign(this, { last: "", column: Math.floor(across), top: down, bottom: down });
    } else if (down < this.top - HALF_A_PIXEL || down > this.bottom + HALF_A_PIXEL) {
      this.path += point;
      Object.assign(this, { last: "", top: Math.min(this.top, down), bottom: Math.max(this.bottom, down) });
    } else {
      this.last = point;
    }
  }
}
