"""Presets: experiments that each answer one question, in minutes on two cores. Free of torch.

A preset is a YAML file in this folder. Its name is `<order>-<slug>.yaml`; its first three lines are
the comments `# title: …`, `# question: …` and `# topic: …`; the rest is a spec.
"""

import re
from dataclasses import dataclass
from pathlib import Path

HEADER = re.compile(
    r"\A# title: (?P<title>.+)\n# question: (?P<question>.+)\n# topic: (?P<topic>.+)\n"
)
FILE_NAME = re.compile(r"(?P<order>\d+)-(?P<slug>[a-z0-9-]+)\.yaml")


@dataclass(frozen=True)
class Preset:
    """A ready experiment. `text` is the whole file, which `engine.spec.read_text` reads."""

    slug: str
    title: str
    question: str
    topic: str
    """What it is about, as several are: the heading under which it is listed."""
    text: str


def read_preset(path: Path) -> Preset:
    """The preset in the file at `path`; `ValueError` where its name or its head is not one."""
    name = FILE_NAME.fullmatch(path.name)
    text = path.read_text(encoding="utf-8")
    header = HEADER.match(text)
    if name is None or header is None:
        raise ValueError(
            f"{path.name}: a preset is named <order>-<slug>.yaml and begins with the lines "
            "'# title: …', '# question: …' and '# topic: …'"
        )
    return Preset(slug=name["slug"], text=text, **header.groupdict())


PRESETS: list[Preset] = [read_preset(path) for path in sorted(Path(__file__).parent.glob("*.yaml"))]


def presets_by_topic() -> dict[str, list[Preset]]:
    """Topics in the order of their first presets."""
    topics: dict[str, list[Preset]] = {}
    for preset in PRESETS:
        topics.setdefault(preset.topic, []).append(preset)
    return topics
