"""Dropout with learned rates, through smooth masks of fixed noise (Gal, Hron and Kendall, 2017).

With the rate p and uniform noise u, an entry is left out by the share

    z = sigmoid((logit p + logit u) / temperature),

which is p on average as the temperature goes to 0, and is multiplied by (1 − z) / (1 − p). The
noise depends on the seed and the step alone, so that a loss is a smooth function of p.
"""

from math import prod

import torch
from torch import Tensor

from engine import random_bits
from engine.meta_parameters.meta_parameter import MetaParameter
from engine.problem import Meta, Params

NAMES = ("embedding", "input", "hidden")
NOISE_SEED = 1 << 40
"""Added to the seed, so that the noise is independent of the batches."""


class Dropouts(MetaParameter):
    """θ holds `dropouts.<place>`, the logit of a rate, 0-dimensional, for each place that the
    task's `mask_shapes` names."""

    logarithmic = odds = True
    """Logits are logarithms of odds."""

    def initial(self, params: Params, seed: int) -> Meta:
        some = next(iter(params.values()))
        rates = {name: getattr(self.options, name) for name in NAMES}
        return {
            f"dropouts.{name}": torch.logit(torch.tensor(rate, dtype=torch.float64)).to(some)
            for name, rate in rates.items()
        }

    def batch(self, meta: Meta, batch, seed: Tensor, t: int | Tensor):
        """`batch` with the masks of step `t`."""
        shapes = self.task.mask_shapes(batch.inputs.shape[1])
        sizes = [prod(shapes[name]) for name in NAMES]
        dtype = meta[f"dropouts.{NAMES[0]}"].dtype
        noise = torch.logit(random_bits.uniform(seed + NOISE_SEED, t, sum(sizes), torch.float64))
        masks = {}
        for name, part in zip(NAMES, noise.to(dtype).split(sizes), strict=True):
            logit = meta[f"dropouts.{name}"]
            kept = torch.sigmoid(-(logit + part) / self.options.temperature)
            masks[name] = (kept / torch.sigmoid(-logit)).reshape(shapes[name])
        return batch._replace(masks=masks)
