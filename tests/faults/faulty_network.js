// Put into a page of the lab: its real modules of the live pages, with a socket, a fetch and a clock
// that a test moves. Nothing here knows the protocol.
async (run) => {
  const { LiveRuns } = await import("/static/js/live.js");
  const { LiveTail } = await import("/static/js/live_tail.js");
  const settled = window.realTimeout ?? window.setTimeout.bind(window);
  window.realTimeout = settled;
  const requests = new Map();
  let socket = null;
  let said = [];
  let timers = [];
  let now = 0;
  let count = 0;

  window.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 0;
    constructor() {
      super();
      socket = this;
    }
    send(text) {
      if (this.readyState !== 1) throw new Error("the socket is not open");
      said.push(text);
    }
    close() {
      if (this.readyState === 3) return;
      this.readyState = 3;
      settled(() => this.dispatchEvent(new Event("close")));
    }
  };
  window.fetch = (address) =>
    new Promise((resolve, reject) => requests.set(++count, { address, resolve, reject }));
  window.setTimeout = (action, wait = 0) => {
    timers.push({ id: ++count, action, at: now + wait });
    return count;
  };
  window.clearTimeout = (id) => (timers = timers.filter((timer) => timer.id !== id));

  const live = new LiveRuns([run]);
  const tail = new LiveTail();
  live.addEventListener("points", ({ message }) => tail.add(message));
  live.addEventListener("rewind", ({ detail }) => tail.rewind(detail.received));

  const acts = {
    open() {
      socket.readyState = 1;
      socket.dispatchEvent(new Event("open"));
    },
    close: () => socket.close(),
    deliver: (data) => socket.readyState === 1 && socket.dispatchEvent(new MessageEvent("message", { data })),
    answer([id, status, body]) {
      const { resolve, reject } = requests.get(id);
      requests.delete(id);
      if (status) resolve(new Response(JSON.stringify(body), { status }));
      else reject(new TypeError("no connection"));
    },
    wait(milliseconds) {
      now += milliseconds;
      const due = timers.filter((timer) => timer.at <= now).sort((one, other) => one.at - other.at);
      timers = timers.filter((timer) => timer.at > now);
      for (const { action } of due) action();
    },
    look() {},
  };
  // Does one thing, and says what the page then is, shows, and asks for.
  window.page = async (act, argument) => {
    acts[act](argument);
    for (let turn = 0; turn < 3; turn += 1) await new Promise((done) => settled(done));
    const heard = said;
    said = [];
    return {
      socket: socket?.readyState ?? 3,
      said: heard,
      requests: [...requests].map(([id, { address }]) => [id, address]),
      run: [...live.runs.values()][0] ?? null,
      shown: Object.fromEntries([...tail.heard].map(([name, { steps, values }]) => [name, [steps, values]])),
    };
  };
  live.start();
  return window.page("look");
}
