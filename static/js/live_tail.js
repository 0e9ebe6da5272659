// The end of a run's curves between two drawings of the server: points are drawn as they are heard
// of, and forgotten once the server's figure has them. For one run over its outer steps.

const OF_LATE_MS = 2_000;
const LEAST_MS = 400; // what comes in a shorter time came late and together, and says no pace

export class LiveTail {
  constructor() {
    this.heard = new Map(); // series name → { steps, values }
    this.arrivals = []; // of late: { at, last }
  }

  get isFed() {
    return this.heard.size > 0;
  }

  // A "points" message: from its first point on it replaces what was heard before. Returns whether
  // there was such.
  add({ first, last, series }, at = performance.now()) {
    const replaces = this.rewind(first - 1);
    this.arrivals = [...this.#lately(at), { at, last }];
    for (const [name, [steps, values]] of Object.entries(series)) {
      const own = this.heard.get(name) ?? { steps: [], values: [] };
      own.steps.push(...steps);
      own.values.push(...values);
      this.heard.set(name, own);
    }
    return replaces;
  }

  // Outer steps a millisecond, of late; 0 where few points came.
  pace(now = performance.now()) {
    const lately = this.#lately(now);
    if (!lately.length) return 0;
    const [first, end] = [lately[0], lately.at(-1)];
    return end.at - first.at < LEAST_MS ? 0 : Math.max(0, end.last - first.last) / (end.at - first.at);
  }

  #lately(now) {
    return this.arrivals.filter(({ at }) => at > now - OF_LATE_MS);
  }

  // The server has drawn the first `sequence` points, those of the outer steps before it.
  drawn(sequence) {
    this.#keep((step) => step >= sequence);
  }

  // The points past `sequence`, those from that outer step on, are written anew. Returns whether
  // any had been heard.
  rewind(sequence) {
    return this.#keep((step) => step < sequence);
  }

  #keep(wanted) {
    let dropped = false;
    for (const [name, { steps, values }] of this.heard) {
      // They are in order: where both ends are wanted, all are.
      if (!steps.length || (wanted(steps[0]) && wanted(steps.at(-1)))) continue;
      const kept = steps.map((step, index) => [step, values[index]]).filter(([step]) => wanted(step));
      this.heard.set(name, { steps: kept.map(([step]) => step), values: kept.map(([, value]) => value) });
      dropped = true;
    }
    return dropped;
  }

  // What was heard past the outer step `end`: { x, y, values }, or null if nothing was. A value that
  // has no place on the axis is a gap in y; the server's next drawing marks it.
  since(end, metric, log) {
    const own = this.heard.get(metric);
    if (!own) return null;
    const start = own.steps.findLastIndex((step) => step <= end) + 1;
    if (start === own.steps.length) return null;
    const values = own.values.slice(start);
    const placed = (value) => Number.isFinite(value) && (!log || value > 0);
    return {
      x: own.steps.slice(start),
      y: values.map((value) => (placed(value) ? value : null)),
      values,
    };
  }

  // A figure's line with what was heard since.
  lengthened(trace, metric, log) {
    const more = trace.meta.part === "line" && this.since(trace.x.at(-1) ?? -1, metric, log);
    if (!more) return trace;
    const words = more.values.map((value) => String(Number(Number(value).toPrecision(4))));
    return {
      ...trace,
      x: [...trace.x, ...more.x],
      y: [...trace.y, ...more.y],
      customdata: [...trace.customdata, ...words],
    };
  }
}
