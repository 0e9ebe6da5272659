"""Series as Parquet: one row a point, written and read a piece at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from webapp.runs import chunks
from webapp.runs.chunks import PACKED_POINTS
from webapp.runs.models import SeriesChunk
from webapp.transfer.rows import TransferError

if TYPE_CHECKING:
    import pyarrow

ROWS_AT_ONCE = 100_000
"""Points in memory at a time: a row group of the file."""
CHUNKS_AT_ONCE = 20


@dataclass(frozen=True)
class Piece:
    """Consecutive points of one series of one run, as one attempt wrote them."""

    run: int
    """The run's number within its experiment."""
    name: str
    attempt: int
    steps: np.ndarray
    values: np.ndarray

    @property
    def key(self) -> tuple[int, str, int]:
        return self.run, self.name, self.attempt


def stored_pieces(experiment_id: int) -> Iterator[Piece]:
    """The points of an experiment's runs, in order of run, series and outer step."""
    rows = (
        SeriesChunk.objects.filter(run__experiment_id=experiment_id)
        .order_by("run__number", "name", "first_sequence")
        .values_list("run__number", "name", "attempt", "steps", "values")
    )
    for run, name, attempt, steps, values in rows.iterator(chunk_size=CHUNKS_AT_ONCE):
        yield Piece(
            run,
            name,
            attempt,
            np.frombuffer(steps, chunks.STEPS),
            np.frombuffer(values, chunks.VALUES),
        )


def write(path: Path, pieces: Iterable[Piece]) -> int:
    """Write `pieces` to `path`; returns the number of points."""
    import pyarrow.parquet as parquet

    points, waiting, held = 0, [], 0
    with parquet.ParquetWriter(path, _schema(), compression="zstd") as writer:
        for piece in pieces:
            waiting.append(piece)
            held += len(piece.steps)
            if held >= ROWS_AT_ONCE:
                writer.write_table(_table(waiting))
                points, waiting, held = points + held, [], 0
        if waiting:
            writer.write_table(_table(waiting))
    return points + held


def read(path: Path) -> Iterator[Piece]:
    """The pieces of a file, each at most a batch long, in the order in which they were written."""
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path) as file:
        if not file.schema_arrow.equals(_schema()):
            raise TransferError(f"{path.name}: the columns are not those of a lab's series.")
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            yield from _pieces(batch)


def as_chunks(pieces: Iterable[Piece], run_ids: dict[int, int]) -> Iterator[SeriesChunk]:
    """Rows to insert, packed as those of a run that has ended; `run_ids` maps numbers to keys."""
    held: list[Piece] = []
    for piece in _cut(pieces):
        if held and _place(held[0]) != _place(piece):
            yield _chunk(held, run_ids)
            held = []
        held.append(piece)
    if held:
        yield _chunk(held, run_ids)


def digest(pieces: Iterable[Piece]) -> str:
    """Equal for equal points, however they are cut into pieces."""
    hashes = [hashlib.sha256(), hashlib.sha256()]
    before = None
    for piece in pieces:
        if piece.key != before:
            for each in hashes:
                each.update(repr(piece.key).encode())
            before = piece.key
        hashes[0].update(np.ascontiguousarray(piece.steps, chunks.STEPS).tobytes())
        hashes[1].update(np.ascontiguousarray(piece.values, chunks.VALUES).tobytes())
    return "".join(each.hexdigest() for each in hashes)


def _schema() -> pyarrow.Schema:
    import pyarrow

    return pyarrow.schema(
        [
            pyarrow.field("run", pyarrow.int32(), nullable=False),
            pyarrow.field("series", pyarrow.string(), nullable=False),
            pyarrow.field("attempt", pyarrow.int32(), nullable=False),
            pyarrow.field("step", pyarrow.int64(), nullable=False),
            pyarrow.field("value", pyarrow.float64(), nullable=False),
        ]
    )


def _table(pieces: list[Piece]) -> pyarrow.Table:
    import pyarrow

    lengths = [len(piece.steps) for piece in pieces]
    names = pyarrow.array([piece.name for piece in pieces], pyarrow.string())
    columns = [
        np.repeat(np.array([piece.run for piece in pieces], np.int32), lengths),
        names.take(pyarrow.array(np.repeat(np.arange(len(pieces)), lengths))),
        np.repeat(np.array([piece.attempt for piece in pieces], np.int32), lengths),
        np.concatenate([piece.steps for piece in pieces]),
        np.concatenate([piece.values for piece in pieces]),
    ]
    return pyarrow.Table.from_arrays([pyarrow.array(c) for c in columns], schema=_schema())


def _pieces(batch: pyarrow.RecordBatch) -> Iterator[Piece]:
    encoded = batch.column("series").dictionary_encode()
    names, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    runs, attempts, steps, values = (
        batch.column(name).to_numpy() for name in ("run", "attempt", "step", "value")
    )
    changes = (np.diff(runs) != 0) | (np.diff(codes) != 0) | (np.diff(attempts) != 0)
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), len(steps)]
    for start, end in pairwise(edges):
        yield Piece(
            int(runs[start]),
            names[codes[start]],
            int(attempts[start]),
            steps[start:end],
            values[start:end],
        )


def _cut(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """`pieces` cut where a chunk ends."""
    for piece in pieces:
        edges = np.flatnonzero(np.diff(piece.steps // PACKED_POINTS)) + 1
        for steps, values in zip(
            np.split(piece.steps, edges), np.split(piece.values, edges), strict=True
        ):
            if len(steps):
                yield Piece(*piece.key, steps, values)


def _place(piece: Piece) -> tuple[int, str, int, int]:
    return *piece.key, int(piece.steps[0]) // PACKED_POINTS


def _chunk(pieces: list[Piece], run_ids: dict[int, int]) -> SeriesChunk:
    first = pieces[0]
    if first.run not in run_ids:
        raise TransferError(f"The series of run {first.run} belong to no run of the export.")
    steps, values = chunks.joined_arrays((piece.steps, piece.values) for piece in pieces)
    if np.any(np.diff(steps) <= 0) or steps[0] < 0:
        raise TransferError(f"{first.name} of run {first.run}: the outer steps are not in order.")
    return chunks.encode(
        run_id=run_ids[first.run],
        attempt=first.attempt,
        name=first.name,
        first=int(steps[0]) + 1,
        last=int(steps[-1]) + 1,
        arrays=(steps, values),
    )
