"""`make audit`: whether anything that is installed has a known weakness.

pip-audit asks the vulnerability service of PyPI, which needs the internet. Exit status 0: none is
known; 1: some are, which it lists; 2: too little could be asked to say anything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [
    *(sys.executable, "-m", "pip_audit", "--local", "--format", "json"),
    *("--progress-spinner", "off", "--timeout", "10", "--desc", "off"),
]


def main() -> int:
    print("Asking PyPI for known weaknesses of what is installed …", flush=True)
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        print(f"Nothing was audited: {reason[0][:300]}")
        return 2
    return told(packages)


def told(packages: list[dict[str, Any]]) -> int:
    """Prints what is known of `packages`, as pip-audit lists them; the exit status."""
    audited = [package for package in packages if "skip_reason" not in package]
    weak = [package for package in audited if package["vulns"]]
    for package in weak:
        for weakness in package["vulns"]:
            fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {weakness['id']}, mended in {fixed}")
    unknown = len(packages) - len(audited)
    print(f"{len(audited)} packages audited, {len(weak)} with a known weakness.")
    if unknown:
        print(f"{unknown} could not be audited: the service does not know them, or is not there.")
    if weak:
        return 1
    return 2 if unknown > len(audited) else 0


if __name__ == "__main__":
    sys.exit(main())
