"""What the operating system says of a process, on Linux and on macOS."""

import subprocess
from pathlib import Path


def _ask_ps(column: str, pid: int) -> str:
    try:
        answer = subprocess.run(
            ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return answer.stdout.strip()


def birth(pid: int) -> str:
    """When a process began; with its number this names it for ever. Empty where it is gone."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return ""
        state, *columns = stat.rpartition(")")[2].split()
        return "" if state == "Z" else columns[18]
    return _ask_ps("lstart", pid)


def command(pid: int) -> str:
    """The command line of a process; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return _ask_ps("command", pid)
