"""`python -m engine fetch`: a data set into the cache, once."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from engine import data


def fetch_with_progress(name: str, folder: Path | None) -> int:
    """Fetch `name`, or convert it from `folder`, with a progress bar; always 0.

    Raises `engine.data.DataError`."""
    with tqdm(unit="B", unit_scale=True, disable=None, dynamic_ncols=True) as bar:

        def show(what: str, done: int, total: int) -> None:
            bar.set_description(what)
            bar.total = total
            bar.update(done - bar.n)

        message = data.fetch(name, show, folder)
    print(message)
    return 0
