"""The folder of an export: where things lie, and the sums that say that they are whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from engine.plain import to_json
from webapp.transfer.rows import Row, TransferError

KIND = "metaopt-lab-export"
VERSION = 1
MANIFEST = "manifest.json"
PEOPLE = "people.jsonl"
EXPERIMENT, RUNS, EVENTS, PICTURES, SERIES = (
    "experiment.json",
    "runs.jsonl",
    "events.jsonl",
    "pictures.jsonl",
    "series.parquet",
)
OF_AN_EXPERIMENT = (EXPERIMENT, RUNS, EVENTS, PICTURES, SERIES)


def folder_of(number: int) -> str:
    """Of an experiment, within the export."""
    return f"experiments/{number:06d}"


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """One row a line; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(to_json(row) + "\n")
            count += 1
    return count


def read_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
            except ValueError:
                raise TransferError(f"{path.name}, line {number}: this is not JSON.") from None
            if not isinstance(row, dict):
                raise TransferError(f"{path.name}, line {number}: this is not a row.")
            yield row


def write_manifest(folder: Path, **more: Any) -> None:
    """Name every file of `folder` with its size and sum. Written last: without it there is no
    export."""
    files = {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": _sum(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = {"kind": KIND, "version": VERSION, **more, "files": files}
    (folder / MANIFEST).write_text(to_json(manifest, indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, if `folder` is an export that this lab can read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        kind, version = manifest["kind"], manifest["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise TransferError(f"{folder} is no export of a lab: it has no {MANIFEST}.") from None
    if kind != KIND or version != VERSION:
        raise TransferError(
            f"{folder} is an export of kind {kind!r}, version {version!r}; "
            f"this lab reads {KIND!r}, version {VERSION}."
        )
    return manifest


def verify(folder: Path, files: dict[str, Any], tick: Any = lambda: None) -> None:
    """Raise `TransferError` unless every file is there, as it was written. Calls `tick` at each."""
    for name, said in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise TransferError(f"{name} lies outside of the export.")
        if not path.is_file():
            raise TransferError(f"{name} is missing: the export is not whole.")
        if path.stat().st_size != said["bytes"] or _sum(path) != said["sha256"]:
            raise TransferError(f"{name} is damaged: its sum is not the one in the manifest.")
        tick()


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
