"""Character language models: what they read and compute, and that their derivatives are right."""

import math

import pytest
import torch
import torch.nn.functional as F

from engine import estimate, trees
from engine.building import build_problem
from engine.estimators import build_estimator
from engine.spec import SpecError, validate
from tests.engine.slopes import meta_loss

SMALL = {"sequence": 4, "batch_size": 3, "validation_windows": 4, "inner_loss_windows": 6}
LSTM = {"kind": "language_lstm", "embedding": 3, "units": 4, "layers": 2, **SMALL}
ONE_LAYER = {**LSTM, "layers": 1}
TRANSFORMER = {"kind": "language_transformer", "width": 4, "blocks": 1, **SMALL}
ADAM = {"kind": "adam", "epsilon": 0.05, "weight_decay": 0.03, "learning_rate": 0.01}
DROPOUTS = {"kind": "dropouts", "temperature": 0.3}


def learner(task, *meta_parameters, optimizer=ADAM, steps=3, **changes):
    document = {
        "inner_task": task,
        "inner": {"steps": steps, "optimizer": optimizer},
        "meta_parameters": list(meta_parameters) or [{"kind": "learning_rate"}],
        "precision": "float64",
        "device": "cpu",
        **changes,
    }
    return build_problem(validate(document))


def test_dropout_and_weight_decay_are_learned_together() -> None:
    """One meta-parameter at a time is in tests/engine/test_every_pair.py."""
    problem = learner(ONE_LAYER, DROPOUTS, {"kind": "weight_decay", "scale": "log"})
    meta = problem.initial_meta(0)
    unrolled, forward = (
        estimate(problem, {"kind": kind}, meta).gradient for kind in ("unrolled", "forward_mode")
    )
    for name, slope in unrolled.items():
        ahead, behind = (meta_loss(problem, {**meta, name: meta[name] + h}) for h in (1e-4, -1e-4))
        assert float(slope) == pytest.approx((ahead - behind) / 2e-4, rel=1e-5)
        assert float(slope) == pytest.approx(float(forward[name]), rel=1e-8)


def test_implicit_differentiation_sees_how_theta_moves_the_gradient_of_the_inner_loss() -> None:
    """−∂F/∂w · ∂²L/∂w∂θ, which is all of it where H is taken as the identity, against central
    differences of ∂L/∂w, dropout noise held at that of t = 0."""
    decays = {"kind": "weight_decay", "granularity": "per_tensor", "scale": "log", "initial": 0.01}
    problem = learner(LSTM, DROPOUTS, decays)
    meta, seed = problem.initial_meta(0), torch.tensor(0)
    implicit = estimate(problem, {"kind": "implicit", "solver": "identity"}, meta).gradient
    w = problem.final_params(meta, 0)
    by_w = torch.func.grad(lambda w: problem.task.validation_loss(w, seed))(w)

    def along_by_w(theta) -> float:
        slopes = torch.func.grad(lambda w: problem.inner_loss(w, theta))(w)
        return float(trees.dot(list(by_w.values()), list(slopes.values())))

    for name in ("dropouts.embedding", "dropouts.input", "dropouts.hidden", "weight_decay"):
        ahead, behind = (along_by_w({**meta, name: meta[name] + h}) for h in (1e-5, -1e-5))
        found = float(implicit[name].sum())
        assert found == pytest.approx((behind - ahead) / 2e-5, rel=1e-5)


