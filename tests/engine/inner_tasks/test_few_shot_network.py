"""Learners that a network makes of an episode: by comparison, and by reading."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import minimize

from engine import estimate, trees
from engine.building import build_problem
from engine.inner_tasks.support_vectors import solution
from engine.spec import SpecError, validate
from tests.engine.pairs import assert_slopes
from tests.engine.slopes import meta_loss

SMALL = {
    "ways": 2, "shots": 2, "queries": 2, "image_size": 16, "filters": 2, "units": 3,
    "activation": "tanh", "pooling": "average", "test_episodes": 3,
}  # fmt: skip
METRIC = [{"head": head} for head in ("prototypical", "matching", "relation", "ridge", "svm")]
READERS = [{"reader": reader} for reader in ("lstm", "snail")]
EVERY = [*METRIC, *READERS]
SEED = torch.tensor(3)


def built(options, **spec):
    kind = "few_shot_metric" if "head" in options else "few_shot_black_box"
    steps = 1 if "head" in options else 4
    return build_problem(
        validate(
            {
                "inner_task": {"kind": kind, **SMALL, **options},
                "inner": {"steps": steps},
                "meta_parameters": [{"kind": "network"}],
                "probes": {"oracle": False},
                "precision": "float64",
                "device": "cpu",
                **spec,
            }
        )
    )


def name_of(options) -> str:
    return next(iter(options.values()))


def final(problem, meta=None, seed=3):
    return problem.final_params(meta or problem.initial_meta(0), seed)


@pytest.mark.parametrize("options", EVERY, ids=name_of)
def test_gradients_are_slopes_in_both_modes(options):
    problem = built(options)
    meta = problem.initial_meta(1)
    exact = estimate(problem, {"kind": "unrolled", "storage": "full"}, meta)
    assert_slopes(lambda theta: meta_loss(problem, theta), meta, exact.gradient)
    forward = estimate(problem, {"kind": "forward_mode"}, meta)
    difference = trees.flat(forward.gradient) - trees.flat(exact.gradient)
    assert difference.norm() < 1e-8 * trees.flat(exact.gradient).norm()


@pytest.mark.parametrize("options", [METRIC[4], READERS[1]], ids=name_of)
def test_episodes_together_are_the_mean_of_episodes_alone(options):
    from engine.together import together

    problem = built(options)
    meta = problem.initial_meta(1)
    several = together(problem, 3, stride=1)
    whole = estimate(several, {"kind": "unrolled"}, meta)
    alone = [estimate(problem, {"kind": "unrolled"}, meta, seed=seed) for seed in range(3)]
    assert whole.meta_loss == pytest.approx(sum(one.meta_loss for one in alone) / 3)
    mean = torch.stack([trees.flat(one.gradient) for one in alone]).mean(0)
    torch.testing.assert_close(trees.flat(whole.gradient), mean, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("options", EVERY, ids=name_of)
def test_what_is_measured_and_shown_is_of_held_out_letters(options):
    problem = built(options)
    meta = problem.initial_meta(0)
    figures = problem.test_figures(meta, 0)
    assert 0 <= figures["test_accuracy"] <= 1
    assert figures == problem.test_figures(meta, 7)
    [picture] = problem.pictures(meta, 0)
    assert len(picture.drawing.captions) == len(picture.drawing.right) == 8
    assert all("\u0531" <= letter <= "\u0587" for letter in picture.drawing.captions)


@pytest.mark.parametrize("options", METRIC, ids=name_of)
def test_episodes_for_testing_may_have_other_numbers_of_classes(options):
    as_in_training, others = built(options), built({**options, "test_ways": 3})
    meta = others.initial_meta(0)
    assert len(others.pictures(meta, 0)[0].drawing.captions) == 12
    as_usual = built({**options, "ways": 3})
    assert others.test_figures(meta, 0) == as_usual.test_figures(meta, 0)
    assert as_in_training.task.shapes == others.task.shapes


def test_prototypes_are_means_and_scores_minus_squared_distances():
    problem = built({"head": "prototypical"})
    params = final(problem)
    means = torch.stack([params["support"][:2].mean(0), params["support"][2:].mean(0)])
    torch.testing.assert_close(params["prototypes"], means)
    distances = torch.cdist(params["queries"], means) ** 2
    torch.testing.assert_close(problem.task.query_logits(params, SEED), -distances)


def test_matching_adds_up_the_attention_to_a_class():
    problem = built({"head": "matching"})
    params = final(problem)
    cosines = F.cosine_similarity(params["queries"][:, None], params["support"][None], dim=2)
    attention = (10.0 * cosines).softmax(1)
    expected = torch.stack([attention[:, :2].sum(1), attention[:, 2:].sum(1)], 1)
    found = problem.task.query_logits(params, SEED).softmax(1)
    torch.testing.assert_close(found, expected)


def test_the_ridge_head_is_the_least_penalised_regression_of_the_labels():
    problem = built({"head": "ridge", "shots": 4})
    params = final(problem)
    features, labels = params["support"], problem.task.one_hot()
    ones = torch.eye(features.shape[1], dtype=torch.float64)
    expected = torch.linalg.solve(features.T @ features + ones, features.T @ labels).T
    torch.testing.assert_close(params["weights"], expected)


@pytest.mark.parametrize("slack", [0.1, 3.0])
def test_support_vectors_are_those_of_a_general_solver(slack):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    labels = torch.eye(3, dtype=torch.float64).repeat_interleave(3, 0)
    found = solution(features @ features.T, labels, slack=slack).numpy()
    gram, gain = (features @ features.T).numpy(), labels.numpy()

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        alpha = flat.reshape(9, 3)
        slope = gram @ alpha + alpha - gain
        return 0.5 * (alpha * (gram @ alpha + alpha)).sum() - (alpha * gain).sum(), slope.ravel()

    general = minimize(
        objective, np.zeros(27), jac=True, method="SLSQP",
        bounds=[(None, most) for most in (slack * gain).ravel()],
        constraints={"type": "eq", "fun": lambda flat: flat.reshape(9, 3).sum(1)},
        options={"ftol": 1e-14, "maxiter": 1000},
    )  # fmt: skip
    assert objective(found.ravel())[0] == pytest.approx(general.fun, abs=1e-10)
    np.testing.assert_allclose(found.ravel(), general.x, atol=1e-6)
    assert (found <= slack * gain + 1e-12).all()
    assert abs(found.sum(1)).max() < 1e-12
    single = solution((features @ features.T).float(), labels.float(), slack=slack)
    np.testing.assert_allclose(single.numpy(), found, atol=1e-5)


def test_the_recurrent_reader_is_an_lstm():
    problem = built({"reader": "lstm"})
    meta = problem.initial_meta(0)
    params = final(problem, meta)
    examples = torch.cat([params["support"], problem.task.one_hot()], 1)
    lstm = torch.nn.LSTM(examples.shape[1], 3).double()
    with torch.no_grad():
        for name, ours in (("weight_ih_l0", "input.weight"), ("weight_hh_l0", "hidden.weight")):
            getattr(lstm, name).copy_(meta[f"network.lstm.{ours}"])
        lstm.bias_ih_l0.copy_(meta["network.lstm.bias"])
        lstm.bias_hh_l0.zero_()
        _, (hidden, cell) = lstm(examples)
        query = torch.cat([params["queries"][0], torch.zeros(2, dtype=torch.float64)])
        answer, _ = lstm(query[None], (hidden, cell))
    torch.testing.assert_close(params["hidden"], hidden[0])
    torch.testing.assert_close(params["cell"], cell[0])
    expected = F.linear(answer[0], meta["network.head.weight"], meta["network.head.bias"])
    torch.testing.assert_close(problem.task.query_logits(params, SEED)[0], expected)


def test_snail_is_causal_convolutions_and_attention_over_the_whole_sequence():
    """Column by column it is what convolutions and attention make of all of it at once."""
    problem = built({"reader": "snail"})
    meta = problem.initial_meta(0)
    network = {name.removeprefix("network."): leaf for name, leaf in meta.items()}
    params = final(problem, meta)
    query = torch.cat([params["queries"][1], torch.zeros(2, dtype=torch.float64)])
    examples = torch.cat([params["support"], problem.task.one_hot()], 1)
    sequence = torch.cat([examples, query[None]]).T[None]
    for layer in range(3):
        weight = network[f"convolutions.{layer}.weight"].unflatten(1, (2, -1)).transpose(1, 2)
        padded = F.pad(sequence, (2**layer, 0))
        bias = network[f"convolutions.{layer}.bias"]
        value, gate = F.conv1d(padded, weight, bias, dilation=2**layer).chunk(2, 1)
        sequence = torch.cat([sequence, value.tanh() * gate.sigmoid()], 1)
    columns = sequence[0].T
    torch.testing.assert_close(params["columns"], columns[:-1])
    asked, keys, values = (
        columns @ network[f"attention.{part}.weight"].T for part in ("query", "key", "value")
    )
    found = F.scaled_dot_product_attention(asked[None], keys[None], values[None], is_causal=True)
    last = torch.cat([columns[-1], found[0, -1]])
    expected = F.linear(last, network["head.weight"], network["head.bias"])
    torch.testing.assert_close(problem.task.query_logits(params, SEED)[1], expected)


@pytest.mark.parametrize(
    ("task", "steps", "allowed"),
    [({"kind": "few_shot_metric"}, 2, 1), ({"kind": "few_shot_black_box", "shots": 2}, 1, 10)],
)
def test_other_horizons_are_refused(task, steps, allowed):
    document = {
        "inner_task": task, "inner": {"steps": steps}, "meta_parameters": [{"kind": "network"}],
    }  # fmt: skip
    with pytest.raises(SpecError, match=rf"inner\.steps: .*; allowed: {allowed}"):
        validate(document)
    validate({**document, "inner": {"steps": allowed}})


def test_only_the_network_can_be_learned_and_nothing_by_an_inner_loss():
    document = {"inner_task": {"kind": "few_shot_metric"}, "inner": {"steps": 1}}
    with pytest.raises(SpecError, match="allowed: network among them"):
        validate(document)
    learned = {**document, "meta_parameters": [{"kind": "network"}]}
    with pytest.raises(SpecError, match="has no inner loss, so no stationary point"):
        validate({**learned, "estimators": [{"kind": "implicit"}]})
    with pytest.raises(SpecError, match="only an inner task that reads it can learn it"):
        validate({"meta_parameters": [{"kind": "network"}]})
