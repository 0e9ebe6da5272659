"""Making a backup, and putting one back."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from engine.version import code_version
from webapp.backups import database
from webapp.backups.errors import BackupError
from webapp.runs.checkpoint_storage import Storage, storage

KIND = "metaopt-lab-backup"
DUMP, CHECKPOINTS, MANIFEST = "database.dump", "checkpoints.tar", "manifest.json"


def back_up(folder: Path) -> dict[str, Any]:
    """Write the lab to `folder`, which must not be there yet; runs may go on meanwhile.

    The checkpoints are copied after the database: one that is ahead of its run is not used, so the
    two agree. The folder appears when it is whole. Returns its manifest.
    """
    if folder.exists():
        raise BackupError(f"{folder} is there already; name a folder that is not.")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, mode=0o700)
        database.dump(settings.DATABASE_URL, partial / DUMP)
        _pack_checkpoints(partial / CHECKPOINTS)
        manifest = {
            "kind": KIND,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "code_version": code_version(),
            "tables": database.table_counts(settings.DATABASE_URL),
            "files": {name: _sum(partial / name) for name in (DUMP, CHECKPOINTS)},
        }
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        partial.rename(folder)
    except OSError as problem:
        raise BackupError(f"{folder}: {problem.strerror or problem}.") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def restore(folder: Path, *, replace: bool = False) -> dict[str, Any]:
    """Put the lab that `folder` holds in the place of this one; returns its manifest.

    Refused where this lab holds rows, unless `replace`; where other programs use the database;
    where a file of the backup is missing or damaged; and where the place of the checkpoints does
    not answer: before anything is changed.
    """
    manifest = _read(folder)
    held = sum(database.table_counts(settings.DATABASE_URL).values())
    if held and not replace:
        raise BackupError(
            f"This lab's database holds {held:,} rows. To put the backup in their place, say so "
            "with --replace; they are lost."
        )
    others = database.other_sessions(settings.DATABASE_URL)
    if others:
        raise BackupError(
            f"{others} other connections use the database. Stop the web, the workers and the beat."
        )
    kept = storage()
    try:
        old = kept.names()
    except OSError as problem:
        raise BackupError(f"The checkpoints cannot be reached: {problem}.") from None
    database.restore(settings.DATABASE_URL, folder / DUMP)
    try:
        _unpack_checkpoints(folder / CHECKPOINTS, kept, old)
    except OSError as problem:
        raise BackupError(
            f"The database is restored, the checkpoints are not: {problem}. Once they can be, "
            "restore again with --replace."
        ) from None
    return manifest


def _read(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        kind, files = manifest["kind"], manifest["files"]
    except (OSError, ValueError, KeyError, TypeError):
        kind, files = None, {}
    if kind != KIND or set(files) != {DUMP, CHECKPOINTS}:
        raise BackupError(f"{folder} is no backup of a lab.")
    for name, said in files.items():
        if not (folder / name).is_file():
            raise BackupError(f"{name} is missing: the backup is not whole.")
        if _sum(folder / name) != said:
            raise BackupError(f"{name} is damaged: its sum is not the one in {MANIFEST}.")
    return manifest


def _pack_checkpoints(file: Path) -> None:
    """All checkpoints; a worker may replace one while it is looked for."""
    kept = storage()
    with tarfile.open(file, "w") as archive:
        for name in kept.names():
            try:
                with kept.local(name) as path:
                    archive.add(path, arcname=name, recursive=False)
            except FileNotFoundError:
                continue


def _unpack_checkpoints(file: Path, kept: Storage, old: list[str]) -> None:
    """In the place of the `old` ones."""
    for name in old:
        kept.delete(name)
    with kept.draft() as folder, tarfile.open(file) as archive:
        for member in archive:
            archive.extract(member, folder, filter="data")
            kept.keep(folder / member.name, member.name)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
