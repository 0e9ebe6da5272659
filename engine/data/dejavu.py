"""Letters of seven alphabets in the twelve DejaVu faces that matplotlib brings: 28 × 28, grey.

Few-shot classification without a download, small: it is for tests and for first looks. Faces: Sans,
Sans Mono and Serif, each regular, bold, slanted, and bold and slanted (DejaVu 2.37, free licence).
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from engine.data.cache import Progress
from engine.data.class_images import ClassImages, class_images
from engine.data.rendering import Face

TITLE = "Letters in the DejaVu faces"
STYLES = ("", "-Bold", "-Oblique", "-BoldOblique")
FACES = (
    *(f"{family}{style}" for family in ("DejaVuSans", "DejaVuSansMono") for style in STYLES),
    *(f"DejaVuSerif{style.replace('Oblique', 'Italic')}" for style in STYLES),
)
FEWEST_FACES = 8
"""A letter that fewer faces have is left out."""
ALPHABETS = {
    # Small letters that look like their capitals, scaled down, are left out.
    "latin": (0, "ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghlmnqrty"),
    "greek": (0, "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθιλμνξπρστυω"),
    "cyrillic": (0, "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЉЊЏабеу"),
    "phonetic": (0, "ɐɑɒɓɔɖɗɘəɚɛɜɞɟɠɢɣɤɥɧɨɪɬɭɮɯɰɱɲɳɵɶɷɸɹɺɻɽɾʀʁʂʃʄʇʈʉʊʌʍʎʏʐʑʒʔʕʖʗʘʙʛʜʝʞʟʠ"),
    "lao": (0, "ກຂຄງຈຊຍດຕຖທນບປຜຝພຟມຢຣລວສຫອຮ"),
    "georgian": (1, "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ"),
    "armenian": (2, "ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖաբգդեզէըթժիլխծկհձղճյնշպջռսվտրցփքֆ"),
}
"""Name to split and letters."""


def available() -> bool:
    return True


def fetch(progress: Progress) -> str:
    return f"{TITLE} are part of an installed package; there is nothing to fetch."


@cache
def load() -> ClassImages:
    """About 300 classes of 8 to 12 images, drawn at the first call (half a second)."""
    faces = [Face(_folder() / f"{name}.ttf") for name in FACES]
    return class_images(
        (name, split, _drawn(letters, faces)) for name, (split, letters) in ALPHABETS.items()
    )


def _drawn(letters: str, faces: list[Face]) -> dict[str, list[np.ndarray]]:
    images = {letter: [face.draw(letter) for face in faces] for letter in letters}
    had = {letter: [image for image in row if image is not None] for letter, row in images.items()}
    return {letter: row for letter, row in had.items() if len(row) >= FEWEST_FACES}


def _folder() -> Path:
    """Found without importing the package, which takes a second."""
    return Path(find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
