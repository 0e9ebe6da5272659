"""Runs and series for the figures, which read no database: models that are never saved."""

import numpy as np

from webapp.experiments.models import Experiment
from webapp.exports.bands import Series
from webapp.exports.figures import Figure, build_figure
from webapp.exports.metrics import METRICS
from webapp.runs.models import Run

BOWL = Experiment(pk=1, name="bowl", code_version="abc1234")


def run(pk: int, *, seed: int = 0, label: str = "Unrolled", experiment: Experiment = BOWL) -> Run:
    """Runs of one label have one configuration, and so are one curve."""
    return Run(
        pk=pk,
        experiment=experiment,
        seed=seed,
        label=label,
        configuration=label,
        estimator="unrolled",
        colour=0,
        spec={},
    )


def seeds(count: int) -> list[Run]:
    """Runs 1 to `count`, which differ by seed alone."""
    return [run(seed + 1, seed=seed) for seed in range(count)]


def curve(*values: float, first: int = 0) -> Series:
    return np.arange(first, first + len(values)), np.array(values, dtype=np.float64)


def figure_of(*values: Series, metric: str = "meta_loss", **options) -> Figure:
    """The figure of one configuration whose seeds have these series."""
    series = {seed + 1: {metric: points} for seed, points in enumerate(values)}
    return build_figure(seeds(len(values)), series, METRICS[metric], **options)
