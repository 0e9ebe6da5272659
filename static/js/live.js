// Follows runs over one websocket. What it misses it fetches over HTTP; where websockets fail it
// asks every two seconds instead. It tells the connection chip how it stands.
//
// Events: "points" (detail: run; with the `message`) and "rewind" (detail: run), "state" (detail:
// run), "gone" (detail: run id).

import { afterMessage, followedRun, grouped, isComplete, missing } from "./live_state.js";

const SILENCE_MS = 12_000; // the server says something every five seconds
const POLL_MS = 2_000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 10_000;
const FAILURES_BEFORE_POLLING = 3;
const WORTH_SAYING = 200; // points behind, from which the chip says "catching up"

export class LiveRuns extends EventTarget {
  constructor(runs) {
    super();
    this.runs = new Map(runs.map((run) => [run.id, followedRun(run)]));
    this.failures = 0;
    this.filling = new Set();
    this.offlineSince = null;
    this.socket = null;
    this.stopping = new AbortController();
  }

  start() {
    if (this.done) return;
    this.#connect();
    const { signal } = this.stopping;
    addEventListener("online", () => this.#reconnectNow(), { signal });
    addEventListener("pageshow", () => this.#reconnectNow(), { signal });
    document.addEventListener(
      "visibilitychange",
      () => document.visibilityState === "visible" && this.#reconnectNow(),
      { signal },
    );
  }

  stop() {
    this.stopping.abort();
    for (const timer of [this.retry, this.poll, this.silence]) clearTimeout(timer);
    this.socket?.close();
  }

  get done() {
    return [...this.runs.values()].every(isComplete);
  }

  get #over() {
    return this.done || this.stopping.signal.aborted;
  }

  #connect() {
    if (this.#over) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws/runs/`);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.failures = 0;
      this.heard = 0;
      this.offlineSince = null;
      clearTimeout(this.poll);
      this.#subscribe();
      this.#watchSilence();
      this.#tellChip();
    });
    socket.addEventListener("message", ({ data }) => {
      this.#watchSilence();
      this.#hear(JSON.parse(data));
    });
    socket.addEventListener("close", () => {
      if (this.socket !== socket) return;
      this.socket = null;
      clearTimeout(this.silence);
      if (this.#over) return;
      this.failures += 1;
      if (this.failures >= FAILURES_BEFORE_POLLING) this.#startPolling();
      const wait = Math.min(FIRST_WAIT_MS * 2 ** (this.failures - 1), LONGEST_WAIT_MS);
      this.retry = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
      this.#tellChip();
    });
  }

  #reconnectNow() {
    if (this.socket || this.#over) return;
    clearTimeout(this.retry);
    this.#connect();
  }

  // The server tells everything past what the page has, and how the runs stand.
  #subscribe() {
    this.socket.send(JSON.stringify({ subscribe: this.#cursors() }));
  }

  // Frames are numbered on their connection: one that comes twice or late is dropped, and where one
  // is missing the server is asked again.
  #hear(message) {
    if (message.n <= this.heard) return;
    const missed = message.n > this.heard + 1;
    this.heard = message.n;
    if (missed) this.#subscribe();
    else this.#take(message);
  }

  #cursors() {
    const open = [...this.runs.values()].filter((run) => !isComplete(run));
    return Object.fromEntries(
      open.map(({ id, received, attempt }) => [id, { sequence: received, attempt }]),
    );
  }

  #watchSilence() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket?.close(), SILENCE_MS);
  }

  #take(message) {
    if (message.type === "error" && message.run !== undefined) this.#forget(message.run);
    const before = this.runs.get(message.run);
    if (!before) return;
    const { run, came } = afterMessage(before, message, Date.now());
    this.runs.set(run.id, run);
    if (came === "gap") this.#fill(run.id);
    else if (came !== "nothing") {
      const event = new CustomEvent(came, { detail: run });
      this.dispatchEvent(Object.assign(event, { message }));
    }
    this.#tellChip();
    if (this.done) this.socket?.close();
  }

  #forget(id) {
    this.runs.delete(id);
    this.dispatchEvent(new CustomEvent("gone", { detail: id }));
  }

  // Everything past what the page has, over HTTP. Returns whether the server answered.
  async #fill(id) {
    if (this.filling.has(id)) return true;
    this.filling.add(id);
    try {
      for (;;) {
        const run = this.runs.get(id);
        if (!run) return true;
        const query = `after=${run.received}&attempt=${run.attempt}`;
        const response = await fetch(`/api/v1/runs/${id}/series?${query}`);
        if (response.status === 404) this.#forget(id);
        if (!response.ok) return response.status < 500;
        const message = await response.json();
        this.#take(message);
        if (message.last >= message.sequence || message.last < message.first) return true;
      }
    } catch {
      return false;
    } finally {
      this.filling.delete(id);
    }
  }

  async #readState(id) {
    const response = await fetch(`/api/v1/runs/${id}`);
    if (response.ok) this.#take({ ...(await response.json()), type: "state", run: id });
  }

  #startPolling() {
    clearTimeout(this.poll);
    const ask = async () => {
      const open = [...this.runs.values()].filter((run) => !isComplete(run));
      const answers = await Promise.all(open.map(({ id }) => this.#fill(id)));
      if (answers.every(Boolean)) {
        await Promise.allSettled(open.map(({ id }) => this.#readState(id)));
        this.offlineSince = null;
      } else {
        this.offlineSince ??= new Date();
      }
      this.#tellChip();
      const over = this.#over || this.socket?.readyState === WebSocket.OPEN;
      if (!over) this.poll = setTimeout(ask, POLL_MS);
    };
    ask();
  }

  #tellChip() {
    const detail = this.#connection();
    document.dispatchEvent(new CustomEvent("lab:connection", { detail }));
  }

  #connection() {
    const runs = [...this.runs.values()];
    if (this.done) return { state: "live", text: "complete" };
    if (this.offlineSince) {
      const time = this.offlineSince.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      return { state: "offline", text: `offline since ${time}` };
    }
    if (this.socket?.readyState !== WebSocket.OPEN) {
      if (this.failures >= FAILURES_BEFORE_POLLING) return { state: "polling", text: "polling" };
      return { state: "catching-up", text: "connecting" };
    }
    const behind = runs.reduce((total, run) => total + missing(run), 0);
    if (behind < WORTH_SAYING) return { state: "live", text: "live" };
    const received = runs.reduce((total, run) => total + run.received, 0);
    const text = `catching up ${grouped(received)}/${grouped(received + behind)}`;
    return { state: "catching-up", text };
  }
}

// The runs that the server wrote into the page.
export function followedRuns() {
  return JSON.parse(document.querySelector("#followed-runs")?.textContent ?? "[]");
}
