"""A hyper-parameter of the inner optimizer as a meta-parameter, at any granularity."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from engine.meta_parameters.curves import over_entries, over_steps
from engine.meta_parameters.meta_parameter import MetaParameter
from engine.pictures import Picture
from engine.problem import Hyper, Meta, Params


class HyperParameter(MetaParameter):
    """θ holds one value, or one for every tensor, parameter or inner step.

    Shapes in θ: scalar [], per_tensor [number of tensors], per_step [T], and for per_parameter one
    tensor `<name>.<parameter>` of each parameter's shape. On the scale `log`, θ holds logarithms,
    and on the scale `logit` those of the odds v / (1 − v), which keep a value between 0 and 1.
    """

    name: ClassVar[str]

    def __init__(
        self, options: Any, *, task: Any, horizon: int, start: float | None = None
    ) -> None:
        super().__init__(options, task=task, horizon=horizon)
        self.start = options.initial if options.initial is not None else start
        self.granularity = getattr(options, "granularity", "scalar")
        self.scale = getattr(options, "scale", "linear")
        self.logarithmic, self.odds = self.scale != "linear", self.scale == "logit"

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
        return {key: total * self._slope(meta[key].to(total))}

    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """The values of all steps in order, or of all parameters sorted; few numbers are series."""
        now, before = (self._values(theta) for theta in (meta, problem.initial_meta(seed)))
        title = self.options.title
        if self.granularity == "per_step":
            return [over_steps(self.name, title, now, before)]
        if self.granularity == "per_parameter":
            return [over_entries(self.name, title, now, before)]
        return []

    def _values(self, meta: Meta) -> Tensor:
        """Every value that θ holds, in one vector."""
        own = [leaf for key, leaf in meta.items() if key.partition(".")[0] == self.name]
        return torch.cat([self._value(leaf).reshape(-1) for leaf in own])

    def _value(self, entry: Tensor) -> Tensor:
        if self.scale == "logit":
            return entry.sigmoid()
        return entry.exp() if self.scale == "log" else entry

    def _slope(self, entry: Tensor) -> Tensor | float:
        """Derivative of the value by θ's entry."""
        value = self._value(entry)
        return {"linear": 1.0, "log": value, "logit": value * (1.0 - value)}[self.scale]

    def _filled(self, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        value = torch.full(shape, self.start, dtype=torch.float64)
        inverse = {"linear": torch.Tensor.clone, "log": torch.log, "logit": torch.logit}[self.scale]
        return inverse(value).to(like)
