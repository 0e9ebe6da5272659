"""The initial-parameters slot, as MAML learns it (Finn, Abbeel and Levine, 2017)."""

from typing import Any

from torch import Tensor

from engine.problem import Hyper, Meta, Params


class Initialisation:
    """θ holds `initialisation.<parameter>` for every parameter tensor, of its shape."""

    def __init__(self, options: Any, start: float | None) -> None:
        pass

    def initial(self, params: Params, horizon: int) -> Meta:
        return {f"initialisation.{name}": w for name, w in params.items()}

    def hyper(self, meta: Meta, names: list[str], t: int | Tensor) -> Hyper:
        return {}

    def initial_params(self, meta: Meta, params: Params) -> Params:
        return {name: meta[f"initialisation.{name}"] for name in params}
