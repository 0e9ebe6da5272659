// The keys of every page, in one place: what a key does, and what the help (`?`) says of it.
//
//   addKey("j", "Next row", () => move(+1), { group: "Table" });
//   addKey("g r", "Runs", () => location.assign("/runs/"), { group: "Go to" });
//   addKey("Ctrl+Enter", "Launch", launch, { group: "Builder" });
//
// `keys` is one key as `event.key` names it; or two with a space between, one after the other; or
// one with "Ctrl+" before it, which works while somebody types and means Cmd on a Mac too.
// `action` gets the event and may return false: nothing was to do, the browser goes on as usual.
// A page may take a key that the frame has: of two, the later one holds. `addKey` answers with a
// function that takes the key away again.
//
// Single keys rest while somebody types, while a dialog is open, and for people who switched them
// off in their account (body[data-single-keys="off"]).
//
// Only ever import this module; as a script of its own it would be loaded a second time.

const PAUSE_MS = 1_500; // between the two keys of a pair
const TYPING = [
  "textarea",
  "select",
  "[contenteditable]:not([contenteditable=false])",
  "input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit])",
].join(", ");

const bindings = []; // in the order of the help; of two with the same keys, the later one holds
let before = { key: "", until: 0 };

export function addKey(keys, label, action, { group = "This page" } = {}) {
  const binding = { keys, label, action, group };
  bindings.push(binding);
  return () => {
    const place = bindings.indexOf(binding);
    if (place >= 0) bindings.splice(place, 1);
  };
}

// What the help shows: [group, bindings] each, the page's own first. Of keys that two claim, the
// one that holds.
export function keysByGroup() {
  const holding = new Map(bindings.map((binding) => [binding.keys, binding]));
  return Object.entries(Object.groupBy(holding.values(), ({ group }) => group)).reverse();
}

export function handleKey(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const control = event.ctrlKey || event.metaKey;
  if (control) {
    if (!dialogIsOpen()) perform(`Ctrl+${event.key}`, event);
    return;
  }
  if (document.body.dataset.singleKeys === "off" || isTyping(event.target) || dialogIsOpen()) return;
  const pair = `${before.key} ${event.key}`;
  const first = performance.now() < before.until;
  before = { key: event.key, until: performance.now() + PAUSE_MS };
  if (first && perform(pair, event)) before.until = 0;
  else perform(event.key, event);
}

function perform(keys, event) {
  const binding = bindings.findLast((one) => one.keys === keys);
  if (!binding || binding.action(event) === false) return false;
  event.preventDefault();
  return true;
}

function isTyping(target) {
  return target instanceof Element && target.closest(TYPING) !== null;
}

function dialogIsOpen() {
  return document.querySelector("dialog:modal") !== null;
}
