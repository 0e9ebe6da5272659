// What somebody predicted on each page of the gallery, kept in this browser alone.

const nameOf = (slug) => `gallery-${slug}`;

export function remembered(slug) {
  try {
    return JSON.parse(localStorage.getItem(nameOf(slug)));
  } catch {
    return null; // storage may be forbidden, or hold something older
  }
}

// `guess` is null for somebody who wanted to be shown.
export function remember(slug, guess) {
  try {
    localStorage.setItem(nameOf(slug), JSON.stringify({ guess }));
  } catch {
    // The prediction then holds while the page is open.
  }
}

export function forget(slug) {
  try {
    localStorage.removeItem(nameOf(slug));
  } catch {
    // Nothing was kept.
  }
}
