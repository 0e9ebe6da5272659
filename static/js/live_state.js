// What a page knows of the runs that it follows: pure functions, so that every case can be tried.
//
// A run's points are numbered 1, 2, 3 … without gaps; `received` is the last one that the page has
// with all before it. The point with number n is that of outer step n − 1.

export function followedRun({ id, sequence, attempt, status = "" }) {
  return {
    id,
    attempt,
    received: sequence,
    committed: sequence,
    status,
    words: status,
    checkpointStep: null,
    cancelRequested: false,
    pauseRequested: false,
    step: sequence,
    totalSteps: 0,
    pictureChanges: 0,
    elapsed: null,
    remaining: null,
    error: "",
    lastPointAt: null,
  };
}

const ENDS = new Set(["finished", "cancelled", "failed", "out_of_budget"]);

export const hasEnded = (run) => ENDS.has(run.status);
export const missing = (run) => Math.max(0, run.committed - run.received);
export const isComplete = (run) => hasEnded(run) && missing(run) === 0;

// The run after `message`, and what came of it: "points", "rewind", "state", "gap" (points are
// missing in between: ask for them again) or "nothing" (seen before, or of an attempt gone by).
export function afterMessage(run, message, now) {
  switch (message.type) {
    case "points":
      return afterPoints(run, message, now);
    case "rewind":
      return afterRewind(run, message);
    case "state":
      return afterState(run, message);
    default:
      return { run, came: "nothing" };
  }
}

function afterPoints(run, message, now) {
  if (message.attempt < run.attempt) return { run, came: "nothing" };
  let received = run.received;
  if (message.attempt > run.attempt) received = Math.min(received, message.first - 1);
  if (message.first > received + 1) return { run, came: "gap" };
  const committed = Math.max(message.sequence ?? 0, message.last, run.committed);
  const next = { ...run, attempt: message.attempt, received, committed };
  if (message.last <= received) {
    return { run: next, came: received < run.received ? "rewind" : "nothing" };
  }
  return { run: { ...next, received: message.last, lastPointAt: now }, came: "points" };
}

function afterRewind(run, message) {
  if (message.attempt < run.attempt) return { run, came: "nothing" };
  const received = Math.min(run.received, message.sequence);
  const next = { ...run, attempt: message.attempt, received, committed: received };
  return { run: next, came: received < run.received ? "rewind" : "nothing" };
}

function afterState(run, message) {
  // A run that has not begun has attempt 0; the page waits for its first one.
  if (Math.max(message.attempt, 1) < run.attempt) return { run, came: "nothing" };
  const next = {
    ...run,
    status: message.status,
    words: message.words ?? message.status,
    checkpointStep: message.checkpoint_step ?? null,
    cancelRequested: message.cancel_requested ?? false,
    pauseRequested: message.pause_requested ?? false,
    step: message.step,
    totalSteps: message.total_steps,
    committed: message.sequence,
    pictureChanges: message.picture_changes ?? run.pictureChanges,
    elapsed: message.elapsed_seconds ?? run.elapsed,
    remaining: message.remaining_seconds ?? null,
    error: message.error ?? "",
  };
  return { run: next, came: "state" };
}

// "seq 812 / 812 · 0 missing · last point 0.3 s ago"
export function proofLine(runs, now) {
  const received = sum(runs, (run) => run.received);
  const committed = sum(runs, (run) => run.committed);
  const last = Math.max(...runs.map((run) => run.lastPointAt ?? 0));
  const parts = [
    `seq ${grouped(received)} / ${grouped(committed)}`,
    `${grouped(sum(runs, missing))} missing`,
  ];
  if (runs.every(isComplete)) parts.push("complete");
  else if (last) parts.push(`last point ${((now - last) / 1000).toFixed(1)} s ago`);
  return parts.join(" · ");
}

export const grouped = (number) => Math.round(number).toLocaleString("en-US");

function sum(items, value) {
  return items.reduce((total, item) => total + value(item), 0);
}
