// Calls `work` at once, and again when asked, but never twice at the same time and, while hints
// pour in, at most once in `interval()` milliseconds. A failed call is tried again after a moment.

const A_SECOND = () => 1_000;
const AFTER_FAILURE_MS = 3_000;

export function refreshing(work, interval = A_SECOND) {
  let running = false;
  let wanted = false;
  let timer = 0;
  let earliest = 0;

  async function run() {
    running = true;
    wanted = false;
    const started = performance.now();
    let pause;
    try {
      await work();
      pause = interval();
    } catch (problem) {
      console.warn(problem);
      wanted = true;
      pause = AFTER_FAILURE_MS;
    }
    running = false;
    // A slow server is asked less often than a fast one.
    earliest = started + Math.max(pause, 2 * (performance.now() - started));
    if (wanted) schedule();
  }

  function schedule(now = false) {
    clearTimeout(timer);
    timer = setTimeout(run, now ? 0 : Math.max(0, earliest - performance.now()));
  }

  return ({ now = false } = {}) => {
    wanted = true;
    if (!running) schedule(now);
  };
}
