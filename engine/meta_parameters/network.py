"""The initial-parameters slot of a learner that keeps them: its network's weights."""

from engine.meta_parameters.meta_parameter import MetaParameter
from engine.problem import Meta, Params


class Network(MetaParameter):
    """θ holds `network.<parameter>` for every tensor that the task's `network_params` draws."""

    def initial(self, params: Params, seed: int) -> Meta:
        return {f"network.{name}": w for name, w in self.task.network_params(seed).items()}

    def completed(self, meta: Meta, params: Params) -> Params:
        return self.own(meta) | params
