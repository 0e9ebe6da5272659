"""Emoji: small pictures of the same things by nine hands, 32 × 32, in colour.

A stand-in for colour few-shot sets: a class is a thing, its instances are how the sets draw it, and
a group is what kind of thing it is. The drawings come as SVG in nine packages of the npm registry
(mixed free licences: Apache-2.0, MIT, CC BY and CC BY-SA 4.0), and are rendered on this machine.
"""

import json
import tarfile
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.data import class_images
from engine.data.cache import Progress
from engine.data.class_images import ClassImages
from engine.data.from_packages import FromPackages
from engine.data.package_clients import Package, npm

SIDE = 32
FEWEST_INSTANCES = 7
"""A thing that fewer sets draw is left out."""
PACKAGES = [
    Package(f"@iconify-json/{name}", version, f"iconify-json-{name}-{version}.tgz", size, sha256)
    for name, version, size, sha256 in (
        ("twemoji", "1.2.5", 1_555_888,
         "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
        ("noto", "1.2.9", 3_102_958,
         "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
        ("noto-v1", "1.2.5", 1_587_591,
         "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37"),
        ("fxemoji", "1.2.2", 1_034_876,
         "f3e72b3c59d05e1db03b7e308d55c0d05bd7ba3f625a90da1b79313c12858eef"),
        ("emojione", "1.2.3", 687_690,
         "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e"),
        ("openmoji", "1.2.29", 1_264_633,
         "03181e2c156cab35cf4a62f1f7886bd971d59212e75ac3f189d5a4cae3930fc5"),
        ("emojione-v1", "1.2.3", 3_704_153,
         "6641d59d48a42823fdc2b84e7427e9f302944eb98d2c7d94d6e67c139e7b37b3"),
        ("fluent-emoji", "1.2.7", 14_323_330,
         "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"),
        ("fluent-emoji-flat", "1.2.6", 1_172_438,
         "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175"),
    )
]  # fmt: skip
GROUPED_BY = "@iconify-json/twemoji"
"""The set whose categories are the groups."""
SPLIT = {
    "Smileys & Emotion": 0,
    "People & Body": 0,
    "Objects": 0,
    "Symbols": 0,
    "Travel & Places": 0,
    "Activities": 1,
    "Animals & Nature": 2,
    "Food & Drink": 2,
}


def make(packages: dict[str, Path], progress: Progress) -> ClassImages:
    """Render every thing that enough sets have under the same name."""
    sets = [_inside(package, "icons.json") for package in packages.values()]
    drawn_by = Counter(name for each in sets for name in each["icons"])
    categories = _inside(packages[GROUPED_BY], "metadata.json")["categories"]
    names = {
        group: [name for name in categories[group] if drawn_by[name] >= FEWEST_INSTANCES]
        for group in SPLIT
    }
    done, size = 0, sum(drawn_by[name] for group in names.values() for name in group)
    groups = []
    for group, split in SPLIT.items():
        classes = {}
        for name in names[group]:
            classes[name] = [_render(each, name) for each in sets if name in each["icons"]]
            done += len(classes[name])
            progress(f"drawing {group}", done * SIDE**2 * 3, size * SIDE**2 * 3)
        groups.append((group, split, classes))
    return class_images.class_images(groups)


def _inside(package: Path, name: str) -> Any:
    """A JSON file of an npm package."""
    with tarfile.open(package) as files:
        return json.load(files.extractfile(f"package/{name}"))


def _render(icons: dict[str, Any], name: str) -> np.ndarray:
    """uint8 [32, 32, 3], on white."""
    from resvg_py import svg_to_bytes

    icon = icons["icons"][name]
    left, top, width, height = (
        icon.get(key, icons.get(key, default))
        for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{SIDE}" height="{SIDE}" viewBox="{left} {top} {width} {height}">'
        f"{icon['body']}</svg>"
    )
    drawn = svg_to_bytes(svg_string=svg, background="#ffffff", skip_system_fonts=True)
    return np.asarray(Image.open(BytesIO(bytes(drawn))).convert("RGB"))


SET = FromPackages(
    "emoji", "The set of emoji", class_images, packages=PACKAGES, client=npm, make=make
)
"""About 1,000 classes of 7 to 9 images."""
TITLE, available, load, fetch = SET.title, SET.available, SET.load, SET.fetch
