"""What a container leaves of the machine's memory."""

import os
from pathlib import Path

import pytest

from engine import machine_memory as module

WHOLE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "max"}, WHOLE),
        ("0::/\n", {"memory.max": "1000000"}, 1_000_000),
        ("0::/slice/run\n", {"slice/memory.max": "3000", "slice/run/memory.max": "max"}, 3000),
        ("4:memory:/a/b\n1:cpu:/c\n", {"memory/a/b/memory.limit_in_bytes": "2000"}, 2000),
        ("1:cpu:/c\n", {"memory/memory.limit_in_bytes": str(2**63 - 4096)}, WHOLE),
        ("", {}, WHOLE),
    ],
)
def test_the_lowest_limit_counts(
    own: str, files: dict[str, str], limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "own").write_text(own)
    monkeypatch.setattr(module, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(module, "OWN_GROUPS", tmp_path / "own")
    assert module.machine_memory() == limit
