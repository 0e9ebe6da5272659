"""What every few-shot task shares: its episodes, those that are held out, and the backbone."""

from __future__ import annotations

import copy
from math import sqrt
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.data.class_tensors import load_class_tensors
from engine.inner_tasks.backbones import Backbone, drawn_params
from engine.inner_tasks.episodes import Episodes
from engine.inner_tasks.inner_task import Params
from engine.pictures import Picture, images
from engine.problem import Meta
from engine.spec.inner_tasks import EpisodeTask as Options
from engine.values import with_values

META_TRAIN, META_TEST = 0, 2
NORMAL_QUANTILE = 1.96
"""Of a 95 % interval."""
SHOWN_QUERIES = 3
"""Of each class of the episode in the picture."""


class EpisodeTask:
    """The seed of an inner loop is its episode; `logits` is what a subclass adds.

    In meta-training the episodes come from the alphabets for that, whatever the seed; `held_out`
    is the same task on the alphabets for testing.
    """

    def __init__(self, options: Options, *, device: torch.device, dtype: torch.dtype) -> None:
        self.options = options
        self.shapes = options.parameter_shapes()
        self.device = device
        self.dtype = dtype
        self.backbone = Backbone(
            options.backbone, activation=options.activation, pooling=options.pooling
        )
        self.data = load_class_tensors(
            options.dataset, image_size=options.image_size, device=device
        )
        self.episodes = self._of(META_TRAIN)

    def _of(self, split: int) -> Episodes:
        with with_values():
            return Episodes(
                self.data,
                split,
                ways=self.options.ways,
                shots=self.options.shots,
                queries=self.options.queries,
                rotations=self.options.rotations and split == META_TRAIN,
                dtype=self.dtype,
            )

    def held_out(self) -> Self:
        other = copy.copy(self)
        other.episodes = self._of(META_TEST)
        return other

    def initial_params(self, seed: int) -> Params:
        return drawn_params(self.shapes, seed, self.device, self.dtype)

    def features(self, params: Params, inputs: Tensor) -> Tensor:
        return self.backbone.features(params, inputs)

    def query_logits(self, params: Params, seed: Tensor) -> Tensor:
        """Scores [ways · queries, ways] of the queries of an episode."""
        raise TypeError(f"{type(self).__name__} does not say how it classifies the queries")

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        """Mean cross-entropy on the episode's queries, in nats."""
        return F.cross_entropy(self.query_logits(params, seed), self.episodes.query(seed).labels)

    @torch.no_grad()
    def test_figures(self, problem: Any, meta: Meta, seed: int) -> dict[str, float]:
        """Over the same held-out episodes each time: share of queries that are classified
        correctly, with the ends of its 95 % interval over episodes, and mean cross-entropy."""
        task = self.held_out()
        problem = problem.with_task(task)
        accuracies, losses = [], []
        for episode in range(self.options.test_episodes):
            logits, labels = judged(problem, meta, episode)
            accuracies.append((logits.argmax(-1) == labels).double().mean())
            losses.append(F.cross_entropy(logits, labels).double())
        accuracy = torch.stack(accuracies)
        mean = accuracy.mean().item()
        room = NORMAL_QUANTILE * accuracy.std().item() / sqrt(len(accuracy))
        return {
            "test_accuracy": mean,
            "test_accuracy_low": mean - room,
            "test_accuracy_high": mean + room,
            "test_loss": torch.stack(losses).mean().item(),
        }

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """A held-out episode, a column for each class: what was learned from, then queries."""
        problem = problem.with_task(self.held_out())
        logits, _ = judged(problem, meta, 0)
        return [_picture(problem.task.episodes, logits.argmax(-1))]


def judged(problem: Any, meta: Meta, seed: int) -> tuple[Tensor, Tensor]:
    """Logits and labels of the queries of an episode, after the inner loop on its support."""
    params = problem.final_params(meta, seed)
    episode = torch.tensor(seed, device=next(iter(params.values())).device)
    query = problem.task.episodes.query(episode)
    return problem.task.query_logits(params, episode), query.labels


def _picture(episodes: Episodes, guesses: Tensor) -> Picture:
    ways, rows = episodes.ways, min(episodes.queries, SHOWN_QUERIES)
    seed = torch.zeros((), dtype=torch.int64, device=guesses.device)
    names = episodes.names(seed)
    shown = []
    for split, count in ((episodes.support(seed), episodes.shots), (episodes.query(seed), rows)):
        by_class = episodes.as_bytes(split.inputs).unflatten(0, (ways, -1))
        shown.append(by_class[:, :count].transpose(0, 1).flatten(0, 1))
    captions = names * episodes.shots
    right: list[bool | None] = [None] * len(captions)
    for guessed in guesses.unflatten(0, (ways, -1))[:, :rows].T.tolist():
        captions += [names[guess] for guess in guessed]
        right += [guess == label for label, guess in enumerate(guessed)]
    drawing = images(
        torch.cat(shown).movedim(1, 3).cpu().numpy(), columns=ways, captions=captions, right=right
    )
    shots = "image" if episodes.shots == 1 else "images"
    title = f"A held-out episode: {episodes.shots} {shots} of each class, and guesses"
    return Picture(name="episode", title=title, drawing=drawing)
