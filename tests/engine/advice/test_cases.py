"""Advice case by case: each with the measurement or the paper that it rests on.

A case that rests on a measurement reads it from docs/results, and fails where that no longer says
so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

from engine.advice.advice import Advice, Verdict, advise
from engine.advice.facts import History, Past
from engine.forecast.records import EstimatorForecast, Machine, Work
from engine.presets import PRESETS
from engine.spec import Experiment, parse_text, validate
from engine.spec.editing import edited

RESULTS = Path(__file__).parents[3] / "docs" / "results"


def preset(slug: str, **edits: Any) -> Experiment:
    [text] = [preset.text for preset in PRESETS if preset.slug == slug]
    changes = {path.replace("__", "."): value for path, value in edits.items()}
    return validate(edited({**parse_text(text), "sweep": {}}, changes))


def of(advice: Advice, label: str) -> Verdict:
    [found] = [verdict for verdict in advice.verdicts if verdict.label == label]
    return found


def rules_of(verdict: Verdict) -> list[str]:
    return [reason.rule for reason in verdict.reasons]


def results(slug: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{slug}.json").read_text("utf-8"))


def last(slug: str, label: str, name: str) -> list[float]:
    """A series after the last outer step, of every seed."""
    return [float(r["last"][name]) for r in results(slug)["runs"] if r["label"] == label]


def history_of(slug: str) -> History:
    """What a lab knows that has the runs of docs/results."""
    labels = {run["label"] for run in results(slug)["runs"]}
    past = {}
    for label in labels:
        losses = last(slug, label, "meta_loss")
        past[label] = Past(
            runs=len(losses),
            meta_loss=mean(losses),
            meta_loss_error=stdev(losses) / len(losses) ** 0.5,
        )
    return History(by_label=past)


LECTURE = {
    "inner_task": {"kind": "image_mlp", "dataset": "fashion_mnist", "hidden": [512, 512]},
    "inner": {"steps": 4000},
    "meta_parameters": [{"kind": "learning_rate"}],
    "estimators": [{"kind": "unrolled", "storage": "full"}],
}
LECTURE_BYTES = {"full": 17_600_000_000, "checkpoint": 322_000_000, "per_step": 10_900_000_000}
"""benchmarks/README.md; per step: 549 MB at T = 200, and as much for every other 200 steps."""


def lecture_forecast(experiment: Experiment) -> EstimatorForecast:
    [estimator] = experiment.estimators
    size = LECTURE_BYTES.get(getattr(estimator, "storage", ""), 14_000_000)
    return EstimatorForecast(
        spec=estimator.model_dump(mode="json"), label=estimator.label, peak_bytes=size, parts={},
        resident_bytes=0, probe_bytes=0, run_bytes=size, estimate=Work(), run=Work(),
        probes=Work(),
    )  # fmt: skip


def test_full_storage_is_taken_where_its_graph_fits() -> None:
    """benchmarks/README.md: 2.0 times plain training, with checkpoints 3.3, step by step 4.2."""
    advice = advise(preset("short-window"))
    assert advice.verdicts[0].label == "Unrolled, full"
    order = [of(advice, f"Unrolled, {storage}").rank for storage in ("checkpoint", "per step")]
    assert order == sorted(order)


def test_the_lectures_example_does_not_fit_16_gigabytes_and_checkpoints_do() -> None:
    """benchmarks/README.md, 'The lecture's example'."""
    machine = Machine(name="16 GB", device="cpu", memory_bytes=16e9)
    advice = advise(validate(LECTURE), forecast=lecture_forecast, machine=machine)
    assert of(advice, "Unrolled, full").effect == "cannot"
    assert rules_of(of(advice, "Unrolled, full"))[0] == "memory"
    assert [verdict.label for verdict in advice.verdicts[:2]] == [
        "Forward mode", "Unrolled, checkpoint",
    ]  # fmt: skip
    assert "will not fit: 18 GB of 16 GB" in advice.summary


def test_with_32_gigabytes_the_lectures_example_keeps_its_graph() -> None:
    machine = Machine(name="32 GB", device="cpu", memory_bytes=32e9)
    advice = advise(validate(LECTURE), forecast=lecture_forecast, machine=machine)
    assert advice.verdicts[0].label == "Unrolled, full"


def test_a_budget_in_bytes_is_a_limit_too() -> None:
    machine = Machine(name="32 GB", device="cpu", memory_bytes=32e9)
    tight = validate({**LECTURE, "budget": {"bytes": 1e9}})
    advice = advise(tight, forecast=lecture_forecast, machine=machine)
    assert of(advice, "Unrolled, full").effect == "cannot"
    assert "the budget of the spec" in (of(advice, "Unrolled, full").why_not or "")


