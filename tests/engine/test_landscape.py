"""The picture of proposals over the meta-loss: what is drawn is what was evaluated."""

import math
from itertools import pairwise

import pytest
import torch

import engine
from engine.building import build_problem
from engine.events import Checkpoint, Pictured
from engine.pictures import Particles
from engine.population import meta_losses
from engine.spec import validate

ONE = [{"kind": "learning_rate", "initial": 0.1, "scale": "log"}]
TWO = [*ONE, {"kind": "momentum", "initial": 0.5}]


def spec(meta_parameters, estimator, **changes):
    return validate(
        {
            "inner_task": {"kind": "quadratic", "dimension": 3, "condition_number": 4.0},
            "inner": {"steps": 4, "optimizer": {"kind": "momentum"}},
            "meta_parameters": meta_parameters,
            "estimators": [estimator],
            "outer": {"steps": 4, "optimizer": {"kind": "adam", "learning_rate": 0.1}},
            "probes": {"every": 1, "oracle": False, "memory": False},
            "precision": "float64",
            "device": "cpu",
            **changes,
        }
    )


def pictured(events) -> dict[int, Particles]:
    found = [event for event in events if isinstance(event, Pictured)]
    return {e.step: e.picture.drawing for e in found if e.picture.name == "particles"}


ELITES = {"kind": "elites", "population": 8, "elites": 2, "sigma": 0.5}
EVOLUTION = {"kind": "evolution", "particles": 6, "sigma": 0.1}


@pytest.mark.parametrize("estimator", [ELITES, EVOLUTION])
@pytest.mark.parametrize("meta_parameters", [ONE, TWO])
def test_points_and_surface_are_the_meta_loss(meta_parameters, estimator) -> None:
    experiment = spec(meta_parameters, estimator)
    problem = build_problem(experiment)
    drawings = pictured(engine.run(experiment))
    assert sorted(drawings) == [0, 1, 2, 3]
    for drawing in drawings.values():
        assert len(drawing.points) == len(drawing.losses)
        two = len(meta_parameters) == 2
        assert (len(drawing.x), len(drawing.y)) == ((15, 15) if two else (41, 0))
        rates = [x for x, _ in drawing.points]
        rows = [list(point) for point in drawing.points] if two else [[x] for x in rates]
        assert losses_at(problem, rows) == pytest.approx(drawing.losses, rel=1e-9)
        grid = [[x, y] for y in drawing.y for x in drawing.x] if two else [[x] for x in drawing.x]
        surface = [value for row in drawing.surface for value in row]
        assert losses_at(problem, grid) == pytest.approx(surface, rel=1e-9)
        assert drawing.log_x
        if not two:
            assert [height for _, height in drawing.points] == drawing.losses
            assert losses_at(problem, [[drawing.mean[0]]])[0] == pytest.approx(drawing.mean[1])


def losses_at(problem, rows: list[list[float]]) -> list[float]:
    """F at rows of (learning rate, momentum), the first of which θ keeps as its logarithm."""
    columns = torch.tensor(rows, dtype=torch.float64).T
    metas = {"learning_rate": columns[0].log()}
    if len(columns) == 2:
        metas["momentum"] = columns[1]
    return meta_losses(problem, metas, 0, chunk=1).tolist()


@pytest.mark.parametrize("estimator", [ELITES, EVOLUTION])
def test_a_resumed_run_draws_the_same(estimator) -> None:
    experiment = spec(TWO, estimator)
    events = list(engine.run(experiment, checkpoint_seconds=0))
    middle = next(e for e in events if isinstance(e, Checkpoint) and e.step == 2)
    whole, again = pictured(events), pictured(engine.run(experiment, middle))
    assert again == {step: whole[step] for step in (2, 3)}


def test_the_frame_stays_until_a_proposal_leaves_it() -> None:
    drawings = pictured(engine.run(spec(ONE, ELITES)))
    ends = [(drawing.x[0], drawing.x[-1]) for drawing in drawings.values()]
    for before, after in pairwise(ends):
        assert after[0] <= before[0]
        assert after[1] >= before[1]
    for drawing in drawings.values():
        assert all(drawing.x[0] <= x <= drawing.x[-1] for x, _ in drawing.points)
    assert len(set(ends)) < len(ends)


def test_what_diverges_stands_at_the_upper_edge_without_a_loss() -> None:
    # A learning rate of e^600 leaves float64.
    wild = {**ELITES, "sigma": 400.0}
    drawing = pictured(engine.run(spec(ONE, wild)))[0]
    judged = zip(drawing.points, drawing.losses, strict=True)
    lost = [point for point, loss in judged if loss is None]
    assert lost
    assert len({height for _, height in lost}) == 1
    assert all(math.isfinite(height) for _, height in drawing.points)
    assert None in drawing.surface[0]


@pytest.mark.parametrize(
    ("meta_parameters", "estimator", "probes"),
    [
        (ONE, ELITES, {"test": False}),
        (ONE, {"kind": "unrolled"}, {}),
        ([{"kind": "learning_rate", "granularity": "per_step"}], ELITES, {}),
        (ONE, {"kind": "evolution", "mode": "pes", "window": 2}, {}),
    ],
    ids=["untested", "a gradient", "four entries", "windows"],
)
def test_where_there_is_nothing_to_draw(meta_parameters, estimator, probes) -> None:
    experiment = spec(
        meta_parameters, estimator, probes={"oracle": False, "memory": False, **probes}
    )
    assert pictured(engine.run(experiment)) == {}


def test_what_is_learned_as_a_logit_is_shown_as_odds() -> None:
    learned = [{"kind": "momentum", "scale": "logit", "initial": 0.8}]
    drawing = pictured(engine.run(spec(learned, ELITES)))[0]
    assert drawing.x_title == "odds of momentum"
    assert drawing.log_x
    assert drawing.mean[0] == pytest.approx(4.0)
