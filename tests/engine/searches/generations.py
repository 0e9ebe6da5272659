"""A generation whose losses a test chose."""

import math

from torch import Tensor

from engine.problem import Meta
from engine.searches.search import Generation


def generation_of(metas: Meta, losses: Tensor, *, at_incumbent: float = math.inf) -> Generation:
    incumbent = {name: leaf[0] for name, leaf in metas.items()}
    return Generation(
        metas=metas, losses=losses, incumbent=incumbent, at_incumbent=at_incumbent, inner_steps=0
    )
