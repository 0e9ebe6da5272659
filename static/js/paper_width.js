// The width on paper that exports have: one choice for all figures, kept for the next page.

const WIDTH_SETTING = "export-width";

export function readWidth() {
  try {
    return localStorage.getItem(WIDTH_SETTING) ?? "column";
  } catch {
    return "column";
  }
}

export function writeWidth(width) {
  try {
    localStorage.setItem(WIDTH_SETTING, width);
  } catch {
    // Storage may be forbidden; the width then starts at one column on the next page.
  }
}
