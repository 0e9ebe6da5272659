"""Glyphs: the letters of twenty alphabets in up to twenty faces each, 28 × 28, grey.

A stand-in for Omniglot (Lake, Salakhutdinov and Tenenbaum, 2015): printed instead of written,
with more classes. The images are drawn on this machine from free fonts in 57 packages of
Debian 12 (125 MB, kept until all are there, so that an interrupted fetch goes on where it was).
"""

import json
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import class_images, debian
from engine.data.cache import Progress
from engine.data.class_images import ClassImages
from engine.data.from_packages import FromPackages
from engine.data.package_clients import Package, apt
from engine.data.rendering import SIDE, Face

FEWEST_FACES = 12
"""A letter that fewer faces have is left out."""


def _range(first: str, last: str, *, without: str = "") -> str:
    letters = map(chr, range(ord(first), ord(last) + 1))
    return "".join(letter for letter in letters if letter not in without)


def _of_code(encoding: str, rows: range) -> str:
    """The characters in rows of 94 of a two-byte code, as Japanese and Korean standards have."""
    pairs = (bytes([0xA0 + row, 0xA0 + cell]) for row in rows for cell in range(1, 95))
    return "".join(pair.decode(encoding, errors="ignore") for pair in pairs)


SMALL_HIRAGANA = "ぁぃぅぇぉっゃゅょゎゕゖ"
SMALL_KATAKANA = "ァィゥェォッャュョヮヵヶ"
ALPHABETS = {
    "latin_upper": (0, _range("A", "Z")),
    "latin_lower": (0, _range("a", "z")),
    "greek_upper": (0, _range("Α", "Ω", without="\u03a2")),
    "greek_lower": (0, _range("α", "ω")),
    "cyrillic_upper": (0, _range("А", "Я")),
    "cyrillic_lower": (0, _range("а", "я")),
    "hebrew": (0, _range("א", "ת")),
    "arabic": (0, _range("ء", "ي", without="ـ")),
    "ethiopic": (0, _range("ሀ", "ፚ")),
    "hiragana": (0, _range("ぁ", "ん", without=SMALL_HIRAGANA)),
    "katakana": (0, _range("ァ", "ヺ", without=SMALL_KATAKANA)),
    "hangul": (0, _of_code("euc_kr", range(16, 41))),
    "kanji_jis1": (0, _of_code("euc_jp", range(16, 48))),
    "thai": (1, _range("ก", "ฮ")),
    "bengali": (1, _range("অ", "হ")),
    "armenian_upper": (2, _range("Ա", "Ֆ")),
    "armenian_lower": (2, _range("ա", "և")),
    "georgian": (2, _range("ა", "ჺ")),
    "khmer": (2, _range("ក", "ឳ")),
    "myanmar": (2, _range("က", "ဪ")),
}
"""Name to split and letters. What is held out is scripts that those of meta-training are not kin
to; small kana look like the large ones once they fill the frame."""


@cache
def _faces() -> dict[str, Any]:
    """Packages, as the fields of `Package`; faces, as (package, file, index); and which faces draw
    which alphabet."""
    return json.loads(files("engine.data").joinpath("glyph_faces.json").read_text("utf-8"))


def make(packages: dict[str, Path], progress: Progress) -> ClassImages:
    """Draw every letter in the faces of its alphabet, without those that a face lacks."""
    faces = [tuple(face) for face in _faces()["faces"]]
    fonts: dict[tuple[str, str], bytes] = {}
    for name, path in packages.items():
        inside = {file: file for package, file, _ in faces if package == name}
        fonts |= {(name, file): raw for file, raw in debian.extract(path, inside).items()}
    size = sum(
        len(letters) * len(_faces()["alphabets"][name]) for name, (_, letters) in ALPHABETS.items()
    )
    done, groups = 0, []
    for name, (split, letters) in ALPHABETS.items():
        rows: dict[str, list[np.ndarray]] = {letter: [] for letter in letters}
        for number in _faces()["alphabets"][name]:
            package, file, index = faces[number]
            face = Face(BytesIO(fonts[package, file]), index)
            for letter in letters:
                if (image := face.draw(letter)) is not None:
                    rows[letter].append(image)
            done += len(letters)
            progress(f"drawing {name}", done * SIDE**2, size * SIDE**2)
        kept = {letter: row for letter, row in rows.items() if len(row) >= FEWEST_FACES}
        groups.append((name, split, kept))
    return class_images.class_images(groups)


SET = FromPackages(
    "glyphs",
    "The set of glyphs",
    class_images,
    packages=[Package(*package) for package in _faces()["packages"]],
    client=apt,
    make=make,
)
"""6,312 classes of 12 to 20 images."""
TITLE, available, load, fetch = SET.title, SET.available, SET.load, SET.fetch
