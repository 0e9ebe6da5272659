"""Characters as small grey images: one face of a font, one character, one image."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFont

SIDE = 28
"""Height and width of an image."""
INK = 22
"""The longer side of the ink, in pixels: as in MNIST, a frame stays empty around it."""
SIZE = 64
"""Size, in pixels per em, at which a character is drawn before it is scaled down."""
NOWHERE = "\U0010ffff"
"""A code point that no face has: its picture is what a face draws for whatever it lacks."""


class Face:
    """One face, which draws the characters that it has."""

    def __init__(self, font: Path | BytesIO, index: int = 0) -> None:
        """`font` is a file or its content; `index` counts the faces in a collection. Raises
        `OSError` for what is no font."""
        # The simple layout: the same images whether or not Pillow was built with a shaper.
        self._font = ImageFont.truetype(font, SIZE, index, layout_engine=ImageFont.Layout.BASIC)
        self._lacking = self._ink(NOWHERE)

    def draw(self, character: str) -> np.ndarray | None:
        """uint8 [28, 28], white on black, the ink scaled to fit and centred; or nothing, where the
        face lacks the character or draws nothing for it."""
        ink = self._ink(character)
        if ink is None or _same(ink, self._lacking):
            return None
        scale = INK / max(ink.size)
        size = tuple(max(1, round(scale * extent)) for extent in ink.size)
        image = np.zeros((SIDE, SIDE), dtype=np.uint8)
        left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
        image[top : top + size[1], left : left + size[0]] = np.asarray(
            ink.resize(size, Image.Resampling.BOX)
        )
        return image

    def _ink(self, character: str) -> Image.Image | None:
        """The smallest rectangle around what is drawn."""
        mask = self._font.getmask(character, mode="L")
        width, height = mask.size
        if not (width and height):
            return None
        image = Image.frombytes("L", (width, height), bytes(mask))
        box = image.getbbox()
        return image.crop(box) if box else None


def _same(one: Image.Image, other: Image.Image | None) -> bool:
    return other is not None and one.size == other.size and one.tobytes() == other.tobytes()
