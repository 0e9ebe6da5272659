"""Roll-ups equal the direct computation, and the reduced series of a run that of its points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import Point
from tests.webapp.factories import claimed, first_run, person, points
from webapp.runs import chunks, services
from webapp.runs.models import Run, SeriesChunk
from webapp.runs.reduced import reduced, width_for
from webapp.runs.rollups import CELL, CELL_STEPS, cells_of, merged, read, stored
from webapp.runs.selectors import series

floats = st.floats(width=64)
sparse = st.lists(st.tuples(st.integers(1, 90), floats), max_size=60)


def arrays(gaps: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    steps = np.cumsum([gap for gap, _ in gaps], dtype=np.int64) - 1
    return steps, np.array([value for _, value in gaps], np.float64)


def assert_cells_are_right(cells: np.ndarray, steps: np.ndarray, values: np.ndarray, width: int):
    """`cells` say of every stretch of `width` steps what its entries say one by one."""
    assert cells["index"].tolist() == sorted({int(step) // width for step in steps})
    assert cells["count"].sum() == len(steps)
    for cell in cells:
        own = steps // width == cell["index"]
        finite = own & np.isfinite(values)
        assert (cell["first"], cell["last"]) == (steps[own][0], steps[own][-1])
        assert (cell["count"], cell["non_finite"]) == (own.sum(), own.sum() - finite.sum())
        if not finite.any():
            assert (cell["low"], cell["high"], np.isnan(cell["mean"])) == (np.inf, -np.inf, True)
            continue
        assert (cell["low"], cell["high"]) == (values[finite].min(), values[finite].max())
        assert cell["low_step"] == steps[finite][values[finite].argmin()]
        assert cell["high_step"] == steps[finite][values[finite].argmax()]
        mean = sum(float(value) / int(finite.sum()) for value in values[finite])
        scale = np.abs(values[finite]).max()
        assert abs(cell["mean"] - mean) <= 1e-13 * scale + 1e-300
        assert cell["low"] <= cell["mean"] <= cell["high"]


@given(sparse, st.integers(1, 200))
def test_cells_say_what_their_entries_say(gaps, width):
    steps, values = arrays(gaps)
    assert_cells_are_right(cells_of(steps, values, width), steps, values, width)


@given(sparse, st.integers(1, 12), st.integers(0, 60))
def test_cells_merged_from_pieces_are_those_of_the_whole(gaps, times, cut):
    """A chunk may end in the middle of a cell: its other half comes with the next chunk."""
    steps, values = arrays(gaps)
    pieces = [cells_of(steps[:cut], values[:cut]), cells_of(steps[cut:], values[cut:])]
    whole = merged(np.concatenate(pieces), times)
    assert_cells_are_right(whole, steps, values, times * CELL_STEPS)


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.integers(2, 5_000))
def test_a_width_gives_at_most_so_many_buckets(start, span, buckets):
    width = width_for(start, start + span, buckets)
    assert (start + span - 1) // width - start // width + 1 <= buckets
    assert width < CELL_STEPS or width % CELL_STEPS == 0


def test_cells_are_stored_where_they_save_something():
    steps = np.arange(1_000)
    content = stored(steps, np.sin(steps))
    assert np.array_equal(read(content), cells_of(steps, np.sin(steps)))
    assert len(content) < steps.nbytes / 3
    assert stored(steps[:100], np.sin(steps[:100])) is None
    assert stored(steps * CELL_STEPS, np.sin(steps)) is None


@pytest.fixture
def run(db) -> Run:
    return claimed(first_run(person("ada"), outer={"steps": 6_000}))


def spoiled(first: int, last: int) -> list[Point]:
    """Points whose `meta_loss` has a high, a low and what is no number among them."""
    made = points(first, last)
    for point in made:
        point.values["meta_loss"] = float(np.sin(point.step / 100))
    for step, value in ((777, 1e9), (1_234, -1e9), (2_000, float("nan")), (2_001, float("inf"))):
        if first <= step + 1 <= last:
            made[step + 1 - first].values["meta_loss"] = value
    return made


def record(run: Run, first: int, last: int, *, attempt: int = 1, flush: int = 37) -> None:
    for start in range(first, last + 1, flush):
        services.record_points(
            run_id=run.pk, attempt=attempt, points=spoiled(start, min(start + flush - 1, last))
        )
    run.refresh_from_db()


def assert_reduced_is_right(run: Run, **asked) -> None:
    own = series([run.pk])[run.pk]
    found = reduced(run, **asked)
    first = asked.get("start", 0) // found.width * found.width
    last = -(-min(asked.get("end") or run.sequence, run.sequence) // found.width) * found.width
    expected = {}
    for name, (steps, values) in own.items():
        inside = (steps >= first) & (steps < last)
        if inside.any():
            expected[name] = steps[inside], values[inside]
    assert found.series.keys() == expected.keys()
    for name, cells in found.series.items():
        assert cells.dtype == CELL
        assert len(cells) <= asked["buckets"]
        assert_cells_are_right(cells, *expected[name], found.width)


def test_a_running_run_has_few_chunks_and_the_right_buckets(run):
    record(run, 1, 4_200)
    dense = SeriesChunk.objects.filter(run=run, name="meta_loss")
    lengths = [chunk.last_sequence - chunk.first_sequence + 1 for chunk in dense.all()]
    assert sum(lengths) == 4_200
    assert len(lengths) <= 4 + 10 + 100 / 37 + 2
    assert dense.exclude(rollup=None).count() >= 4
    for asked in ({"buckets": 40}, {"buckets": 800}, {"buckets": 2}, {"buckets": 5_000},
                  {"buckets": 30, "start": 1_111, "end": 3_333},
                  {"buckets": 10, "start": 4_100, "end": 9_000}):  # fmt: skip
        assert_reduced_is_right(run, **asked)
    before = series([run.pk])[run.pk]
    services.finish(run_id=run.pk, attempt=1, status="finished")
    assert dense.count() == 1
    for name, (steps, values) in series([run.pk])[run.pk].items():
        assert np.array_equal(steps, before[name][0])
        assert np.array_equal(values, before[name][1], equal_nan=True)
    assert_reduced_is_right(run, buckets=40)


def test_a_rewind_in_the_middle_of_a_joined_chunk_keeps_the_buckets_right(run):
    record(run, 1, 3_100)
    services.release(run_id=run.pk, attempt=1)
    claimed(run, resume_from=1_517)
    run.refresh_from_db()
    assert_reduced_is_right(run, buckets=20)
    record(run, 1_518, 3_600, attempt=2)
    assert_reduced_is_right(run, buckets=20)
    assert chunks.kept_from(run_id=run.pk, attempt=1, sequence=3_100) == 1_517
    services.finish(run_id=run.pk, attempt=2, status="finished")
    assert_reduced_is_right(run, buckets=20)
    assert chunks.kept_from(run_id=run.pk, attempt=1, sequence=3_100) == 1_517


def test_a_run_without_points_has_no_buckets(run):
    assert reduced(run, buckets=800).series == {}
    record(run, 1, 10)
    assert reduced(run, buckets=800, start=10).series == {}
    assert reduced(run, buckets=800, names=["nonsense"]).series == {}
