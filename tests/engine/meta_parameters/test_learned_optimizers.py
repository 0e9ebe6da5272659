"""Learned optimizers: the networks by hand, and that every estimator that may learn them does."""

import gc
import weakref

import pytest
import torch
from torch import nn

from engine import estimate, run, trees
from engine.estimators import Evolution
from engine.events import Finished, Pictured, Point
from engine.held_out import KEPT, mean_loss
from engine.spec import validate
from tests.engine.finite_differences import assert_exact, built

KINDS = ("mlp_optimizer", "lstm_optimizer", "meta_lstm")
FAMILY = {
    "kind": "task_family", "features": 3, "hidden": 3, "examples": 10, "batch_size": 5,
}  # fmt: skip


def small(kind: str, **options) -> dict:
    return {"kind": kind, "hidden": 3, **options}


@pytest.mark.parametrize(
    ("kind", "task", "others"),
    [
        *((kind, "quadratic", []) for kind in KINDS),
        ("mlp_optimizer", "mlp", [{"kind": "weight_decay", "initial": 0.1}]),
        ("meta_lstm", "mlp", [{"kind": "initialisation"}]),
    ],
)
def test_every_exact_estimator_equals_finite_differences(kind, task, others) -> None:
    assert_exact(built(task, small(kind), *others))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["antithetic", "pes"])
def test_evolution_is_unbiased(kind: str, mode: str) -> None:
    """Along the exact meta-gradient, within four standard errors; σ is small, so that smoothing
    adds nothing to be seen."""
    problem = built("quadratic", small(kind))
    meta = problem.initial_meta(0)
    exact = trees.flat(estimate(problem, {"kind": "unrolled"}, meta).gradient)
    window = {} if mode == "antithetic" else {"window": 2}
    estimator = Evolution(mode=mode, particles=40, sigma=1e-4, **window)
    carry = estimator.start(problem, meta, 0)
    shares = []
    for draw in range(12):
        found = estimator.whole_loop(problem, meta, {**carry, "draw": draw}).gradient
        shares.append(trees.flat(found) @ exact / (exact @ exact))
    shares = torch.stack(shares)
    error = float(shares.std()) / len(shares) ** 0.5
    assert abs(float(shares.mean()) - 1.0) < 4.0 * error
    assert error < 0.5


def test_the_recurrent_layers_are_those_of_torch() -> None:
    problem = built("quadratic", small("lstm_optimizer", layers=2))
    meta = problem.initial_meta(0)
    generator = torch.Generator().manual_seed(1)
    meta = {
        name: torch.randn(leaf.shape, generator=generator, dtype=leaf.dtype)
        for name, leaf in meta.items()
    }
    cells = []
    for layer in range(2):
        weight = meta[f"lstm_optimizer.layers.{layer}.weight"].T
        inputs = weight.shape[1] - 3
        cell = nn.LSTMCell(inputs, 3, dtype=torch.float64)
        cell.load_state_dict(
            {
                "weight_ih": weight[:, :inputs],
                "weight_hh": weight[:, inputs:],
                "bias_ih": meta[f"lstm_optimizer.layers.{layer}.bias"],
                "bias_hh": torch.zeros(12, dtype=torch.float64),
            }
        )
        cells.append(cell)
    state = problem.initial_state(meta, 0)
    memory = [(torch.zeros(4, 3, dtype=torch.float64),) * 2] * 2
    for t in range(3):
        g = problem.inner_gradient(state, meta, t)["w"]
        large = g.abs() >= torch.e**-10
        inputs = torch.stack(
            [
                torch.where(large, g.abs().log() / 10.0, -1.0),
                torch.where(large, g.sign(), torch.e**10 * g),
            ],
            dim=1,
        )
        with torch.no_grad():
            for layer, cell in enumerate(cells):
                memory[layer] = cell(inputs, memory[layer])
                inputs = memory[layer][0]
        output = inputs @ meta["lstm_optimizer.output.weight"] + meta["lstm_optimizer.output.bias"]
        expected = state["params"]["w"] - 0.1 * output[:, 0]
        state = problem.step(state, meta, t)
        torch.testing.assert_close(state["params"]["w"], expected, rtol=1e-12, atol=1e-12)


def test_a_meta_lstm_without_inputs_is_gradient_descent() -> None:
    problem = built("mlp", small("meta_lstm", input_gate=0.2, forget_gate=0.9))
    meta = {
        name: torch.zeros_like(leaf) if name.endswith("weight") else leaf
        for name, leaf in problem.initial_meta(0).items()
    }
    state = problem.initial_state(meta, 0)
    after = problem.step(state, meta, 0)["params"]
    for name, g in problem.inner_gradient(state, meta, 0).items():
        torch.testing.assert_close(after[name], 0.9 * state["params"][name] - 0.2 * g)


