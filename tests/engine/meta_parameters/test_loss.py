"""The loss slot: smoothed labels, weights of examples, a loss network; exact meta-gradients."""

import math

import pytest
import torch
import torch.nn.functional as F

from engine.data.tensors import Split
from engine.pictures import Curves, Images
from engine.spec import SpecError, validate
from tests.engine.finite_differences import assert_exact, assert_implicit_is_exact, built

SMALL = {"activation": "tanh", "batch_size": 6, "train_examples": 30, "validation_examples": 20}
MLP = {"kind": "image_mlp", "hidden": [3], **SMALL}
LOGISTIC = {"kind": "image_mlp", "dataset": "mnist1d", "hidden": [], **SMALL}
LOSSES = {
    "smoothing": {"kind": "label_smoothing"},
    "confusions": {"kind": "label_smoothing", "granularity": "per_class_pair"},
    "weights": {"kind": "example_weights"},
    "weights, softplus": {"kind": "example_weights", "through": "softplus"},
    "weights, softmax": {"kind": "example_weights", "through": "softmax"},
    "network": {"kind": "learned_loss", "hidden": 3},
    "network, factor": {"kind": "learned_loss", "hidden": 3, "form": "factor"},
}
every_loss = pytest.mark.parametrize("item", LOSSES.values(), ids=LOSSES)


def some(*names):
    return pytest.mark.parametrize("item", [LOSSES[name] for name in names], ids=names)


def elsewhere(problem):
    """θ away from its start, where the network's second layer is zero."""
    source = torch.Generator().manual_seed(1)
    return {
        name: leaf + 0.3 * torch.randn(leaf.shape, generator=source, dtype=leaf.dtype)
        for name, leaf in problem.initial_meta(0).items()
    }


@some("smoothing", "weights, softplus", "weights, softmax", "network", "network, factor")
def test_meta_gradients_are_exact(item) -> None:
    problem = built(MLP, item)
    assert_exact(problem, elsewhere(problem))


@some("confusions", "weights, softmax", "network, factor")
def test_implicit_differentiation_is_exact_at_the_stationary_point(item) -> None:
    decay = {"kind": "sgd", "weight_decay": 0.3}
    assert_implicit_is_exact(built(LOGISTIC, item, optimizer=decay, objective="final"))


@every_loss
def test_first_order_estimates_are_refused(item) -> None:
    document = {"inner_task": MLP, "meta_parameters": [item], "estimators": [{"kind": "fomaml"}]}
    with pytest.raises(SpecError, match=f"cannot learn '{item['kind']}': it acts through inner"):
        validate(document)


def on_a_batch(item):
    """The loss slot's loss at the first θ, and the task's own, of the same batch and parameters."""
    problem = built(MLP, item)
    (loss,) = problem.meta_parameters
    batch, params = problem.task.batch(torch.tensor(0), 0), problem.task.initial_params(0)
    usual = problem.task.training_loss(params, batch)
    return loss.training_loss(problem.initial_meta(0), params, batch), usual, problem, params, batch


@some(*(name for name in LOSSES if name[0] in "wn"))
def test_weights_and_networks_start_as_the_cross_entropy(item) -> None:
    learned, usual, *_ = on_a_batch(item)
    torch.testing.assert_close(learned, usual, rtol=1e-14, atol=0.0)


@some("smoothing", "confusions")
def test_smoothing_starts_as_that_of_torch(item) -> None:
    learned, _, problem, params, batch = on_a_batch(item)
    logits = problem.task.logits(params, batch.inputs)
    torch.testing.assert_close(learned, F.cross_entropy(logits, batch.labels, label_smoothing=0.1))


def test_a_weight_belongs_to_its_example() -> None:
    problem = built(MLP, LOSSES["weights"])
    (loss,), params = problem.meta_parameters, problem.task.initial_params(0)
    batch = problem.task.batch(torch.tensor(3), 5)
    assert torch.equal(problem.task.train.inputs[batch.indices], batch.inputs)
    meta = {"example_weights": torch.full((30,), -60.0, dtype=torch.float64)}
    meta["example_weights"][batch.indices[0]] = 0.0
    alone = Split(batch.inputs[:1], batch.labels[:1])
    count = int((batch.indices == batch.indices[0]).sum())
    expected = problem.task.training_loss(params, alone) * count / len(batch.labels)
    torch.testing.assert_close(loss.training_loss(meta, params, batch), expected)


def test_a_learned_loss_takes_soft_labels() -> None:
    problem = built(MLP, LOSSES["smoothing"], {"kind": "distilled_images", "labels": "learned"})
    assert_exact(problem)


def test_what_was_learned_is_shown() -> None:
    def picture(item, **changes):
        problem = built({**MLP, **changes}, item)
        meta = elsewhere(problem)
        return problem.test_figures(meta, 0), problem.pictures(meta, 0)[-1].drawing

    _, confusions = picture(LOSSES["confusions"])
    assert isinstance(confusions, Images)
    assert confusions.array().shape == (10, 1, 10, 1)
    figures, weights = picture(LOSSES["weights"], label_noise=0.4)
    assert 0.0 < figures["weight_of_corrupted"] < 2.0
    assert 0.0 < figures["weight_of_clean"] < 2.0
    assert [line.label for line in weights.lines] == ["right label", "wrong label"]
    assert all(line.y == sorted(line.y) for line in weights.lines)
    figures, weights = picture(LOSSES["weights"])
    assert "weight_of_clean" not in figures
    assert len(weights.lines) == 1
    _, curves = picture(LOSSES["network"])
    assert isinstance(curves, Curves)
    learned, usual = curves.lines
    assert usual.dashed
    assert usual.y[0] == pytest.approx(-math.log(0.01))
    assert learned.y != usual.y


def test_impossible_pairs_are_refused() -> None:
    weights = LOSSES["weights"]
    with pytest.raises(SpecError, match=r"learner trains on distilled images"):
        built(MLP, weights, {"kind": "distilled_images"})
    with pytest.raises(SpecError, match=r"fills the slot 'loss function' by itself"):
        built(MLP, weights, LOSSES["network"])
    with pytest.raises(SpecError, match=r"only an inner task that reads it"):
        built("quadratic", weights)
    with pytest.raises(SpecError, match=r"meta_parameters\.0.*initial.*less than 1"):
        built(MLP, {**LOSSES["smoothing"], "initial": 1.0})
