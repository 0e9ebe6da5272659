"""Distilled images: exact meta-gradients, where they start, and how they are shown."""

import pytest
import torch

from engine.pictures import Curves
from engine.spec import SpecError, validate
from tests.engine.finite_differences import assert_exact, assert_implicit_is_exact, built

SMALL = {"activation": "tanh", "batch_size": 6, "train_examples": 60, "validation_examples": 20}
MLP = {"kind": "image_mlp", "hidden": [3], **SMALL}
CNN = {"kind": "image_cnn", "channels": [2, 2], **SMALL}
SIGNALS = {"kind": "image_mlp", "dataset": "mnist1d", "hidden": [3], **SMALL}
LOGISTIC = {"kind": "image_mlp", "dataset": "mnist1d", "hidden": [], **SMALL}
NOISE = {"kind": "distilled_images"}
SOFT = {**NOISE, "labels": "learned"}
REAL = {**NOISE, "start": "real", "images_per_class": 2}
IN_TURN = {**REAL, "each_step": "one_per_class"}


@pytest.mark.parametrize(
    ("task", "items"),
    [
        (MLP, [IN_TURN, {"kind": "learning_rate", "granularity": "per_step"}]),
        (CNN, [NOISE]),
        (SIGNALS, [SOFT, {"kind": "weight_decay", "initial": 0.1}]),
    ],
    ids=["mlp, in turn, rates", "cnn", "signals, decay"],
)
def test_meta_gradients_are_exact(task, items) -> None:
    assert_exact(built(task, *items))


def test_implicit_differentiation_is_exact_at_the_stationary_point() -> None:
    decay = {"kind": "sgd", "weight_decay": 0.3}
    assert_implicit_is_exact(built(LOGISTIC, SOFT, optimizer=decay, objective="final"))


def distilled(item, t=0, seed=0):
    problem = built(MLP, item)
    (images,) = problem.meta_parameters
    meta = problem.initial_meta(seed)
    return images.batch(meta, None, torch.tensor(seed), t), meta, problem


def test_real_ones_are_different_training_images_of_their_class() -> None:
    batch, _, problem = distilled(REAL)
    assert batch.labels.tolist() == [label for label in range(10) for _ in range(2)]
    train = problem.task.train
    for image, label in zip(batch.inputs, batch.labels, strict=True):
        places = (train.inputs == image).all(1).nonzero().flatten()
        assert label in train.labels[places]
    assert len(batch.inputs.unique(dim=0)) == 20
    assert not torch.equal(batch.inputs, distilled(REAL, seed=1)[0].inputs)


def test_learned_labels_start_at_their_class() -> None:
    batch, *_ = distilled(SOFT)
    torch.testing.assert_close(batch.labels.sum(1), torch.ones(10, dtype=torch.float64))
    torch.testing.assert_close(batch.labels.diagonal(), torch.full((10,), 0.9).double())


def test_one_image_of_each_class_in_turn() -> None:
    every, _, _ = distilled(REAL)
    for t in range(3):
        some, *_ = distilled(IN_TURN, t=torch.tensor(t))
        assert some.labels.tolist() == list(range(10))
        assert torch.equal(some.inputs, every.inputs[t % 2 :: 2])


def test_the_picture_has_a_column_for_each_class() -> None:
    problem = built(MLP, {**SOFT, "images_per_class": 2})
    [picture] = problem.pictures(problem.initial_meta(0), 0)
    assert picture.drawing.array().shape == (20, 8, 8, 1)
    assert picture.drawing.columns == 10
    assert picture.drawing.captions[:3] == ["0: 90%", "1: 90%", "2: 90%"]
    real = built(MLP, REAL)
    [picture] = real.pictures(real.initial_meta(0), 0)
    # Black and white of the data set: digits have 17 shades of grey.
    assert len(set(picture.drawing.array().flatten().tolist())) <= 17
    signals = built(SIGNALS, NOISE)
    [picture] = signals.pictures(signals.initial_meta(0), 0)
    assert isinstance(picture.drawing, Curves)
    assert [line.label for line in picture.drawing.lines] == [str(label) for label in range(10)]


def test_impossible_pairs_are_refused() -> None:
    document = {
        "inner_task": MLP,
        "meta_parameters": [IN_TURN],
        "estimators": [{"kind": "implicit"}],
    }
    with pytest.raises(SpecError, match=r"meta_parameters\.0\.each_step.*allowed: 'all'"):
        validate(document)
    with pytest.raises(SpecError, match=r"cannot learn 'distilled_images'"):
        validate({**document, "meta_parameters": [NOISE], "estimators": [{"kind": "fomaml"}]})
    with pytest.raises(SpecError, match=r"only an inner task that reads it"):
        validate({"meta_parameters": [NOISE], "inner_task": {"kind": "quadratic"}})


def test_a_class_without_an_example_is_named() -> None:
    problem = built({**MLP, "train_examples": 10}, NOISE)
    present = set(problem.task.train.labels.tolist())
    missing = min(set(range(10)) - present)
    with pytest.raises(ValueError, match=f"none of the 10 training examples is of class {missing}"):
        built({**MLP, "train_examples": 10}, REAL)
