"""The stream of events of an experiment: what is said, and that nothing depends on the pauses."""

import itertools
import math

import pytest

from engine import checkpoints, run
from engine.events import MEASURED_SERIES, Checkpoint, Finished, Note, Point, Started
from engine.spec import validate
from engine.summary import best_of

ESTIMATORS = [
    {"kind": "unrolled"},
    {"kind": "truncated", "window": 3},
    {"kind": "forward_mode"},
    {"kind": "evolution", "particles": 4},
    {"kind": "elites", "population": 6, "elites": 3},
    {"kind": "cma_es", "population": 6},
    {"kind": "random", "population": 6},
    {"kind": "grid", "population": 6, "points": 7},
    {"kind": "bayesian", "population": 6},
    {"kind": "population_based", "population": 6, "interval": 4},
]
ONLINE = {"kind": "truncated", "mode": "windows", "window": 2, "online": True, "schedule": "random"}
PERSISTENT = {"kind": "evolution", "mode": "pes", "window": 4, "particles": 6}


def experiment(**changes):
    return validate(
        {
            "inner_task": {"kind": "quadratic", "dimension": 5, "noise": 0.1},
            "inner": {"steps": 6, "optimizer": {"kind": "momentum", "learning_rate": 0.05}},
            "meta_parameters": [{"kind": "learning_rate"}, {"kind": "momentum"}],
            "outer": {"steps": 8, "optimizer": {"kind": "adam"}},
            "probes": {"every": 4, "draws": 3},
            "precision": "float64",
            **changes,
        }
    )


def figures(events) -> list[tuple]:
    """What every repetition must say again: the points without the clock's figures."""
    return [
        (event.run, event.step, {k: v for k, v in event.values.items() if k not in MEASURED_SERIES})
        for event in events
        if isinstance(event, Point)
    ]


def test_the_order_of_events() -> None:
    events = list(run(experiment(estimators=ESTIMATORS, seeds=[0, 1])))
    for index in range(len(ESTIMATORS) * 2):
        own = [event for event in events if event.run == index]
        assert isinstance(own[0], Started)
        assert isinstance(own[-1], Finished)
        assert own[-1].status == "finished"
        assert own[-1].step == 8
        points = [event for event in own if isinstance(event, Point)]
        assert [point.step for point in points] == list(range(8))
        assert [("peak_bytes" in point.values) for point in points] == [True, *[False] * 3] * 2
    unrolled = next(event for event in events if isinstance(event, Point))
    assert unrolled.values["bias_relative"] < 1e-12
    assert unrolled.values["theta.learning_rate"] == 0.05


@pytest.mark.parametrize("inner_seed", ["fixed", "fresh"])
@pytest.mark.parametrize(
    "estimator", [*ESTIMATORS, ONLINE, PERSISTENT], ids=lambda item: f"{item['kind']} {len(item)}"
)
@pytest.mark.parametrize("stop", [1, 5])
def test_a_resumed_run_is_bitwise_the_uninterrupted_one(
    estimator, inner_seed, stop, tmp_path
) -> None:
    outer = {"steps": 8, "meta_batch": 2, "inner_seed": inner_seed}
    objective = "average" if "online" in estimator else "final"
    spec = experiment(estimators=[estimator], outer=outer, objective=objective)
    whole = list(run(spec, checkpoint_seconds=0.0))
    kept = next(e for e in whole if isinstance(e, Checkpoint) and e.step == stop)
    path = tmp_path / "checkpoint.pt"
    checkpoints.save(path, kept)
    resumed = list(run(spec, checkpoints.load(path)))
    assert figures(resumed) == [item for item in figures(whole) if item[1] >= stop]
    by_the_clock = {*MEASURED_SERIES, *map(best_of, MEASURED_SERIES)}
    clockless = [
        {k: v for k, v in events[-1].summary.items() if k not in by_the_clock}
        for events in (whole, resumed)
    ]
    assert clockless[0] == clockless[1]


def test_what_stands_beside_the_oracle_is_a_whole_inner_loop() -> None:
    """Also where the estimator goes by windows, at whichever window it is."""
    slices = {"kind": "truncated", "mode": "windows", "window": 2}
    still = {"steps": 8, "optimizer": {"kind": "sgd", "learning_rate": 1e-12}}
    bias = [
        [values["bias_relative"] for _, _, values in figures(run(spec))]
        for spec in (
            experiment(
                estimators=[item], objective="average", outer=still, probes={"every": 1, "draws": 2}
            )
            for item in (slices, {**slices, "online": True})
        )
    ]
    assert bias[0] == pytest.approx(bias[1], rel=1e-6)
    assert bias[0][0] > 0.1