def test_windows_are_stretches_of_their_part_of_the_text() -> None:
    task = learner(LSTM).task
    text = "".join(map(chr, task.train))
    seed = torch.tensor(3)
    for windows in (task.batch(seed, 7), task.whole_batch(seed)):
        for inputs, targets in zip(windows.inputs.t(), windows.targets.t(), strict=True):
            assert torch.equal(inputs[1:], targets[:-1])
            assert "".join(map(chr, [*inputs, targets[-1]])) in text
    assert torch.equal(task.batch(seed, 7).inputs, task.batch(seed, 7).inputs)
    assert not torch.equal(task.batch(seed, 7).inputs, task.batch(seed, 8).inputs)
    assert not torch.equal(task.validation.inputs, task.test.inputs)
    every = learner({**LSTM, "inner_loss_windows": None, "train_characters": 2048}).task
    side_by_side = every.whole_batch(seed)
    assert side_by_side.inputs.shape == (4, 2047 // 4)
    assert torch.equal(side_by_side.inputs.t().flatten(), every.train[: 2047 // 4 * 4])


def test_the_lstm_computes_what_torchs_own_does() -> None:
    task = learner(LSTM).task
    params, units = task.initial_params(0), task.options.units
    reference = torch.nn.LSTM(3, units, num_layers=2, dtype=torch.float64)
    with torch.no_grad():
        for layer in range(2):
            for own, theirs in (("input_weight", "weight_ih"), ("hidden_weight", "weight_hh")):
                i, f, o, g = params[f"layers.{layer}.{own}"].chunk(4)
                getattr(reference, f"{theirs}_l{layer}").copy_(torch.cat([i, f, g, o]))
            i, f, o, g = params[f"layers.{layer}.bias"].chunk(4)
            getattr(reference, f"bias_ih_l{layer}").copy_(torch.cat([i, f, g, o]))
            getattr(reference, f"bias_hh_l{layer}").zero_()
        hidden, _ = reference(params["embedding.weight"][task.test.inputs])
        expected = F.linear(hidden.flatten(0, 1), params["head.weight"], params["head.bias"])
    torch.testing.assert_close(task.logits(params, task.test), expected, rtol=1e-12, atol=1e-12)


def test_the_transformer_computes_what_torchs_own_attention_and_norm_do() -> None:
    task = learner(TRANSFORMER).task
    generator = torch.Generator().manual_seed(1)
    params = {
        name: w + 0.3 * torch.randn(w.shape, generator=generator, dtype=torch.float64)
        for name, w in task.initial_params(0).items()
    }

    def norm(name, x):
        return F.layer_norm(x, (4,), params[f"{name}.scale"], params[f"{name}.shift"])

    def linear(name, x):
        return F.linear(x, params[f"{name}.weight"], params[f"{name}.bias"])

    x = params["embedding.weight"][task.test.inputs.t()] + params["position.weight"]
    normed = norm("blocks.0.attention_norm", x)
    apart = F.linear(normed, params["blocks.0.attention_in.weight"])
    query, key, value = (
        part.reshape(4, 4, 2, 2).transpose(1, 2) for part in apart.split(4, dim=-1)
    )
    read = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    x = x + linear("blocks.0.attention_out", read.transpose(1, 2).reshape(4, 4, 4))
    inside = F.gelu(linear("blocks.0.mlp_in", norm("blocks.0.mlp_norm", x)))
    x = x + linear("blocks.0.mlp_out", inside)
    expected = linear("head", norm("norm", x)).transpose(0, 1).flatten(0, 1)
    torch.testing.assert_close(task.logits(params, task.test), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("task", [LSTM, TRANSFORMER], ids=lambda task: task["kind"])
def test_no_character_is_predicted_from_itself_or_a_later_one(task) -> None:
    task = learner(task).task
    params = task.initial_params(0)
    scores = task.logits(params, task.test).reshape(4, 4, -1)
    inputs = task.test.inputs.clone()
    inputs[2] = (inputs[2] + 1) % 27
    others = task.logits(params, task.test._replace(inputs=inputs)).reshape(4, 4, -1)
    assert torch.equal(scores[:2], others[:2])
    assert not torch.equal(scores[2], others[2])


def test_masks_leave_out_at_the_rate_and_keep_the_mean() -> None:
    rates = {"embedding": 0.4, "input": 0.2, "hidden": 0.6}
    task = {**LSTM, "embedding": 300, "units": 300, "inner_loss_windows": 20}
    problem = learner(task, {"kind": "dropouts", "temperature": 0.02, **rates})
    [item], meta, seed = problem.meta_parameters, problem.initial_meta(0), torch.tensor(5)
    masks = item.batch(meta, problem.task.whole_batch(seed), seed, 0).masks
    assert {name: tuple(mask.shape) for name, mask in masks.items()} == {
        "embedding": (27, 1), "input": (20, 300), "hidden": (2, 20, 300),
    }  # fmt: skip
    for name, rate in rates.items():
        mask = masks[name]
        error = 4 * (rate * (1 - rate) / mask.numel()) ** 0.5
        assert abs(float((mask * (1 - rate) < 0.5).double().mean()) - rate) < error
        assert abs(float(mask.mean()) - 1.0) < error / (1 - rate) + 0.02
    again = item.batch(meta, problem.task.whole_batch(seed), seed, 0).masks
    later = item.batch(meta, problem.task.whole_batch(seed), seed, 1).masks
    for name, mask in masks.items():
        assert torch.equal(mask, again[name])
        assert not torch.equal(mask, later[name])


def test_dropout_acts_in_training_and_not_in_judgement() -> None:
    problem = learner(LSTM, DROPOUTS)
    meta = problem.initial_meta(0)
    more = {name: logit + 2.0 for name, logit in meta.items()}
    state = problem.initial_state(meta, 0)
    assert problem.meta_loss(state, meta, 4) == problem.meta_loss(state, more, 4)
    assert problem.training_loss(state, meta, 0) != problem.training_loss(state, more, 0)
    assert problem.test_figures(meta, 0) != problem.test_figures(more, 0)


@pytest.mark.parametrize("kind", ["language_lstm", "language_transformer"])
def test_it_learns_more_than_how_frequent_the_characters_are(kind) -> None:
    task = {"kind": kind, "sequence": 8, "batch_size": 16, "validation_windows": 32}
    problem = learner(
        task, optimizer={"kind": "adam", "learning_rate": 0.03}, steps=50, precision="float32"
    )
    figures = problem.test_figures(problem.initial_meta(0), 0)
    counts = torch.bincount(problem.task.train, minlength=27) + 1.0
    unigram = -(counts / counts.sum()).log()[problem.task.test.targets].mean()
    assert figures["test_loss"] < float(unigram) - 0.1
    assert figures["test_perplexity"] == pytest.approx(math.exp(figures["test_loss"]))


def test_several_windows_seeds_and_thetas_go_together() -> None:
    """By vmap, as searches, evolution and meta-batches take them."""
    problem = learner(LSTM, DROPOUTS)
    metas = {
        name: torch.stack([leaf, leaf + 0.5]) for name, leaf in problem.initial_meta(0).items()
    }
    pairs = build_estimator({"kind": "evolution", "particles": 4, "chunk": 4})
    alone = build_estimator({"kind": "evolution", "particles": 4, "chunk": 1})
    meta = {name: leaf[1] for name, leaf in metas.items()}
    found, expected = (
        trees.flat(each.estimate(problem, meta, each.start(problem, meta, 0))[0].gradient)
        for each in (pairs, alone)
    )
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"inner_task": {"kind": "image_mlp"}}, "meta_parameters.0.kind", "language_lstm"),
        ({"inner_task": TRANSFORMER}, "meta_parameters.0.kind", "allowed inner_task.kind"),
        ({"inner_task": {**TRANSFORMER, "heads": 3}}, "inner_task.heads", "divisor of the width"),
        ({"meta_parameters": [{"kind": "dropouts", "input": 1.0}]}, "meta_parameters.0.input", "1"),
    ],
)
def test_what_cannot_be_is_refused(changes, path, message) -> None:
    document = {"inner_task": LSTM, "meta_parameters": [DROPOUTS], **changes}
    with pytest.raises(SpecError) as refused:
        validate(document)
    [error] = [error for error in refused.value.errors if error.path == path]
    assert message in error.message
