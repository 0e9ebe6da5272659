"""Omniglot: 1,623 characters of 50 alphabets, each drawn by 20 people (Lake et al., 2015).

From a folder of one's own. Meta-training takes 25 of the 30 alphabets of the background set,
meta-validation its last five, and meta-test the 20 alphabets of the evaluation set.
"""

from pathlib import Path

from engine.data import class_images, local_folder
from engine.data.cache import Progress
from engine.data.class_images import ClassImages
from engine.data.local_folder import FromFolder

SIDE = 28
PARTS = ("images_background", "images_evaluation")
VALIDATION_SHARE = 6
"""One in so many background alphabets, the last ones, is for meta-validation."""
USUAL_FORM = "images_background and images_evaluation, with ALPHABET/CHARACTER/*.png inside"


def make(folder: Path, progress: Progress) -> ClassImages:
    alphabets = []
    for part in PARTS:
        if not (folder / part).is_dir():
            raise local_folder.missing(folder, USUAL_FORM, part)
        found = local_folder.folders(folder / part)
        kept = len(found) - len(found) // VALIDATION_SHARE
        splits = (
            [2] * len(found) if part == PARTS[1] else [int(n >= kept) for n in range(len(found))]
        )
        alphabets += zip(found, splits, strict=True)
    groups = []
    for number, (alphabet, split) in enumerate(alphabets):
        progress(f"reading {alphabet.name}", number, len(alphabets))
        classes = {
            f"{alphabet.name}/{character.name}": [
                255 - local_folder.picture(path, SIDE, "L")
                for path in local_folder.pictures(character)
            ]
            for character in local_folder.folders(alphabet)
        }
        classes = {name: images for name, images in classes.items() if images}
        if not classes:
            raise local_folder.missing(alphabet, USUAL_FORM, "pictures in folders")
        groups.append((alphabet.name, split, classes))
    return class_images.class_images(groups)


SET = FromFolder("omniglot", "Omniglot", class_images, USUAL_FORM, make)
"""28 × 28, white on black."""
TITLE, available, load, fetch = SET.title, SET.available, SET.load, SET.fetch
