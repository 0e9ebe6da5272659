"""The largest size that fits: the same as trying every one."""

from hypothesis import given
from hypothesis import strategies as st

from engine.forecast.largest import largest, sizes
from engine.spec import validate


@given(
    least=st.integers(1, 20), count=st.integers(0, 60), unit=st.integers(1, 7),
    start=st.integers(0, 600), limit=st.integers(0, 500),
)  # fmt: skip
def test_bisection_finds_what_trying_all_finds(least, count, unit, start, limit) -> None:
    most = least + count * unit + (unit - 1)
    values = range(least, most + 1, unit)
    asked: list[int] = []

    def fits(value: int) -> bool:
        asked.append(value)
        return value <= limit

    found = largest(fits, least, most, unit, start)
    assert found == max((value for value in values if value <= limit), default=None)
    assert set(asked) <= set(values)


def test_a_million_values_are_told_apart_in_few_questions() -> None:
    asked: list[int] = []
    found = largest(lambda value: asked.append(value) or value <= 654_321, 1, 1_000_000)
    assert found == 654_321
    assert len(asked) < 50


def test_where_the_most_fits_nothing_else_is_tried() -> None:
    asked: list[int] = []
    assert largest(lambda value: asked.append(value) or True, 1, 1_297, start=64) == 1_297
    assert asked == [1_297]


def test_sizes_have_the_bounds_of_the_schema() -> None:
    experiment = validate(
        {
            "inner_task": {"kind": "image_mlp", "dataset": "digits", "train_examples": 300},
            "estimators": [
                {"kind": "evolution", "mode": "pes", "window": 5, "particles": 10, "chunk": 2}
            ],
        }
    )
    found = {size.path: size[1:] for size in sizes(experiment)}
    assert found["inner_task.batch_size"] == (1, 300, 1)
    assert found["estimators.0.particles"] == (2, 1_000_000, 2)
    assert found["estimators.0.window"] == (1, experiment.inner.steps, 1)
    assert found["inner.steps"] == (1, 100_000, 1)
