// Runs before the first paint, so that no page flashes in the other theme.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage may be forbidden; the system's theme is right then
    }
  };
  const apply = () => {
    const choice = chosen() ?? "system";
    root.dataset.themeChoice = choice;
    root.dataset.theme = choice === "system" ? (system.matches ? "dark" : "light") : choice;
    document.dispatchEvent(new CustomEvent("lab:theme", { detail: root.dataset.theme }));
  };
  system.addEventListener("change", apply);
  addEventListener("storage", apply); // another tab switched
  document.addEventListener("lab:choose-theme", (event) => {
    try {
      localStorage.setItem("theme", event.detail);
    } catch {
      root.dataset.theme = event.detail;
      return;
    }
    apply();
  });
  apply();
})();
