"""A carry read from a checkpoint goes back to where θ lives, but for what a library keeps."""

import pytest
import torch
from torch.utils import _pytree as pytree

from engine.searches import build_search
from engine.spec.installed import ESTIMATORS
from tests.engine.problems import quadratic

ELSEWHERE = torch.device("meta")
OPTIONS = {"population_based": {"interval": 2}}


@pytest.mark.parametrize("kind", [kind for kind, model in ESTIMATORS.items() if model.proposes])
def test_what_is_computed_with_goes_to_the_device(kind) -> None:
    problem = quadratic(steps=4)
    search = build_search({"kind": kind, **OPTIONS.get(kind, {}), "population": 8})
    carry = search.start(problem, problem.initial_meta(0), 0)
    generation, carry = search.evaluate(problem, carry, [0])
    carry = search.observe(carry, generation)
    restored = search.restored(carry, ELSEWHERE)
    assert list(restored) == list(carry)
    for name, value in restored.items():
        devices = {leaf.device for leaf in pytree.tree_leaves(value) if torch.is_tensor(leaf)}
        assert devices <= {ELSEWHERE if name in search.on_device else torch.device("cpu")}
    metas = search.propose(carry)
    assert all(leaf.device == torch.device("cpu") for leaf in metas.values())
    moved = pytree.tree_leaves([restored[name] for name in search.on_device])
    assert all(leaf.device == ELSEWHERE for leaf in moved)