def test_runs_before_the_checkpoint_are_left_out() -> None:
    spec = experiment(estimators=ESTIMATORS[:3])
    whole = list(run(spec, checkpoint_seconds=0.0))
    kept = next(e for e in whole if isinstance(e, Checkpoint) and e.run == 1 and e.step == 4)
    expected = [item for item in figures(whole) if (item[0], item[1]) >= (1, 4)]
    assert figures(run(spec, kept)) == expected


def test_a_run_alone_gives_the_figures_that_it_gives_in_company() -> None:
    together = figures(run(experiment(estimators=ESTIMATORS)))
    for index, estimator in enumerate(ESTIMATORS):
        alone = figures(run(experiment(estimators=[estimator])))
        assert [item[1:] for item in alone] == [item[1:] for item in together if item[0] == index]


def test_fresh_inner_seeds_change_the_inner_loop_and_fixed_ones_do_not() -> None:
    still = {"kind": "sgd", "learning_rate": 1e-12}
    for inner_seed, distinct in (("fixed", 1), ("fresh", 8)):
        outer = {"steps": 8, "inner_seed": inner_seed, "optimizer": still}
        points = figures(run(experiment(outer=outer)))
        assert len({round(values["meta_loss"], 6) for _, _, values in points}) == distinct


def test_a_meta_batch_is_the_mean_over_its_inner_loops() -> None:
    def first(**outer) -> dict:
        return figures(run(experiment(outer={"steps": 1, **outer})))[0][2]

    both = first(meta_batch=2)["meta_loss"]
    alone = first(meta_batch=1)["meta_loss"]
    other = next(iter(run(experiment(outer={"steps": 1}, seeds=[1_000_003]))))
    assert isinstance(other, Started)
    assert not math.isclose(both, alone)


def test_divergence_stops_the_run_and_says_why() -> None:
    inner = {"steps": 400, "optimizer": {"kind": "sgd", "learning_rate": 40.0}}
    spec = experiment(inner=inner, meta_parameters=[{"kind": "learning_rate"}])
    events = list(run(spec))
    assert events[-1].status == "failed"
    assert "outer step 0" in events[-1].reason
    point = next(event for event in events if isinstance(event, Point))
    assert not math.isfinite(point.values["meta_loss"])
    assert any(isinstance(event, Note) for event in events)


def test_a_long_meta_gradient_is_clipped_and_the_record_says_so() -> None:
    rate, longest = 0.5, 1.0
    sgd = {"kind": "sgd", "learning_rate": rate}
    outer = {"steps": 12, "optimizer": sgd, "clip_norm": longest}
    meta_parameters = [{"kind": "initialisation"}]
    points = [
        values
        for _, _, values in figures(run(experiment(outer=outer, meta_parameters=meta_parameters)))
    ]
    moved = [
        math.dist(*([p[f"theta.initialisation.w.{i}"] for i in range(5)] for p in pair))
        for pair in itertools.pairwise(points)
    ]
    for point, distance in zip(points, moved, strict=False):
        norm = point["gradient_norm"]
        assert point["clipped"] == float(norm > longest)
        assert distance == pytest.approx(rate * min(norm, longest), rel=1e-9)
    assert {point["clipped"] for point in points} == {0.0, 1.0}
    assert "clipped" not in figures(run(experiment()))[0][2]


def test_the_memory_of_an_online_slice_is_that_of_the_slice_observed() -> None:
    """Slices of 5 and 1 in turn: the longer ones need more."""
    estimator = {"kind": "truncated", "mode": "windows", "window": 5, "online": True}
    spec = experiment(estimators=[estimator], objective="average", probes={"every": 1})
    peaks = [values["peak_bytes"] for _, _, values in figures(run(spec))]
    assert set(peaks[0::2]) == {max(peaks)}
    assert set(peaks[1::2]) == {min(peaks)}
    assert max(peaks) > 2 * min(peaks)


def test_a_budget_ends_a_run_with_a_checkpoint() -> None:
    events = list(run(experiment(budget={"bytes": 100.0})))
    assert events[-1].status == "out_of_budget"
    assert "more than the budget of 100" in events[-1].reason
    assert isinstance(events[-2], Checkpoint)
    events = list(run(experiment(budget={"seconds": 1e-6})))
    assert events[-1].reason == "the budget of 1e-06 s was used up after outer step 1"
