// The end of a run's curves between two drawings of the server: points are drawn as they are heard
// of, and forgotten once the server's figure has them. For one run over its outer steps.

export class LiveTail {
  constructor() {
    this.heard = new Map(); // series name → { steps, values }
  }

  get isFed() {
    return this.heard.size > 0;
  }

  // A "points" message: from its first point on it replaces what was heard before.
  add({ first, series }) {
    this.rewind(first - 1);
    for (const [name, [steps, values]] of Object.entries(series)) {
      const own = this.heard.get(name) ?? { steps: [], values: [] };
      own.steps.push(...steps);
      own.values.push(...values);
      this.heard.set(name, own);
    }
  }

  // The server has drawn the first `sequence` points, those of the outer steps before it.
  drawn(sequence) {
    this.#keep((step) => step >= sequence);
  }

  // The points past `sequence`, those from that outer step on, are written anew.
  rewind(sequence) {
    this.#keep((step) => step < sequence);
  }

  #keep(wanted) {
    for (const [name, { steps, values }] of this.heard) {
      const kept = steps.map((step, index) => [step, values[index]]).filter(([step]) => wanted(step));
      this.heard.set(name, { steps: kept.map(([step]) => step), values: kept.map(([, value]) => value) });
    }
  }

  // A figure's line with what was heard since. A value that has no place on the axis is a gap here;
  // the server's next drawing marks it.
  lengthened(trace, metric, log) {
    const own = this.heard.get(metric);
    if (trace.meta.part !== "line" || !own?.steps.length) return trace;
    const start = own.steps.findIndex((step) => step > (trace.x.at(-1) ?? -1));
    if (start < 0) return trace;
    const values = own.values.slice(start);
    const placed = (value) => Number.isFinite(value) && (!log || value > 0);
    return {
      ...trace,
      x: [...trace.x, ...own.steps.slice(start)],
      y: [...trace.y, ...values.map((value) => (placed(value) ? value : null))],
      customdata: [...trace.customdata, ...values.map((value) => String(Number(Number(value).toPrecision(4))))],
    };
  }
}
