// Counts the seconds of `data-countdown` down to zero, where the page says how long to wait.

for (const shown of document.querySelectorAll("[data-countdown]")) {
  const end = Date.now() + 1000 * Number(shown.dataset.countdown);
  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    shown.textContent = String(left);
    if (left === 0) clearInterval(timer);
  }, 250);
}
