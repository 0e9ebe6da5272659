"""A hyper-parameter of the inner optimizer as a meta-parameter, at any granularity."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from engine.meta_parameters.meta_parameter import MetaParameter
from engine.problem import Hyper, Meta, Params


class HyperParameter(MetaParameter):
    """θ holds one value, or one for every tensor, parameter or inner step.

    Shapes in θ: scalar [], per_tensor [number of tensors], per_step [T], and for per_parameter one
    tensor `<name>.<parameter>` of each parameter's shape. On the scale `log`, θ holds logarithms.
    """

    name: ClassVar[str]

    def __init__(
        self, options: Any, *, task: Any, horizon: int, start: float | None = None
    ) -> None:
        super().__init__(options, task=task, horizon=horizon)
        self.start = options.initial if options.initial is not None else start
        self.granularity = getattr(options, "granularity", "scalar")
        self.logarithmic = getattr(options, "scale", "linear") == "log"

    def initial(self, params: Params, seed: int) -> Meta:
        some = next(iter(params.values()))
        if self.granularity == "per_parameter":
            return {f"{self.name}.{key}": self._filled(w, w.shape) for key, w in params.items()}
        shape = {"scalar": (), "per_tensor": (len(params),), "per_step": (self.horizon,)}
        return {self.name: self._filled(some, shape[self.granularity])}

    def hyper(self, meta: Meta, names: list[str], t: int | Tensor) -> Hyper:
        if self.granularity == "per_parameter":
            values = {key: self._value(meta[f"{self.name}.{key}"]) for key in names}
        elif self.granularity == "per_tensor":
            values = dict(zip(names, self._value(meta[self.name]).unbind(), strict=True))
        else:
            entry = meta[self.name]
            if self.granularity == "per_step":
                # Plain indexing would ask a step number that is a tensor for its value.
                entry = entry.index_select(0, torch.as_tensor(t, device=entry.device)[None])[0]
            values = dict.fromkeys(names, self._value(entry))
        return {self.name: values}

    def collected(self, meta: Meta, name: str, by_value: Tensor) -> Meta:
        """dF/dθ from derivatives by the value that each step and entry saw, shape [T, *entries].

        For closed forms: `name` is the one parameter tensor that there is.
        """
        if self.granularity == "per_parameter":
            key, total = f"{self.name}.{name}", by_value.sum(0)
        elif self.granularity == "per_step":
            key, total = self.name, by_value.flatten(1).sum(1)
        else:
            key, total = self.name, by_value.sum().reshape(meta[self.name].shape)
        return {key: total * self._value(meta[key].to(total)) if self.logarithmic else total}

    def _value(self, entry: Tensor) -> Tensor:
        return entry.exp() if self.logarithmic else entry

    def _filled(self, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        value = torch.full(shape, self.start, dtype=torch.float64)
        return (value.log() if self.logarithmic else value).to(like)
