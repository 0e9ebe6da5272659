"""What went wrong in a run, in one sentence for the person who launched it."""

from __future__ import annotations

from engine.data.errors import DataError
from engine.spec import SpecError

LONGEST = 500


def explain(error: BaseException) -> str:
    """One sentence; the traceback belongs in the server's log."""
    if isinstance(error, SpecError):
        return _short(f"This spec cannot be run: {error.errors[0]}")
    if isinstance(error, DataError):
        return _short(str(error))
    if is_out_of_memory(error):
        place = "GPU" if "CUDA" in str(error) else "machine"
        return (
            f"The {place} ran out of memory: use checkpointed storage, a shorter window, "
            "a smaller batch or a smaller model."
        )
    message = _short(str(error))
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def said_by(refusal: OSError) -> str:
    """What the disk or the server that refused said, such as `No space left on device`."""
    return _short(refusal.strerror or str(refusal))


def is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _short(text: str) -> str:
    lines = text.strip().splitlines()
    line = lines[0] if lines else ""
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