def test_the_mlp_is_blind_to_the_scale_of_the_loss() -> None:
    problem = built("mlp", small("mlp_optimizer"))
    meta = problem.initial_meta(0)
    state = problem.initial_state(meta, 0)
    gradients = problem.inner_gradient(state, meta, 0)
    steps = []
    for scale in (1.0, 1000.0):
        scaled = {name: scale * g for name, g in gradients.items()}
        after = problem.updated(state, scaled, meta, 0)["params"]
        steps.append(torch.cat([(after[n] - w).flatten() for n, w in state["params"].items()]))
    assert steps[0].abs().max() < 0.1  # steps are small at the start
    assert (steps[0] - steps[1]).norm() < 0.05 * steps[0].norm()


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_step_depends_on_each_parameter_alone(kind: str) -> None:
    """The tensors of a model are laid out as one vector, in one order, and put back."""
    problem = built("mlp", small(kind))
    meta = problem.initial_meta(0)
    rule, state = problem.optimizer, problem.initial_state(meta, 0)
    gradients = problem.inner_gradient(state, meta, 0)
    hyper = problem.hyper(meta, 0)
    whole, _ = rule.update(state["params"], gradients, state["optimizer"], hyper)
    backwards = dict(reversed(gradients.items()))
    for name, w in state["params"].items():
        one = {name: w}
        alone, _ = rule.update(one, backwards, rule.initial_memory(one), hyper)
        torch.testing.assert_close(alone[name], whole[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_update_curve_has_the_usual_rules_beside_it(kind: str) -> None:
    problem = built("quadratic", small(kind))
    [picture] = problem.pictures(problem.initial_meta(0), 0)
    labels = [line.label for line in picture.drawing.lines]
    dashed = [line.dashed for line in picture.drawing.lines]
    assert dashed == [False] * 3 + [True] * 2
    assert labels[3].startswith("gradient descent, learning rate")
    assert labels[4].startswith("Adam, learning rate")
    assert all(None not in line.y for line in picture.drawing.lines)


def test_gradient_descent_is_recognised_in_the_curve() -> None:
    problem = built("quadratic", small("meta_lstm", input_gate=0.2, forget_gate=0.9))
    meta = {
        name: torch.zeros_like(leaf) if name.endswith("weight") else leaf
        for name, leaf in problem.initial_meta(0).items()
    }
    [picture] = problem.pictures(meta, 0)
    lines = picture.drawing.lines
    assert lines[3].label == "gradient descent, learning rate 0.2"
    assert lines[0].y == pytest.approx(lines[3].y)


def test_learners_of_runs_that_have_ended_leave_memory() -> None:
    gone = []
    for _ in range(KEPT + 1):
        problem = built(FAMILY, small("mlp_optimizer"), inner={"steps": 1, "program": "eager"})
        gone.append(weakref.ref(problem))
        assert mean_loss(problem, problem.initial_meta(0)) > 0.0
        del problem
    gc.collect()
    assert gone[0]() is None
    assert gone[-1]() is not None  # recorded once for all probes of a run


def test_runs_over_fresh_tasks_test_and_draw() -> None:
    """Persistent evolution with its probes, and online slices of backpropagation without."""
    document = {
        "inner_task": FAMILY,
        "inner": {"steps": 4},
        "meta_parameters": [small("mlp_optimizer", transfer="least_squares")],
        "objective": "average",
        "estimators": [{"kind": "evolution", "mode": "pes", "window": 2, "particles": 4}],
        "outer": {"steps": 3, "meta_batch": 2, "inner_seed": "fresh"},
        "probes": {"every": 2, "oracle": False, "memory": False},
        "device": "cpu",
    }
    events = list(run(validate(document)))
    assert isinstance(events[-1], Finished)
    assert events[-1].status == "finished"
    tested = [event.values for event in events if isinstance(event, Point)][::2]
    for name in ("test_loss", "transfer_loss"):
        assert tested[0][f"{name}_adam"] == tested[1][f"{name}_adam"]
        assert tested[0][name] != tested[1][name]
    assert {event.picture.name for event in events if isinstance(event, Pictured)} == {"update"}

    document["estimators"] = [{"kind": "truncated", "mode": "windows", "window": 2, "online": True}]
    document["probes"] = {**document["probes"], "test": False}
    events = list(run(validate(document)))
    assert events[-1].status == "finished"
    assert len({event.values["meta_loss"] for event in events if isinstance(event, Point)}) == 3
