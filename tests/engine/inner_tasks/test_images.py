"""Image tasks: pure, differentiable twice in both orders, and able to learn."""

import math

import pytest
import torch
from torch.func import functional_call, grad, jvp, vjp, vmap

from engine.inner_optimizers.sgd import SGD
from engine.inner_tasks.images import ImageCNN, ImageMLP
from engine.problem import Learner
from engine.spec import SpecError, validate
from engine.spec import inner_tasks as specs

CPU = torch.device("cpu")
SEED = torch.tensor(0)


def mlp(dtype=torch.float64, **options) -> ImageMLP:
    return ImageMLP(specs.ImageMLP(**options), device=CPU, dtype=dtype)


def cnn(dtype=torch.float64, **options) -> ImageCNN:
    return ImageCNN(specs.ImageCNN(**options), device=CPU, dtype=dtype)


SMALL = {
    "mlp": lambda: mlp(hidden=[3], activation="tanh", batch_size=4, validation_examples=10),
    "mlp of gelu, two layers": lambda: mlp(hidden=[3, 2], activation="gelu", batch_size=4),
    "logistic regression": lambda: mlp(hidden=[], batch_size=4),
    "cnn": lambda: cnn(channels=[2, 2], activation="tanh", batch_size=3, validation_examples=10),
    "cnn of signals": lambda: cnn(
        dataset="mnist1d", channels=[2], activation="tanh", batch_size=3, validation_examples=10
    ),
}


@pytest.fixture(params=SMALL)
def task(request):
    return SMALL[request.param]()


def batch(task, seed=0, t=0):
    return task.batch(torch.tensor(seed), t)


def like(params, seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(w.shape, generator=generator, dtype=w.dtype) for name, w in params.items()
    }


def dot(first, second):
    return sum((first[name] * second[name]).sum() for name in first)


def close(first, second, tolerance=1e-10):
    for name in second:
        torch.testing.assert_close(first[name], second[name], rtol=tolerance, atol=tolerance)


def test_gradients_match_finite_differences(task):
    params = {name: w.requires_grad_() for name, w in task.initial_params(0).items()}
    taken = batch(task)

    def loss(*values):
        return task.training_loss(dict(zip(params, values, strict=True)), taken)

    assert torch.autograd.gradcheck(loss, tuple(params.values()))


def test_hessian_vector_products_agree_in_both_orders_and_with_finite_differences(task):
    params, taken = task.initial_params(0), batch(task)
    direction = like(params, 1)

    def gradient(w):
        return grad(task.training_loss)(w, taken)

    _, forward_over_reverse = jvp(gradient, (params,), (direction,))
    _, pull_back = vjp(gradient, params)
    (reverse_over_reverse,) = pull_back(direction)
    close(forward_over_reverse, reverse_over_reverse)
    step = 1e-5
    ahead = gradient({name: w + step * direction[name] for name, w in params.items()})
    behind = gradient({name: w - step * direction[name] for name, w in params.items()})
    measured = {name: (ahead[name] - behind[name]) / (2 * step) for name in params}
    close(forward_over_reverse, measured, tolerance=1e-7)


def test_a_tangent_of_the_loss_is_the_gradient_along_it(task):
    params, taken = task.initial_params(0), batch(task)
    direction = like(params, 1)
    _, tangent = jvp(lambda w: task.training_loss(w, taken), (params,), (direction,))
    gradient = grad(task.training_loss)(params, taken)
    torch.testing.assert_close(tangent, dot(gradient, direction))


def test_particles_together_equal_particles_one_by_one(task):
    taken = batch(task)
    each = [task.initial_params(seed) for seed in range(3)]
    together = {name: torch.stack([params[name] for params in each]) for name in each[0]}
    gradients = vmap(grad(task.training_loss), in_dims=(0, None))(together, taken)
    losses = vmap(task.validation_loss, in_dims=(0, None))(together, SEED)
    for index, params in enumerate(each):
        alone = grad(task.training_loss)(params, taken)
        close({name: gradients[name][index] for name in alone}, alone)
        torch.testing.assert_close(losses[index], task.validation_loss(params, SEED))


def test_seeds_together_equal_seeds_one_by_one(task):
    params = task.initial_params(0)
    seeds = torch.arange(3)
    losses = vmap(lambda seed: task.training_loss(params, task.batch(seed, 5)))(seeds)
    for seed in seeds:
        alone = task.training_loss(params, task.batch(seed, 5))
        torch.testing.assert_close(losses[seed], alone)


def test_a_batch_depends_on_seed_and_step_alone(task):
    first = batch(task, seed=3, t=7)
    again = batch(task, seed=3, t=torch.tensor(7))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.inputs, batch(task, seed=3, t=8).inputs)
    assert not torch.equal(first.inputs, batch(task, seed=4, t=7).inputs)


