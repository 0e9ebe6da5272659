"""Makes the pages' fonts from the released ones in `static/vendor/inter`.

    python static/fonts/subset.py

Only what the pages use: the weights 400 to 700, no fractions, and of the Greek letters, which stand
alone, those without accents. A first visit loads 29 kB less. The licence (OFL 1.1, no reserved
name) is that of the released files.
"""

from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

HERE = Path(__file__).parent
RELEASED = HERE.parent / "vendor" / "inter"
WEIGHTS = (400, 700)
GREEK = range(ord("Α"), ord("ω") + 1)
CHARACTERS = {"latin": None, "greek": GREEK}
"""All that a font has if None."""
FEATURES = {"latin": ["kern", "calt", "ccmp", "locl", "tnum", "pnum"], "greek": []}


def made(name: str) -> bytes:
    """The font `name`, the same bytes each time."""
    released = TTFont(RELEASED / f"inter-{name}-wght-normal.woff2", recalcTimestamp=False)
    narrow = instantiateVariableFont(released, {"wght": WEIGHTS})
    narrow.flavor, content = None, BytesIO()
    narrow.save(content)
    font = TTFont(content, recalcTimestamp=False)
    options = Options(layout_features=FEATURES[name], name_IDs=["*"], notdef_outline=True)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS[name] or list(font.getBestCmap()))
    subsetter.subset(font)
    font.flavor, content = "woff2", BytesIO()
    font.save(content)
    return content.getvalue()


if __name__ == "__main__":
    for name in CHARACTERS:
        (HERE / f"inter-{name}.woff2").write_bytes(made(name))
