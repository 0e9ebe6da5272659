"""Which code produced a number."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

VERSION = "0.9.0"


@cache
def code_version() -> str:
    """The release, with the commit and `+changes` where the code is a git checkout.

    `LAB_CODE_VERSION` says it where the code was copied without its history (an image, say).
    """
    if given := os.environ.get("LAB_CODE_VERSION"):
        return given
    root = Path(__file__).parent.parent
    commit = _git(root, "rev-parse", "--short=10", "HEAD")
    if not commit:
        return VERSION
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "engine")
    return f"{VERSION}+{commit}{'+changes' if changed else ''}"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
