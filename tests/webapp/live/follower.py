"""A reference client of the live protocol: what a page that follows it to the letter would show."""

from typing import Any


class Follower:
    """The points of one run, put together from messages alone."""

    def __init__(self) -> None:
        self.sequence = 0
        self.attempt = 1
        self.entries: dict[str, dict[int, float]] = {}
        self.status = ""
        self.doubled = 0
        self.gaps = 0

    def cursor(self) -> dict[str, int]:
        return {"sequence": self.sequence, "attempt": self.attempt}

    def take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "rewind":
                self._cut(message["sequence"])
                self.attempt = message["attempt"]
            case "points":
                self._take_points(message)
            case "state":
                self.status = message["status"]

    def _take_points(self, message: dict[str, Any]) -> None:
        if message["attempt"] != self.attempt:
            self._cut(message["first"] - 1)
            self.attempt = message["attempt"]
        self.gaps += message["first"] > self.sequence + 1
        for name, (steps, values) in message["series"].items():
            known = self.entries.setdefault(name, {})
            for step, value in zip(steps, values, strict=True):
                self.doubled += step in known
                known[step] = float(value)
        self.sequence = max(self.sequence, message["last"])

    def _cut(self, sequence: int) -> None:
        self.sequence = min(self.sequence, sequence)
        for known in self.entries.values():
            for step in [step for step in known if step >= sequence]:
                del known[step]
