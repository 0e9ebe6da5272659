// Copies text, and says so on the button: where the browser forbids it, the button says that.
//
// A button with `data-copy="ID"` copies the value or the text of the element with that id.

const SAID_MS = 1_600;

export async function copyText(text, button) {
  const words = button.querySelector("span");
  const before = words.dataset.words ?? words.textContent;
  words.dataset.words = before;
  try {
    await navigator.clipboard.writeText(text);
    words.textContent = "Copied";
  } catch {
    words.textContent = "Not allowed here";
  }
  setTimeout(() => (words.textContent = before), SAID_MS);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  source.select?.();
  copyText(source.value ?? source.textContent, button);
});
