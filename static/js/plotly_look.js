// Plotly in the page's colours: what charts and pictures have in common.

export const CONFIG = { displayModeBar: false, responsive: true, doubleClick: "reset" };

export function dressedLayout(layout, style) {
  const token = (name) => style.getPropertyValue(name).trim();
  const size = (pixels) => Math.round(pixels * enlargement(style));
  const axis = {
    gridcolor: token("--line"),
    linecolor: token("--line-strong"),
    tickfont: { size: size(11), color: token("--ink-muted") },
  };
  const withTitle = (own) => ({
    ...axis,
    ...own,
    title: own.title && { ...own.title, font: { size: size(11), color: token("--ink-muted") } },
  });
  return {
    ...layout,
    xaxis: { ...withTitle(layout.xaxis), showgrid: false, showline: true },
    yaxis: withTitle(layout.yaxis),
    font: { family: token("--font-text"), size: size(12), color: token("--ink") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: Object.fromEntries(Object.entries(layout.margin ?? {}).map(([side, room]) => [side, size(room)])),
    autosize: true,
    shapes: (layout.shapes ?? []).map((shape) => ({ ...shape, line: { ...shape.line, color: token("--ink-muted") } })),
    annotations: (layout.annotations ?? []).map((words) => ({
      ...words,
      font: { size: size(10), color: token("--ink-muted") },
    })),
    hoverlabel: {
      bgcolor: token("--raised"),
      bordercolor: token("--line-strong"),
      font: { family: token("--font-text"), size: size(12), color: token("--ink") },
      namelength: -1,
    },
  };
}

// A page with larger letters has larger charts: for tired eyes, or for a lecture hall.
export function enlargement(style) {
  return (parseFloat(style.fontSize) || 16) / 16;
}

export function withAlpha(hex, alpha) {
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
  return `rgba(${red},${green},${blue},${alpha})`;
}