def test_a_run_that_takes_longer_than_its_budget_is_not_advised() -> None:
    def forecast(experiment: Experiment) -> EstimatorForecast:
        full = getattr(experiment.estimators[0], "storage", "") == "full"
        seconds = {"seconds": 90.0, "seconds_low": 70.0, "seconds_high": 120.0} if full else {}
        return lecture_forecast(experiment).model_copy(update=seconds)

    advice = advise(validate({**LECTURE, "budget": {"seconds": 60.0}}), forecast=forecast)
    assert rules_of(of(advice, "Unrolled, full"))[0] == "time"
    assert of(advice, "Unrolled, full").why_not == "a run takes 90 s, and the budget allows 60 s"


def test_implicit_suits_where_the_inner_loop_ends_at_its_minimum() -> None:
    """docs/results/advice-evidence.json: a bias of 0.007 with 4.9 % of the way left."""
    [measured] = [
        row for row in results("advice-evidence")["implicit"] if row["preset"] == "implicit-solvers"
    ]
    assert measured["bias_relative"] < 0.01
    advice = advise(preset("implicit-solvers"))
    assert of(advice, "Implicit, cg 20").effect == "suits"
    assert advice.facts.way_left == pytest.approx(measured["way_left"])


@pytest.mark.parametrize(
    ("slug", "edits", "effect"),
    [
        ("initialisation-without-the-path", {"inner__steps": 5}, "avoid"),
        ("weight-decays-by-implicit-or-unrolled", {}, "avoid"),
        ("initialisation-without-the-path", {"inner__steps": 20}, "avoid"),
        ("initialisation-without-the-path", {"inner__steps": 80}, "suits"),
    ],
)
def test_implicit_is_avoided_far_from_the_minimum(slug, edits, effect) -> None:
    """docs/results/advice-evidence.json: biases of 0.35, 0.63, 0.07 and 0.002."""
    experiment = preset(slug, **edits)
    [measured] = [
        row
        for row in results("advice-evidence")["implicit"]
        if row["preset"] == slug and row["steps"] == experiment.inner.steps
    ]
    assert (measured["bias_relative"] < 0.01) == (effect == "suits")
    label = next(e.label for e in experiment.estimators if e.kind == "implicit")
    assert of(advise(experiment), label).effect == effect


def test_minibatches_leave_implicit_in_doubt() -> None:
    """Lorraine et al. (2020) assume a stationary point, which minibatches keep moving."""
    found = of(advise(preset("language-model-by-gradients")), "Implicit, neumann 3")
    assert found.effect == "costs"
    assert "the path left out" in rules_of(found)


def test_a_small_measured_bias_comes_before_the_doubt() -> None:
    """What was measured here comes before what is expected."""
    known = History(by_label={"Implicit, neumann 3": Past(runs=3, bias=0.01, variance=0.0)})
    found = of(advise(preset("language-model-by-gradients"), history=known), "Implicit, neumann 3")
    assert "the path left out" not in rules_of(found)


def test_a_large_measured_bias_is_avoided() -> None:
    """docs/results/advice-evidence.json: windows of 20 have 3.7 times the gradient as bias."""
    [row] = [row for row in results("advice-evidence")["windows"] if row["window"] == 20]
    known = History(by_label={"Truncated, last 20": Past(runs=1, bias=row["bias_relative"])})
    found = of(advise(preset("influence-balancing"), history=known), "Truncated, last 20")
    assert (found.effect, rules_of(found)) == ("avoid", ["measured bias"])


def test_a_window_is_biased_and_the_whole_horizon_is_not() -> None:
    """Wu et al. (2018)."""
    advice = advise(preset("short-window"))
    assert rules_of(of(advice, "Truncated, last 20")) == ["short windows"]
    assert of(advice, "Truncated, last 40").effect == "possible"


def test_evolution_is_avoided_for_initial_weights() -> None:
    """docs/results/evolution-on-initial-parameters.json; Nesterov and Spokoiny (2017)."""
    label = "Evolution, 16 particles, σ = 0.05"
    variance = mean(
        last("evolution-on-initial-parameters", f"{label}, hidden = []", "variance_relative")
    )
    assert variance > 50.0
    found = of(advise(preset("evolution-on-initial-parameters")), label)
    assert rules_of(found) == ["many meta-parameters by chance", "chance"]
    assert found.effect == "avoid"