def test_parameters_have_the_shapes_of_the_spec(task):
    params = task.initial_params(0)
    assert {name: tuple(w.shape) for name, w in params.items()} == task.shapes
    assert all(w.dtype == torch.float64 for w in params.values())


def test_parameters_start_as_torch_layers_do():
    task = mlp(hidden=[400])
    first, again, other = (task.initial_params(seed) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["layers.0.weight"], other["layers.0.weight"])
    layer = torch.nn.Linear(64, 400)
    bound = 1 / math.sqrt(64)
    for name, theirs in (("weight", layer.weight), ("bias", layer.bias)):
        ours = first[f"layers.0.{name}"]
        assert ours.abs().max() <= bound
        assert theirs.abs().max() <= bound
        assert abs(ours.std() - bound / math.sqrt(3)) < 0.05 * bound


def test_precision_changes_the_start_only_by_rounding():
    double, single = mlp(torch.float64).initial_params(5), mlp(torch.float32).initial_params(5)
    for name, w in double.items():
        assert single[name].dtype == torch.float32
        assert torch.equal(single[name], w.to(torch.float32))


def test_the_cnn_computes_what_torch_modules_compute():
    task = cnn(channels=[3, 4], activation="relu", batch_size=8)
    block = torch.nn.Sequential
    network = block(
        block(torch.nn.Conv2d(1, 3, 3, padding=1), torch.nn.ReLU(), torch.nn.AvgPool2d(2)),
        block(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.AvgPool2d(2)),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 10),
    ).double()
    params = task.initial_params(0)
    names = ["0.0.weight", "0.0.bias", "1.0.weight", "1.0.bias", "3.weight", "3.bias"]
    theirs = dict(zip(names, params.values(), strict=True))
    inputs = batch(task).inputs
    expected = functional_call(network, theirs, (inputs,))
    torch.testing.assert_close(task.logits(params, inputs), expected)


def test_no_batch_size_means_all_of_the_data():
    task = mlp(batch_size=None, train_examples=50)
    params = task.initial_params(0)
    whole = task.training_loss(params, task.whole_batch(SEED))
    assert len(batch(task).labels) == 50
    assert torch.equal(task.training_loss(params, batch(task)), whole)


def test_examples_are_cut_to_what_the_spec_asks_for():
    task = mlp(train_examples=20, validation_examples=30, batch_size=200)
    assert len(task.train.labels) == 20
    assert len(task.validation.labels) == 30
    assert len(mlp(validation_examples=None).validation.labels) == 500


def test_accuracy_is_judged_as_what_is_missed():
    task = mlp(meta_loss="accuracy")
    params = task.initial_params(0)
    hits = task.logits(params, task.validation.inputs).argmax(1) == task.validation.labels
    error = 1 - hits.double().mean().item()
    assert task.validation_loss(params, SEED).item() == pytest.approx(error)


@pytest.mark.parametrize("build", [mlp, cnn])
def test_the_figures_of_the_test_are_those_of_examples_that_neither_loop_has_seen(build):
    task = build(batch_size=100)
    learner = Learner(
        task=task, optimizer=SGD(), fixed={"learning_rate": 0.2, "weight_decay": 0.0},
        meta_parameters=[], horizon=40, objective="final",
    )  # fmt: skip
    figures = learner.test_figures({}, 3)
    params = learner.final_params({}, 3)
    logits = task.logits(params, task.test.inputs)
    assert len(task.test.labels) == 300
    assert figures["test_loss"] == pytest.approx(task.training_loss(params, task.test).item())
    hits = logits.argmax(1) == task.test.labels
    assert figures["test_accuracy"] == pytest.approx(hits.double().mean().item())
    assert figures["test_accuracy"] > 0.2


def test_tasks_of_one_data_set_share_its_tensors():
    first, second = mlp(hidden=[3]), cnn(channels=[2])
    assert first.train.inputs.data_ptr() == second.train.inputs.data_ptr()


def test_the_mlp_learns_digits_in_300_plain_steps():
    task = mlp(torch.float32, hidden=[32], batch_size=64)
    params, seed = task.initial_params(0), torch.tensor(0)
    gradient = grad(task.training_loss)
    for t in range(300):
        slope = gradient(params, task.batch(seed, t))
        params = {name: w - 0.1 * slope[name] for name, w in params.items()}
    assert task.validation_accuracy(params) > 0.93


def test_more_examples_than_the_data_set_has_are_refused():
    task = {"kind": "image_mlp", "dataset": "mnist1d", "train_examples": 3000}
    assert validate({"inner_task": task}).inner_task.train_examples == 3000
    with pytest.raises(SpecError, match=r"inner_task\.validation_examples: allowed: 10 to 1,000"):
        validate({"inner_task": task | {"validation_examples": 1001}})
