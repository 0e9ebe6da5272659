"""The initial-parameters slot, as MAML learns it (Finn, Abbeel and Levine, 2017).

With `last_layer` the inner loop moves the last layer alone, and every inner step, and the
meta-loss, take the layers before it from θ (ANIL: Raghu, Raghu, Bengio and Vinyals, 2020).
"""

from engine.meta_parameters.meta_parameter import MetaParameter
from engine.problem import Meta, Params
from engine.spec.inner_tasks import last_layer


class Initialisation(MetaParameter):
    """θ holds `initialisation.<parameter>` for every parameter tensor, of its shape."""

    def initial(self, params: Params, seed: int) -> Meta:
        every = self.task.initial_params(seed)
        return {f"initialisation.{name}": w for name, w in every.items()}

    def adapted(self, names: list[str]) -> list[str]:
        return names if self.options.adapts == "all" else last_layer(names)

    def initial_params(self, meta: Meta, params: Params) -> Params:
        return {name: meta[f"initialisation.{name}"] for name in params}

    def completed(self, meta: Meta, params: Params) -> Params:
        return params if self.options.adapts == "all" else self.own(meta) | params
