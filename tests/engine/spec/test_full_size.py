"""The specs for a GPU, in examples/full_size, are valid."""

from pathlib import Path

import pytest

from engine.spec import expand, read_text

SPECS = sorted(Path("examples/full_size").glob("*.yaml"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_full_size_spec_is_valid(path: Path) -> None:
    assert expand(read_text(path.read_text(encoding="utf-8")))
