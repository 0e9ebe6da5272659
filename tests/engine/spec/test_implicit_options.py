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
        ("solver: cg, damping: 0.5", "Implicit, cg 20, damping 0.5"),
        ("solver: neumann, iterations: 5, warm_start: true", "Implicit, neumann 5, warm start"),
        ("solver: neumann, step_size: 0.5", "Implicit, neumann 20, step 0.5"),
        (
            "solver: identity, products: finite_difference",
            "Implicit, identity, finite differences",
        ),
    ],
)
def test_a_label_tells_the_modes_apart(options: str, label: str) -> None:
    [run] = expand(read_text(DECAY + f"estimators: [{{kind: implicit, {options}}}]"))
    assert run.label == label


def test_a_learner_is_tied_only_to_learned_initial_parameters() -> None:
    with pytest.raises(SpecError) as refused:
        read_text("inner: {proximal: 0.5}")
    [error] = refused.value.errors
    assert error.path == "inner.proximal"
    assert "allowed: 0, or 'initialisation' among the meta-parameters (given: 0.5)" in str(error)


def test_a_dynamical_system_is_tied_to_nothing() -> None:
    with pytest.raises(SpecError) as refused:
        read_text(
            "inner_task: {kind: influence_balancing}\ninner: {proximal: 0.5}\n"
            "meta_parameters: [{kind: drive}, {kind: initialisation}]"
        )
    assert "has no inner loss to which a proximal term belongs" in str(refused.value)


def test_the_initial_parameters_have_an_implicit_gradient_only_where_they_tie_the_learner() -> None:
    text = (
        "inner_task: {{kind: quadratic}}\nmeta_parameters: [{{kind: initialisation}}]\n"
        "inner: {{proximal: {}}}\nestimators: [{{kind: implicit}}]"
    )
    assert expand(read_text(text.format(0.5)))
    with pytest.raises(SpecError) as refused:
        read_text(text.format(0.0))
    [error] = refused.value.errors
    assert error.path == "estimators.0.kind"
    assert "initialisation with inner.proximal above 0" in str(error)
