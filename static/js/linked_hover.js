// Charts that are hovered together: what lies under the pointer in one is shown in all.

const linked = new WeakSet();
let frame = 0;

// `plot` is a drawn Plotly chart; `others` gives those that are in sight, itself among them.
export function linkedHover(plot, others) {
  if (linked.has(plot)) return;
  linked.add(plot);
  const each = (action) => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      for (const other of others()) if (other !== plot && other.data) action(other);
    });
  };
  // Plotly tells of what a program hovers too: only what has a pointer behind it is passed on.
  plot.on("plotly_hover", ({ event, xvals }) => {
    if (event) each((other) => window.Plotly.Fx.hover(other, { xval: xvals[0] }, ["xy"]));
  });
  plot.on("plotly_unhover", ({ event }) => {
    if (event) each((other) => window.Plotly.Fx.unhover(other));
  });
}