def test_a_measured_variance_decides_for_itself() -> None:
    """At 5 times the squared gradient 256 particles did learn (same results)."""
    label = "Evolution, 256 particles, σ = 0.05"
    slug = "evolution-on-initial-parameters"
    variance = mean(last(slug, f"{label}, hidden = []", "variance_relative"))
    assert mean(last(slug, f"{label}, hidden = []", "test_accuracy")) > 0.9
    known = History(by_label={label: Past(runs=3, variance=variance)})
    found = of(advise(preset(slug), history=known), label)
    assert (found.effect, rules_of(found)) == ("costs", ["measured noise"])


def test_a_search_is_avoided_in_many_dimensions() -> None:
    """Bergstra and Bengio (2012)."""
    found = of(advise(preset("evolution-on-initial-parameters")), "Random search, 8 in [0, 1]")
    assert "many meta-parameters for a search" in rules_of(found)


def test_a_search_or_evolution_where_accuracy_judges() -> None:
    """No derivative exists; docs/results/elites.json for what a search reaches with one entry."""
    assert mean(last("elites", "Elites, 6 of 24, σ = 2", "meta_loss")) < mean(
        last("elites", "Unrolled, checkpoint", "meta_loss")
    )
    experiment = validate(
        {
            "inner_task": {"kind": "image_mlp", "dataset": "digits", "meta_loss": "accuracy"},
            "meta_parameters": [{"kind": "learning_rate"}],
            "estimators": [{"kind": "elites"}],
            "probes": {"oracle": False},
        }
    )
    advice = advise(experiment)
    suited = {verdict.kind for verdict in advice.verdicts if verdict.effect == "suits"}
    assert {"elites", "cma_es", "evolution"} <= suited
    assert of(advice, "Unrolled, full").effect == "cannot"


def test_reinforce_for_choices() -> None:
    """docs/results/controller.json; Williams (1992)."""
    label = "REINFORCE, 16 samples, baseline leave one out"
    assert mean(float(r["first"]["bias_relative"]) for r in results("controller")["runs"]
                if r["label"] == label) < 0.2  # fmt: skip
    advice = advise(preset("controller"))
    assert advice.verdicts[0].label == label
    assert {verdict.effect for verdict in advice.verdicts if verdict.kind != "reinforce"} == {
        "cannot"
    }


def test_the_labs_runs_say_that_persistent_evolution_leaves_the_plateau() -> None:
    """docs/results/learned-schedule.json: exact gradients stay at 24.2, PES reaches 5.9
    (Vicol et al., 2021)."""
    slug, best = "learned-schedule", "Evolution, persistent windows of 10, 100 particles, σ = 0.3"
    advice = advise(preset(slug), history=history_of(slug))
    assert rules_of(of(advice, "Unrolled, full"))[0] == "outcome"
    assert of(advice, "Unrolled, full").effect == "avoid"
    assert of(advice, best).rank < of(advice, "Unrolled, full").rank
    assert "outcome" not in rules_of(of(advice, best))


def test_truncated_evolution_is_avoided_beside_persistent() -> None:
    """Vicol et al. (2021); docs/results/learned-schedule.json: 13.6 and 5.9."""
    found = of(advise(preset("persistent-evolution")),
               "Evolution, truncated windows of 10, 2000 particles, σ = 0.1")  # fmt: skip
    assert "windows without memory" in rules_of(found)


def test_exact_gradients_are_avoided_where_they_explode() -> None:
    """Metz et al. (2021), 'Gradients are not all you need'."""
    known = History(gradient_norm=1.1e10)
    advice = advise(preset("learned-optimizer"), history=known)
    assert rules_of(of(advice, "Unrolled, full"))[0] == "exploding gradients"
    assert advice.verdicts[0].kind not in ("unrolled", "truncated")


def test_forward_mode_for_a_few_meta_parameters_and_not_for_thirty() -> None:
    """docs/results/advice-evidence.json, 'tangents'; Franceschi et al. (2017)."""
    for row in results("advice-evidence")["tangents"]:
        faster = row["cpu_seconds"]["Forward mode"] < row["cpu_seconds"]["Unrolled, checkpoint"]
        assert faster == (row["meta_parameters"] <= 4)
    scalar = preset("forward-mode")
    each_step = preset("forward-mode", meta_parameters__0__granularity="per_step")
    assert of(advise(scalar), "Forward mode").effect == "suits"
    assert rules_of(of(advise(each_step), "Forward mode")) == ["a tangent for each"]


