"""mini-ImageNet: 100 classes of 600 colour photographs (Vinyals et al., 2016), 84 × 84.

From a folder of one's own, with the split of Ravi and Larochelle (2017): 64 classes to train, 16 to
validate, 20 to test.
"""

from pathlib import Path

from engine.data import class_images, local_folder
from engine.data.cache import Progress
from engine.data.class_images import SPLITS, ClassImages
from engine.data.local_folder import FromFolder

SIDE = 84
PARTS = ("train", "val", "test")
USUAL_FORM = (
    "train, val and test with CLASS/*.jpg inside; or train.csv, val.csv and test.csv with the "
    "columns filename and label, and the pictures in images"
)


def make(folder: Path, progress: Progress) -> ClassImages:
    parts = [_pictures(folder, part) for part in PARTS]
    size, done, groups = sum(len(paths) for part in parts for paths in part.values()), 0, []
    for split, part in enumerate(parts):
        classes = {}
        for name, paths in part.items():
            classes[name] = [local_folder.picture(path, SIDE, "RGB") for path in paths]
            done += len(paths)
            progress(f"reading {name}", done, size)
        groups.append((SPLITS[split], split, classes))
    return class_images.class_images(groups)


def _pictures(folder: Path, part: str) -> dict[str, list[Path]]:
    """Class to the pictures of one part."""
    found: dict[str, list[Path]] = {}
    if (folder / part).is_dir():
        found = {
            each.name: local_folder.pictures(each) for each in local_folder.folders(folder / part)
        }
    elif (folder / f"{part}.csv").is_file():
        for row in local_folder.rows(folder / f"{part}.csv"):
            if not {"filename", "label"} <= row.keys():
                raise local_folder.missing(folder / f"{part}.csv", USUAL_FORM, "such columns")
            found.setdefault(row["label"], []).append(folder / "images" / row["filename"])
    found = {name: paths for name, paths in found.items() if paths}
    if not found:
        raise local_folder.missing(folder, USUAL_FORM, f"pictures of the part {part!r}")
    return found


SET = FromFolder("mini_imagenet", "mini-ImageNet", class_images, USUAL_FORM, make)
"""84 × 84 in colour."""
TITLE, available, load, fetch = SET.title, SET.available, SET.load, SET.fetch
