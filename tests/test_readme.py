"""The README stays true: its code runs, its files exist."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def first_line_of(block: str) -> str:
    with subprocess.Popen(
        [sys.executable, "-u", "-c", block], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        process.kill()
    return line


def test_one_meta_gradient_is_estimated_as_shown() -> None:
    share, peak_bytes = first_line_of(BLOCKS[0]).split()
    assert 0.0 < float(share.strip("tensor()")) < 0.5
    assert int(peak_bytes) > 100_000


def test_a_whole_experiment_streams_as_shown() -> None:
    run, step, meta_loss, bias = first_line_of(BLOCKS[1]).split()
    assert (run, step) == ("0", "0")
    assert float(meta_loss) > 0.0
    assert float(bias) < 1e-4


def test_blocks_of_library_use_are_about_ten_lines() -> None:
    assert [len(block.strip().splitlines()) for block in BLOCKS] == [10, 8]


def test_pictures_and_folders_exist() -> None:
    named = re.findall(r"!\[.*?\]\((.*?)\)", README) + re.findall(r"^\| `(\w+/)`", README, re.M)
    assert len(named) >= 3
    for path in named:
        assert (ROOT / path).exists(), path


def test_commands_of_the_makefile_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.M), target
