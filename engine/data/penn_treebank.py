"""Penn Treebank: a million words of newspaper (Marcus et al., 1993; Mikolov's 10,000 words).

From a folder of one's own. A code is a word; the end of a line is a word too.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.data import local_folder
from engine.data.cache import Progress, data_folder, publish, staging
from engine.data.errors import DataError
from engine.data.text import Text

TITLE = "Penn Treebank"
FILES = ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt")
END_OF_LINE = "<eos>"
USUAL_FORM = "ptb.train.txt, ptb.valid.txt and ptb.test.txt"


def available() -> bool:
    return all((_folder() / name).is_file() for name in FILES)


def load() -> Text:
    """Words, in the three parts of the files; read once in a process."""
    return _load(_folder(), max((_folder() / name).stat().st_mtime_ns for name in FILES))


@lru_cache(maxsize=2)
def _load(folder: Path, changed: int) -> Text:
    parts = [_words(folder / name) for name in FILES]
    vocabulary, codes = np.unique(np.concatenate(parts), return_inverse=True)
    return Text(
        codes=codes.astype(np.int64),
        alphabet=tuple(map(str, vocabulary)),
        train_length=len(parts[0]),
        validation_length=len(parts[1]),
    )


def fetch(progress: Progress, folder: Path | None = None) -> str:
    return local_folder.fetch(
        TITLE, _folder() / FILES[0], usual_form=USUAL_FORM, make=_make, folder=folder,
        progress=progress,
    )  # fmt: skip


def _folder() -> Path:
    return data_folder() / "penn_treebank"


def _make(folder: Path, progress: Progress) -> str:
    for name in FILES:
        if not (folder / name).is_file():
            raise local_folder.missing(folder, USUAL_FORM, f"file {name}")
    words = [len(_words(folder / name)) for name in FILES]
    with staging(_folder()) as temporary:
        for name in FILES:
            (temporary / name).write_bytes((folder / name).read_bytes())
        publish(temporary, _folder())
    return f"{sum(words):,} words"


def _words(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text in UTF-8: {error}") from None
    words = [word for line in lines for word in (*line.split(), END_OF_LINE)]
    if not words:
        raise DataError(f"{path} has no words")
    return words
