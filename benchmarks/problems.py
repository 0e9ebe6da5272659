"""The inner loops that are timed; those whose data are not on this machine are left out."""

from engine import data
from engine.building import build_problem
from engine.problem import Learner
from engine.spec import validate

SPECS = {
    "digits, 64-32-10": {"dataset": "digits", "hidden": [32]},
    "Fashion-MNIST, 784-512-512-10": {"dataset": "fashion_mnist", "hidden": [512, 512]},
}
HORIZONS = {"digits": 100, "fashion_mnist": 20}


def problems() -> dict[str, Learner]:
    """Label to inner loop: SGD, one learning rate to meta-learn, float32, CPU."""
    return {
        f"{label}, T = {HORIZONS[options['dataset']]}": build_problem(
            validate(
                {
                    "inner_task": {"kind": "image_mlp", **options},
                    "inner": {"steps": HORIZONS[options["dataset"]]},
                    "device": "cpu",
                }
            )
        )
        for label, options in SPECS.items()
        if data.available(options["dataset"])
    }