def test_first_order_costs_what_second_derivatives_know() -> None:
    """docs/results/sinusoids.json: a test loss of 1.28, and 0.74 with the whole path."""
    assert mean(last("sinusoids", "First-order MAML, full", "test_loss")) > 1.5 * mean(
        last("sinusoids", "Unrolled, full", "test_loss")
    )
    advice = advise(preset("sinusoids"))
    for label in ("First-order MAML, full", "Reptile"):
        assert rules_of(of(advice, label)) == ["first order"]


def test_what_the_rules_of_the_spec_refuse_says_why() -> None:
    """docs/support-matrix.md: the learning rate has no implicit gradient."""
    found = of(advise(preset("short-window")), "Implicit, cg 20")
    assert found.effect == "cannot"
    assert "its implicit gradient is zero" in (found.why_not or "")


def test_what_preflight_refuses_is_not_advised() -> None:
    """Fused attention has no forward mode: preflight says so, whatever the rules allow."""
    said = {"Forward mode": ["an operation has no forward mode"]}
    found = of(advise(preset("transformer"), obstacles=said), "Forward mode")
    assert (found.effect, found.why_not) == ("cannot", said["Forward mode"][0])


def test_what_always_failed_here_is_avoided() -> None:
    known = History(by_label={"Unrolled, full": Past(runs=2, failed=2)})
    found = of(advise(preset("short-window"), history=known), "Unrolled, full")
    assert (found.effect, rules_of(found)[0]) == ("avoid", "failures")


def seconds_as(**seconds: float) -> Callable[[Experiment], EstimatorForecast]:
    def forecast(experiment: Experiment) -> EstimatorForecast:
        storage = getattr(experiment.estimators[0], "storage", "")
        found = lecture_forecast(experiment)
        return found.model_copy(update={"step_seconds": seconds.get(storage)})

    return forecast


def test_an_exact_estimator_that_is_clearly_slower_stands_behind() -> None:
    """benchmarks/README.md: the storages of the large network at T = 200; a forecast that says 2.5
    times says more than that forecasts err."""
    advice = advise(preset("short-window"), forecast=seconds_as(full=2.86, checkpoint=7.2))
    assert advice.verdicts[0].label == "Unrolled, full"
    checkpoint = of(advice, "Unrolled, checkpoint")
    assert rules_of(checkpoint)[0] == "slower"
    said = "the same gradient in 2.5 times the time of the fastest that runs here"
    assert checkpoint.why_not == said


def test_a_small_difference_of_forecasts_is_none_and_of_measurements_is_one() -> None:
    """benchmarks/README.md: 2.86 and 3.93 times plain training, quartiles 2.71 to 4.13."""
    experiment = preset("short-window")
    seconds = {"full": 2.86, "checkpoint": 3.93}
    advice = advise(experiment, forecast=seconds_as(**seconds))
    assert of(advice, "Unrolled, checkpoint").effect == "suits"
    known = {
        f"Unrolled, {name}": Past(runs=3, step_seconds=value) for name, value in seconds.items()
    }
    advice = advise(experiment, history=History(by_label=known))
    assert rules_of(of(advice, "Unrolled, checkpoint"))[0] == "slower"


def test_reinforce_without_a_baseline_costs_variance() -> None:
    """docs/results/controller.json, at the first outer step."""
    variance = {
        name: mean(
            float(r["first"]["variance_relative"])
            for r in results("controller")["runs"]
            if r["label"] == f"REINFORCE, 16 samples, baseline {name}"
        )
        for name in ("leave one out", "none")
    }
    assert variance["none"] > 5.0 * variance["leave one out"]
    found = of(advise(preset("controller")), "REINFORCE, 16 samples, baseline none")
    assert rules_of(found)[0] == "no baseline"


def cited_files() -> Iterator[str]:
    from engine.advice.rules import RULES

    for rule in RULES:
        for word in rule.source.replace(";", " ").replace(":", " ").replace(")", " ").split():
            if word.strip("(,").startswith(("docs/", "benchmarks/")):
                yield word.strip("(,.")


@pytest.mark.parametrize("path", sorted(set(cited_files())))
def test_what_the_rules_cite_is_there(path) -> None:
    assert (RESULTS.parents[1] / path).exists()


def test_the_page_has_the_rules_as_they_are() -> None:
    """docs/forecast.md is written by `python -m benchmarks.forecast_page`."""
    from engine.advice.table import rules_table

    assert rules_table() in (RESULTS.parent / "forecast.md").read_text("utf-8")
