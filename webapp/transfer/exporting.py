"""Everything that a lab has, as a folder of JSON and Parquet."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from engine.plain import to_json
from engine.version import code_version
from webapp.experiments.models import Experiment
from webapp.transfer import documents, files, series
from webapp.transfer.rows import TransferError

Tell = Callable[[int, int], None]
"""Is told how many experiments are done, of how many."""
EXPERIMENTS_AT_ONCE = 50


def export_lab(target: Path, tell: Tell = lambda done, of: None) -> dict[str, int]:
    """Write the lab to the folder `target`, which must not be there yet; returns what it has.

    Either the whole folder comes into being or none. It shows one moment of the lab, whatever runs
    meanwhile. Memory stays the same however much there is: rows and points pass through.
    """
    target = target.absolute()
    if target.exists():
        raise TransferError(f"{target} is there already; name a folder that is not.")
    if not target.parent.is_dir():
        raise TransferError(f"{target.parent} is no folder; make it first.")
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            counts = _write(unfinished, tell)
        _settle(unfinished)
        unfinished.chmod(0o750)
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return counts


def _write(folder: Path, tell: Tell) -> dict[str, int]:
    taken_at = timezone.now().isoformat()
    counts = dict.fromkeys(("people", "experiments", "runs", "events", "pictures", "points"), 0)
    counts["people"] = files.write_rows(folder / files.PEOPLE, documents.people())
    experiments = Experiment.objects.select_related("owner", "parent__owner").order_by("pk")
    total = experiments.count()
    for experiment in experiments.iterator(chunk_size=EXPERIMENTS_AT_ONCE):
        place = folder / files.folder_of(experiment.pk)
        place.mkdir(parents=True)
        document = documents.experiment_document(experiment)
        (place / files.EXPERIMENT).write_text(to_json(document, indent=1), encoding="utf-8")
        for name, key, rows in (
            (files.RUNS, "runs", documents.run_documents(experiment)),
            (files.EVENTS, "events", documents.event_documents(experiment)),
            (files.PICTURES, "pictures", documents.picture_documents(experiment)),
        ):
            counts[key] += files.write_rows(place / name, rows)
        pieces = series.stored_pieces(experiment.pk)
        counts["points"] += series.write(place / files.SERIES, pieces)
        counts["experiments"] += 1
        tell(counts["experiments"], total)
    files.write_manifest(folder, taken_at=taken_at, code_version=code_version(), counts=counts)
    return counts


def _settle(folder: Path) -> None:
    """Have everything on the disk before the folder gets its name."""
    for path in folder.rglob("*"):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
