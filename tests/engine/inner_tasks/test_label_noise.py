"""Wrong labels: as many as asked for, of another class, the same in every run."""

import torch

from engine.inner_tasks.images import ImageMLP
from engine.spec import inner_tasks as specs


def task(**options) -> ImageMLP:
    return ImageMLP(specs.ImageMLP(**options), device=torch.device("cpu"), dtype=torch.float64)


def test_a_share_of_the_training_labels_is_wrong_and_no_other() -> None:
    clean, noisy = task(), task(label_noise=0.4)
    wrong = clean.train.labels != noisy.train.labels
    assert torch.equal(wrong, noisy.corrupted)
    assert abs(wrong.double().mean() - 0.4) < 0.05
    assert torch.equal(clean.validation.labels, noisy.validation.labels)
    assert torch.equal(clean.test.labels, noisy.test.labels)
    assert not clean.corrupted.any()
    others = (noisy.train.labels - clean.train.labels)[wrong] % 10
    assert others.unique().tolist() == list(range(1, 10))


def test_an_examples_label_does_not_depend_on_how_many_are_used() -> None:
    few, all_of_them = task(label_noise=0.4, train_examples=50), task(label_noise=0.4)
    assert torch.equal(few.train.labels, all_of_them.train.labels[:50])


def test_a_batch_knows_which_examples_it_has() -> None:
    noisy = task(label_noise=0.4)
    batch = noisy.batch(torch.tensor(3), 5)
    assert torch.equal(noisy.train.labels[batch.indices], batch.labels)
    assert torch.equal(noisy.whole_batch(torch.tensor(0)).indices, torch.arange(997))
