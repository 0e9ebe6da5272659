"""Gradient matching: its distance, exact meta-gradients, and the paper's direct one."""

import pytest
import torch
import torch.nn.functional as F

from engine import estimate, trees
from engine.data.tensors import Split
from engine.inner_tasks.gradient_matching import distance, instance_normed
from engine.spec import SpecError, validate
from tests.engine.finite_differences import built
from tests.engine.slopes import slope

TASK = {
    "kind": "gradient_matching",
    "width": 2,
    "blocks": 1,
    "activation": "tanh",
    "real_examples": 2,
    "test_epochs": 0,
}
IMAGES = {"kind": "distilled_images"}


@pytest.fixture
def problem():
    return built(TASK, {**IMAGES, "labels": "learned"}, estimators=[{"kind": "fomaml"}])


def test_meta_gradients_are_exact() -> None:
    several = {**IMAGES, "images_per_class": 2, "each_step": "one_per_class"}
    two = {"inner": {"steps": 2, "optimizer": {"kind": "momentum"}}}
    problem = built({**TASK, "blocks": 2}, several, {"kind": "learning_rate"}, **two)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "unrolled", "storage": "full"}, meta)
    gradient = trees.flat(found.gradient)
    source = torch.Generator().manual_seed(0)
    for direction in (gradient, torch.randn(gradient.shape, generator=source).double()):
        unit = direction / direction.norm()
        assert abs(slope(problem, meta, unit, 1e-5) - gradient @ unit) < 1e-5 * gradient.norm()
    mixed = estimate(problem, {"kind": "unrolled", "products": "forward_over_reverse"}, meta)
    assert (trees.flat(mixed.gradient) - gradient).norm() < 1e-8 * gradient.norm()


def test_fomaml_is_the_direct_derivative_at_networks_that_stand_still(problem) -> None:
    meta, state = problem.initial_meta(0), problem.initial_state(problem.initial_meta(0), 0)
    expected = dict.fromkeys(meta, 0.0)
    for t in range(problem.horizon):
        state = problem.step(state, meta, t)
        loss = torch.func.grad(lambda theta, s=state, t=t: problem.meta_loss(s, theta, t + 1))
        expected = {name: expected[name] + leaf / 4 for name, leaf in loss(meta).items()}
    found = estimate(problem, {"kind": "fomaml"}, meta)
    exact = estimate(problem, {"kind": "unrolled"}, meta)
    for name, leaf in expected.items():
        torch.testing.assert_close(found.gradient[name], leaf)
        assert not torch.allclose(exact.gradient[name], leaf, rtol=1e-6)


def test_no_distance_to_gradients_of_the_same_direction() -> None:
    weights = {
        "a.weight": torch.randn(4, 3, 3, 3).double(),
        "head.weight": torch.randn(2, 5).double(),
    }
    first = {**weights, "a.bias": torch.ones(4)}
    second = {name: 3.0 * leaf for name, leaf in weights.items()} | {"a.bias": -torch.ones(4)}
    assert distance(first, second).item() == pytest.approx(0.0, abs=1e-9)
    opposite = {name: -leaf for name, leaf in first.items()}
    assert distance(first, opposite).item() == pytest.approx(2.0 * (4 + 2))
    dead = {name: torch.zeros_like(leaf).requires_grad_() for name, leaf in first.items()}
    total = distance(first, dead)
    total.backward()
    assert total.item() == pytest.approx(6.0)
    assert dead["a.weight"].grad.isfinite().all()


def test_the_norm_is_that_of_torch() -> None:
    inputs = torch.randn(3, 4, 5, 6, dtype=torch.float64)
    scale, shift = torch.randn(2, 4, dtype=torch.float64)
    expected = F.instance_norm(inputs, weight=scale, bias=shift)
    torch.testing.assert_close(instance_normed(inputs, scale, shift), expected)


def test_real_images_of_a_comparison_are_of_their_class_and_new_each_time(problem) -> None:
    task, seen = problem.task, []

    def gradients(batch: Split):
        seen.append(batch)
        return {"head.weight": torch.ones(1, 1).double()}

    state = problem.initial_state(problem.initial_meta(0), 0)
    images = problem.distilled(problem.initial_meta(0), state["seed"], 0)
    for t in range(2):
        task.distance(gradients, images, state["seed"], t)
    labels = [batch.labels.tolist() for batch in seen[0:20:2]]
    assert labels == [[label] * 2 for label in range(10)]
    assert [batch.inputs.shape[0] for batch in seen[1:20:2]] == [1] * 10
    assert not torch.equal(seen[0].inputs, seen[20].inputs)


def test_new_networks_are_tested_on_distilled_and_on_real_images() -> None:
    task = {**TASK, "width": 8, "activation": "relu", "test_epochs": 20, "test_networks": 2}
    problem = built(task, {**IMAGES, "start": "real"}, precision="float32")
    figures = problem.test_figures(problem.initial_meta(0), 0)
    # The first distilled images are the random real ones.
    assert figures["test_accuracy"] == figures["test_accuracy_real"]
    assert figures["test_accuracy"] > 0.3
    noise = built(task, IMAGES, precision="float32")
    figures = noise.test_figures(noise.initial_meta(0), 0)
    assert figures["test_accuracy"] < figures["test_accuracy_real"]
    # All are tested, also where a step trains on some of them: as many as the real ones.
    in_turn = {**IMAGES, "start": "real", "images_per_class": 2, "each_step": "one_per_class"}
    several = built(task, in_turn, precision="float32")
    figures = several.test_figures(several.initial_meta(0), 0)
    assert figures["test_accuracy"] == figures["test_accuracy_real"]
    assert built(TASK, IMAGES).test_figures({}, 0) == {}


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(SpecError, match=r"allowed: distilled_images among them"):
        validate({"inner_task": TASK, "meta_parameters": [{"kind": "learning_rate"}]})
    with pytest.raises(SpecError, match=r"inner_task\.blocks.*allowed: 1 to 3, for images of 8"):
        validate({"inner_task": {**TASK, "blocks": 4}, "meta_parameters": [IMAGES]})
    both = [IMAGES, {"kind": "learning_rate"}]
    with pytest.raises(SpecError, match=r"cannot learn 'learning_rate'.*direct derivative alone"):
        validate({"inner_task": TASK, "meta_parameters": both, "estimators": [{"kind": "fomaml"}]})
