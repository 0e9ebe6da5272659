"""What the searches refuse, and that their defaults are a spec."""

import pytest

from engine.spec import SpecError, read_text, validate

WIDE = "inner_task: {kind: quadratic, dimension: 1001}\nmeta_parameters: [{kind: initialisation}]\n"


@pytest.mark.parametrize("kind", ["cma_es", "random", "grid", "bayesian", "population_based"])
def test_the_defaults_are_a_spec(kind) -> None:
    [estimator] = validate({"estimators": [{"kind": kind}]}).estimators
    assert estimator.proposes
    assert not estimator.differentiates
    assert estimator.label.startswith(estimator.title)


@pytest.mark.parametrize("kind", ["elites", "cma_es", "population_based"])
def test_two_widths_have_two_labels(kind) -> None:
    estimators = [{"kind": kind, "sigma": sigma} for sigma in (0.1, 2.0)]
    narrow, wide = validate({"estimators": estimators}).estimators
    assert narrow.label.endswith("σ = 0.1")
    assert wide.label.endswith("σ = 2")


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        (
            "estimators: [{kind: random, low: 2.0, high: 2.0}]",
            "estimators.0.high",
            "more than low, 2",
        ),
        (WIDE + "estimators: [{kind: cma_es}]", "estimators.0.kind", "at most 1,000"),
        (WIDE + "estimators: [{kind: bayesian}]", "estimators.0.kind", "at most 100"),
        (
            WIDE + "estimators: [{kind: grid, points: 2}]",
            "estimators.0.points",
            "more than the 1,000,000 points",
        ),
        (
            "outer: {steps: 8}\nestimators: [{kind: grid, points: 20, population: 3}]",
            "outer.steps",
            "used up after 7 generations of 3",
        ),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(text, path, message) -> None:
    with pytest.raises(SpecError) as refused:
        read_text(text)
    [error] = refused.value.errors
    assert error.path == path
    assert message in error.message


def test_a_grid_lasts_exactly_its_generations() -> None:
    read_text("outer: {steps: 7}\nestimators: [{kind: grid, points: 20, population: 3}]")
    read_text(WIDE + "estimators: [{kind: random}, {kind: elites}]")
