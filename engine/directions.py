"""Which way each series of a run is better: the one place that says it.

Free of torch: a run's summary, the table of runs and the comparison all ask here. A series that is
not named has no direction: a meta-gradient is not better for being long.
"""

from __future__ import annotations

from typing import Literal

Better = Literal["lower", "higher"]

BETTER: dict[str, Better] = {
    "meta_loss": "lower",
    "bias": "lower",
    "bias_relative": "lower",
    "bias_smoothed_relative": "lower",
    "cosine": "higher",
    "variance": "lower",
    "variance_relative": "lower",
    "peak_bytes": "lower",
    "step_seconds": "lower",
    "test_accuracy": "higher",
    "test_accuracy_best": "higher",
    "test_accuracy_mixed": "higher",
    "test_accuracy_random": "higher",
    "test_accuracy_real": "higher",
    "test_loss": "lower",
    "test_loss_adam": "lower",
    "test_perplexity": "lower",
    "transfer_loss": "lower",
    "transfer_loss_adam": "lower",
    "architecture_rank": "lower",
    "weight_of_clean": "higher",
    "weight_of_corrupted": "lower",
    "residual": "lower",
    "inner_gradient_norm": "lower",
    "effective_sample_size": "higher",
    "smoothed_standard_error": "lower",
    "best": "lower",
}


def is_better(name: str, value: float, than: float) -> bool:
    """Whether `value` of the series `name`, which has a direction, beats `than`; both finite."""
    return value < than if BETTER[name] == "lower" else value > than
