// How somebody exports: one choice for all figures, kept for the next page.

export function readChoice(name, fallback) {
  try {
    return localStorage.getItem(`export-${name}`) ?? fallback;
  } catch {
    return fallback;
  }
}

export function writeChoice(name, value) {
  try {
    localStorage.setItem(`export-${name}`, value);
  } catch {
    // Storage may be forbidden; the choice then holds for this page alone.
  }
}
