"""The regularizer slot: weight decay, and an L1 penalty."""

from torch import Tensor

from engine.meta_parameters.hyper_parameter import HyperParameter
from engine.problem import Hyper, Meta


class WeightDecay(HyperParameter):
    """The coefficient λ of the penalty (λ/2)‖w‖² in the inner loss."""

    name = "weight_decay"


class L1Penalty(HyperParameter):
    """The coefficient λ of λ Σ (√(w² + ε²) − ε) in the inner loss."""

    name = "l1_penalty"

    def hyper(self, meta: Meta, names: list[str], t: int | Tensor) -> Hyper:
        smoothing = dict.fromkeys(names, self.options.smoothing)
        return {**super().hyper(meta, names, t), "l1_smoothing": smoothing}
