"""The inner loops that are timed; those whose data are not on this machine are left out."""

from typing import Any

from engine import data
from engine.building import build_problem
from engine.problem import Learner
from engine.spec import validate

SPECS = {
    "digits, 64-32-10": {"dataset": "digits", "hidden": [32]},
    "Fashion-MNIST, 784-512-512-10": {"dataset": "fashion_mnist", "hidden": [512, 512]},
}
HORIZONS = {"digits": 100, "fashion_mnist": 200}


def problems(learned: str = "learning_rate", **task: Any) -> dict[str, Learner]:
    """Label to inner loop: SGD, one meta-parameter, float32, CPU; `task` changes the inner task."""
    return {
        f"{label}, T = {HORIZONS[options['dataset']]}": build_problem(
            validate(
                {
                    "inner_task": {"kind": "image_mlp", **options, **task},
                    "inner": {"steps": HORIZONS[options["dataset"]]},
                    "meta_parameters": [{"kind": learned, "initial": 0.1}],
                    "device": "cpu",
                }
            )
        )
        for label, options in SPECS.items()
        if data.available(options["dataset"])
    }
