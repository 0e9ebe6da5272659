"""What implicit differentiation refuses, and what it is called."""

import pytest

from engine.spec import SpecError, expand, read_text

DECAY = "meta_parameters: [{kind: weight_decay}]\ninner_task: {kind: quadratic}\n"


@pytest.mark.parametrize("solver", ["identity", "exact"])
def test_a_solver_without_iterations_has_no_warm_start(solver: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_text(DECAY + f"estimators: [{{kind: implicit, solver: {solver}, warm_start: true}}]")
    [error] = refused.value.errors
    assert error.path == "estimators.0.warm_start"
    assert f"'{solver}' does not iterate" in str(error)
    assert "allowed: false, or solver 'cg', 'normal_cg' or 'neumann'" in str(error)


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ("solver: cg", "Implicit, cg 20"),
        ("solver: exact", "Implicit, exact"),
        ("solver: neumann, iterations: 5, warm_start: true", "Implicit, neumann 5, warm start"),
        (
            "solver: identity, products: finite_difference",
            "Implicit, identity, finite differences",
        ),
    ],
)
def test_a_label_tells_the_modes_apart(options: str, label: str) -> None:
    [run] = expand(read_text(DECAY + f"estimators: [{{kind: implicit, {options}}}]"))
    assert run.label == label
